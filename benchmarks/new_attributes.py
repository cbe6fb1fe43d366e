"""Leave one attribute out of the training, add it by its name or by a few photos, and measure the search by it.

    python benchmarks/new_attributes.py --mobilenet MOBILENET --dinov2 DINOV2 --e2 'runs/pretrained_e2/e2-{seed}/last'
    python benchmarks/new_attributes.py --corpora tshirts --seeds 0 ...
    python benchmarks/new_attributes.py --table   # no training: the tables of the results file

MOBILENET and DINOV2 are transformers folders, by `../shared/weights/pretrained.py`. For each corpus and seed ASEN is
trained with all attributes, and for each attribute twice without it: with learnt rows, and with rows by the texts of
E2. Shots are photos of each value. A run that was stopped goes on from its last checkpoint, and
`benchmarks/results/new_attributes.json` keeps every number that is there; an attribute that has all its numbers is not
trained again.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from statistics import mean
from types import SimpleNamespace
from typing import Any

import torch
from datasets import DatasetDict
from torch import Tensor, nn
from transformers import AutoImageProcessor, AutoModel, PreTrainedModel, set_seed

from benchmarks.runs import Run, add_run_arguments, markdown, run_all, spread
from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_folds
from hf_fashion.data.attributes.vocabulary import with_attributes
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.loading import load_corpus
from hf_fashion.embedding.attribute_texts import embed_attribute_texts
from hf_fashion.embedding.features import photo_and_region_features
from hf_fashion.embedding.saved_models import load_model
from hf_fashion.evaluation.attribute_retrieval import evaluate_attribute_retrieval
from hf_fashion.files import write_json
from hf_fashion.training.attribute.few_shot import MAX_PHOTOS, fit_attribute
from hf_fashion.training.attribute.recipe import AttributeRecipe


FOLDER = Path(__file__).parent
RECIPE = FOLDER / "recipes" / "attributes" / "new_attributes.yaml"
RESULTS = FOLDER / "results" / "new_attributes.json"
CORPORA = {"tshirts": "tshirts", "catalog-large": "catalog"}  # corpus -> column map
PLACE = "../shared/corpora"
SHOTS = (4, 16, 64)
FOLDS_SEED = 0
OTHER = "by another attribute"
ROWS = ["chance", OTHER, "zero-shot, by name", *(f"{shots}-shot" for shots in SHOTS)]
ROWS += [*(f"by name, {shots}-shot" for shots in SHOTS), "trained with it", "DINOv2", "E2"]
E2_CORPUS, REGION = "catalog-large", "E2, its region"  # where the E2 was trained, so that it has regions of tags


@cache
def corpus_of(name: str) -> tuple[DatasetDict, ColumnMap]:
    """Return a corpus and its column map."""
    return load_corpus(f"{PLACE}/{name}"), ColumnMap.shipped(CORPORA[name])


def run_folder(corpus: str, left_out: str | None, by_text: bool, seed: int) -> Path:
    """Return the folder of a run; `left_out` is `None` for the model with all attributes."""
    rows = "texts" if by_text else "rows"
    return Path("runs") / f"new_attributes_{corpus}_{left_out or 'all'}_{rows}-{seed}"


def make_run(corpus: str, left_out: str | None, by_text: bool, seed: int, options: argparse.Namespace) -> Run:
    """Return the training of a model without an attribute, or with all."""
    folder = run_folder(corpus, left_out, by_text, seed)
    attributes = [name for name in ColumnMap.shipped(CORPORA[corpus]).attributes if name != left_out]
    changes = [f"training.seed={seed}", f"training.output_dir={folder}", f"model.backbone={options.mobilenet}"]
    changes.append("model.config.backbone_config={feature_stride: 16}")
    changes += [f"data.corpus={PLACE}/{corpus}", f"data.column_map={CORPORA[corpus]}"]
    changes.append(f"data.attributes={json.dumps(attributes)}")
    if by_text:
        changes.append(f"model.attribute_texts={options.e2.format(seed=seed)}")
    return Run(folder, AttributeRecipe.read(RECIPE, changes), "training/train_attribute_model.py")


def search_map(model: nn.Module, processor: Any, corpus: str, name: str) -> tuple[float, float]:
    """Return MAP of an attribute over all folds of the validation split, and its chance."""
    dataset, column_map = corpus_of(corpus)
    column_map = with_attributes(column_map, [name])
    folds = draw_folds(read_labels(dataset["validation"], column_map), FOLDS_SEED)
    metrics = evaluate_attribute_retrieval(model, processor, dataset["validation"], column_map, folds, progress=False)
    return metrics[f"{name}_map"], metrics[f"{name}_map_chance"]


def few_shot_map(model: PreTrainedModel, processor: Any, corpus: str, name: str, shots: int, seed: int) -> float:
    """Fit the row of an added attribute on some photos of each value, and return MAP; at most `MAX_PHOTOS` in all."""
    dataset, column_map = corpus_of(corpus)
    labels = read_labels(dataset["train"], with_attributes(column_map, [name]))
    generator = torch.Generator().manual_seed(seed)
    drawn = []
    for carried in labels.carries.T:
        rows = carried.nonzero().flatten()
        drawn.append(rows[torch.randperm(len(rows), generator=generator)][:shots])
    rows = torch.cat(drawn).unique()
    rows = rows[torch.randperm(len(rows), generator=generator)][:MAX_PHOTOS]
    report = fit_attribute(
        model, processor, dataset["train"].select(rows.tolist()), name, column_map, seed=seed, progress=False
    )
    print(f"{corpus}, {shots}-shot, {report}", flush=True)
    return search_map(model, processor, corpus, name)[0]


class PlainModel(nn.Module):
    """A model whose one embedding of a photo serves every attribute, as the evaluation calls it."""

    def __init__(self, model: PreTrainedModel, name: str, features: Callable[[Tensor], Tensor]):
        super().__init__()
        self.model, self.features = model, features
        self.config = SimpleNamespace(attribute_names=[name], model_type="asen")

    def get_attribute_features(self, pixel_values: Tensor, attribute_ids: Tensor, **kwargs) -> Tensor:
        """Return L2-normalised features, (B, 1, D)."""
        return nn.functional.normalize(self.features(pixel_values), dim=-1)[:, None]


def other_attributes_map(model: PreTrainedModel, processor: Any, corpus: str, name: str) -> float:
    """Return MAP where each attribute that the model knows is asked for in place of one that it does not; the mean."""
    maps = []
    for number in range(len(model.config.attribute_names)):
        ids = torch.tensor([[number]])
        plain = PlainModel(
            model, name, lambda pixels, ids=ids: model.get_attribute_features(pixels, ids.expand(len(pixels), 1))[:, 0]
        )
        maps.append(search_map(plain, processor, corpus, name)[0])
    return mean(maps)


def dinov2_map(folder: str, corpus: str, name: str) -> float:
    """Return MAP of DINOv2's class token."""
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder)
    plain = PlainModel(model, name, lambda pixels: model(pixels).last_hidden_state[:, 0])
    return search_map(plain, processor, corpus, name)[0]


