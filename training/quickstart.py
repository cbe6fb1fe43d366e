"""Train E2, a plain CLIP, IPAD and FR on the generated corpus, evaluate them and write a report with pictures.

    make quickstart
    python training/quickstart.py --seed 1 --output runs/quickstart-1

Writes into `runs/quickstart`: `e2/`, `clip_ft/`, `ipad/` and `fr/` (written by the training scripts; the models are in
`best/`), `report.html`, `results.json`, and `photos/`, a catalogue to search. A quickstart that was stopped continues.
After a finished one, or with other recipes, it starts from scratch. What no quickstart has written is never removed.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from textwrap import indent
from typing import Any

from datasets import Dataset
from transformers import AutoModel, AutoProcessor
from transformers.models.auto.image_processing_auto import AutoImageProcessor

import hf_fashion
from hf_fashion.cli.ending import run_command
from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_protocol
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.photos.stored_photos import StoredPhotos
from hf_fashion.embedding.batches import has_regions
from hf_fashion.embedding.corpus import embed_images
from hf_fashion.evaluation.attribute_pointing import evaluate_pointing
from hf_fashion.evaluation.attribute_retrieval import attribute_searches, retrieval_metrics
from hf_fashion.evaluation.cross_modal import evaluate_cross_modal
from hf_fashion.evaluation.localisation import evaluate_localisation
from hf_fashion.evaluation.reranking import evaluate_reranking
from hf_fashion.evaluation.tags import evaluate_tags
from hf_fashion.files import write_json
from hf_fashion.reports.attribute_report import compare_attributes, show_attributes, summarise_attributes
from hf_fashion.reports.e2_report import compare_e2, show_e2, summarise_e2
from hf_fashion.reports.report_page import html_table, write_page
from hf_fashion.reports.reranking_report import compare_reranking, show_reranking, summarise_reranking
from hf_fashion.reports.tables import table
from hf_fashion.retrieval.rerankers.loading import BASELINES, load_reranker
from hf_fashion.retrieval.rerankers.reasoning import ReasoningReranker
from hf_fashion.training.attribute.recipe import AttributeRecipe
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe
from hf_fashion.training.recipe_file import RecipeFile
from hf_fashion.training.recipes.shipped import shipped_recipes


FOLDER = Path("runs/quickstart")
SCRIPTS = Path(__file__).parent
PATHS = {
    name: shipped_recipes()[recipe]
    for name, recipe in {
        "E2": "e2_quickstart",
        "CLIP-FT": "clip_ft_quickstart",
        "IPAD": "attributes/ipad_quickstart",
        "FR": "feature_reasoning/quickstart",
    }.items()
}
TRAINED_BY = {"E2": "train_e2.py", "CLIP-FT": "train_e2.py"}
TRAINED_BY |= {"IPAD": "train_attribute_model.py", "FR": "train_feature_reasoning.py"}
WITH_TEXT = ("E2", "CLIP-FT")
IN_WORK, RESULTS = "in_work.json", "results.json"  # of a stopped quickstart, of a finished one
WRITTEN = (RESULTS, "report.html", "photos")  # next to the folders of the trainings
EXAMPLES = range(6)  # the first rows, not the best ones
NUM_PHOTOS = 100  # in the catalogue that is left for searches
PHOTO_COLUMNS = ("article_type", "brand", "season", "colour")  # of that catalogue


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of weights and batches; the corpus stays the same")
    parser.add_argument("--output", type=Path, default=FOLDER)
    return parser.parse_args(arguments)


def main(folder: Path = FOLDER, seed: int = 0) -> None:
    """Train, evaluate, report."""
    started = time.time()
    recipes = read_recipes(folder, seed)
    column_map = ColumnMap.shipped("generated")

    # Training.
    note = resume_or_restart(folder, recipes)
    train_all(recipes)

    # Evaluation, on combinations of attributes that training has not shown.
    split = load_validation(recipes["E2"])
    with_text = {name: load(best(recipes[name]), AutoProcessor) for name in WITH_TEXT}
    images = {name: embed_images(*loaded, split, progress=False) for name, loaded in with_text.items()}
    e2_results = {name: evaluate_e2(*with_text[name], split, column_map, images[name]) for name in WITH_TEXT}
    ipad = load(best(recipes["IPAD"]), AutoImageProcessor)
    protocol = draw_protocol(read_labels(split, column_map))
    searches = attribute_searches(*ipad, split, column_map, [protocol], progress=False)
    ipad_results = evaluate_ipad(*ipad, split, column_map, searches)
    fr = load_reranker(best(recipes["FR"]))
    fr_results = evaluate_rerankers(searches, fr)

    # Report: tables and sentences, printed and on a page with pictures; all metrics as JSON.
    tables = compare_e2(e2_results, list(column_map.tags))
    tables |= compare_attributes(ipad_results, list(column_map.attributes))
    tables |= compare_reranking(fr_results, fr.num_candidates)
    sentences = [*summarise_e2(e2_results), summarise_attributes(ipad_results), summarise_reranking(fr_results["FR"])]
    for title, cells in tables.items():
        print(f"\n{title}\n\n{table(*cells)}")
    print("", *sentences, sep="\n")
    seconds = round(time.time() - started)
    models = e2_results | {"IPAD": ipad_results, "FR": fr_results}
    used = {name: recipe.to_dict() for name, recipe in recipes.items()}
    write_json({"seconds": seconds, "models": models, "recipes": used}, folder / RESULTS)
    sections = [(title, html_table(*cells)) for title, cells in tables.items()]
    sections += show_e2(*with_text["E2"], split, column_map, images["E2"], EXAMPLES)
    sections += show_attributes(*ipad, split, column_map, EXAMPLES)
    photos = StoredPhotos(split, column_map.image)
    sections += show_reranking(photos, protocol, searches, fr, fr.num_candidates, EXAMPLES)
    write_page(folder / "report.html", "E2, IPAD and FR on generated garments", " ".join(sentences), sections)
    save_photos(folder / "photos", split, column_map)
    note.unlink()
    print(f"\n{folder / 'photos'} is a catalogue to search, {folder / 'report.html'} shows the results.", end=" ")
    print(f"{seconds} seconds.")


def read_recipes(folder: Path, seed: int) -> dict[str, RecipeFile]:
    """Return model -> its recipe, with a seed and a folder within that of the quickstart."""
    changes = {
        name: [f"training.seed={seed}", f"training.output_dir={folder / name.lower().replace('-', '_')}"]
        for name in PATHS
    }
    recipes = {name: E2Recipe.read(PATHS[name], changes[name]) for name in WITH_TEXT}
    recipes["IPAD"] = AttributeRecipe.read(PATHS["IPAD"], changes["IPAD"])
    changes["FR"].append(f"model.embedder={best(recipes['IPAD'])}")
    return recipes | {"FR": FeatureReasoningRecipe.read(PATHS["FR"], changes["FR"])}


def best(recipe: RecipeFile) -> Path:
    """Return the folder of a training's best model."""
    return Path(recipe.training.output_dir) / "best"


