"""Measure the cost of E2 against CLIP: vision tower, training step, and the training script's loop.

    PYTHONPATH=. OMP_NUM_THREADS=2 python benchmarks/e2_speed.py --output benchmarks/results/e2_speed.json

Both models run in one process, calls alternating, so that other work on the machine slows both alike; reported are
medians of the calls and the ratio of the medians.
"""

import argparse
import json
import tempfile
from functools import partial
from pathlib import Path

import torch
from transformers import (
    AutoModel,
    CLIPConfig,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    Dinov2Config,
    DINOv3ViTConfig,
    SiglipVisionConfig,
)

from benchmarks.timing import interleaved
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.products import ProductCollator, ProductDataset
from hf_fashion.files import write_json
from hf_fashion.losses.e2 import e2_losses
from hf_fashion.models.e2.configuration_e2 import E2Config, E2TowerConfig, E2VisionConfig
from hf_fashion.models.e2.modeling_e2 import E2Model, E2VisionModel
from hf_fashion.training.accelerator import make_accelerator
from hf_fashion.training.corpus import load_data
from hf_fashion.training.e2.build import make_model, make_processor
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.e2.step import E2Step
from hf_fashion.training.loop import TrainingLoop
from hf_fashion.training.recipe import StageRecipe, TrainingRecipe


def tower_rows(rounds: int) -> list[dict]:
    """Measure E2's vision tower with all of its heads against transformers' CLIP tower, ViT-B at 224 px, batch 16."""
    rows = []
    for patch_size in (32, 16):
        for attention in ("eager", "sdpa"):
            torch.manual_seed(0)
            clip = CLIPVisionModel(CLIPVisionConfig(patch_size=patch_size, attn_implementation=attention)).eval()
            e2 = E2VisionModel(E2VisionConfig(patch_size=patch_size, attn_implementation=attention)).eval()
            pixels = torch.randn(16, 3, 224, 224)
            calls = {name: partial(tower, pixels) for name, tower in (("clip", clip), ("e2", e2))}
            with torch.inference_mode():
                seconds = interleaved(calls, rounds)
            rows.append({"tower": f"ViT-B/{patch_size}", "attention": attention, **seconds})
            rows[-1]["ratio"] = seconds["e2"] / seconds["clip"]
            print(rows[-1], flush=True)
    return rows


FAMILIES = {
    "DINOv2, ViT-S/14": Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14),
    "DINOv3, ViT-S/16": DINOv3ViTConfig(),
    "SigLIP, ViT-B/16": SiglipVisionConfig(patch_size=16),
}


def family_rows(rounds: int) -> list[dict]:
    """Measure E2 on other vision models, with all of its heads, against the bare models, 224 px, batch 16."""
    rows, pixels = [], torch.randn(16, 3, 224, 224)
    for name, config in FAMILIES.items():
        torch.manual_seed(0)
        bare = AutoModel.from_config(config).eval()
        e2 = E2VisionModel(E2TowerConfig(tower_config=config)).eval()
        with torch.inference_mode():
            seconds = interleaved({"bare": partial(bare, pixels), "e2": partial(e2, pixels)}, rounds)
        rows.append({"tower": name, **seconds, "ratio": seconds["e2"] / seconds["bare"]})
        print(rows[-1], flush=True)
    return rows


# Batch size -> how many of its products' compositions, sub-categories, brands and seasons are distinct.
DISTINCT_TAGS = {16: (12, 8, 12, 4), 64: (56, 28, 44, 4)}