def e2_map(folder: str, corpus: str, name: str, region: bool) -> float | None:
    """Return MAP of E2's embedding of the photo, or of the region of an entity; `None` where it has no such entity."""
    model, processor = load_model(folder, "cpu", "float32")
    if region and name not in model.config.tag_entities:
        return None
    place = 1 + list(model.config.tag_entities).index(name) if region else 0
    plain = PlainModel(
        model, name, lambda pixels: photo_and_region_features(model, {"pixel_values": pixels})[:, place]
    )
    return search_map(plain, processor.image_processor, corpus, name)[0]


def measure(corpus: str, name: str, seed: int, options: argparse.Namespace) -> Iterable[tuple[str, Callable]]:
    """Yield each row of the table and what measures it."""
    values = read_labels(corpus_of(corpus)[0]["train"], with_attributes(corpus_of(corpus)[1], [name]))
    values = values.vocabulary.attribute_values[name]
    e2 = options.e2.format(seed=seed)

    def without(by_text: bool) -> tuple[PreTrainedModel, Any]:
        return load_model(run_folder(corpus, name, by_text, seed) / "last", "cpu")

    def added(by_text: bool) -> tuple[PreTrainedModel, Any]:
        set_seed(seed)
        model, processor = without(by_text)
        texts = embed_attribute_texts(e2, {name: values})[0] if by_text else None
        return model.add_attribute(name, values, text_embeds=texts), processor

    def trained() -> tuple[float, float]:
        return search_map(*load_model(run_folder(corpus, None, False, seed) / "last", "cpu"), corpus, name)

    yield "chance", lambda: trained()[1]
    yield OTHER, lambda: other_attributes_map(*without(True), corpus, name)
    yield "zero-shot, by name", lambda: search_map(*added(True), corpus, name)[0]
    for shots in SHOTS:
        yield f"{shots}-shot", lambda shots=shots: few_shot_map(*added(False), corpus, name, shots, seed)
        yield f"by name, {shots}-shot", lambda shots=shots: few_shot_map(*added(True), corpus, name, shots, seed)
    yield "trained with it", lambda: trained()[0]
    yield "DINOv2", lambda: dinov2_map(options.dinov2, corpus, name)
    yield "E2", lambda: e2_map(e2, corpus, name, region=False)
    if corpus == E2_CORPUS:
        yield REGION, lambda: e2_map(e2, corpus, name, region=True)