def resume_or_restart(folder: Path, recipes: dict[str, RecipeFile]) -> Path:
    """Clear the folder unless a stopped run of the same recipes left it. Return the note that records the recipes.

    Raises:
        ValueError: the folder has files or folders of these names which no quickstart has written.
    """
    note = folder / IN_WORK
    wanted = {name: recipe.to_dict() for name, recipe in recipes.items()}
    require_own(folder, recipes)
    if not note.is_file() or json.loads(note.read_text(encoding="utf-8")) != wanted:
        for recipe in recipes.values():
            shutil.rmtree(recipe.training.output_dir, ignore_errors=True)
        write_json(wanted, note)
    return note


def require_own(folder: Path, recipes: dict[str, RecipeFile]) -> None:
    """Raise `ValueError` if a quickstart would remove or replace what it has not written."""
    outputs = [Path(recipe.training.output_dir) for recipe in recipes.values()]
    found = [path for path in (*outputs, *(folder / name for name in WRITTEN)) if path.exists()]
    if found and not is_quickstart(folder):
        raise ValueError(
            f"`--output` is {str(folder)!r}, where no quickstart has run, and {found[0]} is there, which it would "
            "replace: choose a new folder, or move this away."
        )


def is_quickstart(folder: Path) -> bool:
    """Return whether a quickstart was stopped or has finished in a folder, by what it leaves there."""
    if (folder / IN_WORK).is_file():
        return True
    try:
        results = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # there is none, or another program's
        return False
    return isinstance(results, dict) and results.keys() >= {"models", "recipes"}


