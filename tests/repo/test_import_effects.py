"""Nothing changes the library by being imported: a test that imports a benchmark or a script changes no other test."""

import subprocess
import sys

from tests.repo.tree import REPOSITORY


# The constants and tables of all modules, before and after the others are imported.
SCRIPT = """
import importlib, pathlib, sys

def tables():
    modules = {name: module for name, module in sys.modules.items() if name.startswith("hf_fashion.")}
    return {(name, key): repr(value) for name, module in modules.items() for key, value in vars(module).items()
            if key.isupper() and isinstance(value, (str, int, float, tuple, list, dict, set, frozenset))}

for path in sorted(pathlib.Path("hf_fashion").rglob("*.py")):
    if not path.name.startswith("__"):
        importlib.import_module(".".join(path.with_suffix("").parts))
before = tables()
assert ("hf_fashion.retrieval.stores.lance.index", "KINDS") in before
for folder in ("benchmarks", "training"):
    for path in sorted(pathlib.Path(folder).glob("*.py")):
        importlib.import_module(".".join(path.with_suffix("").parts))
print({key for key, value in tables().items() if before[key] != value})
"""


def test_importing_a_benchmark_or_a_script_changes_nothing():
    command = [sys.executable, "-c", SCRIPT]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert result.stdout == "set()\n"
