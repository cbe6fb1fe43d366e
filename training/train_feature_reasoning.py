"""Trains FR to re-rank the searches of an attribute-specific model, or of E2 by descriptions, from a recipe.

    accelerate launch training/train_feature_reasoning.py training/recipes/feature_reasoning/quickstart.yaml
    python training/train_feature_reasoning.py RECIPE --set model.embedder=FOLDER --resume_from_checkpoint latest

Learns from photos that the embedding model was not trained on: what the recipe's `data.held_out_fraction` keeps from
it, if it was trained with the same. Writes into the recipe's `training.output_dir`: `best/` and `last/` (models for
`from_pretrained`; where training only harms, `best/` is the model before it), `checkpoints/`, what was embedded, and
`results.json` with the losses and evaluations of the run.
"""

import argparse

from accelerate.utils import set_seed

import hf_fashion  # noqa: F401  registers the models with transformers' Auto classes
from hf_fashion.evaluation.reranking import PRIMARY_METRIC, evaluate_reranking
from hf_fashion.retrieval.rerankers.reasoning import ReasoningReranker
from hf_fashion.training.command_line import add_recipe_arguments, recipe_changes, report_validation
from hf_fashion.training.corpus import load_data
from hf_fashion.training.feature_reasoning.lists import CandidateLists, collate_lists
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe
from hf_fashion.training.feature_reasoning.searches import embedded_once
from hf_fashion.training.feature_reasoning.step import make_feature_reasoning, reasoning_loss
from hf_fashion.training.loop import TrainingLoop, make_accelerator


SHOWN = ("initial_map", "map", "share_better", "share_worse")


def main() -> None:
    arguments = parse_arguments()
    recipe = FeatureReasoningRecipe.read(arguments.recipe, recipe_changes(arguments))
    settings = recipe.training

    # Devices, precision, processes.
    accelerator = make_accelerator(settings)
    set_seed(settings.seed)
    model = make_feature_reasoning(recipe.model)
    accelerator.print(f"{type(model).__name__}: {model.num_parameters():,} parameters")

    # Data: photos that the embedder has not seen, and those to validate on, embedded once.
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False, held_out=True)
    accelerator.print(report)
    if recipe.data.held_out_fraction is None:
        accelerator.print("`data.held_out_fraction` is null: the embedding model must not have seen the train split.")
    searches = embedded_once(recipe, corpus, column_map, accelerator)
    number = model.config.num_candidates
    lists = CandidateLists(searches["train"], number, recipe.lists, settings.seed)
    accelerator.print(f"lists to learn from: {lists.counts}")

    # Training, from the start or from a checkpoint.
    set_seed(settings.seed + accelerator.process_index)
    loop = TrainingLoop(
        accelerator,
        settings,
        lists,
        collate_lists,
        loss_of=reasoning_loss(recipe.loss),
        after_update=lambda model: None,
        evaluate=lambda model: report_validation(
            accelerator, evaluate_reranking(searches["validation"], ReasoningReranker(model), number), SHOWN
        ),
        primary_metric=PRIMARY_METRIC,
        processor=None,
        recipe=recipe.to_dict(),
        untrained_counts=True,
    )
    loop.run_to_the_end(model.to(accelerator.device), arguments.resume_from_checkpoint)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_recipe_arguments(parser).parse_args()


if __name__ == "__main__":
    main()
