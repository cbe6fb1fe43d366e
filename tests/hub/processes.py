"""Run Python in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path


def run_python(arguments: list[str], home: Path, environment: dict[str, str] | None = None) -> None:
    environment = {**os.environ, "HF_HOME": str(home), **(environment or {})}
    result = subprocess.run([sys.executable, *arguments], env=environment, cwd=home, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