def train_all(recipes: dict[str, RecipeFile]) -> None:
    """Train the embedding models at the same time, and FR as soon as IPAD is there, from whose results it learns."""
    embedders = ["IPAD", *WITH_TEXT]  # two at a time on two cores: FR needs IPAD, the pair that is compared comes last
    pool = ThreadPoolExecutor(num_workers())
    try:
        trainings = [pool.submit(train, name, recipes[name]) for name in embedders]
        trainings[0].result()
        trainings.append(pool.submit(train, "FR", recipes["FR"]))
        for training in trainings:
            training.result()
    finally:
        pool.shutdown(cancel_futures=True)  # after a failure, those that have not begun


def num_workers() -> int:
    """Return the number of trainings at a time: one for each embedding model, at most one for each core."""
    return min(len(PATHS) - 1, os.cpu_count() or 1)


def train(name: str, recipe: RecipeFile) -> None:
    """Run the training script and print its lines; progress bars and warnings go to a log.

    Raises:
        ChildProcessError: the script failed; the error holds the end of its log.
    """
    log = Path(recipe.training.output_dir) / "training.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"{name}: training, log in {log}", flush=True)
    threads = str((os.cpu_count() or 1) // num_workers())
    environment = os.environ | {"OMP_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(SCRIPTS / TRAINED_BY[name]), str(PATHS[name])]
    command += ["--output_dir", recipe.training.output_dir, "--resume_from_checkpoint", "latest"]
    command += ["--set", f"training.seed={recipe.training.seed}"]
    command += [f"model.embedder={recipe.model.embedder}"] if name == "FR" else []
    with (
        log.open("a", encoding="utf-8") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process,
    ):
        for line in process.stdout:
            print(f"{name}: {line}", end="", flush=True)
    if process.returncode:
        raise ChildProcessError(f"{name}: training failed:\n{indent(log.read_text(encoding='utf-8')[-3000:], '    ')}")


def load_validation(recipe: E2Recipe) -> Dataset:
    """Load the validation split. A generated row does not depend on their number, so one train row is enough."""
    generated = recipe.data.generated | {"train_rows": 1}
    return hf_fashion.load_corpus(recipe.data.corpus, generated=generated)["validation"]


def save_photos(folder: Path, split: Dataset, column_map: ColumnMap) -> None:
    """Save the first photos as a folder, named by kind and number, `dress-1.jpg`, and their columns as a CSV."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    numbers: Counter[str] = Counter()
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "title", *PHOTO_COLUMNS])
        for row in split.select(range(min(NUM_PHOTOS, len(split)))):
            kind = row["article_type"]
            numbers[kind] += 1
            name = f"{kind}-{numbers[kind]}.jpg"
            row[column_map.image].save(folder / name, quality=92)
            table.writerow([name, row[column_map.caption], *(row[column] for column in PHOTO_COLUMNS)])


def load(folder: Path, processor_class: type) -> tuple:
    """Load the model and the processor of a folder."""
    return AutoModel.from_pretrained(folder).eval(), processor_class.from_pretrained(folder)


def evaluate_e2(model, processor, split: Dataset, column_map: ColumnMap, images: dict) -> dict[str, Any]:
    """Return metrics of retrieval, tags and, where a model has regions, localisation."""
    common = (model, processor, split, column_map)
    results = {
        "parameters": model.num_parameters(),
        "cross_modal": evaluate_cross_modal(*common, image_embeds=images["image_embeds"], progress=False),
        "tags": evaluate_tags(*common, images=images, progress=False),
    }
    if has_regions(model):
        results["localisation"] = evaluate_localisation(*common, images=images, progress=False)
    return results


def evaluate_ipad(model, image_processor, split: Dataset, column_map: ColumnMap, searches: dict) -> dict[str, Any]:
    """Return metrics of search by every attribute, and of where the attention peaks."""
    return {
        "parameters": model.num_parameters(),
        "retrieval": retrieval_metrics(searches),
        "pointing": evaluate_pointing(model, image_processor, split, column_map),
    }


def evaluate_rerankers(searches: dict, fr: ReasoningReranker) -> dict[str, dict[str, float]]:
    """Return metrics of FR, and of the baselines with as many candidates."""
    rerankers = {"FR": fr} | {name: load_reranker(name) for name in BASELINES}
    return {name: evaluate_reranking(searches, reranker, fr.num_candidates) for name, reranker in rerankers.items()}


if __name__ == "__main__":
    arguments = parse_arguments()
    train_and_report = partial(main, arguments.output, arguments.seed)
    sys.exit(run_command(train_and_report, Path(__file__).name, stopped="It continues when it is started again."))
