"""Set up every test: no network, no traces in the user's caches, transformers' common tests importable."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest


for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_EVALUATE_OFFLINE"):
    os.environ[name] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Before the first import of torch: processes of a test share its cores, and sums depend on the number of threads.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# Before the first import of a Hugging Face library, which reads it once: caches and remote code of a test run are
# its own (and each worker's own), so runs neither see nor disturb one another.
_hf_home = tempfile.TemporaryDirectory(prefix="hf_fashion_tests_")
os.environ["HF_HOME"] = _hf_home.name

# Read after the lines above: it imports the libraries.
pytest_plugins = ["tests.accelerate_state", "tests.small_corpus", "tests.loopback_hub"]

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"

sys.path.insert(0, str(REPOSITORY / ".hf_common" / version("transformers")))


def pytest_collection_modifyitems(items):
    """Puts files that start processes, the slow ones, first: at the end no worker waits long for another."""
    items.sort(key=lambda item: not _starts_processes(item.path))


@cache
def _starts_processes(path: Path) -> bool:
    words = r"subprocess|processes|tiny_run|endpoints|cli\.commands|HubServer"
    return re.search(words, path.read_text(encoding="utf-8")) is not None


@pytest.fixture(scope="session")
def shared_fixtures() -> Path:
    """Return the folder of reference tensors from the published codes; it is not part of the repository."""
    folder = SHARED / "fixtures"
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist: parity with the published code is not tested in this checkout")
    return folder


@pytest.fixture
def milvus_file(tmp_path) -> Iterator[str]:
    """Yield the URI of a Milvus Lite file without a gallery, and stop Milvus Lite after the test."""
    from milvus_lite.server_manager import server_manager_instance

    yield f"milvus+file:{tmp_path}/gallery.db"
    server_manager_instance.release_server(str(tmp_path / "gallery.db"))
