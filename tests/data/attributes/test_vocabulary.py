import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from hf_fashion.data.attributes.vocabulary import AttributeVocabulary, attribute_cells, build_vocabulary
from hf_fashion.data.column_map import ColumnMap
from tests.data.attribute_corpora import VALUES, vocabulary


@pytest.fixture
def corpus():
    columns = {
        "collar": ["v", None, "boat", " "],
        "length": [2, 0, None, 2],
        "marks": [["dots", "lines"], [], None, ["lines", None]],
        "parts": [[1], None, [0, 1, 1], []],
        "size": [4.0, 10.0, None, 4.0],
    }
    features = {
        "collar": Value("string"),
        "length": ClassLabel(names=["midi", "ankle", "floor"]),
        "marks": List(Value("string")),
        "parts": List(ClassLabel(names=["zip", "belt"])),
        "size": Value("float32"),
    }
    return Dataset.from_dict(columns, features=Features(features))


def test_cells_are_text_whatever_the_column_holds(corpus):
    assert attribute_cells(corpus, "collar") == [["v"], [], ["boat"], []]
    assert attribute_cells(corpus, "length") == [["floor"], ["midi"], [], ["floor"]]
    assert attribute_cells(corpus, "marks") == [["dots", "lines"], [], [], ["lines"]]
    assert attribute_cells(corpus, "parts") == [["belt"], [], ["zip", "belt"], []]
    assert attribute_cells(corpus, "size") == [["4"], ["10"], [], ["4"]]


def test_order_is_that_of_the_map_and_of_the_classes(corpus):
    column_map = ColumnMap(attributes={"skirt": "length", "neck": "collar", "print": "marks", "parts": "parts"})
    built = build_vocabulary(corpus, column_map)
    assert built.attribute_names == ["skirt", "neck", "print", "parts"]
    assert built.attribute_values == {
        "skirt": ["midi", "ankle", "floor"],  # ankle is not seen, and keeps its place
        "neck": ["boat", "v"],
        "print": ["dots", "lines"],
        "parts": ["zip", "belt"],
    }
    assert built == build_vocabulary(corpus.select([3, 2, 1, 0]), column_map)


def test_pairs_are_numbered_by_attribute():
    words = vocabulary()
    assert words.num_values == [4, 2] and words.starts == [0, 4, 6]
    pairs = [(name, value) for name, values in VALUES.items() for value in values]
    assert [words.value_of_pair(pair) for pair in range(6)] == pairs


def test_what_is_missing_is_named(corpus):
    with pytest.raises(ValueError, match=r"no column 'colar' \(attribute 'neck'\) \(did you mean 'collar'\?\)"):
        build_vocabulary(corpus, ColumnMap(attributes={"neck": "colar"}))
    with pytest.raises(ValueError, match="the column map names no `attributes`"):
        build_vocabulary(corpus, ColumnMap())
    with pytest.raises(ValueError, match=r"attribute 'neck' needs at least two values.*got \['v'\]"):
        build_vocabulary(corpus.select([0, 1]), ColumnMap(attributes={"neck": "collar"}))
    with pytest.raises(ValueError, match="attribute 'neck' needs at least two values, all different"):
        AttributeVocabulary(["neck"], {"neck": ["v", "v"]})
    for names, values in ((["hem"], {"neck": ["a", "b"]}), ([], {}), (["neck"] * 2, {"neck": ["a", "b"]})):
        with pytest.raises(ValueError, match="`attribute_names` must name the attributes"):
            AttributeVocabulary(names, values)
