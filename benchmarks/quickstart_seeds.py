"""Run the quickstart with several seeds, and print the means of its metrics.

    PYTHONPATH=. python benchmarks/quickstart_seeds.py            # three seeds, eight minutes each on two idle cores
    PYTHONPATH=. python benchmarks/quickstart_seeds.py --table    # only the table of the results file

Seeds are of weights and batches; the generated corpus stays the same. `benchmarks/results/quickstart_seeds.json` has
the numbers of every seed. A seed that has finished with the same recipes is not run again.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.runs import markdown, spread
from hf_fashion.files import write_json
from training.quickstart import read_recipes


RESULTS = Path(__file__).parent / "results" / "quickstart_seeds.json"


def run_folder(seed: int) -> Path:
    """Return the folder of a seed's quickstart."""
    return Path("runs/quickstart") if seed == 0 else Path(f"runs/quickstart-{seed}")


def is_current(folder: Path, seed: int) -> bool:
    """Return whether a folder has a finished quickstart of the present recipes."""
    found = folder / "results.json"
    wanted = {name: recipe.to_dict() for name, recipe in read_recipes(folder, seed).items()}
    return found.exists() and json.loads(found.read_text())["recipes"] == wanted


def numbers_of(results: dict) -> dict[str, float]:
    """Return the numbers of the table, of the `results.json` of a quickstart."""
    models = results["models"]
    found = {}
    for model in ("E2", "CLIP-FT"):
        for way in ("image_to_text", "text_to_image"):
            found[f"{model}: R@1, {way.replace('_', ' ')}"] = models[model]["cross_modal"][f"{way}_recall@1"]
    found["E2: tags named right, from its regions"] = models["E2"]["tags"]["mean_tag_accuracy"]
    found["CLIP-FT: tags named right"] = models["CLIP-FT"]["tags"]["mean_tag_accuracy"]
    localisation = models["E2"]["localisation"]
    (brand,) = [row for row in localisation["rows"] if row.startswith("brand_")]  # E2 has one fusion block
    found |= _inside("E2: a brand token selects the brand's mark", localisation, brand)
    ipad, reranking = models["IPAD"], models["FR"]["FR"]
    found["IPAD: MAP"], found["IPAD: MAP, chance"] = ipad["retrieval"]["map"], ipad["retrieval"]["map_chance"]
    for attribute in ("pattern", "sleeve", "neckline", "hem"):
        found |= _inside(f"IPAD: attention peaks in the {attribute}", ipad["pointing"], attribute)
    return found | {"FR: MAP before": reranking["initial_map"], "FR: MAP after": reranking["map"]}


def _inside(label: str, metrics: dict, name: str) -> dict[str, float]:
    return {label: metrics[f"{name}_centre_inside"], f"{label}, chance": metrics[f"{name}_centre_inside_chance"]}


def table(results: dict[str, dict[str, float]]) -> str:
    """Return mean and standard deviation of every number, in percent."""
    rows = [[label, spread([seed[label] for seed in results.values()])] for label in next(iter(results.values()))]
    return markdown([f"{len(results)} seeds", "%"], rows)


def main() -> None:
    """Run what is missing, write results as they come, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--table", action="store_true", help="only print the results file")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for seed in [] if arguments.table else arguments.seeds:
        folder = run_folder(seed)
        if not is_current(folder, seed):
            command = [sys.executable, "training/quickstart.py", "--seed", str(seed), "--output", str(folder)]
            subprocess.run(command, check=True)
        results[str(seed)] = numbers_of(json.loads((folder / "results.json").read_text()))
        write_json(dict(sorted(results.items())), RESULTS)
    print(table(results))


if __name__ == "__main__":
    main()
