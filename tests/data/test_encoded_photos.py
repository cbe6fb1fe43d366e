from zipfile import ZipFile

import pytest
from datasets import Dataset, Features, Image, List

from hf_fashion.data.encoded_photos import encoded_images, photo_files, read_bytes, verify_images
from tests.data.corpora import jpeg, products


def dataset_of(cells, feature):
    return Dataset.from_dict({"image": cells}, features=Features({"image": feature}))


def test_broken_truncated_missing_and_null_photos_are_found(tmp_path):
    whole = jpeg(0)
    cells = [
        {"bytes": whole, "path": None},
        {"bytes": whole[: len(whole) // 2], "path": None},
        {"bytes": b"no photo", "path": None},
        {"bytes": None, "path": str(tmp_path / "gone.jpg")},
        None,
    ]
    bad = verify_images(dataset_of(cells, Image()), "image")
    assert [image.row for image in bad] == [1, 2, 3, 4]
    assert "truncated" in bad[0].reason.lower()
    assert "the file is no photo that can be opened" in bad[1].reason
    assert bad[2].reason == "there is no such file"
    assert bad[3].reason == "no image"


def test_one_bad_view_or_none_at_all_makes_a_bad_row():
    view, broken = {"bytes": jpeg(0), "path": None}, {"bytes": b"x", "path": None}
    bad = verify_images(dataset_of([[view, view], [view, broken], []], List(Image())), "image")
    assert [image.row for image in bad] == [1, 2]


def test_the_view_that_is_bad_is_named(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(0))
    (tmp_path / "IMG_1.JPG").write_bytes(b"")
    cells = [[str(tmp_path / name) for name in names] for names in (("a.jpg", "IMG_1.JPG"), ("img_1.jpg", "a.jpg"))]
    empty, missing = verify_images(dataset_of(cells, List(Image())), "image")
    assert empty.reason == (
        f"photo 2 of 2 ({tmp_path}/IMG_1.JPG): the file is no photo that can be opened: it is empty"
    )
    assert missing.reason.startswith(f"photo 1 of 2 ({tmp_path}/img_1.jpg): there is no such file (did you mean ")


def test_a_file_is_read_and_a_selection_keeps_its_order(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(5))
    assert verify_images(dataset_of([str(path)], Image()), "image") == []
    chosen = products(4).select([3, 1])
    assert [views[0]["bytes"] for views in encoded_images(chosen, "image", batch_size=1)] == [jpeg(3), jpeg(1)]


def test_files_are_named_and_embedded_photos_are_not():
    embedded = {"bytes": jpeg(0), "path": "inside.jpg"}
    cells = [embedded, "a.jpg", None, "b.jpg"]
    dataset = dataset_of(cells, Image())
    assert list(photo_files(dataset, "image", batch_size=2)) == ["a.jpg", "b.jpg"]
    assert list(photo_files(dataset.select([3, 0]), "image")) == ["b.jpg"]
    views = dataset_of([["a.jpg", embedded], [], ["b.jpg", "c.jpg"], ["d.jpg"]], List(Image()))
    assert list(photo_files(views.select([2, 1, 0]), "image")) == ["b.jpg", "c.jpg", "a.jpg"]
    assert list(photo_files(products(3), "image")) == []


def test_a_url_of_a_hub_dataset_is_read_as_datasets_reads_it(tmp_path):
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("1.jpg", jpeg(1))
    assert read_bytes({"bytes": None, "path": f"zip://1.jpg::{tmp_path / 'all.zip'}"}) == jpeg(1)
    with pytest.raises(OSError, match=r"zip://2\.jpg::.* cannot be fetched: .*2\.jpg"):
        read_bytes({"bytes": None, "path": f"zip://2.jpg::{tmp_path / 'all.zip'}"})


def test_only_the_first_view_is_looked_at_where_asked_for():
    dataset = dataset_of([[{"bytes": jpeg(0), "path": None}, {"bytes": b"no photo", "path": None}], []], List(Image()))
    assert [image.row for image in verify_images(dataset, "image")] == [0, 1]
    assert [image.row for image in verify_images(dataset, "image", first_view_only=True)] == [1]


def test_a_device_that_never_ends_is_no_photo():
    with pytest.raises(OSError, match="/dev/zero is no file"):
        read_bytes({"bytes": None, "path": "/dev/zero"})
