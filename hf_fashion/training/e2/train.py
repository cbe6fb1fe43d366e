"""Train E2, or a plain CLIP of the same size, from a recipe."""

from contextlib import nullcontext

from accelerate.utils import set_seed
from transformers import PreTrainedModel

from ...data.products import ProductCollator, ProductDataset
from ...hub.cards.facts import CorpusFacts
from ..adapters import add_adapter
from ..corpus import cache_photos, load_data, with_entities
from ..frozen_layers.photos import freeze_layers, frozen_outputs
from ..frozen_layers.state_cache import stack_states
from ..frozen_layers.step import FrozenStep
from ..loop import TrainingLoop
from ..opening import open_run
from ..optimisation import choose_attention, recompute_activations
from ..run_folder.resuming import require_same_sources
from ..sources import corpus_fingerprint
from .build import choose_entities, make_model, make_processor, require_negatives, require_tags
from .entity_words import find_entity_words
from .recipe import E2Recipe
from .starts import settle_compose_text
from .step import make_step
from .validation import equal_inputs, validate, warn_of_few_titles


FROZEN = "frozen layers of the model that the run starts from"
PRINTED = ("image_to_text_recall@1", "text_to_image_recall@1", "sum_recall")


def train(recipe: E2Recipe, resume_from: str | None = None) -> None:
    """Train E2, or a plain CLIP of the same size.

    Args:
        recipe (`E2Recipe`): the run.
        resume_from (`str`, *optional*): a checkpoint, or `"latest"`.

    Raises:
        ValueError: if recipe, corpus or checkpoint are not fit for a run; the message names what is wrong.
    """
    settings = recipe.training
    settle_compose_text(recipe.model)

    # Devices, precision, processes, the checkpoint to resume from, and the repository to push to.
    accelerator, checkpoint, push = open_run(recipe, resume_from)
    require_negatives(settings.batch_size * accelerator.num_processes)

    # Data: checked completely before training; photos decoded and resized once.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data)
        if recipe.model.architecture == "e2":
            column_map = with_entities(column_map, choose_entities(recipe.model, column_map))
            require_tags(corpus["train"], column_map)
        sources = corpus_fingerprint(corpus, column_map)
        require_same_sources(checkpoint, sources, later=[FROZEN])
        processor = make_processor(recipe.model, corpus["train"], column_map, checkpoint)
        photos = {
            name: cache_photos(recipe.data, split, column_map, processor.image_processor)
            for name, split in corpus.items()
        }
    accelerator.print(report)

    # Model.
    set_seed(settings.seed)
    model = make_model(recipe.model, processor)
    choose_attention(model, accelerator)
    if recipe.model.weigh_entities:
        find_entity_words(model, processor, corpus["train"], column_map)
    adapter = add_adapter(model, recipe.model.lora_r) if recipe.model.lora_r else None
    recompute_activations(model, settings)
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters")
    if adapter:
        accelerator.print(f"Trained are {model.num_parameters(only_trainable=True):,} of them, by an adapter.")

    # Layers that are never trained: their outputs take the place of the photos.
    step, stack, skipped = make_step(recipe.model), None, nullcontext
    if recipe.model.freeze_layers:
        frozen = freeze_layers(accelerator, model, recipe.model.freeze_layers, photos)
        # A checkpoint brings its own weights, and the outputs are of those of the start: they must be the same.
        sources |= {FROZEN: frozen.fingerprint()}
        require_same_sources(checkpoint, sources)
        photos = frozen_outputs(accelerator, frozen, photos, processor.image_processor)
        step, stack, skipped = FrozenStep(step, frozen), stack_states, frozen.skipped

    # Batches.
    products = ProductDataset(corpus["train"], column_map, photos["train"], processor, view_seed=settings.seed)
    validation = ProductDataset(corpus["validation"], column_map, photos["validation"], processor)
    warn_of_few_titles(validation)
    collator = ProductCollator(processor, with_tags=recipe.model.architecture == "e2", stack=stack)
    inputs = equal_inputs(corpus["validation"], column_map.image, validation, collator)

    def evaluate(model: PreTrainedModel) -> dict[str, float]:
        with skipped():
            return validate(model, validation, collator, inputs)

    # Training, from the start or from a checkpoint.
    loop = TrainingLoop(
        accelerator,
        settings,
        products,
        collator,
        step,
        evaluate,
        primary_metric="sum_recall",
        recipe=recipe.to_dict(),
        sources=sources,
        processor=processor,
        printed_metrics=PRINTED,
        corpus=CorpusFacts.of(recipe.data.corpus, corpus, column_map, ("caption", "tags"), report),
        push=push,
        adapter=adapter,
    )
    loop.train(model, checkpoint)
