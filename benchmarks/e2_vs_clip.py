"""Compare E2 and CLIP-FT on real product photos: train and evaluate every row of the table, resumably, and print it.

    python benchmarks/e2_vs_clip.py --workers 2                  # all rows, three seeds
    python benchmarks/e2_vs_clip.py --only scratch/e2 --seeds 0  # one row
    python benchmarks/e2_vs_clip.py --table                      # no training: the table of the results file

A run that was stopped continues from its last checkpoint; finished runs are not repeated. The metrics of a run are in
`runs/<row>-<seed>/evaluation.json`; `benchmarks/results/e2_vs_clip.json` collects those of finished runs.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.recall import recall_table
from benchmarks.runs import Run, add_run_arguments, gather, markdown, run_all, spread
from hf_fashion.files import write_json
from hf_fashion.training.e2.recipe import E2Recipe


FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "e2_vs_clip.json"
PARTS = ("cross_modal", "tags", "linear_probe")
ENTITIES = ("article_type", "brand", "season", "colour")
TAG_FIGURES = {
    "zero-shot accuracy": ("tags", "accuracy"),
    "tag-to-image MAP": ("tags", "map"),
    "linear probe": ("linear_probe", "probe_accuracy"),
}


@dataclass(frozen=True)
class Row:
    """A row of the table: a recipe, the changes to it, and the row whose run of seed 0 it starts from."""

    recipe: str
    changes: tuple[str, ...] = ()
    after: str | None = None


COMPOSED = ("model.compose_text=true",)
LONGER_CLIP = "training.stages=[{epochs: 8, learning_rate: 5.0e-4}]"
LONGER_E2 = (
    "training.stages=[{name: warm-up, trainable: new, epochs: 1.6, learning_rate: 1.0e-3}, "
    "{name: full, epochs: 6.4, learning_rate: 5.0e-4}]"
)

THUMBNAILS = ("model.config.vision_config.image_size=48", "model.config.vision_config.patch_size=8")


def _ablation(change: str) -> Row:
    return Row("continued_e2", (*COMPOSED, change), "scratch/clip")


ROWS = {
    "scratch/clip": Row("scratch_clip"),
    "scratch/e2": Row("scratch_e2"),
    "continued/clip": Row("continued_clip", after="scratch/clip"),
    "continued/e2": Row("continued_e2", after="scratch/clip"),
    "continued-tags/clip": Row("continued_clip", COMPOSED, "scratch/clip"),
    "continued-tags/e2": Row("continued_e2", COMPOSED, "scratch/clip"),
    "longer-tags/clip": Row("continued_clip", (*COMPOSED, LONGER_CLIP), "scratch/clip"),
    "longer-tags/e2": Row("continued_e2", (*COMPOSED, LONGER_E2), "scratch/clip"),
    "large/clip": Row("large_clip"),
    "large/e2": Row("large_e2"),
    # The same products and epochs, at the size of the thumbnails.
    "large-48px/clip": Row("large_clip", THUMBNAILS),
    "large-48px/e2": Row("large_e2", THUMBNAILS),
    # Ablations, one change each, in the setting of the paper and with its captions.
    "continued-tags/e2-no-region-loss": _ablation("model.config.region_loss_weight=0"),
    "continued-tags/e2-no-fusion": _ablation("model.config.fusion_layers=[]"),
    "continued-tags/e2-diagonal": _ablation("model.config.region_targets=diagonal"),
    "continued-tags/e2-patches-kept": _ablation("model.config.drop_patch_tokens=false"),
    "continued-tags/e2-region-0.2": _ablation("model.config.region_loss_weight=0.2"),
    "continued-tags/e2-no-warm-up": _ablation("training.stages=[{epochs: 2, learning_rate: 5.0e-4}]"),
}


def run_folder(row: str, seed: int | str) -> Path:
    return Path("runs") / f"{row.replace('/', '_')}-{seed}"


def make_run(row: str, seed: int) -> Run:
    """Return the run of a row with a seed; its last model is evaluated, not its best."""
    folder = run_folder(row, seed)
    changes = [f"training.seed={seed}", f"training.output_dir={folder}", *ROWS[row].changes]
    recipe = E2Recipe.read(FOLDER / "recipes" / f"{ROWS[row].recipe}.yaml", changes)
    evaluation = ["training/evaluate_e2.py", "--model", str(folder / "last"), "--corpus", recipe.data.corpus]
    evaluation += ["--column_map", recipe.data.column_map, "--tags", "--output", str(folder / "evaluation.json")]
    evaluation += ["--linear_probe"] if row.endswith(("/clip", "/e2")) else []  # not for ablations
    return Run(folder, recipe, "training/train_e2.py", evaluation)


def collect() -> dict[str, dict[str, dict]]:
    """Row -> seed -> metrics."""
    return gather(
        list(ROWS), run_folder, lambda evaluation: {part: evaluation.get(part, {}) for part in PARTS}, RESULTS
    )


def tag_table(results: dict) -> str:
    """Return zero-shot accuracy, MAP of tag-to-image search and linear probe per entity, from regions and images."""
    rows = []
    for row, seeds in results.items():
        for title, (part, name) in TAG_FIGURES.items():
            for source in ("image", "region"):
                keys = [f"{entity}_{source}_{name}" for entity in ENTITIES]
                runs = [run[part] for run in seeds.values()]
                if all(key in run for key in keys for run in runs):
                    rows.append([row, source, title, *(spread([run[key] for run in runs]) for key in keys)])
    return markdown(["row", "from", "metric", *ENTITIES], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    add_run_arguments(parser)
    arguments = parser.parse_args()

    if not arguments.table:
        first = dict.fromkeys(ROWS[row].after for row in arguments.only)
        waves = [[make_run(row, 0) for row in first if row]]
        waves.append([make_run(row, seed) for seed in arguments.seeds for row in arguments.only])
        run_all(waves, arguments.workers, lambda: write_json(collect(), RESULTS))
    results = json.loads(RESULTS.read_text())
    recall = recall_table(results, list(results), lambda row: f"{row.split('/')[0]}/clip")
    print(recall, tag_table(results), sep="\n\n")


if __name__ == "__main__":
    main()