def missing(corpus: str, seed: int) -> list[str]:
    """Return the attributes of which the results file lacks a row."""
    results, rows = read_results(), {*ROWS, *([REGION] if corpus == E2_CORPUS else [])}
    return [
        name
        for name in ColumnMap.shipped(CORPORA[corpus]).attributes
        if rows - results.get(f"{corpus}/{name}", {}).get(str(seed), {}).keys()
    ]


def update(corpus: str, name: str, seed: int, options: argparse.Namespace) -> None:
    """Measure the rows of an attribute and a seed that the results file lacks, and write each as it comes."""
    for row, value in measure(corpus, name, seed, options):
        results = read_results()
        found = results.setdefault(f"{corpus}/{name}", {}).setdefault(str(seed), {})
        if row not in found:
            found[row] = value()
            write_json(results, RESULTS)


def read_results() -> dict[str, dict[str, dict[str, float]]]:
    """Return `corpus/attribute` -> seed -> row -> MAP, what is there."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def table(results: dict, corpus: str) -> str:
    """Return MAP of each row, a column for each attribute that was left out."""
    runs = {key.split("/", 1)[1]: list(seeds.values()) for key, seeds in results.items() if key.startswith(corpus)}
    lines = []
    for row in [*ROWS, REGION]:
        cells = {name: [run[row] for run in seeds if run.get(row) is not None] for name, seeds in runs.items()}
        if any(cells.values()):
            lines.append([row, *(spread(found) if found else "" for found in cells.values())])
    seeds = max((len(found) for found in runs.values()), default=0)
    return markdown([f"{corpus}, {seeds} seed{'s' * (seeds != 1)}", *(re.sub("_", " ", name) for name in runs)], lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--mobilenet", help="folder of ImageNet's MobileNetV2")
    parser.add_argument("--dinov2", help="folder of DINOv2-small")
    parser.add_argument("--e2", help="folder of a trained E2, with {seed} in its place")
    add_run_arguments(parser)
    options = parser.parse_args()
    for corpus in options.corpora if not options.table else ():
        for seed in options.seeds:
            first = make_run(corpus, None, False, seed, options)
            attributes = missing(corpus, seed)
            run_all([[first]] if attributes else [], options.workers, lambda: None)
            for name in attributes:
                runs = [make_run(corpus, name, by_text, seed, options) for by_text in (False, True)]
                run_all([runs], options.workers, lambda: None)
                update(corpus, name, seed, options)
    for corpus in options.corpora:
        print(table(read_results(), corpus), "\n")


if __name__ == "__main__":
    main()
