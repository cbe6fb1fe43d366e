"""Corpora that several tests of evaluation share."""

import pytest


@pytest.fixture(scope="module")
def repeated(corpus):
    """24 rows with 12 titles, each of two photos."""
    split = corpus["validation"]
    titles = [f"title {row // 2}" for row in range(len(split))]
    return split.remove_columns("caption").add_column("caption", titles)
