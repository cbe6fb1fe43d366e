"""The files of a pipeline are saved with a model, so they must be flat and self-sufficient."""

import pytest
from transformers.dynamic_module_utils import get_imports, get_relative_imports

from tests.repo.tree import ALLOWED, PACKAGE, short


TRAVELLING = [path for path in sorted((PACKAGE / "pipelines").glob("*.py")) if path.name != "__init__.py"]


def test_there_are_pipelines():
    assert TRAVELLING


@pytest.mark.parametrize("path", TRAVELLING, ids=short)
def test_imports_travel(path):
    """As transformers' loader sees them: imports inside `try` may be missing."""
    assert set(get_imports(path)) <= ALLOWED
    assert set(get_relative_imports(path)) <= {sibling.stem for sibling in TRAVELLING}
