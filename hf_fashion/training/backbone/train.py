"""Train a backbone to classify attributes, for attribute-specific models that have no pretrained one to start from."""

from accelerate.utils import set_seed

from ...data.attributes.labels import read_labels
from ...data.attributes.vocabulary import build_vocabulary, with_attributes
from ...hub.cards.facts import CorpusFacts
from ..attribute.build import square_processor
from ..corpus import cache_photos, load_data
from ..loop import TrainingLoop
from ..opening import open_run
from ..optimisation import recompute_activations
from ..run_folder.resuming import require_same_sources
from ..sources import corpus_fingerprint
from .build import make_config, make_model
from .photos import ClassifierCollator, LabelledPhotos
from .recipe import BackboneRecipe
from .step import BackboneStep
from .validation import validate


def train(recipe: BackboneRecipe, resume_from: str | None = None) -> None:
    """Train a classifier of attributes, whose backbone attribute-specific models start from.

    Args:
        recipe (`BackboneRecipe`): the run.
        resume_from (`str`, *optional*): a checkpoint, or `"latest"`.

    Raises:
        ValueError: if recipe, corpus or checkpoint are not fit for a run; the message names what is wrong.
    """
    settings = recipe.training

    # Devices, precision, processes, the checkpoint to resume from, and the repository to push to.
    accelerator, checkpoint, push = open_run(recipe, resume_from)

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
    recompute_activations(model, settings)
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
        corpus=CorpusFacts.of(recipe.data.corpus, corpus, column_map, ("attributes",), report),
        push=push,
    )
    loop.train(model, checkpoint)
