"""Compare E2, CLIP-FT and FILIP-FT from one pretrained vision encoder: train and evaluate every row, and print tables.

    python benchmarks/pretrained_e2.py --vision FOLDER --workers 2
    python benchmarks/pretrained_e2.py --vision FOLDER --suite depths --seeds 0   # or options
    python benchmarks/pretrained_e2.py --only clip-ft e2 --table                 # no training

FOLDER is a checkpoint of DINOv2 with its image processor, such as `facebook/dinov2-small`. A run that was stopped
continues from its last checkpoint; finished runs are not repeated. `benchmarks/results/pretrained_e2.json` collects
the metrics of finished runs, and recall after each epoch.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.recall import WAYS, recall_table
from benchmarks.runs import Run, add_run_arguments, gather, markdown, run_all, spread
from hf_fashion.files import write_json
from hf_fashion.training.e2.recipe import E2Recipe


FOLDER = Path(__file__).parent
RECIPE = FOLDER / "recipes" / "pretrained.yaml"
RESULTS = FOLDER / "results" / "pretrained_e2.json"
RUNS = Path("runs/pretrained_e2")
PARTS = ("cross_modal", "tags")
ENTITIES = ("article_type", "brand", "season", "colour")


@dataclass(frozen=True)
class Row:
    """A model: its architecture, its changes to the recipe, and its frozen layers of twelve."""

    architecture: str
    changes: tuple[str, ...] = ()
    frozen: int = 10


def _e2(*changes: str, **fields: int) -> Row:
    return Row("e2", changes, **fields)


TAGS = "model.compose_text=true"
LIGHT, POOLED = "model.config.region_loss_weight=0.2", "model.config.pool_regions=true"
MODELS = {
    "clip-ft": Row("clip"),
    "filip-ft": Row("filip"),
    "e2": _e2(),
    "e2, region weight 0.2": _e2(LIGHT),
    "e2, pooled regions": _e2(POOLED),
    "tags/clip-ft": Row("clip", (TAGS,)),
    "tags/filip-ft": Row("filip", (TAGS,)),
    "tags/e2": _e2(TAGS),
}
DEPTHS = {
    "clip-ft": MODELS["clip-ft"],
    "e2": MODELS["e2"],
    "8 frozen/clip-ft": Row("clip", frozen=8),
    "8 frozen/e2": _e2(frozen=8),
}
STAGE = "training.stages=[{epochs: 4, learning_rate: 5.0e-4, learning_rates: {vision_model.tower: 1.0e-4}}]"


def option(*changes: str, architecture: str = "e2", frozen: int = 8) -> Row:
    """Return a model on three tenths of the products, above eight frozen layers as a rule: minutes an option."""
    less = ("data.held_out_fraction=0.7", "training.warmup_steps=40", STAGE)
    return Row(architecture, (*less, *changes), frozen)


OPTIONS = {
    "options/e2": option(),
    "options/clip-ft": option(architecture="clip"),
    "options/10 frozen": option(frozen=10),
    # With ten layers frozen the selection tokens enter two layers later too; here they do so above eight.
    "options/tokens from layer 11": option("model.config.first_selection_layer=11"),
    "options/region weight 0.2": option(LIGHT),
    "options/pooled regions": option(POOLED),
    "options/region weight 0.5 to 0.1": option("model.region_weight={start: 0.5, end: 0.1, epochs: 4}"),
    "options/float32": option("training.mixed_precision=no"),
    "options/tags/clip-ft": option(TAGS, architecture="clip"),
    "options/tags/e2": option(TAGS),
    "options/float32/tags/e2": option(TAGS, "training.mixed_precision=no"),
}
SUITES = {"models": MODELS, "depths": DEPTHS, "options": OPTIONS}
ROWS = MODELS | DEPTHS | OPTIONS


def run_folder(row: str, seed: int | str) -> Path:
    """Return the folder of a run."""
    return RUNS / f"{''.join(letter if letter.isalnum() or letter == '.' else '_' for letter in row)}-{seed}"


def make_run(vision: str, name: str, row: Row, seed: int) -> Run:
    """Return the run of a row with a seed; its last model is evaluated, not its best."""
    folder = run_folder(name, seed)
    changes = [f"model.architecture={row.architecture}", f"model.start_from_vision={vision}"]
    changes += [f"model.freeze_layers={row.frozen}", f"training.seed={seed}", f"training.output_dir={folder}"]
    if row.architecture == "e2":
        changes += [f"model.config.first_selection_layer={row.frozen + 1}", "model.config.fusion_layers=[12]"]
    recipe = E2Recipe.read(RECIPE, [*changes, *row.changes])
    evaluation = ["training/evaluate_e2.py", "--model", str(folder / "last"), "--corpus", recipe.data.corpus]
    evaluation += ["--column_map", recipe.data.column_map, "--tags", "--output", str(folder / "evaluation.json")]
    return Run(folder, recipe, "training/train_e2.py", evaluation)


def collect() -> dict[str, dict[str, dict]]:
    """Row -> seed -> metrics: recall and tags after the last epoch, and recall after each."""
    results = gather(list(ROWS), run_folder, lambda evaluation: {part: evaluation[part] for part in PARTS}, RESULTS)
    for row, seeds in results.items():
        for seed, found in seeds.items():
            trained = run_folder(row, seed) / "results.json"
            if trained.exists():
                found["curve"] = curve(json.loads(trained.read_text())["history"])
    return results


def curve(history: list[dict]) -> list[list[float]]:
    """Return R@1 after each epoch, image to text and text to image."""
    keys = [f"validation/{way}_recall@1" for way in WAYS]
    return [[entry[key] for key in keys] for entry in history if keys[0] in entry]


def baseline(row: str) -> str:
    """Return the row that a row is compared with: CLIP-FT, or E2 without options."""
    setting = row.rpartition("/")[0]
    return "options/e2" if setting == "options" else f"{setting}/clip-ft".removeprefix("/")


def tag_table(results: dict, names: list[str]) -> str:
    """Return accuracy of naming tags by their texts and MAP of tag-to-image search per entity, from each embedding.

    An entity that a row's model was trained without has no region.
    """
    rows = []
    for name in names:
        runs = [seed["tags"] for seed in results[name].values()]
        for metric in ("accuracy", "map"):
            for source in ("image", "region"):
                keys = [f"{entity}_{source}_{metric}" for entity in ENTITIES]
                if any(key in runs[0] for key in keys):
                    cells = [spread([run[key] for run in runs]) if key in runs[0] else "-" for key in keys]
                    rows.append([name, source, metric, *cells])
    shares = [spread([runs[0][f"{entity}_majority_rate"]]) for entity in ENTITIES]
    return markdown(["row", "from", "metric", *ENTITIES], [*rows, ["most frequent tag", "-", "accuracy", *shares]])


def curve_table(results: dict, names: list[str]) -> str:
    """Return the mean R@1 over seeds after each epoch, image to text / text to image."""
    rows = []
    for name in names:
        curves = [seed["curve"] for seed in results[name].values()]
        epochs = [[mean(way) for way in zip(*epoch, strict=True)] for epoch in zip(*curves, strict=True)]
        rows.append([name, *(" / ".join(f"{100 * way:.1f}" for way in epoch) for epoch in epochs)])
    return markdown(["row", *(f"{number + 1}" for number in range(max(map(len, rows)) - 1))], rows)


def main() -> None:
    """Train and evaluate what is missing, and print the tables of a suite."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vision", help="pretrained vision encoder; needed to train")
    parser.add_argument("--suite", choices=SUITES, default="models")
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="ROW", help="default: all of the suite")
    add_run_arguments(parser)
    arguments = parser.parse_args()
    names = arguments.only or list(SUITES[arguments.suite])
    if not arguments.table:
        if not arguments.vision:
            parser.error("give `--vision`, or `--table` to train nothing")
        runs = [make_run(arguments.vision, name, ROWS[name], seed) for seed in arguments.seeds for name in names]
        # One run of each depth computes the outputs of its frozen layers; the others find them.
        first = list({run.recipe.model.freeze_layers: run for run in reversed(runs)}.values())
        run_all([first, runs], arguments.workers, lambda: write_json(collect(), RESULTS))
    results = json.loads(RESULTS.read_text())
    names = [name for name in names if name in results]
    print(recall_table(results, names, baseline), tag_table(results, names), curve_table(results, names), sep="\n\n")


if __name__ == "__main__":
    main()
