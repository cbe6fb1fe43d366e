"""Commits to a Hub on loopback: whole or not at all, tried again, never twice."""

import threading
import time

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from hf_fashion.commits import branch as branch_module
from hf_fashion.commits.branch import WAITS, Head, HubBranch
from hf_fashion.commits.failures import PushError
from tests.hub_server import Fault, HubServer, StoredFile


NAME = "tester/a"
FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 100}


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """The seconds that would have been waited for, huggingface_hub's own included."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def add(files: dict[str, bytes]):
    return lambda head: [CommitOperationAdd(path, content) for path, content in files.items()]


def created(**options) -> HubBranch:
    branch = HubBranch("a", "model", **options)
    branch.create()
    return branch


def commits(hub: HubServer) -> list[dict[str, bytes]]:
    """The files of every commit but the empty one that a new repository begins with."""
    found = list(hub.repositories["model", NAME].commits.values())[1:]
    return [{path: file.content for path, file in files.items()} for files in found]


def test_a_plan_becomes_one_commit_from_the_newest_one(hub):
    branch = created()
    assert branch.repo_id == NAME  # the user's name is added
    first = branch.commit(add(FILES), "One")
    heads: list[Head] = []

    def plan(head: Head):
        heads.append(head)
        return [CommitOperationAdd("README.md", head.read("config.json")), CommitOperationDelete("config.json")]

    branch.commit(plan, "Two")
    assert [(head.sha, head.files) for head in heads] == [(first.oid, frozenset(FILES))]
    assert commits(hub) == [FILES, {"README.md": b"{}", "model.safetensors": FILES["model.safetensors"]}]


def test_hashes_of_small_and_large_files_are_known(hub):
    branch = created()
    branch.commit(add(FILES), "One")
    there = hub.repositories["model", NAME].commits[branch.head().sha]
    assert {path: branch.head().sha256(path) for path in FILES} == {path: there[path].sha256 for path in FILES}


def test_a_branch_is_made_and_committed_to(hub):
    branch = created(revision="draft")
    branch.create()  # again changes nothing
    oid = branch.commit(add(FILES), "One").oid
    assert hub.repositories["model", NAME].refs["draft"] == oid != hub.repositories["model", NAME].refs["main"]


def test_a_repository_that_is_to_be_private_is_private(hub):
    HubBranch("a", "model").create(private=True)
    assert hub.repositories["model", NAME].private
    HubBranch("b", "model").create()
    with pytest.raises(ValueError, match=r"tester/b is to be private, but it exists and is public. Make it private"):
        HubBranch("b", "model").create(private=True)


def test_nothing_is_committed_where_nothing_differs(hub):
    branch = created()
    assert branch.commit(add(FILES), "One").oid == branch.commit(add(FILES), "Two").oid
    assert commits(hub) == [FILES]


def test_what_the_check_raises_prevents_the_commit(hub):
    def fail():
        raise PushError("the folder was changed")

    with pytest.raises(PushError, match="the folder was changed"):
        created().commit(add(FILES), "One", fail)
    assert commits(hub) == [] and len(hub.lfs_objects) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize(
    "route", ["create", "info", "preupload", "lfs_batch", "lfs_upload", "commit", "validate_yaml"]
)
def test_what_passes_is_tried_again(hub, waits, route, status):
    hub.faults = [Fault(route, times=2, status=status)]
    created().commit(add({**FILES, "README.md": b"# A card"}), "One")
    assert commits(hub) == [{**FILES, "README.md": b"# A card"}]
    assert waits[:2] == [1, 2]


@pytest.mark.parametrize("headers", [{"Retry-After": "7"}, {"RateLimit": '"api";r=0;t=7'}])
def test_the_hub_is_waited_for_as_long_as_it_asks(hub, waits, headers):
    branch = created()
    hub.faults = [Fault("commit", status=429, headers=headers)]
    branch.commit(add(FILES), "One")
    assert waits == [7] and commits(hub) == [FILES]


def test_a_wait_of_an_hour_is_left_to_the_user(hub, waits):
    branch = created()
    hub.faults = [Fault("commit", status=429, headers={"Retry-After": "3600"})]
    message = (
        r"tester/a failed: the Hub gets too many .* \(429 .*\). The Hub asks to wait 3600 seconds. Push again later"
    )
    with pytest.raises(PushError, match=message):
        branch.commit(add(FILES), "One")
    assert waits == []


def test_a_server_that_stays_broken_ends_in_a_sentence_and_the_next_try_works(hub, waits):
    branch = created()
    hub.faults = [Fault("commit", times=len(WAITS) + 1, status=500)]
    with pytest.raises(PushError, match=r"failed: the Hub answers .500 .* Push again later. The files"):
        branch.commit(add(FILES), "One")
    assert waits == list(WAITS) and commits(hub) == []
    branch.commit(add(FILES), "One")
    assert commits(hub) == [FILES]


@pytest.mark.parametrize("route", ["create", "info", "lfs_upload", "lfs_verify", "commit"])
def test_a_connection_that_is_cut_is_made_again(hub, waits, route):
    hub.faults = [Fault(route, cut_after=20, times=2)]
    created().commit(add(FILES), "One")
    assert commits(hub) == [FILES] and waits


@pytest.mark.parametrize("route", ["create", "commit"])
def test_what_arrived_is_not_done_twice_where_the_answer_was_lost(hub, waits, route):
    hub.faults = [Fault(route, lose_answer=True, times=2)]
    created().commit(add(FILES), "One")
    assert commits(hub) == [FILES]


def test_a_refused_connection_is_said(hub, waits, monkeypatch):
    with HubServer() as gone:
        pass
    gone.use_here(monkeypatch)
    with pytest.raises(PushError, match=r"the connection was refused, .*Connection refused.*Check the"):
        created()
    assert len(waits) == len(WAITS)


def test_a_silent_hub_is_given_up(hub, waits, monkeypatch):
    branch = created()
    monkeypatch.setattr(branch_module, "LONGEST_SILENCE", 0.1)
    hub.faults = [Fault("commit", seconds=0.5)]
    branch.commit(add(FILES), "One")
    assert waits == [1]


def test_a_plan_is_made_again_where_someone_else_was_faster(hub, waits):
    branch = created()
    repository = hub.repositories["model", NAME]

    def plan(head: Head):
        if not head.files:  # meanwhile
            repository.commit({"notes.txt": StoredFile(b"theirs", False)}, "main")
        return add(FILES)(head)

    branch.commit(plan, "One")
    assert commits(hub)[-1] == {**FILES, "notes.txt": b"theirs"}


def test_of_two_at_once_the_last_one_wins_whole(hub, waits):
    both = [{path: bytes([number]) * 1000 for path in ("a.safetensors", "b.json", "c.txt")} for number in (1, 2)]
    ready = threading.Barrier(2)

    def push(files: dict[str, bytes]) -> None:
        branch = created()
        ready.wait()
        branch.commit(add(files), "One")

    threads = [threading.Thread(target=push, args=(files,)) for files in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(commits(hub), key=str) == sorted(both, key=str)


def test_who_may_not_push_is_told_why(hub, waits, monkeypatch, caplog):
    with pytest.raises(PushError, match=r"the Hub does not know the token: .* \(401 .*: hf_\*\*\*\). Create a token"):
        created(token="hf_wrong_and_secret")
    hub.faults = [Fault("preupload", status=403)]
    with pytest.raises(PushError, match=r"the token may not write there \(403 Forbidden: a fault of the test\)"):
        created()
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(PushError, match=r"who you are, and there is no token .*or set HF_TOKEN. The files on"):
        HubBranch("a", "model").create(private=True)
    assert waits == [] and "secret" not in caplog.text


def test_a_token_is_in_no_traceback(hub, waits):
    with pytest.raises(PushError) as caught:
        created(token="hf_wrong_and_secret")
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("token", ["", "hf_\nsecret", "hf_sécret", "hf secret"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token):
    with pytest.raises(ValueError, match="`token` must be a token of the Hub") as caught:
        HubBranch("a", "model", token)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("repo_id", ["a/b/c", "", "a b", "../a", "https://huggingface.co/a/b"])
def test_an_id_that_cannot_be_one_is_named(repo_id):
    with pytest.raises(ValueError, match="`repo_id` must be an id on the Hub, such as 'shop/my-model', got"):
        HubBranch(repo_id, "model")
