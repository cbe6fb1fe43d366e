"""Compare re-rankers on real photos: FR, query expansion and k-reciprocal encoding over ASEN++, IPAD and E2.

    PYTHONPATH=. python benchmarks/reranking.py --workers 2
    PYTHONPATH=. python benchmarks/reranking.py --table   # no training: the tables of the results file

ASEN++ and IPAD are those of `attribute_models.py`, trained on four fifths of the products (their pretrained backbones
have seen type and colour of all, at 60x80 px). FR learns from the last fifth, and settings of the baselines are chosen
there; MAP is that of the validation split, where every photo is a query. E2 is `large` of `e2_vs_clip.py`, where
queries are descriptions; the products that it has not seen are those that only catalog-small has.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from transformers import AutoModel, AutoProcessor
from transformers.models.auto.image_processing_auto import AutoImageProcessor

import hf_fashion
from benchmarks.attribute_models import ALL, BACKBONES, CORPORA, make_backbone, make_run, run_folder
from benchmarks.runs import Run, add_run_arguments, gather, markdown, run_all, spread
from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_folds, draw_protocol
from hf_fashion.data.attributes.vocabulary import with_attributes
from hf_fashion.data.column_map import column_map_for
from hf_fashion.evaluation.attribute_retrieval import attribute_searches
from hf_fashion.evaluation.cross_modal_candidates import embed_candidates
from hf_fashion.evaluation.labelled_search import LabelledSearch
from hf_fashion.evaluation.reranking import evaluate_reranking
from hf_fashion.files import folder_written_aside, write_json
from hf_fashion.retrieval.rerankers.k_reciprocal import k_reciprocal
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
from hf_fashion.training.attribute.recipe import AttributeDataRecipe
from hf_fashion.training.corpus import load_data
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe


FOLDER = Path(__file__).parent
RECIPE = FOLDER / "recipes" / "feature_reasoning" / "common.yaml"
RESULTS = FOLDER / "results" / "reranking.json"
EMBEDDERS = ("asen++", "ipad")
# Products that E2 has not seen to learn from, and those of catalog-large to validate on.
UNSEEN = Path(".cache/catalog-unseen")
NUM_UNSEEN = 4000
HELD_OUT_FRACTION = 0.2
NUM_CANDIDATES = 99
# Settings of each baseline that are compared on the held-out part.
BASELINES: dict[str, dict[str, Callable]] = {
    "query expansion": {
        f"{weighting}, N = {number}": partial(query_expansion, weighting=weighting, number=number)
        for weighting in ("plain", "decayed", "alpha")
        for number in range(1, 10)
    },
    "k-reciprocal": {
        f"k1 = {k1}, k2 = {k2}, lambda = {share}": partial(k_reciprocal, k1=k1, k2=k2, lambda_value=share)
        for k1, k2 in ((10, 3), (20, 6), (40, 12))
        for share in (0.3, 0.6, 0.9)
    },
}


@dataclass(frozen=True)
class Row:
    """An FR: the changes to its recipe, and the FR that it starts from."""

    changes: tuple[str, ...] = ()
    after: str | None = None


def _lists_of(number: int) -> Row:
    return Row((f"model.config.num_candidates={number - 1}",))


# Shown for every seed, and for one seed on the larger corpus.
ROWS = {"fr": Row()}
CHOICES = {
    "fr, all pairs (eq. 17)": Row(("loss.pairs=all",)),
    "fr, easy lists too": Row(("lists.max_average_precision=1.0", "lists.min_positives=1")),
    **{f"fr, n_r = {number}": _lists_of(number) for number in (50, 200, 500)},
    "fr, 2 rounds": Row(("model.config.num_rounds=2",), "fr"),
    "fr, 3 rounds": Row(("model.config.num_rounds=3",), "fr, 2 rounds"),
}
ALL_ROWS = ROWS | CHOICES


def fr_folder(name: str, seed: int | str) -> Path:
    """The folder of `corpus/embedder/row`."""
    corpus, embedder, row = name.split("/", 2)
    alike = run_folder(f"{corpus}/{embedder} {row}", seed)
    return alike.with_name(alike.name.replace("attributes_", "reranking_", 1))


def make_fr_run(name: str, seed: int) -> Run:
    """Train FR over an embedding model of the same seed, and evaluate its best over all folds."""
    corpus, embedder, row = name.split("/", 2)
    folder, model = fr_folder(name, seed), embedder_folder(corpus, embedder, seed)
    changes = [f"training.seed={seed}", f"training.output_dir={folder}", f"model.embedder={model}"]
    changes += [*ALL_ROWS[row].changes, *(f"data.{key}={value}" for key, value in CORPORA[corpus].items())]
    if ALL_ROWS[row].after:
        changes.append(f"model.start_from={fr_folder(f'{corpus}/{embedder}/{ALL_ROWS[row].after}', seed) / 'best'}")
    if embedder == "e2":  # a description is right for one photo
        changes += [f"data.corpus={UNSEEN}", "data.held_out_fraction=null", "lists.min_positives=1"]
        evaluation = ["training/evaluate_e2.py"]
    else:
        evaluation = ["training/evaluate_attribute_model.py", "--all_folds"]
    evaluation += ["--model", str(model), *(f"--{key}={value}" for key, value in CORPORA[corpus].items())]
    evaluation += ["--rerankers", str(folder / "best"), "--output", str(folder / "evaluation.json")]
    recipe = FeatureReasoningRecipe.read(RECIPE, changes)
    return Run(folder, recipe, "training/train_feature_reasoning.py", evaluation)


def embedder_folder(corpus: str, embedder: str, seed: int) -> Path:
    """Return the folder of the model whose searches are re-ranked."""
    folder = Path(f"runs/large_e2-{seed}") if embedder == "e2" else run_folder(f"{corpus}-kept/{embedder}", seed)
    return folder / "last"


def write_unseen() -> None:
    """Write the products that E2 has not seen unless they are there."""
    if UNSEEN.exists():
        return
    small, large = (hf_fashion.load_corpus(f"../shared/corpora/catalog-{size}") for size in ("small", "large"))
    seen = set(large["train"]["product_id"])
    rows = [row for row, product in enumerate(small["train"]["product_id"]) if product not in seen]
    chosen = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:NUM_UNSEEN].tolist()
    with folder_written_aside(UNSEEN) as aside:
        small["train"].select([rows[number] for number in chosen]).to_parquet(aside / "train.parquet")
        large["validation"].to_parquet(aside / "validation.parquet")


def evaluate_baselines(corpus: str, embedder: str, seed: int) -> None:
    """Write `evaluation.json` of each baseline: its best setting on the held-out part, measured on validation."""
    folders = {name: fr_folder(f"{corpus}/{embedder}/{name}", seed) for name in BASELINES}
    if all((folder / "evaluation.json").exists() for folder in folders.values()):
        return
    model = embedder_folder(corpus, embedder, seed)
    searches = (description_searches if embedder == "e2" else photo_searches)(model, corpus)
    for name, settings in BASELINES.items():
        found = {
            setting: evaluate_reranking(searches["train"], reranker, NUM_CANDIDATES)["map"]
            for setting, reranker in settings.items()
        }
        chosen = max(found, key=found.get)
        metrics = evaluate_reranking(searches["validation"], settings[chosen], NUM_CANDIDATES)
        folders[name].mkdir(parents=True, exist_ok=True)
        write_json({"setting": chosen, "reranking": {name: metrics}}, folders[name] / "evaluation.json")


def photo_searches(model: Path, corpus: str) -> dict[str, dict[str, list[LabelledSearch]]]:
    """Return split -> attribute -> searches among the photos that the model has not seen."""
    parts = AutoModel.from_pretrained(model).eval(), AutoImageProcessor.from_pretrained(model)
    data = AttributeDataRecipe(**CORPORA[corpus], held_out_fraction=HELD_OUT_FRACTION, on_leak="warn")
    splits, column_map, _ = load_data(data, require_caption=False, held_out=True)
    column_map = with_attributes(column_map, list(parts[0].config.attribute_names))
    searches = {}
    for name, split in splits.items():
        labels = read_labels(split, column_map)
        protocols = draw_folds(labels) if name == "validation" else [draw_protocol(labels)]
        searches[name] = attribute_searches(*parts, split, column_map, protocols)
    return searches


def description_searches(model: Path, corpus: str) -> dict[str, dict[str, list[LabelledSearch]]]:
    """Return the same for searches of photos by description."""
    parts = AutoModel.from_pretrained(model).eval(), AutoProcessor.from_pretrained(model)
    column_map = column_map_for(CORPORA[corpus]["column_map"], corpus)
    splits = hf_fashion.load_corpus(UNSEEN).items()
    return {
        name: {"text_to_image": [embed_candidates(*parts, split, column_map).text_to_image()]}
        for name, split in splits
    }


def collect() -> dict[str, dict[str, dict]]:
    """`corpus/embedder/row` -> seed -> metrics."""
    rows = [*BASELINES, *ALL_ROWS]
    names = [f"{corpus}/{embedder}/{row}" for corpus in CORPORA for embedder in (*EMBEDDERS, "e2") for row in rows]
    return gather(names, fr_folder, lambda evaluation: next(iter(evaluation["reranking"].values())), RESULTS)


def table(results: dict, corpus: str) -> str:
    """Return MAP before and after, its change, and the shares of better and worse queries."""
    rows = []
    for name, seeds in results.items():
        if name.startswith(f"{corpus}/"):
            _, embedder, row = name.split("/", 2)
            found = list(seeds.values())
            change = [run["map"] - run["initial_map"] for run in found]
            keys = ("initial_map", "map", "share_better", "share_worse")
            before, after, better, worse = (spread([run[key] for run in found]) for key in keys)
            rows.append([embedder, row, str(len(found)), before, after, spread(change), better, worse])
    return markdown([corpus, "re-ranker", "seeds", "before", "after", "change", "better queries", "worse"], rows)


def earlier(row: str) -> list[str]:
    """Return the rows that this one starts from, the first one first."""
    before = ALL_ROWS[row].after
    return [] if before is None else [*earlier(before), before]


def embedder_waves(runs: list[tuple[str, int]], embedders: list[str]) -> list[list[Run]]:
    """Return the runs of attribute-specific models on a part of the products; E2 is trained by `e2_vs_clip.py`."""
    first = list(dict.fromkeys(ALL[model].after for model in embedders))
    return [[make_backbone(name) for name in BACKBONES]] + [
        [make_run(corpus, model, seed, HELD_OUT_FRACTION) for corpus, seed in runs for model in wave]
        for wave in (first, embedders)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=["tshirts", "catalog-large"])
    parser.add_argument("--embedders", nargs="+", choices=(*EMBEDDERS, "e2"), default=list(EMBEDDERS))
    parser.add_argument("--rows", nargs="+", choices=ALL_ROWS, metavar="ROW", default=list(ROWS))
    add_run_arguments(parser)
    arguments = parser.parse_args()

    if not arguments.table:
        runs = [(corpus, seed) for corpus in arguments.corpora for seed in arguments.seeds]
        waves = embedder_waves(runs, [name for name in arguments.embedders if name != "e2"])
        rows = list(dict.fromkeys(row for name in arguments.rows for row in (*earlier(name), name)))
        waves += [
            [
                make_fr_run(f"{corpus}/{embedder}/{row}", seed)
                for corpus, seed in runs
                for embedder in arguments.embedders
            ]
            for row in rows
        ]
        if "e2" in arguments.embedders:
            write_unseen()
        run_all(waves, arguments.workers, lambda: write_json(collect(), RESULTS))
        torch.set_num_threads(arguments.workers)
        for corpus, seed in runs:
            for embedder in arguments.embedders:
                evaluate_baselines(corpus, embedder, seed)
        write_json(collect(), RESULTS)
    results = json.loads(RESULTS.read_text())
    for corpus in arguments.corpora:
        print(table(results, corpus), end="\n\n")


if __name__ == "__main__":
    main()
