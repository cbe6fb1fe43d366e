"""Code that is saved with a model, of the pipeline and of an endpoint, is self-sufficient once it is flat."""

from pathlib import Path

import pytest
from transformers.dynamic_module_utils import get_imports, get_relative_imports

from hf_fashion.travelling_code import flat_modules
from tests.repo.tree import ALLOWED, PACKAGE


MODULES = flat_modules(PACKAGE / "pipelines" / "fashion_retrieval.py")
ENDPOINT = flat_modules(PACKAGE / "hub" / "endpoint" / "service.py")


def test_the_pipeline_embeds_and_searches():
    assert {"fashion_retrieval.py", "encoder.py", "query_vectors.py"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES | ENDPOINT)
def test_imports_travel(name, tmp_path):
    """As transformers' loader sees them: what is inside `try` may be missing."""
    modules, path = ENDPOINT if name in ENDPOINT else MODULES, Path(tmp_path, name)
    path.write_text(modules[name], encoding="utf-8")
    assert set(get_imports(path)) <= ALLOWED | {"tqdm"}
    assert {f"{sibling}.py" for sibling in get_relative_imports(path)} <= set(modules)
