"""Train an attribute-specific model (ASEN, ASEN++, IPAD, RPF, CSN, the triplet net) from a recipe."""

from accelerate.utils import set_seed

from ...data.attributes.labels import read_labels
from ...data.attributes.photos import AttributeCollator, AttributePhotos
from ...data.attributes.vocabulary import AttributeVocabulary, build_vocabulary, with_attributes
from ...evaluation.attribute_retrieval import PRIMARY_METRIC
from ...hub.cards.facts import CorpusFacts
from ..adapters import add_adapter
from ..corpus import cache_photos, load_data
from ..loop import TrainingLoop
from ..opening import open_run
from ..optimisation import choose_attention, recompute_activations
from ..run_folder.resuming import require_same_sources
from ..sources import corpus_fingerprint
from .branches import require_branches
from .build import (
    make_batch_sampler,
    make_config,
    make_diverging,
    make_model,
    make_processors,
    make_texts,
    warn_of_untrained,
)
from .recipe import AttributeRecipe
from .step import AttributeStep
from .validation import draw_validation_lists, validate


PRINTED = ("map", "mean_attribute_map", "map_chance")


def train(recipe: AttributeRecipe, resume_from: str | None = None) -> None:
    """Train an attribute-specific model.

    Args:
        recipe (`AttributeRecipe`): the run.
        resume_from (`str`, *optional*): a checkpoint, or `"latest"`.

    Raises:
        ValueError: if recipe, corpus or checkpoint are not fit for a run; the message names what is wrong.
    """
    settings = recipe.training

    # Devices, precision, processes, the checkpoint to resume from, and the repository to push to.
    accelerator, checkpoint, push = open_run(recipe, resume_from)

    # Data: checked completely before training; photos decoded and resized once.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False)
        column_map = with_attributes(column_map, recipe.data.attributes)
        sources = corpus_fingerprint(corpus, column_map)
        require_same_sources(checkpoint, sources)
        vocabulary = build_vocabulary(corpus["train"], column_map)
        texts = make_texts(recipe.model, vocabulary)
        config = make_config(recipe.model, vocabulary, texts)
        require_branches(settings.stages, config)
        vocabulary = AttributeVocabulary(list(config.attribute_names), dict(config.attribute_values))
        labels = read_labels(corpus["train"], column_map, vocabulary)
        warn_of_untrained(column_map, vocabulary)
        column_map = with_attributes(column_map, vocabulary.attribute_names)
        lists = draw_validation_lists(corpus["validation"], column_map)
        processor, source_processor = make_processors(recipe, config)
        caches = [
            cache_photos(recipe.data, corpus["train"], column_map, images) if images else None
            for images in (processor, source_processor)
        ]
    accelerator.print(report)
    photos = AttributePhotos(*caches, seed=settings.seed)
    batch_sampler = make_batch_sampler(recipe, labels)
    collator = AttributeCollator(processor, recipe.sampling.extra_views if recipe.sampling.kind == "triplets" else 0)

    # Model.
    set_seed(settings.seed)
    model = make_model(recipe.model, config, texts)
    choose_attention(model, accelerator)
    adapter = add_adapter(model, recipe.model.lora_r) if recipe.model.lora_r else None
    recompute_activations(model, settings)
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters")
    if adapter:
        accelerator.print(f"Trained are {model.num_parameters(only_trainable=True):,} of them, by an adapter.")
    model.to(accelerator.device)
    diverging = make_diverging(recipe, model, vocabulary)
    step = AttributeStep(accelerator, recipe.sampling, labels.is_multi_label, diverging)

    # Training, from the start or from a checkpoint.
    loop = TrainingLoop(
        accelerator,
        settings,
        photos,
        collator,
        step,
        evaluate=lambda model: validate(model, processor, corpus["validation"], column_map, lists),
        primary_metric=PRIMARY_METRIC,
        recipe=recipe.to_dict(),
        sources=sources,
        processor=processor,
        printed_metrics=PRINTED,
        adapter=adapter,
        batch_sampler=batch_sampler,
        corpus=CorpusFacts.of(recipe.data.corpus, corpus, column_map, ("attributes",), report),
        push=push,
    )
    loop.train(model, checkpoint)
