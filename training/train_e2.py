"""Trains E2, or the plain CLIP beside it, from a recipe.

    accelerate launch training/train_e2.py training/recipes/e2_quickstart.yaml
    python training/train_e2.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

Writes into the recipe's `training.output_dir`: `best/` and `last/` (models with their processor, ready for
`from_pretrained`), `checkpoints/`, and `results.json` with the losses and evaluations of the run.
"""

import argparse
import math
from pathlib import Path

import torch
from accelerate.utils import set_seed

from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.products import ProductCollator, ProductDataset
from hf_fashion.losses.e2 import e2_losses
from hf_fashion.training.command_line import add_recipe_arguments, recipe_changes, report_validation
from hf_fashion.training.corpus import load_data, with_entities
from hf_fashion.training.e2.build import choose_entities, make_model, make_processor
from hf_fashion.training.e2.recipe import Recipe
from hf_fashion.training.e2.validation import validate
from hf_fashion.training.loop import TrainingLoop, make_accelerator


SHOWN = ("image_to_text_recall@1", "text_to_image_recall@1", "sum_recall")
MAX_LOGIT_SCALE = math.log(100)  # CLIP (Radford et al. 2021, section 2.5) clips the factor on the cosines at 100


def main() -> None:
    arguments = parse_arguments()
    recipe = Recipe.read(arguments.recipe, recipe_changes(arguments))
    settings = recipe.training

    # Devices, precision, processes.
    accelerator = make_accelerator(settings)

    # Data: checked whole before anything is trained; photos decoded and resized once.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data)
        if recipe.model.architecture == "e2":
            column_map = with_entities(column_map, choose_entities(recipe.model, column_map))
        processor = make_processor(recipe.model, corpus["train"], column_map)
        cache_folder = Path(recipe.data.cache_folder).expanduser()
        photos = {
            name: PhotoCache.build(split, column_map.image, processor.image_processor, cache_folder)
            for name, split in corpus.items()
        }
    accelerator.print(report)
    products = ProductDataset(corpus["train"], column_map, photos["train"], processor, view_seed=settings.seed)
    validation = ProductDataset(corpus["validation"], column_map, photos["validation"], processor)
    collator = ProductCollator(processor, with_tags=recipe.model.architecture == "e2")

    # Model.
    set_seed(settings.seed)
    model = make_model(recipe.model, processor)
    if settings.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters")

    # Training, from the start or from a checkpoint.
    set_seed(settings.seed + accelerator.process_index)
    loop = TrainingLoop(
        accelerator,
        settings,
        products,
        collator,
        loss_of=clip_loss if recipe.model.architecture == "clip" else e2_loss,
        after_update=limit_temperature,
        evaluate=lambda model: report_validation(accelerator, validate(model, validation, collator), SHOWN),
        primary_metric="sum_recall",
        processor=processor,
        recipe=recipe.to_dict(),
    )
    loop.run_to_the_end(model, arguments.resume_from_checkpoint)


def clip_loss(wrapped, model, batch) -> dict[str, torch.Tensor]:
    """CLIP's loss over the joined batch of all processes."""
    outputs = wrapped(**batch)
    losses = e2_losses(outputs.image_embeds, outputs.text_embeds, model.logit_scale.exp())
    return losses | {"loss": losses["contrastive"]}


def e2_loss(wrapped, model, batch) -> dict[str, torch.Tensor]:
    """E2's losses over the joined batch of all processes, and their weighted sum (paper, section 3.3)."""
    outputs = wrapped(**batch)
    losses = e2_losses(
        outputs.image_embeds,
        outputs.text_embeds,
        model.logit_scale.exp(),
        outputs.region_embeds,
        outputs.tag_embeds,
        batch["tag_ids"],
        model.config.region_targets,
    )
    weights = {"contrastive": model.config.contrastive_loss_weight, "region": model.config.region_loss_weight}
    return losses | {"loss": sum(weights[name] * loss for name, loss in losses.items())}


def limit_temperature(model) -> None:
    model.logit_scale.clamp_(0, MAX_LOGIT_SCALE)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_recipe_arguments(parser).parse_args()


if __name__ == "__main__":
    main()
