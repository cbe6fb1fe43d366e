"""Files are written whole or not at all, and known by their content."""

import hashlib
import json
import os

import pytest

from hf_fashion.files import sha256_of, write_json


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "new" / "results.json"
    write_json({"a": 1}, path)

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_json({"a": 2}, str(path))
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}


def test_what_json_cannot_hold_leaves_the_file_as_it_was(tmp_path):
    write_json([1], tmp_path / "a.json")
    with pytest.raises(TypeError, match="set"):
        write_json({1}, tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "a.json").read_text()) == [1]


def test_the_hash_is_of_the_whole_content(tmp_path):
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()
