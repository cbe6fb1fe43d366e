"""Train a combiner of photos and words on the embeddings of an E2, CLIP or SigLIP, from a recipe."""

from accelerate.utils import set_seed

from ...embedding.whole_model import load_whole
from ...evaluation.changes.catalogue_changes import catalogue_queries
from ...evaluation.changes.searchers import changer_for
from ...hub.cards.facts import CorpusFacts
from ..corpus import load_data
from ..loop import TrainingLoop
from ..opening import open_run
from ..run_folder.resuming import require_same_sources
from ..sources import embedder_fingerprints, embedder_processor, embedding_sources
from .build import make_model, searched_spaces
from .embeddings import embedded_once
from .queries import ChangeQueries, collate_queries
from .recipe import CombinerRecipe
from .step import CombinerStep
from .validation import PRIMARY_METRIC, PRINTED, CombinerValidation


def train(recipe: CombinerRecipe, resume_from: str | None = None) -> None:
    """Train a combiner on products that differ in one tag.

    Args:
        recipe (`CombinerRecipe`): the run.
        resume_from (`str`, *optional*): a checkpoint, or `"latest"`.

    Raises:
        ValueError: if recipe, corpus or checkpoint are not fit for a run; the message names what is wrong.
    """
    settings = recipe.training

    # Devices, precision, processes, the checkpoint to resume from, and the repository to push to.
    accelerator, checkpoint, push = open_run(recipe, resume_from)
    set_seed(settings.seed)
    embedder = load_whole(recipe.model.embedder)
    spaces = searched_spaces(recipe.model, embedder)
    processor = embedder_processor(embedder, recipe.model.embedder)

    # Data: photos, embedded once, and queries that change one tag of them.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False, held_out=True)
        sources = embedding_sources(embedder, processor, corpus, column_map)
        require_same_sources(checkpoint, sources)
    accelerator.print(report)
    tags = catalogue_queries(corpus["train"], column_map).tags
    embeds = embedded_once(recipe, embedder, processor, corpus, column_map, accelerator, sources)
    changer = changer_for(embedder, processor, tags, spaces)
    queries = ChangeQueries(tags, embeds["train"], changer, spaces, recipe.triples.per_entity, settings.seed)
    accelerator.print(f"queries to learn from: {queries.counts}")

    # Model.
    model = make_model(recipe.model, embedder, embeds["train"]["image"].shape[1])
    model.config.embedder_fingerprints = embedder_fingerprints(recipe.model.embedder)
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters, spaces {spaces}")

    # Training, from the start or from a checkpoint.
    loop = TrainingLoop(
        accelerator,
        settings,
        queries,
        collate_queries,
        CombinerStep(),
        evaluate=CombinerValidation(
            embedder, processor, corpus["validation"], column_map, embeds["validation"], model
        ),
        primary_metric=PRIMARY_METRIC,
        recipe=recipe.to_dict(),
        sources=sources,
        printed_metrics=PRINTED,
        evaluate_untrained=True,
        corpus=CorpusFacts.of(recipe.data.corpus, corpus, column_map, ("tags",), report),
        push=push,
    )
    loop.train(model.to(accelerator.device), checkpoint)
