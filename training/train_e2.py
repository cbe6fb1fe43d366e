"""Train E2, or a plain CLIP of the same size, from a recipe.

    accelerate launch training/train_e2.py training/recipes/e2_quickstart.yaml
    python training/train_e2.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

Writes into the recipe's `training.output_dir`: `best/` and `last/` (models with their processor, ready for
`from_pretrained`), `checkpoints/`, and `results.json` with the losses and evaluations of the run.
"""

from accelerate.utils import set_seed

from hf_fashion.data.products import ProductCollator, ProductDataset
from hf_fashion.training.command_line import RESUME, read_command_line, run_script
from hf_fashion.training.corpus import cache_photos, load_data, with_entities
from hf_fashion.training.e2.build import choose_entities, make_model, make_processor
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.e2.step import STEPS
from hf_fashion.training.e2.validation import validate
from hf_fashion.training.loop import TrainingLoop, make_accelerator
from hf_fashion.training.resuming import checkpoint_to_resume, require_same_sources
from hf_fashion.training.sources import corpus_fingerprint


PRINTED = ("image_to_text_recall@1", "text_to_image_recall@1", "sum_recall")


def main() -> None:
    recipe, resume_from = read_command_line(E2Recipe, __doc__)
    settings = recipe.training

    # Devices, precision, processes, and the checkpoint to resume from.
    accelerator = make_accelerator(settings)
    checkpoint = checkpoint_to_resume(accelerator, resume_from, settings.output_dir, recipe.to_dict())

    # Data: checked completely before training; photos decoded and resized once.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data)
        if recipe.model.architecture == "e2":
            column_map = with_entities(column_map, choose_entities(recipe.model, column_map))
        sources = corpus_fingerprint(corpus, column_map)
        require_same_sources(checkpoint, sources)
        processor = make_processor(recipe.model, corpus["train"], column_map, checkpoint)
        photos = {
            name: cache_photos(recipe.data, split, column_map, processor.image_processor)
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
    loop = TrainingLoop(
        accelerator,
        settings,
        products,
        collator,
        STEPS[recipe.model.architecture](),
        evaluate=lambda model: validate(model, validation, collator),
        primary_metric="sum_recall",
        recipe=recipe.to_dict(),
        sources=sources,
        processor=processor,
        printed_metrics=PRINTED,
    )
    loop.train(model, checkpoint)


if __name__ == "__main__":
    run_script(main, RESUME)
