"""Sections are marked by their headings; those that people changed stay, the others are renewed."""

import logging

from hf_fashion.cards.sections import mark_sections, read_sections, renew_sections


OLD = mark_sections("# Name\n\nWhat it is.\n\n## How to use\n\n```python\n## no heading\n```\n\n## Limits\n\nFew.\n")
NEW = mark_sections(
    "# Name\n\nWhat it is now.\n\n## How to use\n\nCall it.\n\n## Results\n\n5\n\n## Limits\n\nMany.\n"
)


def texts(marked: str) -> dict[str, str]:
    return {section.name: section.text for section in read_sections(marked) if section.name}


def between(marked: str) -> str:
    return "".join(section.text for section in read_sections(marked) if not section.name).strip()


def test_sections_have_the_names_of_their_headings():
    assert list(texts(OLD)) == ["title", "introduction", "how-to-use", "limits"]
    assert texts(OLD)["how-to-use"] == "## How to use\n\n```python\n## no heading\n```"


def test_what_nobody_changed_is_renewed_and_new_sections_come_where_they_belong():
    renewed = renew_sections(OLD, NEW)
    assert texts(renewed) == texts(NEW) and list(texts(renewed)) == list(texts(NEW))


def test_the_same_card_stays_the_same():
    assert renew_sections(OLD, OLD) == OLD


def test_a_changed_section_stays_and_is_logged(caplog):
    old = OLD.replace("Few.", "Few. Not for shoes.")
    with caplog.at_level(logging.WARNING):
        renewed = renew_sections(old, NEW)
    assert texts(renewed)["limits"] == "## Limits\n\nFew. Not for shoes." and "Call it." in renewed
    assert "stay as they are: limits" in caplog.text
    assert texts(renew_sections(renewed, NEW))["limits"].endswith("Not for shoes.")


def test_an_emptied_section_stays_empty():
    renewed = renew_sections(OLD.replace("## Limits\n\nFew.", ""), NEW)
    assert texts(renewed)["limits"] == "" and "Many." not in renewed


def test_text_between_sections_stays():
    old = OLD.replace("<!-- hf_fashion: how-to-use", "Photos by Ines.\n\n<!-- hf_fashion: how-to-use")
    assert "Photos by Ines." in renew_sections(old, NEW) and between(renew_sections(old, NEW)) == "Photos by Ines."


def test_what_people_wrote_into_the_new_card_comes_too():
    new = NEW.replace("Call it.", "Call it often.").replace(
        "<!-- hf_fashion: results", "By Ada.\n\n<!-- hf_fashion: results"
    )
    renewed = renew_sections(OLD, new)
    assert texts(renewed)["how-to-use"].endswith("Call it often.") and between(renewed) == "By Ada."
    assert renewed.index("By Ada.") > renewed.index("Call it often.")
    assert renew_sections(renewed, NEW).count("By Ada.") == 1 and "Call it often." in renew_sections(renewed, NEW)


def test_a_section_that_is_no_longer_written_goes():
    assert "results" not in texts(renew_sections(NEW, OLD))
    assert "results" in texts(renew_sections(NEW.replace("\n5\n", "\n6\n"), OLD))


def test_a_deleted_mark_loses_nothing():
    old = OLD.replace("<!-- hf_fashion: end -->", "") + "\nPhotos by Ines.\n"
    renewed = renew_sections(old, NEW)
    assert "Photos by Ines." in renewed and "Call it." in renewed and "Many." not in renewed


def test_a_card_of_somebody_else_is_added_to():
    renewed = renew_sections("# Shoes\n\nMine.\n", NEW)
    assert renewed.startswith("# Shoes\n\nMine.\n\n<!-- hf_fashion: introduction") and "# Name" not in renewed


def test_a_title_that_people_removed_stays_away():
    old = OLD.partition("<!-- hf_fashion: introduction")
    assert "title" not in texts(renew_sections(old[1] + old[2], NEW))
