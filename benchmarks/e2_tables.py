"""Print the tables of E2's paper that `pretrained_e2.py` has not: protocols, probes, and what each part is worth.

    python benchmarks/e2_tables.py --suite protocols                     # or probes: of finished runs, minutes
    python benchmarks/e2_tables.py --suite tag_groups --vision FOLDER    # or parts, tokens, batch_sizes, entity_words
    python benchmarks/e2_tables.py --suite tag_groups --table            # no training

FOLDER is the checkpoint that `pretrained_e2.py` takes. Rows that are trained see three tenths of the products for four
epochs; a row that is also one of `pretrained_e2.py --suite options` is the same run, read from its results and not
repeated. `benchmarks/results/e2_tables.json` collects the metrics.
"""

import argparse
import json
from functools import partial
from pathlib import Path

from safetensors import safe_open

from benchmarks import pretrained_e2
from benchmarks.e2_measures import measure_run, measure_start, read_measures
from benchmarks.pretrained_e2 import ENTITIES, MODELS, OPTIONS, PARTS, TAGS, make_run, option, run_folder, tag_table
from benchmarks.recall import WAYS, recall_table
from benchmarks.runs import add_run_arguments, markdown, run_all, spread
from hf_fashion.files import write_json


RESULTS = Path(__file__).parent / "results" / "e2_tables.json"
START = "pretrained encoder"  # a row of the probes
FINISHED = ("clip-ft", "filip-ft", "e2")
BASE, CLIP, TAGGED = "options/e2", "options/clip-ft", "options/tags/clip-ft"
KS = (1, 5, 10)


def _without(removed: str) -> str:
    return f"model.config.tag_entities=[{', '.join(entity for entity in ENTITIES if entity != removed)}]"


# A weight moves by its learning rate a step, from 0: at that of the rest it would stay there.
WEIGH = (
    "model.weigh_entities=true",
    "training.stages=[{epochs: 4, learning_rate: 5.0e-4, "
    "learning_rates: {vision_model.tower: 1.0e-4, entity_words: 1.0e-2}}]",
)
TAG_GROUPS = {f"tag_groups/without {entity}": option(_without(entity)) for entity in ENTITIES}
COMPONENTS = {
    "parts/no fusion block": option("model.config.fusion_layers=[]"),
    "parts/no region loss": option("model.config.region_loss_weight=0.0"),
}
TOKENS = {f"tokens/{number}": option(f"model.config.tokens_per_entity={number}") for number in (1, 4, 8)}
BATCH_SIZES = {
    f"batch_sizes/{size}/{name}": option(f"training.batch_size={size}", architecture=architecture)
    for size in (16, 32, 128)
    for name, architecture in (("clip-ft", "clip"), ("e2", "e2"))
}
ENTITY_WORDS = {
    "entity_words/clip-ft": option(*WEIGH, architecture="clip"),
    "entity_words/e2": option(*WEIGH),
    "entity_words/tags/clip-ft": option(*WEIGH, TAGS, architecture="clip"),
}
NEW = TAG_GROUPS | COMPONENTS | TOKENS | BATCH_SIZES | ENTITY_WORDS
ROWS = MODELS | OPTIONS | NEW
SUITES = {
    "protocols": FINISHED,
    "probes": (START, *FINISHED),
    "tag_groups": (BASE, *TAG_GROUPS),
    "parts": (CLIP, BASE, *COMPONENTS),  # CLIP-FT has no selection tokens
    "tokens": (BASE, *TOKENS),
    "batch_sizes": (CLIP, BASE, *BATCH_SIZES),
    "entity_words": (CLIP, BASE, TAGGED, *ENTITY_WORDS),
}


def baseline(suite: str, row: str) -> str:
    """Return the row that a row of a suite is compared with."""
    if suite == "batch_sizes":
        return f"{row.rpartition('/')[0]}/clip-ft"
    if suite == "entity_words":
        return f"options/{row.partition('/')[2]}"
    return BASE


