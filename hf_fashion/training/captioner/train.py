"""Train a captioner on the captions of a corpus, over a frozen embedding model, from a recipe."""

from typing import Any

from accelerate import Accelerator
from accelerate.utils import set_seed
from datasets import Dataset
from transformers import PreTrainedModel, ProcessorMixin

from ...data.column_map import ColumnMap
from ...embedding.capabilities import check_reads_text, check_supported
from ...embedding.saved_models import load_model
from ...hub.cards.facts import CorpusFacts
from ...models.captioner.processing_captioner import CaptionerProcessor
from ..corpus import load_data
from ..loop import TrainingLoop
from ..opening import open_run
from ..optimisation import recompute_activations
from ..run_folder.resuming import require_same_sources
from ..sources import embedding_sources
from .build import Bridge, choose_memory, make_model, make_processor
from .captions import (
    CaptionCollator,
    EmbeddedCaptions,
    facts,
    noise_variance,
    photo_captions,
    text_captions,
    with_captions,
)
from .recipe import CaptionerRecipe
from .step import CaptionerStep
from .validation import PRIMARY_METRIC, caption_likelihood


Embedder = tuple[PreTrainedModel, ProcessorMixin]


def train(recipe: CaptionerRecipe, resume_from: str | None = None) -> None:
    """Train a captioner. It learns from texts only; photos choose the best model, and the length of CapDec's noise.

    Args:
        recipe (`CaptionerRecipe`): the run.
        resume_from (`str`, *optional*): a checkpoint, or `"latest"`.

    Raises:
        ValueError: if recipe, corpus or checkpoint are not fit for a run; the message names what is wrong.
    """
    settings = recipe.training

    # Devices, precision, processes, the checkpoint to resume from, and the repository to push to.
    accelerator, checkpoint, push = open_run(recipe, resume_from)
    set_seed(settings.seed)

    # Data: captions, embedded once, and photos to validate on.
    embedder = load_embedder(recipe.model.embedder, accelerator)
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data)
        sources = embedding_sources(*embedder, corpus, column_map)
        require_same_sources(checkpoint, sources)
    accelerator.print(report)
    rows = {name: with_captions(split, column_map) for name, split in corpus.items()}
    captions = list(rows["train"][column_map.caption])
    processor = make_processor(recipe.model, captions, embedder[1], checkpoint)
    texts = text_captions(rows["train"], column_map, embedder, processor)
    photos = photo_captions(rows["validation"], column_map, embedder, processor)
    accelerator.print(facts({"train": texts, "validation": photos}))

    # The decoder, and what lets it read photos.
    bridge = make_bridge(recipe, rows["train"], texts, column_map, embedder)
    model = make_model(recipe.model, embedder[0], processor.tokenizer, bridge)
    recompute_activations(model.decoder, settings)
    trained = sum(part.numel() for name in model.new_modules for part in getattr(model, name).parameters())
    accelerator.print(f"{type(model).__name__} ({recipe.model.method}): {trained:,} parameters are trained")

    # Training, from the start or from a checkpoint.
    told = CorpusFacts.of(recipe.data.corpus, corpus, column_map, ("caption",), report)
    loop = make_loop(accelerator, recipe, processor, texts, photos, sources, corpus=told, push=push)
    loop.train(model.to(accelerator.device), checkpoint)


def make_loop(
    accelerator: Accelerator,
    recipe: CaptionerRecipe,
    processor: CaptionerProcessor,
    texts: EmbeddedCaptions,
    photos: EmbeddedCaptions,
    sources: dict[str, str],
    **options: Any,
) -> TrainingLoop:
    """Return the loop that trains a captioner.

    Args:
        accelerator (`Accelerator`): devices and processes.
        recipe (`CaptionerRecipe`): the run.
        processor ([`CaptionerProcessor`]): of the captioner.
        texts ([`EmbeddedCaptions`]): captions to learn from.
        photos ([`EmbeddedCaptions`]): photos to validate on.
        sources (`dict[str, str]`): fingerprints of corpus and embedding model.
        options (`Any`): others of [`TrainingLoop`].
    """
    return TrainingLoop(
        accelerator,
        recipe.training,
        texts,
        CaptionCollator(processor),
        CaptionerStep(),
        evaluate=lambda model: caption_likelihood(model, processor, photos),
        primary_metric=PRIMARY_METRIC,
        recipe=recipe.to_dict(),
        sources=sources,
        processor=processor,
        printed_metrics=(PRIMARY_METRIC,),
        **options,
    )


def load_embedder(name: str, accelerator: Accelerator) -> Embedder:
    """Load the embedding model and its processor.

    Args:
        name (`str`): folder or Hub id.
        accelerator (`Accelerator`): the device.

    Raises:
        ValueError: it reads no text, or has no vector of a photo.
    """
    model, processor = load_model(name, accelerator.device, "float32")
    check_supported(model.config)
    check_reads_text(model, getattr(processor, "tokenizer", None), ["a caption"])
    return model, processor


def make_bridge(
    recipe: CaptionerRecipe, train: Dataset, texts: EmbeddedCaptions, column_map: ColumnMap, embedder: Embedder
) -> Bridge:
    """Return what lets the decoder read photos: the variance of CapDec's noise, or DeCap's support memory.

    Args:
        recipe (`CaptionerRecipe`): method and seed.
        train (`Dataset`): the train split.
        texts ([`EmbeddedCaptions`]): its captions.
        column_map (`ColumnMap`): names the photo.
        embedder (`tuple[PreTrainedModel, ProcessorMixin]`): the embedding model and its processor.
    """
    if recipe.model.method == "decap":
        memory = choose_memory(texts.distinct(), recipe.model.memory_size, recipe.training.seed)
        return Bridge(memory=memory)
    if recipe.model.noise_variance is not None:
        return Bridge(recipe.model.noise_variance)
    return Bridge(noise_variance(train, texts, column_map, embedder))
