"""Trains an attribute-specific model (ASEN, ASEN++, IPAD, RPF, CSN, the triplet net) from a recipe.

    accelerate launch training/train_attribute_model.py training/recipes/attributes/asen_quickstart.yaml
    python training/train_attribute_model.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

Writes into the recipe's `training.output_dir`: `best/` and `last/` (models with their image processor, ready for
`from_pretrained`), `checkpoints/`, and `results.json` with the losses and evaluations of the run.
"""

import argparse
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import set_seed
from datasets import Dataset

from hf_fashion.data.attributes.labels import AttributeLabels, read_labels
from hf_fashion.data.attributes.photos import AttributeCollator, AttributePhotos
from hf_fashion.data.attributes.protocol import RetrievalLists, draw_protocol
from hf_fashion.data.attributes.vocabulary import AttributeVocabulary, build_vocabulary, with_attributes
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.samplers.pk_batches import PKBatchSampler
from hf_fashion.data.samplers.triplet_batches import TripletBatchSampler
from hf_fashion.evaluation.attribute_retrieval import PRIMARY_METRIC, evaluate_attribute_retrieval
from hf_fashion.training.attribute.build import make_config, make_model, make_processors
from hf_fashion.training.attribute.diverging import AttributeDiverging
from hf_fashion.training.attribute.recipe import AttributeRecipe
from hf_fashion.training.attribute.step import AttributeStep, centred_branches
from hf_fashion.training.command_line import add_recipe_arguments, recipe_changes, report_validation
from hf_fashion.training.corpus import load_data
from hf_fashion.training.loop import TrainingLoop, make_accelerator


SHOWN = ("map", "mean_attribute_map", "map_chance")


def main() -> None:
    arguments = parse_arguments()
    recipe = AttributeRecipe.read(arguments.recipe, recipe_changes(arguments))
    settings = recipe.training

    # Devices, precision, processes.
    accelerator = make_accelerator(settings)

    # Data: checked whole before anything is trained; photos decoded and resized once.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False)
        column_map = with_attributes(column_map, recipe.data.attributes)
        config = make_config(recipe.model, build_vocabulary(corpus["train"], column_map))
        vocabulary = AttributeVocabulary(list(config.attribute_names), dict(config.attribute_values))
        labels = read_labels(corpus["train"], column_map, vocabulary)
        column_map = with_attributes(column_map, vocabulary.attribute_names)
        protocol = validation_protocol(corpus["validation"], column_map)
        processor, source_processor = make_processors(recipe, config)
        cache_folder = Path(recipe.data.cache_folder).expanduser()
        caches = [
            PhotoCache.build(corpus["train"], column_map.image, images, cache_folder) if images else None
            for images in (processor, source_processor)
        ]
    accelerator.print(report)
    photos = AttributePhotos(*caches, seed=settings.seed)
    batches = make_batches(recipe, labels)
    collator = AttributeCollator(processor, recipe.sampling.extra_views if recipe.sampling.kind == "triplets" else 0)

    # Model.
    set_seed(settings.seed)
    model = make_model(recipe.model, config)
    if settings.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters")
    model.to(accelerator.device)
    diverging = make_diverging(recipe, model, vocabulary, accelerator)
    step = AttributeStep(accelerator, recipe.sampling, labels.is_multi_label, diverging)

    # Training, from the start or from a checkpoint.
    set_seed(settings.seed + accelerator.process_index)
    loop = TrainingLoop(
        accelerator,
        settings,
        photos,
        collator,
        loss_of=step,
        after_update=step.after_update,
        evaluate=lambda model: report_validation(
            accelerator,
            evaluate_attribute_retrieval(
                model, processor, corpus["validation"], column_map, [protocol], progress=False
            ),
            SHOWN,
        ),
        primary_metric=PRIMARY_METRIC,
        processor=processor,
        recipe=recipe.to_dict(),
        batch_sampler=batches,
        before_stage=step.start_stage,
        checkpointed=[diverging] if diverging else [],
    )
    loop.run_to_the_end(model, arguments.resume_from_checkpoint)


def validation_protocol(validation: Dataset, column_map: ColumnMap) -> dict[str, RetrievalLists]:
    """Queries and candidates, the same in every evaluation; drawn before anything is trained, for its errors."""
    try:
        return draw_protocol(read_labels(validation, column_map))
    except ValueError as error:
        raise ValueError(f"validation split: {error}") from error


def make_batches(recipe: AttributeRecipe, labels: AttributeLabels) -> PKBatchSampler | TripletBatchSampler:
    """Draws the batches as the recipe says."""
    sampling, seed = recipe.sampling, recipe.training.seed
    if sampling.kind == "triplets":
        return TripletBatchSampler(labels, sampling.triplets_an_epoch, recipe.training.batch_size, seed)
    shape = (sampling.values_per_group, sampling.images_per_value, sampling.attributes_per_batch)
    return PKBatchSampler(labels, sampling.batches_an_epoch, *shape, seed)


def make_diverging(
    recipe: AttributeRecipe, model, vocabulary: AttributeVocabulary, accelerator: Accelerator
) -> AttributeDiverging | None:
    """Momentum encoder and cluster centres, where the losses of a stage need them."""
    branches = dict.fromkeys(centred_branches(recipe.training.stages), model.config.embedding_dim)
    if not branches:
        return None
    settings = vars(recipe.diverging) | {"device": accelerator.device}
    return AttributeDiverging(model, vocabulary.num_values, branches, **settings)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_recipe_arguments(parser).parse_args()


if __name__ == "__main__":
    main()
