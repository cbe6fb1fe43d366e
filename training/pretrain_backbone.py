"""Train a backbone to classify attributes, for attribute-specific models that have no pretrained one to start from.

    accelerate launch training/pretrain_backbone.py training/recipes/attributes/backbone_quickstart.yaml
    python training/train_attribute_model.py RECIPE --set model.backbone=runs/attributes/backbone_quickstart/best

Writes into the recipe's `training.output_dir`: `best/` and `last/` (image classifiers of transformers with their image
processor, ready for `from_pretrained`), `checkpoints/`, and `results.json`.
"""

from accelerate.utils import set_seed

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.vocabulary import build_vocabulary, with_attributes
from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.backbone.build import make_config, make_model
from hf_fashion.training.backbone.photos import ClassifierCollator, LabelledPhotos
from hf_fashion.training.backbone.recipe import BackboneRecipe
from hf_fashion.training.backbone.step import BackboneStep
from hf_fashion.training.backbone.validation import validate
from hf_fashion.training.command_line import RESUME, read_command_line, run_script
from hf_fashion.training.corpus import cache_photos, load_data
from hf_fashion.training.loop import TrainingLoop, make_accelerator
from hf_fashion.training.resuming import checkpoint_to_resume, require_same_sources
from hf_fashion.training.sources import corpus_fingerprint


def main() -> None:
    recipe, resume_from = read_command_line(BackboneRecipe, __doc__)
    settings = recipe.training

    # Devices, precision, processes, and the checkpoint to resume from.
    accelerator = make_accelerator(settings)
    checkpoint = checkpoint_to_resume(accelerator, resume_from, settings.output_dir, recipe.to_dict())

    # Data: checked completely before training; photos decoded and resized once.
    processor = square_processor(recipe.model.image_size)
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False)
        column_map = with_attributes(column_map, recipe.data.attributes)
        sources = corpus_fingerprint(corpus, column_map)
        require_same_sources(checkpoint, sources)
        vocabulary = build_vocabulary(corpus["train"], column_map)
        photos = {
            name: LabelledPhotos(
                cache_photos(recipe.data, split, column_map, processor),
                read_labels(split, column_map, vocabulary).value_ids,
            )
            for name, split in corpus.items()
        }
    accelerator.print(report)
    collator = ClassifierCollator(processor)

    # Model.
    set_seed(settings.seed)
    model = make_model(make_config(recipe.model, vocabulary))
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters, {model.num_labels} labels")

    # Training, from the start or from a checkpoint.
    names, num_values = vocabulary.attribute_names, vocabulary.num_values
    loop = TrainingLoop(
        accelerator,
        settings,
        photos["train"],
        collator,
        BackboneStep(num_values),
        evaluate=lambda model: validate(model, photos["validation"], collator, names, num_values),
        primary_metric="accuracy",
        recipe=recipe.to_dict(),
        sources=sources,
        processor=processor,
        printed_metrics=("accuracy",),
    )
    loop.train(model, checkpoint)


if __name__ == "__main__":
    run_script(main, RESUME)
