"""Two processes fill one gallery: it is that of one process, and an error or a kill ends both."""

import json
import subprocess
from pathlib import Path

import pytest

from hf_fashion.retrieval.gallery import Gallery
from tests.cli.commands import save_photos
from tests.data.corpora import products
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.warm_processes import run_warm, torchrun


IDS = [f"p{number:03d}" for number in range(19)]  # five batches of four: in the last round one process has none
SCRIPT = str(Path(__file__).with_name("embed_in_processes.py"))


def launched(*command: str, **variables: str) -> subprocess.CompletedProcess:
    """A script, or a module after `-m`, in two processes."""
    return run_warm(torchrun(*command), environment=variables)


def contents(uri: Path) -> tuple:
    """Ids, vectors bit by bit, metadata."""
    gallery = Gallery.open(uri)
    rows = gallery._store.read(["id", "brand", "vector_0"]).sort_by("id")
    return rows.to_pydict()["id"], rows.to_pydict()["brand"], rows["vector_0"].to_pylist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model, products, and `undisturbed`, the gallery that one process makes."""
    folder = tmp_path_factory.mktemp("processes")
    model, processor = tiny_model(), tiny_processor()
    model.save_pretrained(folder / "model")
    processor.save_pretrained(folder / "model")
    products(19).save_to_disk(folder / "products")
    embed_alone(folder, "undisturbed")
    embed_alone(folder, "few_dimensions_undisturbed", dimensions=5)
    return folder


def embed_alone(folder: Path, gallery: str, dimensions: int | None = None) -> None:
    options = {"id_column": "id", "metadata_columns": ["brand"], "batch_size": 4, "progress": False}
    options["dimensions"] = dimensions
    Gallery.from_dataset(products(19), tiny_model(), tiny_processor(), uri=folder / gallery, **options)


@pytest.fixture(scope="module")
def ended(folder) -> Path:
    """The folder after two processes have been through all scenarios that they survive."""
    scenarios = ["whole", "unreadable", "disk_full", "last_commit", "out_of_memory", "sharded", "no_column"]
    scenarios += ["few_dimensions", "wrong_type"]
    # As Accelerate's configuration for CPUs sets it. The other tests do without: then Accelerate knows of no others.
    run = launched(SCRIPT, str(folder), *scenarios, ACCELERATE_USE_CPU="true")
    assert run.returncode == 0, run.stderr
    assert "embedding: 100%" in run.stderr
    assert "embedding" not in (folder / "stderr.1").read_text()
    return folder


def outcomes(folder: Path, scenario: str) -> list[dict]:
    return [json.loads((folder / f"{scenario}.{rank}.json").read_text()) for rank in (0, 1)]


def test_two_processes_make_the_gallery_of_one(ended):
    assert outcomes(ended, "whole") == [{"ids": IDS}] * 2
    assert contents(ended / "whole") == contents(ended / "undisturbed")


def test_the_main_process_learns_axes_for_both(ended):
    assert outcomes(ended, "few_dimensions") == [{"ids": IDS}] * 2
    assert contents(ended / "few_dimensions") == contents(ended / "few_dimensions_undisturbed")


@pytest.mark.parametrize(
    ("scenario", "failing", "kinds", "message", "kept"),
    [
        (
            "unreadable",
            1,
            ("ValueError", "ValueError"),
            "row 13 (id 'p013'): the photo in column 'image' cannot be",
            12,
        ),
        ("disk_full", 0, ("OSError", "OSError"), "no room for another batch", 8),
        ("last_commit", 0, ("OSError", "OSError"), "no room for another batch", 16),
        ("out_of_memory", 1, ("RuntimeError", "MemoryError"), "no room for another photo", 4),
        (
            "wrong_type",
            1,
            ("ValueError", "StrictDataclassFieldValidationError"),
            "Validation error for field 'tokens_per_entity'",
            4,
        ),
        ("no_column", 1, ("ValueError", "ValueError"), "`metadata_columns`: the dataset has no column 'price'", 0),
    ],
)
def test_an_error_of_one_is_raised_by_both_and_what_came_before_is_kept(
    ended, scenario, failing, kinds, message, kept
):
    found = outcomes(ended, scenario)
    assert tuple(one["kind"] for one in found) == kinds
    assert found[failing]["error"].startswith(message)
    assert f"process {failing} failed with {kinds[failing]}: {message}" in found[1 - failing]["error"]
    assert sorted(Gallery.open(ended / scenario).ids()) == IDS[:kept]


def test_processes_with_shards_of_their_own_are_refused(ended):
    for outcome in outcomes(ended, "sharded"):
        assert outcome["kind"] == "ValueError"
        assert "`dataset` must be the same on all 2 processes" in outcome["error"]
    assert len(Gallery.open(ended / "sharded")) == 0


def test_killed_and_started_again_it_ends_as_if_undisturbed(folder):
    run = launched(SCRIPT, str(folder), "killed_second")
    assert run.returncode != 0 and "SIGKILL" in run.stderr
    kept = sorted(Gallery.open(folder / "killed").ids())
    assert kept in (IDS[:0], IDS[:4], IDS[:8])  # the main process is ended too, soon after
    run = launched(SCRIPT, str(folder), "killed_main")
    assert run.returncode != 0 and "SIGKILL" in run.stderr
    assert sorted(Gallery.open(folder / "killed").ids()) == IDS[: len(kept) + 4]
    embed_alone(folder, "killed")
    assert contents(folder / "killed") == contents(folder / "undisturbed")


def test_the_command_embeds_in_all_processes_and_prints_once(folder):
    save_photos(folder / "photos", 7)
    places = ["--model", str(folder / "model"), "--corpus", str(folder / "photos"), "--gallery", str(folder / "cli")]
    run = launched("-m", "hf_fashion", "embed", *places, "--device", "cpu", "--batch_size", "3")
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"7 products in {folder / 'cli'}\n"
    assert len(Gallery.open(folder / "cli")) == 7
