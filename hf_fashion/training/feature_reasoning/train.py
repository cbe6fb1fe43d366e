"""Train FR to re-rank the searches of an attribute-specific model, or E2's searches by description, from a recipe."""

from accelerate.utils import set_seed

from ...embedding.whole_model import load_whole
from ...evaluation.reranking import PRIMARY_METRIC, evaluate_reranking
from ...hub.cards.facts import CorpusFacts
from ...retrieval.rerankers.reasoning import ReasoningReranker
from ..corpus import load_data
from ..loop import TrainingLoop
from ..opening import open_run
from ..run_folder.resuming import require_same_sources
from ..sources import embedder_fingerprints, embedder_processor, embedding_sources
from .build import make_model
from .lists import CandidateLists, collate_lists
from .recipe import FeatureReasoningRecipe
from .searches import embedded_once
from .step import FeatureReasoningStep


PRINTED = ("initial_map", "map", "share_better", "share_worse")


def train(recipe: FeatureReasoningRecipe, resume_from: str | None = None) -> None:
    """Train FR on photos that the embedding model has not learned from: `data.held_out_fraction` of both recipes.

    Args:
        recipe (`FeatureReasoningRecipe`): the run.
        resume_from (`str`, *optional*): a checkpoint, or `"latest"`.

    Raises:
        ValueError: if recipe, corpus or checkpoint are not fit for a run; the message names what is wrong.
    """
    settings = recipe.training

    # Devices, precision, processes, the checkpoint to resume from, and the repository to push to.
    accelerator, checkpoint, push = open_run(recipe, resume_from)
    set_seed(settings.seed)
    model = make_model(recipe.model)
    model.config.embedder_fingerprints = embedder_fingerprints(recipe.model.embedder)
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters")

    # Data: photos that are new to the embedder, and those to validate on, embedded once.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False, held_out=True)
        embedder = load_whole(recipe.model.embedder)
        processor = embedder_processor(embedder, recipe.model.embedder)
        sources = embedding_sources(embedder, processor, corpus, column_map)
        require_same_sources(checkpoint, sources)
    accelerator.print(report)
    if recipe.data.held_out_fraction is None:
        accelerator.print("`data.held_out_fraction` is null: the embedding model must not have seen the train split.")
    searches = embedded_once(recipe, corpus, column_map, accelerator, sources)
    number = model.config.num_candidates
    lists = CandidateLists(searches["train"], number, recipe.lists, settings.seed)
    accelerator.print(f"lists to learn from: {lists.counts}")
    used = ("attributes",) if searches["train"].keys() <= column_map.attributes.keys() else ("caption",)

    # Training, from the start or from a checkpoint.
    loop = TrainingLoop(
        accelerator,
        settings,
        lists,
        collate_lists,
        FeatureReasoningStep(recipe.loss),
        evaluate=lambda model: evaluate_reranking(searches["validation"], ReasoningReranker(model), number),
        primary_metric=PRIMARY_METRIC,
        recipe=recipe.to_dict(),
        sources=sources,
        printed_metrics=PRINTED,
        evaluate_untrained=True,
        corpus=CorpusFacts.of(recipe.data.corpus, corpus, column_map, used, report),
        push=push,
    )
    loop.train(model.to(accelerator.device), checkpoint)
