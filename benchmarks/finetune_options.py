"""Compare the options of fine-tuning E2 above frozen layers of DINOv2: recall, tags and core-seconds, one seed.

    python benchmarks/finetune_options.py --dinov2 FOLDER --corpus ../shared/corpora/catalog-large
    python benchmarks/finetune_options.py --dinov2 FOLDER --only plain ema --rows 2000 --epochs 2

FOLDER is a `Dinov2Model` of transformers. A run that was stopped continues; finished runs are not repeated. Results
are in `benchmarks/results/finetune_options.json`.
"""

import argparse
import json
import resource
import time
from itertools import islice
from pathlib import Path

import torch
import yaml
from datasets import DatasetDict, load_dataset
from transformers import CLIPTextConfig, CLIPTextModel, Dinov2Model, set_seed

from benchmarks.runs import Run, markdown
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.products import ProductCollator, ProductDataset
from hf_fashion.data.tokenizer import train_tokenizer
from hf_fashion.files import write_json
from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from hf_fashion.models.e2.modeling_e2 import E2Model
from hf_fashion.models.e2.processing_e2 import E2Processor
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.e2.step import E2Step
from hf_fashion.training.frozen_layers.layers import FrozenLayers
from hf_fashion.training.frozen_layers.step import FrozenStep


FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "finetune_options.json"
BASE = FOLDER / "recipes" / "finetune_options.yaml"
TAGS = {name: name for name in ("article_type", "brand", "season", "colour")}
SIZE, FROZEN, BATCH = 112, 8, 64
STAGE = "learning_rate: 5.0e-4, learning_rates: {{vision_model.tower: {rate}}}"
PLAIN = STAGE.format(rate=5.0e-5)
# Option -> its stage, and its other changes to the recipe.
OPTIONS = {
    "plain": (PLAIN, ()),
    "layer decay 0.75": (STAGE.format(rate=1.0e-4) + ", layer_decay: {vision_model: 0.75}", ()),
    "rate 1e-4": (STAGE.format(rate=1.0e-4), ()),  # the peak of the row above, without decay
    "ema 0.98": (PLAIN, ("training.ema_decay=0.98",)),
    "region weight 0 to 0.5": (PLAIN, ("model.region_weight={start: 0.0, end: 0.5, epochs: 1}",)),
    "region weight 0.5 to 0.1": (PLAIN, ("model.region_weight={start: 0.5, end: 0.1, epochs: 2}",)),
    "bf16": (PLAIN, ("training.mixed_precision=bf16",)),
}


def prepare(work: Path, corpus: Path, dinov2: Path, rows: int) -> DatasetDict:
    """Write the part of the corpus, and an E2 on DINOv2 with an untrained text tower of CLIP's kind."""
    files = {name: str(corpus / f"{name}.parquet") for name in ("train", "validation")}
    splits = load_dataset("parquet", data_files=files)
    splits["train"] = splits["train"].shuffle(seed=0).select(range(rows))
    if (work / "start").is_dir():
        return splits
    work.mkdir(parents=True, exist_ok=True)
    (work / "map.yaml").write_text(yaml.safe_dump({"caption": "caption", "tags": TAGS}, sort_keys=False))
    splits.save_to_disk(work / "corpus")
    columns = splits["train"].remove_columns("image").to_dict()
    texts = [text for name in ("caption", *TAGS) for text in columns[name] if text]
    tokenizer = train_tokenizer(texts, vocab_size=4096, max_length=32)
    set_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=32,
        **{name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")},
    )
    settings = {"tag_entities": list(TAGS), "first_selection_layer": FROZEN + 1, "projection_dim": 256}
    model = E2Model.from_towers(Dinov2Model.from_pretrained(dinov2), CLIPTextModel(text), **settings)
    statistics = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    images = E2ImageProcessorPil(size={"height": SIZE, "width": SIZE}, do_center_crop=False, **statistics)
    E2Processor(images, tokenizer, tag_entities=list(TAGS)).save_pretrained(work / "start")
    model.save_pretrained(work / "start")
    return splits


