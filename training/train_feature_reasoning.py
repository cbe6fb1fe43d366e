"""Train FR to re-rank the searches of an attribute-specific model, or E2's searches by description, from a recipe.

    accelerate launch training/train_feature_reasoning.py training/recipes/feature_reasoning/quickstart.yaml
    python training/train_feature_reasoning.py RECIPE --set model.embedder=FOLDER --resume_from_checkpoint latest

FR learns from photos that the embedding model was not trained on: the share `data.held_out_fraction`, which must be
the same in both recipes. Writes into the recipe's `training.output_dir`: `best/` and `last/` (models for
`from_pretrained`; if training only does harm, `best/` is the untrained model), `checkpoints/`, the embeddings, and
`results.json` with the losses and evaluations of the run.
"""

from accelerate.utils import set_seed

import hf_fashion  # noqa: F401  registers the models with transformers' Auto classes
from hf_fashion.evaluation.reranking import PRIMARY_METRIC, evaluate_reranking
from hf_fashion.retrieval.rerankers.reasoning import ReasoningReranker
from hf_fashion.training.command_line import RESUME, read_command_line, run_script
from hf_fashion.training.corpus import load_data
from hf_fashion.training.feature_reasoning.build import make_model
from hf_fashion.training.feature_reasoning.lists import CandidateLists, collate_lists
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe
from hf_fashion.training.feature_reasoning.searches import embedded_once, embedder_fingerprints, search_sources
from hf_fashion.training.feature_reasoning.step import FeatureReasoningStep
from hf_fashion.training.loop import TrainingLoop, make_accelerator
from hf_fashion.training.resuming import checkpoint_to_resume, require_same_sources


PRINTED = ("initial_map", "map", "share_better", "share_worse")


def main() -> None:
    recipe, resume_from = read_command_line(FeatureReasoningRecipe, __doc__)
    settings = recipe.training

    # Devices, precision, processes, and the checkpoint to resume from.
    accelerator = make_accelerator(settings)
    checkpoint = checkpoint_to_resume(accelerator, resume_from, settings.output_dir, recipe.to_dict())
    set_seed(settings.seed)
    model = make_model(recipe.model)
    model.config.embedder_fingerprints = embedder_fingerprints(recipe.model.embedder)
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters")

    # Data: photos that are new to the embedder, and those to validate on, embedded once.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False, held_out=True)
        sources = search_sources(recipe.model.embedder, corpus, column_map)
        require_same_sources(checkpoint, sources)
    accelerator.print(report)
    if recipe.data.held_out_fraction is None:
        accelerator.print("`data.held_out_fraction` is null: the embedding model must not have seen the train split.")
    searches = embedded_once(recipe, corpus, column_map, accelerator, sources)
    number = model.config.num_candidates
    lists = CandidateLists(searches["train"], number, recipe.lists, settings.seed)
    accelerator.print(f"lists to learn from: {lists.counts}")

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
    )
    loop.train(model.to(accelerator.device), checkpoint)


if __name__ == "__main__":
    run_script(main, RESUME)
