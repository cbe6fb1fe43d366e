import pytest

from hf_fashion.data.converters.deepfashion_inshop import read_deepfashion_inshop
from tests.data.converted import converted, save_photos


NAMES = [
    "img/WOMEN/Dresses/id_00000001/02_1_front.jpg",
    "img/WOMEN/Dresses/id_00000001/02_2_side.jpg",
    "img/MEN/Tees_Tanks/id_00000002/01_7_additional.jpg",
    "img/MEN/Tees_Tanks/id_00000002/01_1_front.jpg",
]
ROWS = [f"{NAMES[0]}  id_00000001 train", f"{NAMES[1]} id_00000001 train"]
ROWS += [f"{NAMES[2]} id_00000002 query", f"{NAMES[3]}  id_00000002 gallery"]


def save_list(folder, rows=ROWS, count=None, header="image_name item_id evaluation_status"):
    path = folder / "Eval" / "list_eval_partition.txt"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("\n".join([str(len(rows) if count is None else count), header, *rows, ""]))
    return path


@pytest.mark.parametrize("folder", [".", "Img"])
def test_splits_and_what_the_folders_name(folder, tmp_path):
    save_list(tmp_path / "shop")
    save_photos(tmp_path / "shop" / folder, *NAMES)
    corpus = converted("deepfashion-inshop", tmp_path / "shop", tmp_path / "out")
    assert {name: len(split) for name, split in corpus.items()} == {"train": 2, "query": 1, "gallery": 1}
    row = corpus["train"][1]
    assert row.pop("image").size == (12, 16)
    assert row == {
        "file": NAMES[1],
        "item_id": "id_00000001",
        "gender": "WOMEN",
        "category": "Dresses",
        "view": "side",
        "source_row": "list_eval_partition.txt, line 4",
    }


def test_the_list_may_be_named_and_the_photos_be_elsewhere(tmp_path):
    path = save_list(tmp_path / "shop")
    save_photos(tmp_path / "photos", *NAMES)
    corpus = converted("deepfashion-inshop", path, tmp_path / "out", images=tmp_path / "photos")
    assert corpus["query"]["view"][:] == ["additional"]


def test_photos_are_found_from_the_list_and_by_the_folder_of_another_size(tmp_path):
    path = save_list(tmp_path / "shop")
    save_photos(tmp_path / "shop" / "Img", *NAMES)
    save_photos(tmp_path / "shop" / "Img" / "img_highres", *(name.removeprefix("img/") for name in NAMES))
    for source, images, folder in (
        (path, None, "img"),
        (path.parent, None, "img"),
        (path, tmp_path / "shop" / "Img" / "img", "img"),
        (tmp_path / "shop", tmp_path / "shop" / "Img" / "img_highres", "img_highres"),
    ):
        (row,) = read_deepfashion_inshop(source, images)["query"]
        assert row["image"] == str(tmp_path / "shop" / "Img" / folder / NAMES[2].removeprefix("img/"))
        assert row["file"] == NAMES[2]


def test_a_list_that_is_wrong_is_named_by_its_lines(tmp_path):
    save_list(tmp_path, count=5)
    with pytest.raises(ValueError, match=r"line 1 says 5 photos, and 4 are listed: load the file again"):
        read_deepfashion_inshop(tmp_path)
    save_list(tmp_path, [*ROWS, "img/a.jpg id_3 test", "img/b.jpg train"])
    with pytest.raises(ValueError, match=r"no photo, item and train, query, gallery:\s+line 7: .*;\s+line 8: 'img/b"):
        read_deepfashion_inshop(tmp_path)
    save_list(tmp_path, header="image_pair_name_1 image_pair_name_2 item_id evaluation_status")
    with pytest.raises(ValueError, match="The lists of DeepFashion's other benchmarks have other columns"):
        read_deepfashion_inshop(tmp_path)
