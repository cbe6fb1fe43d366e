import copy
import tracemalloc

import pytest

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.converters.fashionpedia import read_fashionpedia
from tests.data.converted import converted, save_json, save_photos


FILE = {
    "info": {"year": 2019},
    "images": [{"id": 23, "file_name": "a.jpg", "width": 12, "height": 16}, {"id": 24, "file_name": "b.jpg"}],
    "categories": [{"id": 10, "name": "dress", "supercategory": "wholebody"}, {"id": 31, "name": "sleeve"}],
    "attributes": [
        {"id": 115, "name": "a-line", "supercategory": "silhouette", "level": 1},
        {"id": 156, "name": "short (length)", "supercategory": "length"},
        {"id": 316, "name": "stripe", "supercategory": "textile pattern"},
        {"id": 400, "name": "ribbed", "supercategory": "knit"},
    ],
    "annotations": [
        {"id": 1, "image_id": 23, "category_id": 10, "attribute_ids": [115, 316, 400], "bbox": [1, 2, 3.5, 4]},
        {"id": 2, "image_id": 23, "category_id": 31, "attribute_ids": [156], "bbox": [0, 0, 2, 2]},
        {"id": 3, "image_id": 23, "category_id": 31, "attribute_ids": [156], "bbox": [6, 0, 2, 2]},
    ],
}


def save(folder, **changes):
    return save_json(folder / "instances_attributes_train2020.json", copy.deepcopy(FILE) | changes)


def test_boxes_categories_and_attributes(tmp_path):
    save(tmp_path / "in")
    save_json(tmp_path / "in" / "instances_attributes_val2020.json", FILE)
    save_photos(tmp_path / "in" / "train", "a.jpg", "b.jpg")
    with pytest.raises(ValueError, match="leak"):  # both files name the same photos
        converted("fashionpedia", tmp_path / "in", tmp_path / "out")
    corpus = converted("fashionpedia", tmp_path / "in" / "instances_attributes_train2020.json", tmp_path / "one")
    row = corpus["train"][0]
    assert row["categories"] == ["dress", "sleeve"] and row["image_id"] == "23"
    assert row["objects"][0] == {
        "category": "dress",
        "attributes": ["a-line", "stripe", "ribbed"],
        "box": [1, 2, 4.5, 6],
    }
    assert row["silhouette"] == ["a-line"] and row["length"] == ["short (length)"]
    assert row["pattern"] == ["stripe"] and row["waistline"] == []
    labels = read_labels(corpus["train"], ColumnMap(attributes={"category": "categories"}))
    assert labels.is_multi_label and labels.carries.tolist() == [[True, True], [False, False]]


def test_masks_do_not_fill_the_memory(tmp_path):
    mask = [[number / 7 for number in range(2_000)]]
    annotations = [FILE["annotations"][0] | {"id": number, "segmentation": mask} for number in range(50)]
    path = save(tmp_path, annotations=annotations)
    save_photos(tmp_path, "a.jpg", "b.jpg")
    tracemalloc.start()
    try:
        assert len(read_fashionpedia(path)["train"][0]["objects"]) == 50
        assert tracemalloc.get_traced_memory()[1] < 2.5 * path.stat().st_size  # of which its bytes and its text are 2
    finally:
        tracemalloc.stop()


def test_what_refers_to_nothing_is_named(tmp_path):
    wrong = [
        {"image_id": 99, "category_id": 10, "attribute_ids": [], "bbox": [0, 0, 1, 1]},
        {"image_id": 23, "category_id": 99, "attribute_ids": [], "bbox": [0, 0, 1, 1]},
        {"image_id": 23, "category_id": 10, "attribute_ids": [99], "bbox": [0, 0, 1, 1]},
        {"image_id": 23, "category_id": 10, "attribute_ids": [], "bbox": [0, 0, 1]},
    ]
    path = save(tmp_path, annotations=wrong)
    with pytest.raises(ValueError) as error:
        read_fashionpedia(path)
    for line in ("1: no image 99", "2: no category 99", "3: no attribute 99", "4: bbox [0, 0, 1] is not left"):
        assert f"annotation {line}" in str(error.value)


def test_files_of_another_kind_are_refused(tmp_path):
    path = save(tmp_path, annotations=[{"image_id": 23, "attribute_ids": [115]}])  # those of whole photos
    with pytest.raises(ValueError, match="annotation 1: no 'category_id'"):
        read_fashionpedia(path)
    save_json(path, {"images": [], "info": {}})
    with pytest.raises(ValueError, match="no annotations, categories, attributes: it is not a file of Fashionpedia's"):
        read_fashionpedia(path)
    path.write_text('{"images": [}')
    with pytest.raises(ValueError, match=r"train2020\.json, line 1, column 13: not JSON"):
        read_fashionpedia(path)
    save(tmp_path)
    save_json(tmp_path / "instances_attributes_train2021.json", FILE)
    with pytest.raises(ValueError, match="a second file of the split 'train'"):
        read_fashionpedia(tmp_path)
