from datasets import DatasetDict, concatenate_datasets

from hf_fashion.data.leaks import find_photo_leaks, find_title_leaks
from tests.data.corpora import products


def naive_pairs(first, second, same):
    return {(i, j) for j in range(len(second)) for i in range(len(first)) if same(first[i], second[j])}


def test_shared_photos_and_titles_are_counted_and_named():
    train, validation = products(6), concatenate_datasets([products(3, first=10), products(2, first=4)])
    corpus = DatasetDict(train=train, validation=validation)
    expected = naive_pairs(train["title"][:], validation["title"][:], lambda a, b: a == b)
    (photos,), (titles,) = find_photo_leaks(corpus, "image"), find_title_leaks(corpus, "title")
    assert set(photos.rows) == set(titles.rows) == expected == {(4, 3), (5, 4)}
    assert str(titles) == "2 rows of validation with a title of train"


def test_case_and_white_space_do_not_hide_a_title():
    validation = products(1).map(lambda row: {"title": "  SHIRT   number 0 "})
    (leak,) = find_title_leaks(DatasetDict(train=products(2), validation=validation), "title")
    assert leak.rows == ((0, 0),)


def test_composed_and_decomposed_letters_are_one_title():
    titles = "Robe d\u00e9collet\u00e9e", "Robe de\u0301collete\u0301e"
    splits = [
        products(1, first=number).map(lambda row, title=title: {"title": title}) for number, title in enumerate(titles)
    ]
    assert len(find_title_leaks(DatasetDict(train=splits[0], validation=splits[1]), "title")) == 1


def test_repeats_within_a_split_and_empty_titles_are_no_leak():
    twice = concatenate_datasets([products(1), products(1)])
    assert find_photo_leaks(DatasetDict(train=twice, validation=products(1, first=9)), "image") == []
    empty = products(2).map(lambda row: {"title": ""})
    assert find_title_leaks(DatasetDict(train=empty, validation=empty), "title") == []


def test_three_splits_are_compared_two_by_two():
    corpus = DatasetDict(train=products(2), validation=products(1, first=1), test=products(3))
    pairs = [(leak.first, leak.second) for leak in find_photo_leaks(corpus, "image")]
    assert pairs == [("train", "validation"), ("train", "test"), ("validation", "test")]
