from datasets import ClassLabel, Dataset, Features, Value

from hf_fashion.data.values import caption_texts, column_texts, is_placeholder, text_of, title_as_read


def test_cells_that_say_nothing_are_none():
    assert [text_of(value) for value in (None, "", "  ", float("nan"))] == [None] * 4
    assert text_of(-1, ClassLabel(names=["a"])) is None


def test_numbers_and_text_are_read_as_text():
    assert [text_of(value) for value in (3, 3.0, 2.5, " red ")] == ["3", "3", "2.5", "red"]


def test_column_texts_names_classes():
    features = Features({"neck": ClassLabel(names=["round", "v"]), "year": Value("float64")})
    dataset = Dataset.from_dict({"neck": [1, None, 0], "year": [2012.0, None, 2013.0]}, features=features)
    assert column_texts(dataset, "neck") == ["v", None, "round"]
    assert column_texts(dataset, "year") == ["2012", None, "2013"]


def test_words_for_a_missing_value_are_told_from_text():
    assert all(map(is_placeholder, ("nan", "NaN", "None", "<NA>")))
    assert not any(map(is_placeholder, (None, "NA-KD", "Nanamica", "null pattern")))


def test_captions_are_missing_where_a_word_says_so():
    dataset = Dataset.from_dict({"title": ["Red dress", "nan", None, " None ", "null pattern"]})
    assert caption_texts(dataset, "title") == ["Red dress", None, None, None, "null pattern"]


def test_titles_are_read_as_by_the_tokenizer():
    assert (
        title_as_read("  Robe   De\u0301colletee ") == title_as_read("robe d\u00e9colletee") == "robe d\u00e9colletee"
    )
