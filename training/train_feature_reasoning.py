"""Trains FR to re-rank the searches of an attribute-specific model, from a recipe.

    accelerate launch training/train_feature_reasoning.py training/recipes/feature_reasoning/catalog-large.yaml
    python training/train_feature_reasoning.py RECIPE --set model.embedder=FOLDER --resume_from_checkpoint latest

Learns from photos that the embedding model was not trained on: what the recipe's `data.held_out_fraction` keeps from
it, if it was trained with the same. Writes into the recipe's `training.output_dir`: `best/` and `last/` (models for
`from_pretrained`), `checkpoints/`, and `results.json` with the losses and evaluations of the run.
"""

import argparse

from accelerate.utils import set_seed
from transformers import AutoModel
from transformers.models.auto.image_processing_auto import AutoImageProcessor

import hf_fashion  # noqa: F401  registers the models with transformers' Auto classes
from hf_fashion.data.attribute_labels import read_labels
from hf_fashion.data.attribute_protocol import all_against_all, draw_protocol
from hf_fashion.evaluation.attribute_retrieval import attribute_searches
from hf_fashion.evaluation.reranking import PRIMARY_METRIC, evaluate_reranking, reasoning_reranker
from hf_fashion.training.command_line import add_recipe_arguments, recipe_changes, report_validation
from hf_fashion.training.feature_reasoning_lists import CandidateLists, collate_lists
from hf_fashion.training.feature_reasoning_recipe import FeatureReasoningRecipe
from hf_fashion.training.feature_reasoning_step import make_feature_reasoning, reasoning_loss
from hf_fashion.training.loop import TrainingLoop, make_accelerator
from hf_fashion.training.start import load_data, with_attributes


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
    embedder = AutoModel.from_pretrained(recipe.model.embedder).to(accelerator.device)
    image_processor = AutoImageProcessor.from_pretrained(recipe.model.embedder)
    with accelerator.main_process_first():
        corpus, column_map, report = load_data(recipe.data, require_caption=False, held_out=True)
        known = [name for name in embedder.config.attribute_names if name in column_map.attributes]
        column_map = with_attributes(column_map, recipe.data.attributes or known)
    accelerator.print(report)
    protocols = {"train": all_against_all, "validation": draw_protocol}
    searches = {
        name: attribute_searches(
            embedder, image_processor, corpus[name], column_map, [protocol(read_labels(corpus[name], column_map))]
        )
        for name, protocol in protocols.items()
    }
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
            accelerator, evaluate_reranking(searches["validation"], reasoning_reranker(model), number), SHOWN
        ),
        primary_metric=PRIMARY_METRIC,
        processor=None,
        recipe=recipe.to_dict(),
    )
    loop.run_to_the_end(model.to(accelerator.device), arguments.resume_from_checkpoint)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_recipe_arguments(parser).parse_args()


if __name__ == "__main__":
    main()
