"""Attribute-specific models side by side: trains and evaluates every row of the table, resumably, and prints it.

    python benchmarks/attribute_models.py --corpora tshirts --workers 2
    python benchmarks/attribute_models.py --table   # no training: the table of the results file

All models have the same backbone, start, batches and number of updates. A run that was stopped goes on from its last
checkpoint; finished runs are not repeated. `benchmarks/results/attribute_models.json` gathers figures as they come.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runs import Run, add_run_arguments, gather, markdown, run_all, spread
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.files import write_json
from hf_fashion.training.attribute_recipe import AttributeRecipe
from hf_fashion.training.pretraining import PretrainingRecipe


FOLDER = Path(__file__).parent
RECIPES = FOLDER / "recipes" / "attributes"
RESULTS = FOLDER / "results" / "attribute_models.json"
# Drawn once, at the size that regions are cropped from.
GENERATED = Path(".cache/generated-192")
CORPORA = {
    "tshirts": {"corpus": "../shared/corpora/tshirts", "column_map": "tshirts"},
    "catalog-large": {"corpus": "../shared/corpora/catalog-large", "column_map": "catalog"},
    "generated": {"corpus": str(GENERATED), "column_map": "generated"},
}
PUBLISHED = ("model.config.variant=published", "model.config.suppression=none")
RPF = (*PUBLISHED, "model.config.use_channel_attention=false", "model.config.beta=0.3")
CENTRES = ("global_centre", "local_centre")


@dataclass(frozen=True)
class Row:
    """A model: its recipe, what is changed in it, and the first stage of the same seed that it starts from."""

    recipe: str
    changes: tuple[str, ...] = ()
    after: str | None = None


STAGES = {
    "asen++ (first stage)": Row("global_first"),
    "rpf (first stage)": Row("region_first", RPF),
    "ipad (first stage)": Row("region_first"),
}
ROWS = {
    "triplet": Row("global", ("model.config.head=triplet",)),
    "csn": Row("global", ("model.config.head=csn",)),
    "asen": Row("global"),
    "asen++": Row("asen_plus_plus", after="asen++ (first stage)"),
    "rpf": Row("both_branches", RPF, "rpf (first stage)"),
    "ipad": Row("both_branches", (), "ipad (first stage)"),
}
WITHOUT_ATTENTION = ("triplet", "csn")
BACKBONES = ("backbone", "backbone_vit")


def write_generated() -> None:
    """Writes the generated corpus unless it is there: 20,000 products to train on, 2,000 to validate."""
    if GENERATED.exists():
        return
    aside = GENERATED.with_name(f"{GENERATED.name}.part")
    aside.mkdir(parents=True, exist_ok=True)
    for split, rows in make_generated_corpus(20_000, 2_000, image_size=192).items():
        rows.to_parquet(aside / f"{split}.parquet")
    aside.rename(GENERATED)


def run_folder(name: str, seed: int | str) -> Path:
    """The folder of `corpus/model`."""
    plain = name.replace("/", "_").replace(" (first stage)", "-first").replace("+", "p")
    return Path("runs") / f"attributes_{plain}-{seed}"


def make_backbone(name: str) -> Run:
    """The start of all models."""
    recipe = PretrainingRecipe.read(RECIPES / f"{name}.yaml")
    return Run(Path(recipe.training.output_dir), recipe, "training/pretrain_backbone.py")


def make_run(corpus: str, model: str, seed: int) -> Run:
    """The run of a model with a seed; its last model is evaluated, not its best, over all folds of the division."""
    row = (STAGES | ROWS)[model]
    folder = run_folder(f"{corpus}/{model}", seed)
    changes = [f"training.seed={seed}", f"training.output_dir={folder}", *row.changes]
    changes += [f"data.{key}={json.dumps(value)}" for key, value in CORPORA[corpus].items()]
    if row.after:
        changes.append(f"model.start_from={run_folder(f'{corpus}/{row.after}', seed) / 'last'}")
    if model == "ipad":
        changes += [f"training.stages={json.dumps(_with_centres(row.recipe))}"]
    recipe = AttributeRecipe.read(RECIPES / f"{row.recipe}.yaml", changes)
    evaluation = ["training/evaluate_attribute_model.py", "--model", str(folder / "last")]
    evaluation += [*(f"--{key}={value}" for key, value in CORPORA[corpus].items())]
    evaluation += ["--all_folds", "--output", str(folder / "evaluation.json")]
    evaluation += ["--pointing"] if corpus == "generated" and model not in WITHOUT_ATTENTION else []
    return Run(folder, recipe, "training/train_attribute_model.py", None if model in STAGES else evaluation)


def _with_centres(recipe: str) -> list[dict]:
    """IPAD's losses are RPF's and those of the cluster centres."""
    stages = AttributeRecipe.read(RECIPES / f"{recipe}.yaml").to_dict()["training"]["stages"]
    return [stage | {"losses": stage["losses"] | dict.fromkeys(CENTRES, 1.0)} for stage in stages]


def collect() -> dict[str, dict[str, dict]]:
    """`corpus/model` -> seed -> figures."""
    names = [f"{corpus}/{model}" for corpus in CORPORA for model in ROWS]
    return gather(names, run_folder, _figures, RESULTS)


def _figures(evaluation: dict) -> dict[str, float]:
    return evaluation["retrieval"] | {f"pointing/{name}": value for name, value in evaluation.get("pointing", {}).items()}


def table(results: dict, corpus: str) -> str:
    """MAP of every model on a corpus: overall, mean over the attributes, and by attribute; chance in the last line."""
    rows, chance = [], None
    for name, seeds in results.items():
        if not name.startswith(f"{corpus}/"):
            continue
        figures = list(seeds.values())
        keys = [key for key in figures[0] if key.endswith("map")]
        rows.append([name, str(len(seeds)), *(spread([run[key] for run in figures]) for key in keys)])
        chance = ["chance", "", *(spread([figures[0][f"{key}_chance"]]) for key in keys)]
        header = ["model", "seeds", *(key.removesuffix("_map") for key in keys)]
    return markdown(header, [*rows, chance]) if rows else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="MODEL")
    add_run_arguments(parser)
    arguments = parser.parse_args()

    if not arguments.table:
        write_generated()
        runs = [(corpus, seed) for corpus in arguments.corpora for seed in arguments.seeds]
        first = list(dict.fromkeys(ROWS[model].after for model in arguments.only if ROWS[model].after))
        waves = [[make_backbone(name) for name in BACKBONES]]
        waves += [
            [make_run(corpus, model, seed) for corpus, seed in runs for model in models]
            for models in (first, arguments.only)
        ]
        run_all(waves, arguments.workers, lambda: write_json(collect(), RESULTS))
    results = json.loads(RESULTS.read_text())
    print(*(table(results, corpus) for corpus in CORPORA), sep="\n\n")


if __name__ == "__main__":
    main()
