"""Where a saved gallery is looked for, and which files a push adds and deletes; tests/hub pushes to a Hub."""

import pytest

from hf_fashion.commits.failures import PushError
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.repository.hub import _require_room, find_saved_gallery
from tests.hub_server import Fault, HubServer, StoredFile


def test_a_folder_is_found(saved):
    assert find_saved_gallery(str(saved), None, None) == saved


def test_a_source_that_is_nowhere_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be the folder of a saved gallery or the id of one on the Hub"):
        Gallery.from_pretrained(tmp_path / "nowhere", uri=tmp_path / "loaded")


def files_on(hub: HubServer) -> dict[str, StoredFile]:
    repository = hub.repositories["dataset", "tester/a"]
    return repository.commits[repository.refs["main"]]


def test_a_push_deletes_what_is_left_of_another_gallery(hub, gallery):
    gallery.push_to_hub("a")
    ours = files_on(hub)
    left = dict.fromkeys(("data/train-00007-of-00009.parquet", "search.py"), StoredFile(b"x", False))
    hub.repositories["dataset", "tester/a"].commit(ours | left, "main")
    gallery.push_to_hub("a")
    assert files_on(hub).keys() - ours.keys() == {"search.py"}


@pytest.mark.parametrize("fault", [{"status": 500}, {"cut_after": 50}, {"lose_answer": True}, {"status": 412}])
def test_a_push_is_tried_again_and_is_one_commit(hub, gallery, fault):
    hub.faults = [Fault("commit", times=2, **fault)]
    gallery.push_to_hub("a", private=True)
    assert len(hub.repositories["dataset", "tester/a"].commits) == 2  # one of them is of the new repository
    assert hub.repositories["dataset", "tester/a"].private


def test_a_push_that_fails_is_a_sentence_without_the_token(hub, gallery):
    with pytest.raises(PushError, match="the push to a failed: the Hub does not know the token") as caught:
        gallery.push_to_hub("a", token="hf_wrong")
    assert "hf_wrong" not in str(caught.value) and hub.repositories == {}


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
        return _require_room("me/photos", files)
    with pytest.raises(
        ValueError, match=r"dataset me/photos is not a gallery and has files of its own, such as 'a.csv'"
    ):
        _require_room("me/photos", files)
