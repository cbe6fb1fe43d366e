"""`import hf_fashion` is cheap: at most 0.2 s over `import transformers`, and torch stays out until it is needed."""

import json
import statistics
import subprocess
import sys


LIMIT_IN_SECONDS = 0.2
SCRIPT = """
import json, sys, time
import transformers
before = set(sys.modules)
start = time.perf_counter()
import hf_fashion
cost = time.perf_counter() - start
heavy = {"torch", "datasets", "accelerate", "sklearn", "PIL", "lancedb", "pymilvus"} & (set(sys.modules) - before)
print(json.dumps({"cost": cost, "heavy": sorted(heavy), "torch": "torch" in sys.modules}))
"""


def measure() -> dict:
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def test_import_is_cheap_and_loads_no_torch():
    runs = [measure() for _ in range(3)]
    assert not any(run["torch"] for run in runs)
    assert runs[0]["heavy"] == []
    assert statistics.median(run["cost"] for run in runs) <= LIMIT_IN_SECONDS, runs
