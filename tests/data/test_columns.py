from datasets import ClassLabel, DatasetDict, Features, Image, List, Value

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.columns import column_problems
from tests.data.corpora import products


def with_features(**features):
    dataset = products(0)
    return dataset.cast(Features({**dataset.features, **features}))


def test_a_good_corpus_has_no_problem():
    corpus = DatasetDict(train=products(2), validation=products(1))
    assert column_problems(corpus, ColumnMap(caption="title", tags={"brand": "brand"}, product_id="id")) == []


def test_missing_columns_name_split_part_near_name_and_what_there_is():
    problems = column_problems(DatasetDict(train=products(2)), ColumnMap(caption="tittle", tags={"season": "when"}))
    assert problems == [
        "split 'train': no column 'tittle' (caption) (did you mean 'title'?); columns: image, title, brand, id",
        "split 'train': no column 'when' (tags.season); columns: image, title, brand, id",
    ]


def test_wrong_types_say_what_is_allowed_and_what_came():
    corpus = DatasetDict(train=products(1))
    problems = column_problems(corpus, ColumnMap(image="title", caption="image", tags={"photo": "image"}))
    assert "'title' (image) must hold images (`datasets.Image`) or lists of them, it holds string" in problems[0]
    assert "'image' (caption) must hold text, it holds Image(" in problems[1]
    assert "'image' (tags.photo) must hold text, class labels or numbers" in problems[2]


def test_tags_may_be_text_labels_numbers_or_all_null_and_images_may_be_views():
    kinds = (Value("string"), ClassLabel(names=["a"]), Value("float64"), Value("int32"), Value("null"))
    for kind in kinds:
        corpus = DatasetDict(train=with_features(brand=kind))
        assert column_problems(corpus, ColumnMap(tags={"b": "brand"}), require_caption=False) == [
            "split 'train' has no rows"
        ]
    features = Features({"image": List(Image())})
    views = products(0).select_columns("image").from_dict({"image": [[]]}, features=features)
    assert column_problems(DatasetDict(train=views), ColumnMap(), require_caption=False) == []


def test_a_map_without_caption_where_one_is_needed():
    assert "names no caption" in column_problems(DatasetDict(train=products(1)), ColumnMap())[0]


def test_attributes_may_be_lists_of_labels_and_tags_may_not():
    values = List(ClassLabel(names=["a", "b"]))
    corpus = DatasetDict(train=products(1).add_column("marks", [[0, 1]], feature=values))
    assert column_problems(corpus, ColumnMap(attributes={"mark": "marks"}), require_caption=False) == []
    problems = column_problems(corpus, ColumnMap(tags={"mark": "marks"}), require_caption=False)
    assert "'marks' (tags.mark) must hold text, class labels or numbers" in problems[0]
    photos = DatasetDict(train=products(1).select_columns("image").cast_column("image", Image()))
    problems = column_problems(photos, ColumnMap(attributes={"mark": "image"}), require_caption=False)
    assert "'image' (attributes.mark) must hold text, class labels or numbers" in problems[0]
