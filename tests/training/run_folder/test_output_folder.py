"""The output folder of a run: one that can be written, for one run."""

import pytest
from filelock import FileLock

from hf_fashion.training.run_folder.output_folder import checkpoint_folder, folder_of_one_run, require_writable


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path, monkeypatch):
    require_writable(tmp_path / "new" / "run")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ValueError, match=r"`training\.output_dir` is .*file is a file: choose another"):
            require_writable(path)
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)  # root may write to any folder
    with pytest.raises(ValueError, match="cannot be written"):
        require_writable(tmp_path / "new" / "run")


def test_a_folder_has_one_run(accelerator, tmp_path):
    with folder_of_one_run(accelerator, tmp_path, None):
        with (
            pytest.raises(ValueError, match=f"another run is writing to {tmp_path}"),
            folder_of_one_run(accelerator, tmp_path, None),
        ):
            pass
        checkpoint = checkpoint_folder(tmp_path) / "update-00000001"
        checkpoint.mkdir(parents=True)
    with (
        pytest.raises(ValueError, match="checkpoints of an earlier run"),
        folder_of_one_run(accelerator, tmp_path, None),  # of a run that began before that checkpoint was written
    ):
        pass
    with (
        pytest.raises(ValueError, match="checkpoints of an earlier run"),
        folder_of_one_run(accelerator, tmp_path, tmp_path / "elsewhere" / "checkpoints" / "update-00000001"),
    ):
        pass
    with folder_of_one_run(accelerator, tmp_path, checkpoint):
        pass


def test_a_file_system_without_locks_is_said(accelerator, tmp_path, monkeypatch, caplog):
    def refuse(lock, timeout):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with folder_of_one_run(accelerator, tmp_path, None):
        assert "cannot be locked ([Errno 37] No locks available)" in caplog.text
