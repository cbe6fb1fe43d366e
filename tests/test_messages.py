"""Phrases of error messages: spelling suggestions and lists."""

from hf_fashion.messages import did_you_mean, listed, missing_column, printable


def test_a_suggestion_keeps_the_spelling_of_the_allowed_name():
    assert did_you_mean("basecolour", ["baseColour", "season"]) == " (did you mean 'baseColour'?)"
    assert did_you_mean("xyz", ["baseColour"]) == ""


def test_a_missing_column_is_named_with_its_part_and_the_columns_that_exist():
    text = missing_column("titel", "caption", ["image", "title"])
    assert text == "no column 'titel' (caption) (did you mean 'title'?); columns: image, title"
    assert missing_column("xyz", "photos", []) == "no column 'xyz' (photos); columns: "


def test_findings_are_listed_up_to_a_limit():
    assert listed("2 bad photos", ["a.jpg", "b.jpg"]) == "2 bad photos:\n    a.jpg;\n    b.jpg"
    lines = listed("photos", [f"{number}.jpg" for number in range(1234)]).splitlines()
    assert len(lines) == 102 and lines[-2:] == ["    99.jpg;", "    and 1,134 more"]
    assert listed("photos", ["a\n\x1b[2J.jpg"]) == r"photos:" + "\n    " + r"a \x1b[2J.jpg"


def test_what_is_printed_cannot_act_on_the_terminal():
    assert printable("\x1b[2Ja\r\nb\tc") == r"\x1b[2Ja b c"
    assert printable("a\u202eb\u2066c\x9b1md\ud800") == r"a\u202eb\u2066c\x9b1md\ud800"
    assert printable("été 外套 👩\u200d👧 \u0645\u200c\u0645") == "été 外套 👩\u200d👧 \u0645\u200c\u0645"
