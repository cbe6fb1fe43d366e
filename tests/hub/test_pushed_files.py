"""A push deletes what the last one left, and nothing of other people."""

import pytest

import hf_fashion
from tests.hub.model_repositories import number_of_commits, save_e2, stored, write_on_hub


@pytest.fixture
def folder(hub, tmp_path):
    """A folder that has been pushed with an export."""
    folder = save_e2(tmp_path / "e2")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "vision.onnx").write_bytes(b"the old model")
    (folder / "onnx" / "text.onnx").write_bytes(b"the old model")
    hf_fashion.push_to_hub(folder, "a")
    return folder


def test_what_the_last_push_left_is_deleted(hub, folder):
    (folder / "onnx" / "vision.onnx").unlink()
    hf_fashion.push_to_hub(folder, "a")
    assert [path for path in stored(hub) if path.startswith("onnx")] == ["onnx/text.onnx"]
    assert number_of_commits(hub) == 2


def test_what_people_added_or_changed_stays(hub, folder):
    write_on_hub(hub, {"notes.md": b"ours", "onnx/vision.onnx": b"mended by Ada"})
    for path in (folder / "onnx").iterdir():
        path.unlink()
    hf_fashion.push_to_hub(folder, "a")
    found = stored(hub)
    assert found["notes.md"] == b"ours" and found["onnx/vision.onnx"] == b"mended by Ada"
    assert "onnx/text.onnx" not in found


def test_weights_that_would_be_loaded_in_place_of_the_new_ones_are_deleted(hub, folder):
    old = dict.fromkeys(("model-00001-of-00001.safetensors", "model.safetensors.index.json"), b"x")
    kept = dict.fromkeys(("pytorch_model.bin", "onnx/model.safetensors", "model.safetensors.txt"), b"x")
    write_on_hub(hub, {**old, **kept}, deleted=("pushed_files.json",))
    hf_fashion.push_to_hub(folder, "a")
    assert not old.keys() & stored(hub).keys() and kept.items() <= stored(hub).items()


@pytest.mark.parametrize("listing", [b"", b"[]", b'{"sha256": 3}', b'{"sha256": {"onnx/text.onnx": 3}}'])
def test_a_broken_list_deletes_nothing_and_is_mended(hub, folder, listing):
    write_on_hub(hub, {"pushed_files.json": listing})
    (folder / "onnx" / "text.onnx").unlink()
    hf_fashion.push_to_hub(folder, "a")
    assert "onnx/text.onnx" in stored(hub)
    (folder / "onnx" / "vision.onnx").unlink()
    hf_fashion.push_to_hub(folder, "a")
    assert "onnx/vision.onnx" not in stored(hub)