def collect() -> dict[str, dict[str, dict]]:
    """Row -> seed -> metrics: of runs here, else from the results file."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for row in (START, *FINISHED, BASE, CLIP, TAGGED, *NEW):
        pattern = run_folder(row, "[0-9]*")
        for folder in sorted(pattern.parent.glob(pattern.name)):
            if found := read_measures(folder) | _evaluated(folder, row):
                results.setdefault(row, {}).setdefault(folder.name.rpartition("-")[2], {}).update(found)
    return {row: dict(sorted(seeds.items())) for row, seeds in results.items()}


def read_results() -> dict[str, dict[str, dict]]:
    """Row -> seed -> metrics: of the results file, and shared rows of `pretrained_e2.py`."""
    results = json.loads(RESULTS.read_text())
    for row, seeds in shared_results().items():
        results[row] = dict(sorted((seeds | results.get(row, {})).items()))
    return results


def shared_results() -> dict[str, dict[str, dict]]:
    """Row -> seed -> metrics of the rows that `pretrained_e2.py --suite options` trains too."""
    results = json.loads(pretrained_e2.RESULTS.read_text())
    return {row: results[row] for row in (BASE, CLIP, TAGGED) if row in results}


def _evaluated(folder: Path, row: str) -> dict[str, dict]:
    """Metrics, sizes and learned weights of a run of three tenths of the products."""
    if row in FINISHED or not (folder / "evaluation.json").exists():
        return {}
    evaluation = json.loads((folder / "evaluation.json").read_text())
    with safe_open(folder / "last" / "model.safetensors", framework="pt") as weights:
        sizes = {name: weights.get_tensor(name).numel() for name in weights.keys()}  # noqa: SIM118
        words = weights.get_tensor("entity_words.weight").tolist() if "entity_words.weight" in sizes else None
    new = sum(size for name, size in sizes.items() if "selection_tokens" in name)
    counts = {"parameters": {"all": sum(sizes.values()), "selection tokens": new}}
    return {part: evaluation[part] for part in PARTS} | counts | ({"entity_weights": words} if words else {})


def protocol_table(results: dict, names: list[str]) -> str:
    """Return recall of both protocols, both ways."""
    rows = []
    for protocol in ("full", "sample100"):
        for name in names:
            runs = [seed[protocol] for seed in results[name].values() if protocol in seed]
            recalls = [spread([run[f"{way}_recall@{k}"] for run in runs]) for way in WAYS for k in KS]
            rows.append([protocol, name, str(len(runs)), *recalls, spread([run["sum_recall"] for run in runs])])
    header = [f"{way} R@{k}" for way in ("image-to-text", "text-to-image") for k in KS]
    return markdown(["protocol", "row", "seeds", *header, "SumR"], rows)


def probe_table(results: dict, names: list[str]) -> str:
    """Return the accuracy of linear probes by entity, and that of always naming the most frequent class."""
    rows = []
    for name in names:
        runs = [seed["probe"] for seed in results[name].values() if "probe" in seed]
        for source in ("image", "region"):
            keys = [f"{entity}_{source}_probe_accuracy" for entity in ENTITIES]
            if keys[0] in runs[0]:
                rows.append([name, source, str(len(runs)), *(spread([run[key] for run in runs]) for key in keys)])
    any_run = next(iter(results[names[0]].values()))["probe"]
    majority = [f"{100 * any_run[f'{entity}_majority_rate']:.1f}" for entity in ENTITIES]
    return markdown(["row", "from", "seeds", *ENTITIES], [*rows, ["most frequent class", "", "", *majority]])


def size_table(results: dict, names: list[str]) -> str:
    """Return numbers of parameters, all of a model and those of its selection tokens."""
    counts = {name: next(run["parameters"] for run in results[name].values() if "parameters" in run) for name in names}
    rows = [[name, f"{count['all']:,}", f"{count['selection tokens']:,}"] for name, count in counts.items()]
    return markdown(["row", "parameters", "of selection tokens"], rows)


def weight_table(results: dict, names: list[str]) -> str:
    """Return the learned weight of each entity's words, a row a run."""
    rows = []
    for name in names:
        for seed, found in results[name].items():
            if "entity_weights" in found:
                rows.append([name, seed, *(f"{weight:+.2f}" for weight in found["entity_weights"])])
    return markdown(["row", "seed", *ENTITIES], rows)


def main() -> None:
    """Train or measure what is missing, and print the tables of a suite."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=SUITES, required=True)
    parser.add_argument("--vision", help="pretrained vision encoder; needed to train, and for its own linear probe")
    parser.add_argument("--only", nargs="+", choices=(START, *ROWS), metavar="ROW", help="default: all of the suite")
    add_run_arguments(parser)
    arguments = parser.parse_args()
    names, measured = arguments.only or SUITES[arguments.suite], arguments.suite in ("protocols", "probes")
    if not (measured or arguments.table or arguments.vision):
        parser.error("give `--vision`, or `--table` to train nothing")
    if not arguments.table:
        (_measure if measured else _train)(arguments, names)
        write_json(collect(), RESULTS)
    results = read_results()
    print(*_tables(arguments.suite, results, [name for name in names if name in results]), sep="\n\n")


def _measure(arguments: argparse.Namespace, names: list[str]) -> None:
    for seed in arguments.seeds:
        for name in FINISHED:
            folder = run_folder(name, seed)
            if name in names and (folder / "last").is_dir():
                measure_run(folder)
                write_json(collect(), RESULTS)
    if START in names and arguments.vision:
        measure_start(arguments.vision, run_folder("clip-ft", arguments.seeds[0]), run_folder(START, 0))


def _train(arguments: argparse.Namespace, names: list[str]) -> None:
    done = shared_results()
    missing = [(name, seed) for seed in arguments.seeds for name in names if str(seed) not in done.get(name, {})]
    runs = [make_run(arguments.vision, name, ROWS[name], seed) for name, seed in missing]
    # The first computes the outputs of the frozen layers; the others find them.
    run_all([runs[:1], runs], arguments.workers, lambda: write_json(collect(), RESULTS))


def _tables(suite: str, results: dict, names: list[str]) -> list[str]:
    if suite == "protocols":
        return [protocol_table(results, names)]
    if suite == "probes":
        return [probe_table(results, names)]
    more = {"tokens": [size_table], "entity_words": [weight_table]}.get(suite, [])
    tables = [recall_table(results, names, partial(baseline, suite)), tag_table(results, names)]
    return tables + [table(results, names) for table in more]


if __name__ == "__main__":
    main()
