"""Compare the speed of this working tree with that of an earlier commit: nothing old may have become slower.

    PYTHONPATH=. python benchmarks/since_commit.py 1cbd68d --rounds 4

Both run `path_seconds.py` of this tree with one thread, by turns; the packages are those of the two trees. Reported is
the median of the rounds' ratios, with the smallest and the largest.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.runs import markdown


ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "path_seconds.py"


def measure(tree: Path) -> dict[str, float]:
    """Return the seconds of each path, with the package of a tree.

    Raises:
        RuntimeError: if another package was imported.
    """
    environment = os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT)]
    run = subprocess.run(command, cwd=tree, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    measured = json.loads(run.stdout.splitlines()[-1])
    if Path(measured["package"]) != tree / "hf_fashion":
        raise RuntimeError(f"the package in {measured['package']} was measured, not that of {tree}")
    return measured["seconds"]


def compare(old: Path, rounds: int) -> str:
    """Return a table of the paths: seconds then and now, and their ratio."""
    measured = {ROOT: [], old: []}
    for number in range(rounds):
        for tree in sorted(measured, reverse=number % 2 == 1):
            measured[tree].append(measure(tree))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    rows = []
    for path in measured[ROOT][0]:
        then, now = ([seconds[path] for seconds in measured[tree]] for tree in (old, ROOT))
        ratios = sorted(b / a for a, b in zip(then, now, strict=True))
        medians = [f"{statistics.median(values):.3f}" for values in (then, now)]
        rows.append([path, *medians, f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"])
    return markdown(["path", "then (s)", "now (s)", "ratio"], rows)


def main() -> None:
    """Check the commit out next to this tree, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve() / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, arguments.commit], cwd=ROOT, check=True)
        try:
            print(compare(tree, arguments.rounds))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
