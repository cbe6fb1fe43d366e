"""Compare attribute-specific models: train and evaluate every row of the table, resumably, and print it.

    python benchmarks/attribute_models.py --corpora tshirts --workers 2
    python benchmarks/attribute_models.py --suite ablations --seeds 0
    python benchmarks/attribute_models.py --table   # no training: the tables of the results file

All models have the same backbone, initial weights and batches, and train for 10 epochs; those of two branches train 4
more, as in the papers (50 and 20). A run that was stopped continues from its last checkpoint; finished runs are not
repeated. `benchmarks/results/attribute_models.json` collects the metrics of finished runs.
"""

import argparse
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.runs import Run, add_run_arguments, gather, markdown, run_all, spread
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.files import folder_written_aside, write_json
from hf_fashion.training.attribute.recipe import AttributeRecipe
from hf_fashion.training.backbone.recipe import BackboneRecipe


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
# tshirts has few photos: half the batches are enough, longer training only overfits.
BATCHES_AN_EPOCH = {"tshirts": 50, "catalog-large": 75, "generated": 75}
RPF = tuple(
    f"model.config.{change}" for change in ("variant=published", "suppression=none", "use_channel_attention=false")
)
WITHOUT_SUPPRESSION = ("model.config.suppression=none",)
CENTRES = ("global_centre", "local_centre")


@dataclass(frozen=True)
class Row:
    """A model: its recipe, the changes to it, the first stage of the same seed that it starts from, the branches
    whose cluster centres its losses know, and its epochs where they are not the recipe's."""

    recipe: str
    changes: tuple[str, ...] = ()
    after: str | None = None
    centres: tuple[str, ...] = ()
    epochs: int | None = None


STAGES = {
    "rpf (first stage)": Row("region_first", RPF),
    "ipad (first stage)": Row("region_first", WITHOUT_SUPPRESSION),
}
ROWS = {
    "triplet": Row("global", ("model.config.head=triplet",)),
    "csn": Row("global", ("model.config.head=csn",)),
    "asen": Row("global"),
    "asen++": Row("asen_plus_plus", after="asen"),
    "rpf": Row("both_branches", RPF, "rpf (first stage)"),
    "ipad": Row("both_branches", WITHOUT_SUPPRESSION, "ipad (first stage)", CENTRES),
}


def _region(*changes: str) -> Row:
    return Row("region_first", (*WITHOUT_SUPPRESSION, *(f"model.config.{change}" for change in changes)))


def _both(*changes: str, centres: tuple[str, ...] = CENTRES) -> Row:
    return Row("both_branches", (*WITHOUT_SUPPRESSION, *changes), "ipad (first stage)", centres)


def _triplets(views: int) -> Row:
    """ASEN with the number of photos of 75 batches of 48."""
    number = 75 * 48 // (3 + views)
    return Row(
        "global",
        (
            "sampling.kind=triplets",
            "training.batch_size=16",
            f"sampling.extra_views={views}",
            f"sampling.triplets_an_epoch={number}",
        ),
    )


# Sampling of batches, gain of the common start, gain of longer training without a second branch, and whether rounds
# of attention suit attributes of the whole garment.
CHOICES = {
    "asen": ROWS["asen"],
    "asen on triplets": _triplets(0),
    "asen on triplets with two views": _triplets(2),
    "asen from random weights": Row("global", ("model.backbone=null",)),
    "asen for 14 epochs": Row("global", epochs=14),
    "ipad (first stage)": STAGES["ipad (first stage)"],
    "ip-sp, Iter 1": _region("num_iterations=1"),
}
# The paper's sections 4.3.2 and 4.3.4 (only IP-SP), then 4.3.3. Its 4.3.1 and beta need no training:
# attribute_branches.py.
ABLATIONS = {
    "ipad (first stage)": STAGES["ipad (first stage)"],
    "ip-sp with suppression (eq. 2)": _region("suppression=adaptive"),
    "ip-sp w/o ISA": _region("use_spatial_attention=false"),
    "ip-sp w/o ICA": _region("use_channel_attention=false"),
    "ip-sp read from the attribute (eq. 4)": _region("readout=attribute"),
    "ip-sp with a layer norm on the map": _region("normalize_map=true"),
    **{f"ip-sp, Iter {number}": _region(f"num_iterations={number}") for number in (1, 2, 5, 10)},
    "ipad w/o AD": _both(centres=()),
    "ipad w/o ME (momentum 0)": _both("diverging.momentum=0.0"),
    "ipad w/o centres of SP": _both(centres=("local_centre",)),
    "ipad w/o centres of SE": _both(centres=("global_centre",)),
}
# Longer second stages.
LONGER = {
    "asen++": ROWS["asen++"],
    "asen++, second stage of 20 epochs": replace(ROWS["asen++"], epochs=20),
    "ipad": ROWS["ipad"],
    "ipad, second stage of 20 epochs": replace(ROWS["ipad"], epochs=20),
}
# The suites: rows and corpora that are compared.
SUITES = {
    "models": (ROWS, tuple(CORPORA)),
    "choices": (CHOICES, ("catalog-large",)),
    "longer": (LONGER, ("generated",)),
    "ablations": (ABLATIONS, ("generated",)),
}
ALL = STAGES | ROWS | CHOICES | LONGER | ABLATIONS
WITHOUT_ATTENTION = ("triplet", "csn")
BACKBONES = ("backbone", "backbone_vit")


