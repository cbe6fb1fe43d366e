import pytest

from hf_fashion.data.converters.source_files import (
    find_file,
    find_files,
    folder_of,
    photo_place,
    photos_by_name,
    read_json,
    require_objects,
)
from tests.data.converted import save_json, save_photos


def test_a_file_is_found_itself_at_the_top_or_below(tmp_path, caplog):
    (tmp_path / "Eval").mkdir()
    (tmp_path / "Eval" / "list.txt").write_text("")
    assert find_file(tmp_path, "list.txt") == tmp_path / "Eval" / "list.txt"
    (tmp_path / "list.txt").write_text("")
    assert find_file(tmp_path, "list.txt") == tmp_path / "list.txt"
    assert "1 list.txt in its sub-folders are not read: Eval/list.txt" in " ".join(caplog.text.split())
    assert find_files(tmp_path / "list.txt", "*.csv") == [tmp_path / "list.txt"]
    assert folder_of(tmp_path) == folder_of(tmp_path / "list.txt") == tmp_path
    with pytest.raises(
        FileNotFoundError, match=r"holds no lists\.txt \(did you mean 'list\.txt'\?\): name the folder"
    ):
        find_file(tmp_path, "lists.txt")
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        find_file(tmp_path / "nowhere", "list.txt")
    (tmp_path / "two").mkdir()
    for name in ("a", "b"):
        (tmp_path / "two" / f"list-{name}.txt").write_text("")
    with pytest.raises(ValueError, match=r"holds list-\*\.txt several times"):
        find_file(tmp_path / "two", "list-*.txt")


def test_json_that_is_broken_is_named_by_its_line(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{\n"a": 1,\n}')
    with pytest.raises(ValueError, match=r"a\.json, line 3, column 1: not JSON: .*Load or copy the file again"):
        read_json(path)
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"a\.json: JSON nested too deeply|not JSON"):
        read_json(path)
    path.write_bytes('{"a": "é"}'.encode())
    assert read_json(path) == {"a": "é"}
    assert read_json(save_json(path, [{"a": {"b": [1], "c": 2}}]), dropped=("b",)) == [{"a": {"c": 2}}]
    path.write_text('{"7": {"title": "Cap"}, "7": {"title": "Hat"}}')
    with pytest.raises(ValueError, match=r"a\.json: an object has the key '7' twice: keep one of them"):
        read_json(path)
    path.write_bytes('{"a": "é"}\n{"b": "'.encode() + b'\xe9"}')
    with pytest.raises(ValueError, match=rf"^{path}, line 2 is not UTF-8"):
        read_json(path)


def test_objects_are_checked_and_all_that_are_wrong_named(tmp_path):
    needed = {"id": (str, int), "items": list}
    assert require_objects(tmp_path, [{"id": 1, "items": []}], "outfit", needed) == [{"id": 1, "items": []}]
    with pytest.raises(ValueError) as error:
        require_objects(tmp_path, [{"id": 1.5, "items": []}, {"id": 1, "item": []}, 7], "outfit", needed)
    text = str(error.value)
    assert "3 of 3 entries" in text and "outfit 1: 'id' is 1.5, expected text or a whole number" in text
    assert "outfit 2: no 'items' (did you mean 'item'?); it has: id, item" in text
    assert "outfit 3: expected an object, got 7" in text
    with pytest.raises(
        ValueError, match=r"expected a list with an object for each outfit, it holds \{\}: is it another"
    ):
        require_objects(tmp_path, {}, "outfit", needed)


def test_photos_are_found_by_their_names(tmp_path):
    save_photos(tmp_path, "a/1.jpg", "b/2.png")
    assert photos_by_name(tmp_path) == {"1.jpg": str(tmp_path / "a/1.jpg"), "2.png": str(tmp_path / "b/2.png")}
    assert sorted(photos_by_name(tmp_path, with_ending=False)) == ["1", "2"]
    with pytest.raises(FileNotFoundError, match=r"there is no folder of photos .*nowhere: name it with `images`"):
        photos_by_name(tmp_path / "nowhere")
    assert photo_place("https://a.example/1.jpg", tmp_path) == "https://a.example/1.jpg"
    assert photo_place("1.jpg", tmp_path) == str(tmp_path / "1.jpg")
