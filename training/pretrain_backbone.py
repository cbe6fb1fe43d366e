"""Trains a backbone to name attributes, as a start for attribute-specific models where no pretrained one can be had.

    accelerate launch training/pretrain_backbone.py training/recipes/attributes/backbone_quickstart.yaml
    python training/train_attribute_model.py RECIPE --set model.backbone=runs/attributes/backbone_quickstart/best

Writes into the recipe's `training.output_dir`: `best/` and `last/` (image classifiers of transformers with their image
processor, ready for `from_pretrained`), `checkpoints/`, and `results.json`.
"""

import argparse
from pathlib import Path

from accelerate.utils import set_seed
from transformers import AutoConfig

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.vocabulary import build_vocabulary, with_attributes
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.attribute.pretraining import (
    ClassifierCollator,
    LabelledPhotos,
    PretrainingRecipe,
    classification_figures,
    classification_loss,
    make_classifier,
)
from hf_fashion.training.command_line import add_recipe_arguments, recipe_changes
from hf_fashion.training.corpus import load_data
from hf_fashion.training.loop import TrainingLoop, make_accelerator


def main() -> None:
    arguments = parse_arguments()
    recipe = PretrainingRecipe.read(arguments.recipe, recipe_changes(arguments))
    settings = recipe.training

    # Devices, precision, processes.
    accelerator = make_accelerator(settings)

    # Data: checked whole before anything is trained; photos decoded and resized once.
    processor = square_processor(recipe.model.image_size)
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False)
        column_map = with_attributes(column_map, recipe.data.attributes)
        vocabulary = build_vocabulary(corpus["train"], column_map)
        cache_folder = Path(recipe.data.cache_folder).expanduser()
        photos = {
            name: LabelledPhotos(
                PhotoCache.build(split, column_map.image, processor, cache_folder),
                read_labels(split, column_map, vocabulary).value_ids,
            )
            for name, split in corpus.items()
        }
    accelerator.print(report)
    collator = ClassifierCollator(processor)

    # Model.
    set_seed(settings.seed)
    labels = [f"{name}: {value}" for name in vocabulary.attribute_names for value in vocabulary.attribute_values[name]]
    config = AutoConfig.for_model(**recipe.model.config, id2label=dict(enumerate(labels)))
    model = make_classifier(config)
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters, {len(labels)} labels")

    # Training, from the start or from a checkpoint.
    set_seed(settings.seed + accelerator.process_index)
    names, num_values = vocabulary.attribute_names, vocabulary.num_values
    loop = TrainingLoop(
        accelerator,
        settings,
        photos["train"],
        collator,
        loss_of=classification_loss(num_values),
        after_update=lambda model: None,
        evaluate=lambda model: classification_figures(model, photos["validation"], collator, names, num_values),
        primary_metric="accuracy",
        processor=processor,
        recipe=recipe.to_dict(),
    )
    loop.run_to_the_end(model, arguments.resume_from_checkpoint)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_recipe_arguments(parser).parse_args()


if __name__ == "__main__":
    main()
