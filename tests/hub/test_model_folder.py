"""Only whole models are pushed, without hidden files and pickles, and no mix of two models."""

import pytest

from hf_fashion.commits.failures import PushError
from hf_fashion.hub.model_folder import check_folder, files_of
from tests.hub.model_repositories import contents, save, save_e2
from tests.tiny_feature_reasoning import tiny_feature_reasoning


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_e2(tmp_path_factory.mktemp("saved") / "e2")


@pytest.fixture
def folder(saved, tmp_path):
    for path, content in contents(saved).items():
        (tmp_path / "e2" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "e2" / path).write_bytes(content)
    return tmp_path / "e2"


def test_whole_models_are_taken(folder, tmp_path):
    check_folder(folder)
    save(tmp_path / "fr", tiny_feature_reasoning())  # which has no processor
    check_folder(tmp_path / "fr")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "'.*e2' is not a model: it has no config.json"),
        ("model.safetensors", "'.*e2' has no weights: save the model there as safetensors"),
        ("processor_config.json", "'.*e2' has no processor_config.json: save the model's processor there, or give"),
    ],
)
def test_what_is_missing_is_named(folder, missing, message):
    (folder / missing).unlink()
    with pytest.raises(FileNotFoundError, match=message):
        check_folder(folder)


def test_the_models_inside_a_folder_are_named(folder):
    with pytest.raises(FileNotFoundError, match=r"it has no config.json \(there are models in .*e2\)"):
        check_folder(folder.parent)


def test_a_damaged_file_is_named(folder):
    (folder / "model.safetensors").write_bytes(b"half")
    with pytest.raises(ValueError, match=r"was not pushed: its file model.safetensors is damaged .* Save the model"):
        check_folder(folder)


def test_hidden_files_and_pickles_are_not_pushed(folder, caplog):
    expected = set(files_of(folder).states)
    for name in (".git/config", ".cache/x", "__pycache__/x.pyc", "training_args.bin", "checkpoint-5/optimizer.pt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    assert set(files_of(folder).states) == expected
    assert "not pushed: optimizer.pt, training_args.bin in" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "config.json").write_bytes((folder / "config.json").read_bytes() + b" "),
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "new.json").write_text("{}"),
    ],
)
def test_a_change_during_the_push_is_noticed(folder, change):
    files = files_of(folder)
    files.require_unchanged()
    change(folder)
    with pytest.raises(PushError, match=r"\.json was changed while .*e2 was being pushed, and nothing is committed"):
        files.require_unchanged()


def test_a_link_to_a_file_elsewhere_is_not_pushed(tmp_path):
    (tmp_path / "token").write_text("hf_secret")
    folder = tmp_path / "models--shop--e2" / "snapshots" / "1"
    folder.mkdir(parents=True)
    (folder / "vocab.txt").symlink_to(tmp_path / "token")
    with pytest.raises(ValueError, match=r"vocab\.txt is a link to .*token, outside of the folder"):
        files_of(folder)
    (folder / "vocab.txt").unlink()
    blob = folder.parent.parent / "blobs" / "0a1b"
    blob.parent.mkdir()
    blob.write_text("a word")
    (folder / "vocab.txt").symlink_to(blob)
    assert list(files_of(folder).states) == ["vocab.txt"]
