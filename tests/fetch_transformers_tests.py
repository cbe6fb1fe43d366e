"""Fetch the common tests of the installed transformers from its source distribution on PyPI.

The wheel does not hold them, and they change with every release, so they are not copied into this repository: those of
release 5.23.0 go to `.hf_common/5.23.0/`.
Usage: `python tests/fetch_transformers_tests.py` (`make test` does it). Does nothing when they are there already.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path


TARGET = Path(__file__).resolve().parents[1] / ".hf_common"
COMPLETE = ".complete"

# The common tests import a few siblings that the source distribution lacks. What they bring is of no use here:
# E2 generates no text, and tests that download a file cannot run without a network.
SIBLINGS = {
    "hf_common/__init__.py": "",
    "hf_common/exporters/__init__.py": "",
    "hf_common/exporters/test_export.py": "class ExportTesterMixin:\n    pass\n",
    "hf_common/generation/__init__.py": "",
    "hf_common/generation/test_utils.py": "class GenerationTesterMixin:\n    pass\n",
    "hf_common/utils/__init__.py": "",
    "hf_common/utils/test_configuration_utils.py": "config_common_kwargs = {}\n",
    "utils/fetch_hub_objects_for_ci.py": "def url_to_local_path(url, *args, **kwargs):\n    return url\n",
}


def download_sdist(release: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    command += ["--no-build-isolation", "--dest", str(folder), f"transformers=={release}"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(
            f"The source distribution of transformers {release} could not be fetched from PyPI; its common tests are "
            f"part of `make test`. Check the network and run `{sys.executable} {__file__}` again. pip said:\n"
            f"{result.stderr.strip()}"
        )
    return next(folder.glob("transformers-*.tar.gz"))


def extract_common_tests(sdist: Path, folder: Path) -> None:
    """Copy `tests/test_*_{common,mixin}.py` into `folder/hf_common` next to the siblings they import."""
    for name, text in SIBLINGS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            if re.fullmatch(r"[^/]+/tests/test_\w+_(common|mixin)\.py", member.name):
                (folder / "hf_common" / Path(member.name).name).write_bytes(archive.extractfile(member).read())


def main() -> None:
    release = version("transformers")
    target = TARGET / release
    complete = target / COMPLETE
    if complete.is_file():
        return
    with tempfile.TemporaryDirectory() as work:
        extract_common_tests(download_sdist(release, Path(work)), Path(work) / "tests")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(Path(work) / "tests", target)
    complete.touch()
    print(f"transformers {release}: common tests laid out in {target}")


if __name__ == "__main__":
    main()