def write_generated() -> None:
    """Write the generated corpus unless it is there: 20,000 products to train on, 2,000 to validate."""
    if GENERATED.exists():
        return
    with folder_written_aside(GENERATED) as aside:
        for split, rows in make_generated_corpus(20_000, 2_000, image_size=192).items():
            rows.to_parquet(aside / f"{split}.parquet")


def run_folder(name: str, seed: int | str) -> Path:
    """Return the folder of `corpus/model`."""
    corpus, model = name.split("/", 1)
    plain = re.sub(r"[^a-z0-9]+", "_", model.lower().replace("+", "p").replace("(first stage)", "first"))
    return Path("runs") / f"attributes_{corpus}_{plain}-{seed}"


def make_backbone(name: str) -> Run:
    """Train the backbone that all models start from."""
    recipe = BackboneRecipe.read(RECIPES / f"{name}.yaml")
    return Run(Path(recipe.training.output_dir), recipe, "training/pretrain_backbone.py")


def make_run(corpus: str, model: str, seed: int, held_out_fraction: float | None = None) -> Run:
    """Return the run of a model with a seed; its last model is evaluated, not its best, over all folds.

    With `held_out_fraction`, neither the model nor its first stage sees that share of the products.
    """
    row = ALL[model]
    part = corpus if held_out_fraction is None else f"{corpus}-kept"
    folder = run_folder(f"{part}/{model}", seed)
    changes = [f"training.seed={seed}", f"training.output_dir={folder}", *row.changes]
    changes.append(f"sampling.batches_an_epoch={BATCHES_AN_EPOCH[corpus]}")
    changes += [f"data.{key}={value}" for key, value in CORPORA[corpus].items()]
    if row.after:
        changes.append(f"model.start_from={run_folder(f'{part}/{row.after}', seed) / 'last'}")
    if held_out_fraction is not None:
        changes.append(f"data.held_out_fraction={held_out_fraction}")
    changes.append(f"training.stages={json.dumps(_stages(row))}")
    recipe = AttributeRecipe.read(RECIPES / f"{row.recipe}.yaml", changes)
    evaluation = ["training/evaluate_attribute_model.py", "--model", str(folder / "last")]
    evaluation += [f"--{key}={value}" for key, value in CORPORA[corpus].items()]
    evaluation += ["--all_folds", "--output", str(folder / "evaluation.json")]
    evaluation += ["--pointing"] if corpus == "generated" and model not in WITHOUT_ATTENTION else []
    return Run(folder, recipe, "training/train_attribute_model.py", evaluation)


def _stages(row: Row) -> list[dict]:
    """The recipe's one stage, with the row's epochs, and with the losses of cluster centres."""
    (stage,) = AttributeRecipe.read(RECIPES / f"{row.recipe}.yaml").to_dict()["training"]["stages"]
    epochs = {"epochs": row.epochs} if row.epochs else {}
    return [stage | epochs | {"losses": stage["losses"] | dict.fromkeys(row.centres, 1.0)}]


def collect() -> dict[str, dict[str, dict]]:
    """`corpus/model` -> seed -> metrics."""
    names = [f"{corpus}/{model}" for rows, corpora in SUITES.values() for corpus in corpora for model in rows]
    return gather(list(dict.fromkeys(names)), run_folder, _metrics, RESULTS)


def _metrics(evaluation: dict) -> dict[str, float]:
    pointing = evaluation.get("pointing", {})
    return evaluation["retrieval"] | {f"pointing/{name}": value for name, value in pointing.items()}


def table(results: dict, corpus: str, models: Iterable[str], ending: str = "map") -> str:
    """Return a metric of every model on a corpus: overall, mean over attributes, by attribute; chance at the end."""
    found = {model: list(results[f"{corpus}/{model}"].values()) for model in models if f"{corpus}/{model}" in results}
    found = {model: runs for model, runs in found.items() if any(key.endswith(ending) for key in runs[0])}
    if not found:
        return ""
    first = next(iter(found.values()))[0]
    keys = [key for key in first if key.endswith(ending)]
    rows = [
        [model, str(len(runs)), *(spread([run[key] for run in runs]) for key in keys)] for model, runs in found.items()
    ]
    names = [key.removeprefix("pointing/").removesuffix(f"_{ending}") for key in keys]
    chance = ["chance", "", *(spread([first[f"{key}_chance"]]) for key in keys)]
    return markdown([corpus, "seeds", *names], [*rows, chance])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=SUITES, default="models")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, help="default: all of the suite")
    parser.add_argument("--only", nargs="+", choices=ALL, metavar="MODEL", help="default: all of the suite")
    add_run_arguments(parser)
    arguments = parser.parse_args()
    rows, corpora = SUITES[arguments.suite]

    if not arguments.table:
        write_generated()
        models, corpora = arguments.only or list(rows), arguments.corpora or corpora
        runs = [(corpus, seed) for corpus in corpora for seed in arguments.seeds]
        first = list(dict.fromkeys(ALL[model].after for model in models if ALL[model].after))
        waves = [[make_backbone(name) for name in BACKBONES]]
        waves += [
            [make_run(corpus, model, seed) for corpus, seed in runs for model in wave] for wave in (first, models)
        ]
        run_all(waves, arguments.workers, lambda: write_json(collect(), RESULTS))
    results = json.loads(RESULTS.read_text())
    for corpus in corpora:
        print(table(results, corpus, rows), table(results, corpus, rows, "centre_inside"), sep="\n\n")


if __name__ == "__main__":
    main()
