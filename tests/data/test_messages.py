from hf_fashion.data.messages import name_rows, nearest


def test_nearest_keeps_the_spelling_of_the_allowed_name():
    assert nearest("basecolour", ["baseColour", "season"]) == " (did you mean 'baseColour'?)"
    assert nearest("xyz", ["baseColour"]) == ""


def test_rows_are_named_up_to_a_limit():
    assert name_rows([4]) == "row 4"
    assert name_rows(list(range(12)), limit=3) == "rows 0, 1, 2 and 9 more"
