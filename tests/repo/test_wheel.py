"""The wheel in a fresh environment, away from the repository: its commands, its recipes, its missing extras."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.cli.commands import save_photos
from tests.repo.tree import REPOSITORY, repository_files


TINY = {
    "data.generated": "{train_rows: 40, validation_rows: 10, image_size: 64}",
    "data.cache_folder": "photos",
    "model.vocab_size": "600",
    "training.batch_size": "8",
    "training.stages": "[{epochs: 0.6, learning_rate: 1.0e-3}]",
    "training.output_dir": "e2",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Return a folder with a virtual environment that has the wheel and, by a path, what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    for path in repository_files():  # a copy, since the build writes next to its sources
        if path.is_relative_to(REPOSITORY / "hf_fashion") or path.parent == REPOSITORY:
            copy = folder / "source" / path.relative_to(REPOSITORY)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "source")]
    subprocess.run(build, check=True)
    venv.create(folder / "venv", symlinks=True)
    shutil.rmtree(folder / "source")
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], check=True)
    packages = next((folder / "venv").glob("lib/python*/site-packages"))
    (packages / "installed_here.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.fixture(scope="module")
def command(installed, tmp_path_factory):
    """Run a command of the environment, in a folder with some photos."""
    folder = tmp_path_factory.mktemp("elsewhere")
    save_photos(folder / "products", 4)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess:
        program = [str(installed / "venv" / "bin" / words[0]), *words[1:]]
        options = {"cwd": folder, "env": environment | variables, "capture_output": True, "text": True}
        return subprocess.run(program, **options, timeout=300)

    return run


def test_it_is_the_wheels_package_that_runs(command, installed):
    printed = command("python", "-c", "import hf_fashion; print(hf_fashion.__file__)").stdout
    assert printed.startswith(str(installed / "venv"))
    assert command("hf-fashion", "--version").stdout.startswith("hf-fashion 0.")


def test_it_has_every_file_that_is_no_code(installed):
    (package,) = (installed / "venv").glob("lib/python*/site-packages/hf_fashion")
    data = [path.relative_to(REPOSITORY) for path in repository_files() if path.suffix != ".py"]
    data = [path.relative_to("hf_fashion") for path in data if path.parts[0] == "hf_fashion"]
    assert len(data) > 60
    assert [str(path) for path in data if not (package / path).is_file()] == []


def test_a_model_is_trained_by_a_shipped_recipe_and_searched_with(command):
    assert "e2_quickstart  " in command("hf-fashion", "recipes").stdout
    trained = command("hf-fashion", "train", "e2", "e2_quickstart", "--set", *map("=".join, TINY.items()))
    assert trained.returncode == 0, trained.stderr
    assert "saved: the best model in e2/best" in trained.stdout
    gallery = ["--model", "e2/best", "--gallery", "gallery", "--device", "cpu"]
    embedded = command("hf-fashion", "embed", *gallery, "--corpus", "products")
    assert embedded.returncode == 0, embedded.stderr
    found = command("hf-fashion", "search", *gallery, "--text", "a red dress", "--top_k", "3")
    assert found.returncode == 0 and found.stdout.count(".png") == 3, found


@pytest.mark.parametrize(
    ("package", "words", "extra"),
    [
        ("lancedb", "embed --model m --gallery g --corpus products", "gallery"),
        ("pymilvus", "embed --model m --gallery milvus+file:g.db --corpus products", "milvus"),
    ],
)
def test_an_extra_that_is_missing_is_named_with_what_installs_it(package, words, extra, command, tmp_path):
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError({package!r})")
    ended = command("hf-fashion", *words.split(), PYTHONPATH=str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].endswith(f"pip install 'hf-fashion[{extra}]'"), ended.stderr
