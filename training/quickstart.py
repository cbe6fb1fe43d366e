"""Trains E2, a plain CLIP, IPAD and FR on the generated corpus, evaluates them and writes a report with pictures.

    make quickstart

Writes into `runs/quickstart`: `e2/`, `clip_ft/`, `ipad/` and `fr/` (what the training scripts write; the models are in
`best/`), `report.html` and `results.json`. A quickstart that was stopped goes on where it stood. After a finished
one, or with other recipes, all starts anew.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import AutoModel, AutoProcessor
from transformers.models.auto.image_processing_auto import AutoImageProcessor

import hf_fashion
from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_protocol
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.batches import has_regions
from hf_fashion.embedding.corpus import embed_images, embed_texts
from hf_fashion.evaluation.attribute_retrieval import attribute_searches
from hf_fashion.evaluation.cross_modal import evaluate_cross_modal
from hf_fashion.evaluation.cross_modal_candidates import choose_candidates
from hf_fashion.evaluation.localisation import evaluate_localisation
from hf_fashion.evaluation.tags import evaluate_tags, region_embeds_by_entity
from hf_fashion.files import write_json
from hf_fashion.reports import comparison
from hf_fashion.reports import tables as report
from hf_fashion.reports.attribute_summary import (
    compare_attributes,
    evaluate_attributes,
    show_attributes,
    summarise_attributes,
)
from hf_fashion.reports.report_page import figure, html_table, paragraph, write_page
from hf_fashion.reports.reranking_summary import Reranking
from hf_fashion.reports.showcase import Gallery, photos_by_tag, photos_by_title, region_strips, titles_by_photo
from hf_fashion.training.attribute.recipe import AttributeRecipe
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe
from hf_fashion.training.recipe_file import RecipeFile


FOLDER = Path("runs/quickstart")
SCRIPTS = Path(__file__).parent
PATHS = {
    name: SCRIPTS / "recipes" / f"{recipe}.yaml"
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
EXAMPLES = range(6)  # the first rows, not the best ones
TAGS_SHOWN = 2
FRAMES = paragraph("The first products of the validation split, not the best. What is right has a green frame.")
BOXES = paragraph("Red: what the tokens of a tag look at. Green outline: where the tag's part truly is.")


def main() -> None:
    started = time.time()
    recipes = read_recipes()
    column_map = ColumnMap.shipped("generated")

    # Training: two or three at the same time, with their share of the cores each; FR learns from what IPAD finds.
    note = start_or_go_on(recipes)
    embedders = [name for name in recipes if name != "FR"]
    with ThreadPoolExecutor(num_workers()) as pool:
        list(pool.map(train, embedders, map(recipes.get, embedders)))
    train("FR", recipes["FR"])

    # Evaluation, on combinations of attributes that training has not shown.
    data = recipes["E2"].data
    # A generated row does not depend on how many there are: the train split need not be drawn again.
    corpus = hf_fashion.load_corpus(data.corpus, generated=data.generated | {"train_rows": 1})
    split = corpus["validation"]
    trained = {name: load(best(recipes[name])) for name in WITH_TEXT}
    images = {name: embed_images(*parts, split, progress=False) for name, parts in trained.items()}
    results = {name: evaluate(*trained[name], split, column_map, images[name]) for name in trained}
    ipad = AutoModel.from_pretrained(best(recipes["IPAD"])), AutoImageProcessor.from_pretrained(best(recipes["IPAD"]))
    protocol = draw_protocol(read_labels(split, column_map))
    searches = attribute_searches(*ipad, split, column_map, [protocol], progress=False)
    by_attribute = evaluate_attributes(*ipad, split, column_map, searches)
    reranking = Reranking(split[column_map.image][:], protocol, searches, best(recipes["FR"]))

    # Results: printed, as JSON, and as a page with pictures.
    tables = compare(results, list(column_map.tags)) | compare_attributes(by_attribute, list(column_map.attributes))
    tables |= reranking.compare()
    findings = [*summarise(results), *summarise_attributes(by_attribute), reranking.summarise()]
    for title, table in tables.items():
        print(f"\n{title}\n\n{report.table(*table)}")
    print("", *findings, sep="\n")
    seconds = round(time.time() - started)
    recipes_used = {name: recipe.to_dict() for name, recipe in recipes.items()}
    models = results | {"IPAD": by_attribute, "FR": reranking.figures}
    write_json({"seconds": seconds, "models": models, "recipes": recipes_used}, FOLDER / "results.json")
    sections = [(title, html_table(*table)) for title, table in tables.items()]
    sections += show(*trained["E2"], split, column_map, images["E2"])
    sections += show_attributes(*ipad, split, column_map, EXAMPLES) + reranking.show(EXAMPLES)
    write_page(FOLDER / "report.html", "E2, IPAD and FR on generated garments", " ".join(findings), sections)
    note.unlink()
    print(f"\n{FOLDER / 'report.html'} shows what was found. {seconds} seconds.")


def read_recipes() -> dict[str, RecipeFile]:
    """Model -> its recipe, with its folder among those of the quickstart."""
    recipes = {name: E2Recipe.read(PATHS[name]) for name in WITH_TEXT}
    recipes["IPAD"] = AttributeRecipe.read(PATHS["IPAD"], [f"training.output_dir={FOLDER / 'ipad'}"])
    changes = [f"training.output_dir={FOLDER / 'fr'}", f"model.embedder={best(recipes['IPAD'])}"]
    return recipes | {"FR": FeatureReasoningRecipe.read(PATHS["FR"], changes)}


def num_workers() -> int:
    """Trainings at a time: those of the embedding models, or as many as there are cores."""
    return min(len(PATHS) - 1, os.cpu_count() or 1)


def best(recipe: RecipeFile) -> Path:
    """Where a training leaves its best model."""
    return Path(recipe.training.output_dir) / "best"


def start_or_go_on(recipes: dict[str, RecipeFile]) -> Path:
    """Clears the folder unless a stopped run of the same recipes left it; returns the note that says so."""
    note = FOLDER / "in_work.json"
    wanted = {name: recipe.to_dict() for name, recipe in recipes.items()}
    if not note.is_file() or json.loads(note.read_text(encoding="utf-8")) != wanted:
        for recipe in recipes.values():
            shutil.rmtree(recipe.training.output_dir, ignore_errors=True)
        write_json(wanted, note)
    return note


def train(name: str, recipe: RecipeFile) -> None:
    """Runs the training script, passing its lines on; progress bars and warnings go to a log.

    Raises:
        RuntimeError: the script failed; the error holds the end of its log.
    """
    log = Path(recipe.training.output_dir) / "training.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"{name}: training, log in {log}", flush=True)
    threads = str((os.cpu_count() or 1) // num_workers())
    environment = os.environ | {"OMP_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(SCRIPTS / TRAINED_BY[name]), str(PATHS[name])]
    command += ["--output_dir", recipe.training.output_dir, "--resume_from_checkpoint", "latest"]
    if name == "FR":
        command += ["--set", f"model.embedder={recipe.model.embedder}"]
    with (
        log.open("a", encoding="utf-8") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process,
    ):
        for line in process.stdout:
            print(f"{name}: {line}", end="", flush=True)
    if process.returncode:
        raise RuntimeError(f"{name}: training failed.\n{log.read_text(encoding='utf-8')[-3000:]}")


def load(folder: Path) -> tuple:
    """Model and processor of a folder."""
    return AutoModel.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder)


def evaluate(model, processor, split: Dataset, column_map: ColumnMap, images: dict) -> dict[str, Any]:
    """Retrieval, tags and, where a model has regions, localisation."""
    common = (model, processor, split, column_map)
    results = {
        "parameters": model.num_parameters(),
        "cross_modal": evaluate_cross_modal(*common, image_embeds=images["image_embeds"], progress=False),
        "tags": evaluate_tags(*common, images=images, progress=False),
    }
    if has_regions(model):
        results["localisation"] = evaluate_localisation(*common, images=images, progress=False)
    return results


def compare(results: dict[str, dict], entities: list[str]) -> dict[str, report.Cells]:
    """Title -> table."""

    def part(key: str) -> dict[str, dict]:
        return {name: row[key] for name, row in results.items()}

    localisation = results["E2"]["localisation"]
    return {
        "Search among the validation photos": comparison.recall_comparison(part("cross_modal")),
        "Tags named right, without training on them as classes": comparison.tag_comparison(part("tags"), entities),
        "Where E2's tokens look": report.entity_cells(localisation, localisation["rows"], report.LOCALISATION_COLUMNS),
    }


def summarise(results: dict[str, dict]) -> list[str]:
    """What one wants to know first, in sentences."""
    cell = report.cell
    recalls = [
        f"{name} {cell(row['cross_modal']['image_to_text_recall@1'])} / "
        f"{cell(row['cross_modal']['text_to_image_recall@1'])}"
        for name, row in results.items()
    ]
    sizes = [f"{name} ({row['parameters']:,} parameters)" for name, row in results.items()]
    chance = cell(1 / results["E2"]["cross_modal"]["num_texts"])

    localisation = results["E2"]["localisation"]
    brand = [
        f"after layer {row.rsplit('_', 1)[1]} {cell(localisation[row + '_centre_inside'])} % "
        f"(chance {cell(localisation[row + '_centre_inside_chance'])} %)"
        for row in localisation["rows"]
        if row.startswith("brand_")
    ]
    return [
        f"{' and '.join(sizes)} saw the same data in the same number of steps, from scratch.",
        f"R@1 in percent, image to text / text to image: {', '.join(recalls)}, chance {chance}.",
        "Share of the images in which a brand token picks a patch whose centre lies in the true brand box: "
        f"{', '.join(brand)}.",
    ]


def show(model, processor, split: Dataset, column_map: ColumnMap, images: dict) -> list[tuple[str, str]]:
    """The report's sections with pictures: heading, HTML."""
    rows = choose_candidates(split[column_map.caption][:]).image_rows
    titled = split.select(rows)
    titles, photos = titled[column_map.caption][:], titled[column_map.image][:]
    text_embeds, _ = embed_texts(model, processor, titles, progress=False)
    gallery = Gallery(photos, titles, images["image_embeds"][rows], text_embeds)
    sections = [
        ("Photos for a title", FRAMES + photos_by_title(gallery, EXAMPLES)),
        ("Titles for a photo", titles_by_photo(gallery, EXAMPLES)),
    ]
    for entity, embeds in region_embeds_by_entity(model, images).items():
        tags = titled[column_map.tags[entity]][:]
        queries = sorted(set(tags))[:TAGS_SHOWN]
        tag_embeds, _ = embed_texts(model, processor, queries, progress=False)
        found = photos_by_tag(gallery, queries, tag_embeds, embeds[rows], tags)
        sections.append((f"Photos for a tag, by the region embedding: {entity}", found))
    strips = region_strips(model, processor, titled, EXAMPLES)
    maps = (figure(strip, f"Heat maps: {title}", title, "wide") for strip, title in zip(strips, titles, strict=False))
    return [*sections, ("Where the tokens of each tag look", BOXES + "\n".join(maps))]


if __name__ == "__main__":
    main()
