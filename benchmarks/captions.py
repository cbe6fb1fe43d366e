"""Train captioners on the titles of a corpus, over E2 and over CLIP-FT, by CapDec and by DeCap, and print a table.

    python benchmarks/captions.py --corpus ../shared/corpora/catalog-large
    python benchmarks/captions.py --table   # no model

The embedding models are those that `benchmarks/pretrained_e2.py` trains, `runs/pretrained_e2/e2-0/last` and so on;
they stay as they are. Captions of the photos of the validation split are compared with their titles.
`benchmarks/results/captions.json` keeps all metrics and some captions.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch
from accelerate.utils import set_seed
from datasets import DatasetDict

from benchmarks.runs import markdown, spread
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.saved_models import load_model
from hf_fashion.evaluation.captions.caption_evaluation import evaluate_captions
from hf_fashion.evaluation.options import CaptionOptions
from hf_fashion.evaluation.splits import load_splits
from hf_fashion.files import write_json
from hf_fashion.training.accelerator import make_accelerator
from hf_fashion.training.captioner.build import make_model, make_processor
from hf_fashion.training.captioner.captions import noise_variance, photo_captions, text_captions, with_captions
from hf_fashion.training.captioner.recipe import CaptionerRecipe
from hf_fashion.training.captioner.train import make_bridge, make_loop


RESULTS = Path(__file__).parent / "results" / "captions.json"
RECIPE = Path(__file__).parent / "recipes" / "captioner" / "catalog_large.yaml"
RUNS = Path("runs/pretrained_e2")
MODELS = {"clip_ft": "CLIP-FT", "e2": "E2"}
METHODS = {"capdec": "CapDec", "decap": "DeCap"}
METRICS = {
    "BLEU@4": "bleu@4",
    "METEOR w/o synonyms": "meteor_without_synonyms",
    "ROUGE-L": "rouge_l",
    "CIDEr": "cider",
}
TAGS = ("colour", "article_type", "brand")


def measure(runs: Path, corpus: str, seeds: list[int]) -> dict:
    """Return seed -> model -> method -> metrics on the validation split; what is there is not measured again."""
    column_map = ColumnMap.shipped("catalog")
    validation, train, _ = load_splits(corpus, column_map, with_train=True)
    splits = DatasetDict(train=train, validation=validation)
    rows = {name: with_captions(split, column_map) for name, split in splits.items()}
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for seed in seeds:
        for name in MODELS:
            done = results.setdefault(str(seed), {}).setdefault(name, {})
            if done.keys() != METHODS.keys():
                for method, found in measure_model(runs / f"{name}-{seed}" / "last", rows, column_map, seed, done):
                    done[method] = found
                    write_json(results, RESULTS)
    return results


def measure_model(folder: Path, rows: dict, column_map: ColumnMap, seed: int, done: dict):
    """Embed once, then train and measure each method that is missing: yield its name and results."""
    embedder = load_model(folder, "cpu", "float32")
    recipe = CaptionerRecipe.read(RECIPE, [f"model.embedder={folder}", f"training.seed={seed}"])
    captions = list(rows["train"][column_map.caption])
    processor = make_processor(recipe.model, captions, embedder[1])
    texts = text_captions(rows["train"], column_map, embedder, processor)
    photos = photo_captions(rows["validation"], column_map, embedder, processor)
    variance = noise_variance(rows["train"], texts, column_map, embedder)
    for method in METHODS:
        if method in done:
            continue
        own = replace(recipe.model, method=method, noise_variance=variance)
        output = f"{recipe.training.output_dir}/{folder.parent.name}-{method}"
        run = replace(recipe, model=own, training=replace(recipe.training, output_dir=output))
        start = time.monotonic()
        model = train_captioner(run, rows, column_map, embedder, processor, texts, photos)
        seconds = time.monotonic() - start
        found = evaluate_captions(model, processor, rows["validation"], column_map, CaptionOptions(), photos.embeds)
        print(f"{folder.parent.name} {method}: {found['captions']}, {seconds:.0f} s", flush=True)
        yield method, found | {"noise_variance": variance, "seconds": round(seconds)}


def train_captioner(run: CaptionerRecipe, rows, column_map, embedder, processor, texts, photos):
    """Return the captioner at the end of its training."""
    accelerator = make_accelerator(run.training)
    set_seed(run.training.seed)
    bridge = make_bridge(run, rows["train"], texts, column_map, embedder)
    model = make_model(run.model, embedder[0], processor.tokenizer, bridge)
    make_loop(accelerator, run, processor, texts, photos, sources={}).train(model)
    return model.eval()


def tables(results: dict) -> str:
    """Return a table of metrics, and one of the tags that captions name, of the seeds of which all is measured."""
    whole = {name: set(METHODS) for name in MODELS}
    seeds = [seed for seed in results.values() if {name: set(seed.get(name, ())) for name in MODELS} == whole]
    metrics, tags = [], []
    for name, title in MODELS.items():
        for method, label in METHODS.items():
            parts = [seed[name][method] for seed in seeds]
            row = [title, label]
            metrics.append([*row, *(spread([part["captions"][key] for part in parts]) for key in METRICS.values())])
            cells = (
                spread([part["said_tags"][f"{tag}_{end}"] for part in parts])
                for tag in TAGS
                for end in ("accuracy", "precision")
            )
            tags.append([*row, *cells])
    first = seeds[0]["e2"]["decap"]["said_tags"]
    truth = (value for tag in TAGS for value in (spread([first[f"{tag}_true_captions"]]), ""))
    tags.append(["true titles", "", *truth])
    head = ["model", "method"]
    return "\n\n".join(
        [
            f"Captions of {_photos(seeds[0])} photos, in percent, {len(seeds)} seed{'s' * (len(seeds) > 1)}:",
            markdown([*head, *METRICS], metrics),
            "Captions that name the right value of a tag, and the share of right ones among those that name any:",
            markdown([*head, *(cell for tag in TAGS for cell in (tag.replace("_", " "), "of named"))], tags),
        ]
    )


def _photos(seed: dict) -> int:
    return seed["e2"]["decap"]["captions"]["num_photos"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="../shared/corpora/catalog-large")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of the embedding models")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only print the results file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if not arguments.table:
        measure(arguments.runs, arguments.corpus, arguments.seeds)
    print(tables(json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
