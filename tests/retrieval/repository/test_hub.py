"""Where a saved gallery is looked for, and which files a push adds and deletes; tests/hub pushes to a Hub."""

import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.repository import hub
from hf_fashion.retrieval.repository.hub import find_saved_gallery


def test_a_folder_is_found(saved):
    assert find_saved_gallery(str(saved), None, None) == saved


def test_a_source_that_is_nowhere_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be the folder of a saved gallery or the id of one on the Hub"):
        Gallery.from_pretrained(tmp_path / "nowhere", uri=tmp_path / "loaded")


def test_a_push_deletes_what_is_left_of_another_gallery(saved):
    (saved / "attachments.safetensors").unlink()
    others = {"data/train-00007-of-00009.parquet", "attachments.safetensors", "README.md", "search.py"}
    operations = hub._operations(saved, others)
    kinds = {operation.path_in_repo: type(operation).__name__ for operation in operations}
    deleted = {path for path, kind in kinds.items() if kind == "CommitOperationDelete"}
    assert deleted == {"data/train-00007-of-00009.parquet", "attachments.safetensors"}
    assert kinds["README.md"] == kinds["gallery.json"] == "CommitOperationAdd"


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        (set(), False),
        ({"README.md", ".gitattributes"}, False),
        ({"gallery.json", "notes.txt"}, False),
        ({"README.md", "a.csv"}, True),
    ],
)
def test_only_a_gallery_or_an_empty_repository_is_pushed_to(files, refused):
    if not refused:
        return hub._require_room("me/photos", files)
    with pytest.raises(
        ValueError, match=r"dataset me/photos is not a gallery and has files of its own, such as 'a.csv'"
    ):
        hub._require_room("me/photos", files)