def measure(work: Path, splits: DatasetDict, batches: int = 4) -> dict[str, float]:
    """Return core-seconds of an update with nothing frozen, with frozen layers, and with their outputs cached."""
    processor, model = (kind.from_pretrained(work / "start") for kind in (E2Processor, E2Model))
    split = splits["train"].select(range(BATCH))
    photos = PhotoCache.build(split, "image", processor.image_processor, work / "photos")
    products = ProductDataset(split, ColumnMap(caption="caption", tags=TAGS), photos, processor)
    batch = ProductCollator(processor, with_tags=True)(list(islice(products, BATCH)))
    model.train()
    frozen = FrozenLayers(model, FROZEN, (SIZE, SIZE))
    cached, step, found = batch | {"pixel_values": frozen.run(batch["pixel_values"])}, E2Step(), {}
    for name, chosen, inputs in (
        ("nothing frozen", step, batch),
        ("frozen, run again", step, batch),
        ("frozen, cached", FrozenStep(step, frozen), cached),
    ):
        if name != "nothing frozen":
            frozen.freeze()
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-6, fused=True)
        started = time.process_time()
        for _ in range(batches):
            chosen(model, model, inputs)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()
        found[name] = round((time.process_time() - started) / batches, 2)
    return found


def run_option(work: Path, name: str, epochs: float) -> dict[str, float]:
    """Train with an option; return recall among distinct titles after the last epoch, tag accuracy, core-seconds."""
    folder = work / "runs" / name.replace(" ", "-")
    stage, changes = OPTIONS[name]
    recipe = E2Recipe.read(
        BASE,
        [
            *(f"data.corpus={work / 'corpus'}", f"data.column_map={work / 'map.yaml'}"),
            *(f"data.cache_folder={work / 'photos'}", f"model.start_from={work / 'start'}"),
            *(f"training.output_dir={folder}", f"training.stages=[{{epochs: {epochs}, {stage}}}]", *changes),
        ],
    )
    tags = ["--model", str(folder / "last"), "--corpus", str(work / "corpus"), "--column_map", str(work / "map.yaml")]
    tags += ["--split", "validation", "--tags", "--output", str(folder / "evaluation.json")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = Run(folder, recipe, "training/train_e2.py", ["training/evaluate_e2.py", *tags]).finish()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(ended, flush=True)
    evaluation = json.loads((folder / "evaluation.json").read_text())
    history = json.loads((folder / "results.json").read_text())["history"]
    last = next(entry for entry in reversed(history) if "validation/sum_recall" in entry)
    recall = {key.removeprefix("validation/"): value for key, value in last.items() if key.startswith("validation/")}
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return recall | {"tag_accuracy": evaluation["tags"], "core_seconds": round(seconds, 1)}


def show(results: dict) -> str:
    """Return the table of the options."""
    header = ["option", "R@1 image to text", "R@1 text to image", "SumR", "tags, mean accuracy"]
    rows = []
    for name, found in results["options"].items():
        recalls = [found[f"{way}_recall@1"] for way in ("image_to_text", "text_to_image")]
        shown = [f"{100 * recall:.1f}" for recall in (*recalls, found["sum_recall"])]
        rows.append([name, *shown, f"{100 * found['tag_accuracy']:.1f}"])
    return markdown(header, rows)


def main() -> None:
    """Measure an update, run the options, write results as they come, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dinov2", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/finetune_options"))
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--only", nargs="+", choices=OPTIONS, default=list(OPTIONS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    work = arguments.work.resolve()
    splits = prepare(work, arguments.corpus, arguments.dinov2, arguments.rows)
    results = {"rows": arguments.rows, "epochs": arguments.epochs}
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if results.items() <= known.items():
        results = known
    else:
        results |= {"core_seconds_an_update": measure(work, splits), "options": {}}
        write_json(results, RESULTS)
    for name in arguments.only:
        if name not in results["options"]:
            results["options"][name] = run_option(work, name, arguments.epochs)
            write_json(results, RESULTS)
    print(results["core_seconds_an_update"], show(results), sep="\n\n")


if __name__ == "__main__":
    main()
