"""The repository holds no corpora, weights, pickles and files too big to review."""

import hashlib

import pytest

from tests.conftest import SHARED
from tests.repo.tree import repository_files, short


LIMIT_IN_BYTES = 1_000_000
FORBIDDEN = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".h5", ".parquet", ".arrow")


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_weights_pickles_or_corpora():
    assert [short(path) for path in repository_files() if path.suffix in FORBIDDEN] == []


def test_no_file_is_too_big_to_review():
    assert [short(path) for path in repository_files() if path.stat().st_size > LIMIT_IN_BYTES] == []


def test_no_file_of_the_shared_corpora():
    corpora = SHARED / "corpora"
    if not corpora.is_dir():
        pytest.skip(f"{corpora} does not exist: there is nothing that could have been copied")
    by_size = {path.stat().st_size: path for path in corpora.rglob("*") if path.is_file()}
    suspects = [path for path in repository_files() if path.stat().st_size in by_size]
    assert [short(path) for path in suspects if sha256(path) == sha256(by_size[path.stat().st_size])] == []