def step_rows(rounds: int) -> list[dict]:
    """Measure steps of 16 products and of 64, the paper's number, with a third of the rounds."""
    return [step_row(16, rounds, warm_up=2), step_row(64, max(3, rounds // 3), warm_up=1)]


def step_row(batch_size: int, rounds: int, warm_up: int) -> dict:
    """Measure a training step (forward, loss, backward, fused Adam as in the script) of E2 against CLIP's, ViT-B/32.

    As in the paper's recipe a caption fills CLIP's 77 tokens, since the tags come before it; a tag has five.
    """
    torch.manual_seed(0)
    text = {"eos_token_id": 49407, "bos_token_id": 49406}
    batch = {
        "pixel_values": torch.randn(batch_size, 3, 224, 224),
        "input_ids": torch.randint(0, 40000, (batch_size, 77)),
    }
    batch["input_ids"][:, -1] = 49407
    distinct = torch.randint(0, 40000, (batch_size, 4, 5))
    distinct[..., -1] = 49407
    tag_ids = torch.stack([torch.arange(batch_size) % number for number in DISTINCT_TAGS[batch_size]], dim=1)  # (B, 4)
    tags = distinct[tag_ids, torch.arange(4)]  # (B, 4, 5)

    def step(model, **inputs):
        outputs = model(**batch, **inputs)
        regions = (outputs.region_embeds, outputs.tag_embeds, inputs["tag_ids"]) if inputs else ()
        losses = e2_losses(outputs.image_embeds, outputs.text_embeds, model.logit_scale.exp(), *regions)
        sum(losses.values()).backward()
        optimizers[model].step()
        optimizers[model].zero_grad()

    clip, e2 = CLIPModel(CLIPConfig(text_config=text)).train(), E2Model(E2Config(text_config=text)).train()
    optimizers = {model: torch.optim.Adam(model.parameters(), lr=1e-6, fused=True) for model in (clip, e2)}
    calls = {"clip": lambda: step(clip), "e2": lambda: step(e2, tag_input_ids=tags, tag_ids=tag_ids)}
    seconds = interleaved(calls, rounds, warm_up)
    row = {"step": f"ViT-B/32, batch {batch_size}", **seconds, "ratio": seconds["e2"] / seconds["clip"]}
    print(row, flush=True)
    return row


def loop_row(rounds: int) -> dict:
    """Measure images a second of the training script's loop against bare forward, loss and backward of the model.

    Both on the generated corpus at 64 px, batch 64; the bare step has one batch that is ready. Evaluation and
    checkpoints are not timed.
    """
    recipe = E2Recipe()
    recipe.data.generated = {"train_rows": 1024, "validation_rows": 32, "image_size": 64}
    tower = {"hidden_size": 96, "intermediate_size": 384, "num_hidden_layers": 8, "num_attention_heads": 3}
    vision = tower | {"image_size": 64, "patch_size": 8}
    recipe.model.config = {"projection_dim": 128, "vision_config": vision, "text_config": tower}
    corpus, column_map, _ = load_data(recipe.data)
    processor = make_processor(recipe.model, corpus["train"], column_map)
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingRecipe(output_dir=folder, eval_every=10**9, save_every=10**9, log_every=10)
        settings.stages = [StageRecipe(epochs=1, learning_rate=1e-4)]
        photos = PhotoCache.build(corpus["train"], column_map.image, processor.image_processor, folder)
        products = ProductDataset(corpus["train"], column_map, photos, processor, view_seed=0)
        collator = ProductCollator(processor, with_tags=True)
        model = make_model(recipe.model, processor).train()
        step = E2Step()
        batch = collator([products[row] for row in range(settings.batch_size)])

        def bare() -> None:
            for _ in range(len(products) // settings.batch_size):
                step(model, model, batch)["loss"].backward()
                model.zero_grad()

        def no_metrics(model) -> dict[str, float]:
            return {"none": 0.0}

        def loop() -> None:
            accelerator = make_accelerator(settings)
            parts = (settings, products, collator, step, no_metrics, "none", {}, {}, processor)
            TrainingLoop(accelerator, *parts).run(model)

        seconds = interleaved({"bare": bare, "loop": loop}, rounds=rounds, warm_up=1)
    rates = {name: len(products) / value for name, value in seconds.items()}
    row = {"loop": "generated corpus, 64 px, batch 64", **rates, "ratio": rates["loop"] / rates["bare"]}
    print(row, flush=True)
    return row


PARTS = {"towers": tower_rows, "families": family_rows, "step": step_rows, "loop": loop_row}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure again")
    parser.add_argument("--rounds", type=int, default=15, help="calls of each model that are counted")
    parser.add_argument("--output", type=Path, required=True, help="JSON file; parts that are not measured stay")
    arguments = parser.parse_args()

    results = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    for part in arguments.only:
        results[part] = PARTS[part](arguments.rounds)
        results[part + "_threads"] = torch.get_num_threads()
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        write_json(results, arguments.output)


if __name__ == "__main__":
    main()
