"""`import hf_fashion` makes transformers know the pipeline, whatever was imported before it."""

import subprocess
import sys

import pytest
from transformers import AutoModel
from transformers.pipelines import PIPELINE_REGISTRY, check_task, get_supported_tasks

import hf_fashion


def test_the_task_is_known():
    assert "fashion-retrieval" in get_supported_tasks()
    assert check_task("fashion-retrieval")[1]["impl"] is hf_fashion.FashionRetrievalPipeline
    assert check_task("fashion-retrieval")[1]["pt"] == (AutoModel,)


def test_other_tasks_can_still_be_registered():
    PIPELINE_REGISTRY.register_pipeline("a-task", pipeline_class=type("APipeline", (), {}))
    try:
        assert check_task("a-task")[0] == "a-task"
    finally:
        del PIPELINE_REGISTRY.supported_tasks["a-task"]


@pytest.mark.parametrize(
    "imports",
    [
        "import transformers.pipelines; import hf_fashion",
        "import hf_fashion; hf_fashion.FashionRetrievalPipeline; import transformers.pipelines",
    ],
)
def test_the_order_of_imports_does_not_matter(imports):
    script = f"{imports}; print(transformers.pipelines.check_task('fashion-retrieval')[1]['impl'].__name__)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "FashionRetrievalPipeline"
    assert "already registered" not in result.stderr
