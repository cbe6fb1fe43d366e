"""Phrases of error messages: spelling suggestions and row numbers."""

from hf_fashion.messages import did_you_mean, missing_column, name_rows, printable, shown


def test_a_suggestion_keeps_the_spelling_of_the_allowed_name():
    assert did_you_mean("basecolour", ["baseColour", "season"]) == " (did you mean 'baseColour'?)"
    assert did_you_mean("xyz", ["baseColour"]) == ""


def test_a_missing_column_is_named_with_its_part_and_the_columns_that_exist():
    text = missing_column("titel", "caption", ["image", "title"])
    assert text == "no column 'titel' (caption) (did you mean 'title'?); columns: image, title"
    assert missing_column("xyz", "photos", []) == "no column 'xyz' (photos); columns: "


def test_rows_are_named_up_to_a_limit():
    assert name_rows([4]) == "row 4"
    assert name_rows(list(range(12)), limit=3) == "rows 0, 1, 2 and 9 more"


def test_what_is_printed_cannot_act_on_the_terminal():
    assert printable("\x1b[2Ja\r\nb\tc") == r"\x1b[2Ja b c"
    assert printable("a\u202eb\u2066c\x9b1md\ud800") == r"a\u202eb\u2066c\x9b1md\ud800"
    assert printable("été 外套 👩\u200d👧 \u0645\u200c\u0645") == "été 外套 👩\u200d👧 \u0645\u200c\u0645"


def test_a_value_is_shown_however_long_or_deep():
    assert shown("a dress") == "'a dress'" and shown(2.5) == "2.5" and shown({"a": [1]}) == "{'a': [1]}"
    assert len(shown("a" * 10_000)) == 100 and len(shown(["a" * 10_000] * 10_000)) < 1_000
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "[[[[[[[...]]]]]]]"
