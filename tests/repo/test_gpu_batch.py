"""The batch of a GPU machine, at toy size: packed here, run in a process that lacks what the machine lacks."""

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from benchmarks import gpu, pack_gpu
from benchmarks.gpu_batch.attribute_units import CHAINS, make_model
from benchmarks.gpu_batch.optimising import Clock
from benchmarks.gpu_batch.packed import Packed
from benchmarks.gpu_batch.settings import TOY
from benchmarks.gpu_batch.starts import FROZEN, RANDOM, Starts
from benchmarks.gpu_batch.tables import tables
from tests.repo.tree import REPOSITORY


PART_BYTES = 400_000
UNITS = ("titles/e2, region weight 0.2", "CNN for the whole photo/ipad")
# Runs gpu.py where the packages that the machine lacks cannot be imported.
SCRIPT = """
import runpy, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("datasets", "evaluate", "lancedb", "pymilvus", "sqlglot", "gradio", "mteb"):
            raise ImportError(f"the GPU machine has no {name}")

sys.meta_path.insert(0, Missing())
sys.argv = ["gpu.py", *sys.argv[1:]]
runpy.run_path("benchmarks/gpu.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpu") / "packed"
    parts = pack_gpu.pack(folder, pack_gpu.toy_models(), pack_gpu.TOY_CORPORA, TOY, [], PART_BYTES)
    assert parts == len(list(folder.iterdir())) > 1
    return Packed(folder)


@pytest.fixture(scope="module")
def results(packed, tmp_path_factory):
    """Return the folder of the results of two units, each of which left no other behind."""
    folder = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-c", SCRIPT, "--packed", packed.folder, "--results", folder, "--seeds", "0"]
    finished = subprocess.run([*command, "--only", *UNITS], capture_output=True, text=True, cwd=REPOSITORY)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert "seed 0: 2 of 2 units done; left: none" in finished.stdout
    return folder


def test_units_run_without_datasets(results):
    found = json.loads((results / "seed-0.json").read_text())
    assert not found["failed"]
    assert list(found["units"]) == [f"toy/{unit}" for unit in UNITS]
    rows = {row: metrics for unit in found["units"].values() for row, metrics in unit["rows"].items()}
    assert list(rows) == ["e2, region weight 0.2", "ipad (first stage)", "ipad"]
    assert {"sum_recall", "brand_image_map", "brand_region_accuracy"} <= rows["e2, region weight 0.2"].keys()
    assert {"map", "sleeve_map", "fr/map", "k-reciprocal/map"} <= rows["ipad (first stage)"].keys()
    assert {"whole_photo_map", "region_map"} <= rows["ipad"].keys()
    assert all(0 < metrics["map"] <= 1 for row, metrics in rows.items() if row.startswith("ipad"))


def test_a_second_call_goes_on(packed, results, capsys):
    before = (results / "seed-0.json").read_text()
    assert not gpu.run_seed(packed, results, 0, [*UNITS, "titles/clip-ft"], Clock(0))
    assert "2 of 3 units done; left: ['toy/titles/clip-ft']" in capsys.readouterr().out
    assert (results / "seed-0.json").read_text() == before
    assert gpu.run_seed(packed, results, 0, ["titles/clip-ft", UNITS[0]], Clock(60))
    assert list(json.loads((results / "seed-0.json").read_text())["units"])[-1] == "toy/titles/clip-ft"


def test_time_that_is_up_within_a_unit_leaves_it_for_later(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(Clock, "left_s", property(lambda clock: next(left)))
    left = iter([1, 1, 0])  # before the unit, and before its first two steps
    assert not gpu.run_seed(packed, tmp_path, 0, ["titles/clip-ft"], Clock(60))
    assert not list(tmp_path.iterdir())


def test_a_unit_that_fails_is_told_and_stops_no_other(packed, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise ValueError("no such backbone")

    monkeypatch.setattr(gpu, "run_chain", refuse)
    assert not gpu.run_seed(packed, tmp_path, 0, ["whole photo/csn", "whole photo/asen"], Clock(60))
    found = json.loads((tmp_path / "seed-0.json").read_text())
    assert set(found["failed"].values()) == {"ValueError: no such backbone"}
    assert len(found["failed"]) == 2 and not found["units"]


def test_results_of_another_packing_are_refused(packed, results, tmp_path):
    (tmp_path / "seed-0.json").write_text((results / "seed-0.json").read_text().replace(packed.fingerprint, "other"))
    with pytest.raises(ValueError, match="another packed folder"):
        gpu.run_seed(packed, tmp_path, 0, [""], Clock(60))


def test_units_are_of_every_row_and_the_texts_before_the_large_attributes(packed):
    units = list(gpu.units_of(packed))
    assert len(units) == len(set(units)) == 6 + 2 * (len(CHAINS) + 1) + len(CHAINS) + 2
    assert units[:2] == ["toy/titles/clip-ft", "toy/titles/e2, region weight 0.5"]
    assert "toy/DINOv2 everywhere/untrained" in units
    assert units[-3].startswith("toy/DINOv2 everywhere, first layers frozen/")
    assert units[-2:] == ["toy/CNN from random weights/asen", "toy/CNN from random weights/untrained"]


def test_without_diverging_only_the_losses_of_centres_are_left_out():
    whole, without = CHAINS["ipad"][1], CHAINS["no diverging"][1]
    assert set(whole.losses) - set(without.losses) == {"global_centre", "local_centre"}
    assert without.losses == {name: whole.losses[name] for name in without.losses}
    assert replace(without, name="ipad", losses=whole.losses) == whole


def test_backbones_are_measured_before_training(packed, tmp_path):
    assert gpu.run_seed(packed, tmp_path, 0, ["untrained"], Clock(60))
    units = json.loads((tmp_path / "seed-0.json").read_text())["units"]
    maps = [unit["rows"]["untrained"]["map"] for unit in units.values()]
    assert len(set(maps)) == len(maps) == len(set(gpu.BACKBONES) - {FROZEN}) and all(0 < found < 1 for found in maps)


def test_random_weights_learn_at_the_rate_of_new_ones(packed):
    pretrained, random = Starts.of(packed, "cnn"), Starts.of(packed, RANDOM)
    assert "backbone." in pretrained.pretrained and "backbone." not in random.pretrained
    name = next(iter(pretrained.whole.state_dict()))
    assert not pretrained.whole.state_dict()[name].equal(random.whole.state_dict()[name])


@pytest.mark.parametrize("chain", ["asen", "rpf"])
@pytest.mark.parametrize(("backbone", "whole_frozen"), [("vision", False), (FROZEN, True)])
def test_first_layers_of_dinov2_are_frozen(packed, chain, backbone, whole_frozen):
    starts, corpus = Starts.of(packed, backbone), packed.corpus("toy", torch.device("cpu"))
    model = make_model(packed, corpus, CHAINS[chain][1], starts, None)
    for vit, frozen in ((model.image_backbone, whole_frozen), (model.region_backbone, whole_frozen or chain == "rpf")):
        layers = [all(weights.requires_grad for weights in layer.parameters()) for layer in vit.encoder.layer]
        assert layers == [not frozen] + [True] * (len(layers) - 1) and len(layers) > 1
        assert vit.embeddings.patch_embeddings.projection.weight.requires_grad is not frozen


def test_units_that_freeze_nothing_are_not_listed_twice(packed):
    nothing = replace(packed.settings, frozen_region_layers=0)
    units = list(gpu.units_of(SimpleNamespace(settings=nothing, index=packed.index, path=packed.path)))
    assert "toy/DINOv2 everywhere/rpf" in units and not [unit for unit in units if "frozen" in unit]


def test_tables_have_a_row_of_every_model(results):
    printed = tables(results)
    assert "| toy/titles/e2, region weight 0.2 | 1 |" in printed
    assert "| toy/CNN for the whole photo/ipad (first stage) | 1 |" in printed


def test_every_part_is_small_and_checked(packed, tmp_path):
    packed.check()
    for part in packed.folder.iterdir():
        assert sum(path.stat().st_size for path in part.rglob("*")) < 1.1 * PART_BYTES
    name = next(name for name, file in packed.index["files"].items() if file["part"] == 1)
    whole, path = packed.path(name).read_bytes(), packed.path(name)
    path.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match=r"damaged \['.*Send again: parts \[1\]"):
        packed.check()
    path.write_bytes(whole)


def test_a_model_that_no_call_can_carry_is_refused(tmp_path):
    with pytest.raises(ValueError, match="more than a part"):
        pack_gpu.pack(tmp_path / "packed", pack_gpu.toy_models(), {}, TOY, [], 100)
    assert not list(tmp_path.iterdir())


def test_the_calls_name_every_part(packed):
    text = pack_gpu.calls(packed.folder, 2, wheels=True)
    assert "call 1 (timeout_s 120" in text and "call 2 (timeout_s 570" in text
    commands = [line for line in text.splitlines() if line.startswith("  ")]
    assert all(f"part-{number}/." in command for number, command in enumerate(commands, 1))
    assert "--no-index" in commands[1] and "--results $OUT" in commands[1] and "--results $OUT" not in commands[0]
