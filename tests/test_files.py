"""Files and folders that a reader never sees half-written, and known by their content."""

import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from hf_fashion.files import (
    ABANDONED_AFTER_SECONDS,
    file_written_aside,
    folder_bytes,
    folder_written_aside,
    remove_abandoned,
    sha256_of,
    similar_file,
    temporary_folder,
    write_json,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "new" / "results.json"
    write_json({"a": 1}, path)

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_json({"a": 2}, str(path))
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert names(path.parent) == ["results.json"]


def test_what_json_cannot_hold_leaves_the_file_as_it_was(tmp_path):
    write_json([1], tmp_path / "a.json")
    with pytest.raises(TypeError, match="set"):
        write_json({1}, tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "a.json").read_text()) == [1]


def test_a_file_appears_when_the_block_ends_and_the_last_writer_wins(tmp_path):
    path = tmp_path / "a.txt"
    with file_written_aside(path) as first, file_written_aside(str(path)) as second:
        first.write_text("first")
        second.write_text("second")
        assert not path.exists()
    assert path.read_text() == "first"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "folder"
    with folder_written_aside(path) as aside:
        (aside / "file").write_text("content")
        assert not path.exists()
    assert (path / "file").read_text() == "content"
    assert names(path.parent) == ["folder"]


def test_a_folder_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), folder_written_aside(tmp_path / "folder") as aside:
        (aside / "file").write_text("half")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_a_folder_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path):
    path = tmp_path / "folder"
    with folder_written_aside(path) as aside:
        (aside / "old").write_text("old")
    with pytest.raises(OSError, match="folder"), folder_written_aside(path) as aside:
        (aside / "new").write_text("new")
    assert names(path) == ["old"]
    with folder_written_aside(path, replace=True) as aside:
        (aside / "new").write_text("new")
        assert names(path) == ["old"]
    assert names(path) == ["new"]
    assert names(tmp_path) == ["folder"]


def test_others_may_read_what_was_written_aside(tmp_path):
    """As far as the umask lets them, though safetensors writes files for their owner only."""
    before = os.umask(0o027)
    try:
        with folder_written_aside(tmp_path / "folder") as folder, file_written_aside(tmp_path / "file") as file:
            for path in (folder / "weights", file):
                save_file({"a": np.zeros(1)}, path)
            (folder / "script").touch()
            (folder / "script").chmod(0o700)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"folder": 0o750, "file": 0o640, "weights": 0o640, "script": 0o740}


def test_a_temporary_folder_is_removed_when_the_block_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt), temporary_folder("push") as folder:
        assert folder.parent == tmp_path and stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "part").write_text("half")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_what_a_kill_left_in_the_temporary_folder_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os\nfrom hf_fashion.files import temporary_folder\n"
        "with temporary_folder('push'): os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program], env=os.environ | {"TMPDIR": str(tmp_path)})
    assert killed.returncode == -signal.SIGKILL and len(names(tmp_path)) == 1
    with temporary_folder("push") as folder:
        assert names(tmp_path) == [folder.name]


@pytest.mark.parametrize("writer", ["file_written_aside", "folder_written_aside"])
def test_what_a_kill_left_is_removed_by_the_next_writer(tmp_path, writer):
    program = (
        "import os, signal, sys\n"
        f"from hf_fashion.files import {writer} as written_aside\n"
        "with written_aside(sys.argv[1]) as aside:\n"
        "    (aside / 'part' if aside.is_dir() else aside).write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for path in (tmp_path / "results", tmp_path / "results.json"):
        killed = subprocess.run([sys.executable, "-c", program, str(path)])
        assert killed.returncode == -signal.SIGKILL
    left = names(tmp_path)
    assert len(left) == 2 and all(name.startswith(".results.") for name in left)
    write_json([1], tmp_path / "results.json")
    assert [name for name in names(tmp_path) if ".json" in name] == ["results.json"]
    assert len(names(tmp_path)) == 2


def test_a_folder_that_a_kill_left_moved_away_is_put_back(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from hf_fashion import files\n"
        "rename = os.replace\n"
        "def moves_and_dies(old, new):\n"
        "    rename(old, new)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.os.replace = moves_and_dies\n"
        "with files.folder_written_aside(sys.argv[1], replace=True) as aside:\n"
        "    (aside / 'weights').write_text('new')\n"
    )
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "weights").write_text("old")
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "best")])
    assert killed.returncode == -signal.SIGKILL and not (tmp_path / "best").exists()
    remove_abandoned(tmp_path / "best")
    assert (tmp_path / "best" / "weights").read_text() == "old" and names(tmp_path) == ["best"]


def test_only_what_is_certainly_abandoned_is_removed(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = socket.gethostname()
    old = {"of a dead process": f".a.{host}.{gone.pid}.0123abcd", "elsewhere": f".a.other-{host}.1.0123abcd"}
    kept = {
        "of a running process": f".a.{host}.{os.getppid()}.0123abcd",
        "elsewhere, young": f".a.other-{host}.1.4567cdef",
        "of another file": f".b.{host}.{gone.pid}.0123abcd",
        "somebody's own": ".a.settings",
    }
    for name in (*old.values(), *kept.values()):
        (tmp_path / name).write_text("half")
    for name in (old["elsewhere"], kept["somebody's own"]):
        long_ago = (tmp_path / name).stat().st_mtime - ABANDONED_AFTER_SECONDS - 60
        os.utime(tmp_path / name, (long_ago, long_ago))
    remove_abandoned(tmp_path / "a")
    assert names(tmp_path) == sorted(kept.values())


def test_the_hash_is_of_the_whole_content(tmp_path):
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_the_bytes_of_a_folder_are_those_of_all_its_files(tmp_path):
    assert folder_bytes(tmp_path) == 0
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"1" * 10)
    (tmp_path / "a" / "b" / "two").write_bytes(b"2" * 300)
    assert folder_bytes(tmp_path) == folder_bytes(str(tmp_path / "a")) == 310


def test_a_file_that_is_there_by_almost_that_name_is_named(tmp_path):
    taken_apart = unicodedata.normalize("NFD", "grün.jpg")
    for name in ("IMG_1.JPG", taken_apart):
        (tmp_path / name).touch()
    for missing, found in (
        ("img_1.jpg", "IMG_1.JPG"),
        ("IMG_1.JPG ", "IMG_1.JPG"),
        ("other.jpg", None),
    ):
        place = tmp_path / missing
        assert similar_file(place) == (f" (did you mean {str(tmp_path / found)!r}?)" if found else "")
    assert similar_file(f"{tmp_path}\\IMG_1.JPG") == f" (did you mean {str(tmp_path / 'IMG_1.JPG')!r}?)"
    letters = r"? Its accents are other characters: 'gru\u0308n.jpg' there, 'gr\xfcn.jpg' here)"  # both look alike
    assert similar_file(tmp_path / "grün.jpg") == f" (did you mean {str(tmp_path / taken_apart)!r}{letters}"
    assert similar_file(tmp_path / "absent" / "a.jpg") == ""
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    assert similar_file(tmp_path / "link.jpg") == ""


def test_what_others_left_in_the_shared_folder_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f".push.{socket.gethostname()}.99999999999999999999.deadbeef").touch()
    (tmp_path / ".push.old").mkdir()
    with temporary_folder("push") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".push.old").is_dir()
