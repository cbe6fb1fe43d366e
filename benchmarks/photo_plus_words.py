"""Compare ways to search by a photo and words that change it, with E2 and CLIP-FT inside, and print a table.

    python benchmarks/photo_plus_words.py --corpus ../shared/corpora/catalog-large
    python benchmarks/photo_plus_words.py --budget options_tags   # the small one, where captions begin with the tags
    python benchmarks/photo_plus_words.py --table   # no model

The models are those that `benchmarks/pretrained_e2.py` trains, `runs/pretrained_e2/e2-0/last` and so on. Their
combiners, by `benchmarks/recipes/combiner/pretrained.yaml`, are trained into `runs/combiner` where they are missing.
`benchmarks/results/photo_plus_words.json` keeps all metrics.
"""

import argparse
import json
from pathlib import Path
from statistics import mean

from benchmarks.runs import Run, markdown, spread
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.changes.combiners import TrainedCombiner, load_combiner
from hf_fashion.embedding.corpus import embed_images
from hf_fashion.embedding.saved_models import load_model
from hf_fashion.evaluation.changes.catalogue_changes import evaluate_changes
from hf_fashion.evaluation.splits import load_splits
from hf_fashion.files import write_json
from hf_fashion.training.combiner.recipe import CombinerRecipe


RESULTS = Path(__file__).parent / "results" / "photo_plus_words.json"
RUNS, COMBINER_RUNS = Path("runs/pretrained_e2"), Path("runs/combiner")
RECIPE = Path(__file__).parent / "recipes" / "combiner" / "pretrained.yaml"
MODELS = {"clip_ft": "CLIP-FT", "e2": "E2"}
# Option -> what the names of runs begin with.
BUDGETS = {"full": "", "options_tags": "options_tags_"}
ROWS = {
    "photo": "only the photo",
    "words": "only the words",
    "sum": "photo + words",
    "text": "(a) edited tags, named by the model",
    "text_known": "(a) edited tags, known",
    "arithmetic": "(b) arithmetic, tags named by the model",
    "arithmetic_known": "(b) arithmetic, tags known",
    "regions": "(b) arithmetic with regions",
    "combiner": "(c) combiner",
    "combiner_regions": "(c) combiner with regions",
}
# Model -> its combiners: the row of each, and what differs from the recipe.
WHOLE = {"combiner": ["model.regions=false"]}
COMBINERS = {"clip_ft": WHOLE, "e2": WHOLE | {"combiner_regions": []}}
METRICS = ("recall@10", "recall@50", "changed", "kept")


def measure(corpus: str, seeds: list[int], budget: str) -> None:
    """Add the metrics of [`evaluate_changes`] on the validation split to the results, budget -> model -> seed."""
    column_map = ColumnMap.shipped("catalog")
    dataset, _, _ = load_splits(corpus, column_map, "validation", None, 0.1, "error")
    results = read_results()
    for name in MODELS:
        for seed in seeds:
            run = f"{BUDGETS[budget]}{name}"
            model, processor = load_model(RUNS / f"{run}-{seed}" / "last", "cpu", "float32")
            images = embed_images(model, processor, dataset, column_map.image)
            found: dict = {}
            for row, changes in COMBINERS[name].items():
                combiner = trained_combiner(corpus, run, row, seed, changes)
                one = evaluate_changes(model, processor, dataset, column_map, images, combiner=combiner)
                found = with_row(found, one, row)
            results.setdefault(budget, {}).setdefault(name, {})[str(seed)] = found
            write_json(results, RESULTS)
            print(f"{run}-{seed}: done", flush=True)


def read_results() -> dict:
    """Return budget -> model -> seed -> metrics, what is there."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def with_row(results: dict, measured: dict, row: str) -> dict:
    """Return the metrics so far, or else those that have no combiner, with those of a combiner as another row."""
    before = results or {key: value for key, value in measured.items() if "combiner" not in key}
    own = {key.replace("combiner", row): value for key, value in measured.items() if "combiner" in key}
    rows = [way for way in before["rows"] if way != "combiner" or results]
    return before | own | {"rows": [*rows, row]}


def trained_combiner(corpus: str, name: str, row: str, seed: int, changes: list[str]) -> TrainedCombiner:
    """Return a combiner of a model, the last one of its run, which is trained where it is not there."""
    folder = COMBINER_RUNS / f"{name}-{row}-{seed}"
    places = [f"model.embedder={RUNS / f'{name}-{seed}' / 'last'}", f"data.corpus={corpus}"]
    places += [f"training.output_dir={folder}", f"training.seed={seed}"]
    recipe = CombinerRecipe.read(RECIPE, [*changes, *places])
    print(Run(folder, recipe, "training/train_combiner.py").finish(), flush=True)
    return load_combiner(folder / "last")


def tables(results: dict) -> str:
    """Return a table of the means over entities, and one of R@10 for each entity."""
    first = next(iter(results["e2"].values()))
    entities = first["entities"]
    counts = ", ".join(f"{entity} {first[f'{entity}_num_queries']}" for entity in entities)
    averages, single = [], []
    for name, title in MODELS.items():
        seeds = list(results[name].values())
        for way in seeds[0]["rows"]:
            row = [title, ROWS[way]]
            averages.append(row + [_cell(seeds, entities, way, metric) for metric in METRICS])
            single.append(row + [_cell(seeds, [entity], way, "recall@10") for entity in entities])
    head = ["model", "way"]
    parts = [
        f"Means over the entities that change (queries: {counts}), in percent, over {len(results['e2'])} seeds:",
        markdown([*head, "R@10", "R@50", "first ten: changed", "first ten: all others kept"], averages),
        "R@10 for each entity that changes:",
        markdown([*head, *entities], single),
    ]
    return "\n\n".join(parts)


def _cell(seeds: list[dict], entities: list[str], way: str, metric: str) -> str:
    return spread([mean(seed[f"{entity}_{way}_{metric}"] for entity in entities) for seed in seeds])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="../shared/corpora/catalog-large")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--budget", choices=BUDGETS, default="full", help="of the models' training")
    parser.add_argument("--table", action="store_true", help="only print the results file")
    arguments = parser.parse_args()
    if not arguments.table:
        measure(arguments.corpus, arguments.seeds, arguments.budget)
    print(tables(read_results()[arguments.budget]))


if __name__ == "__main__":
    main()
