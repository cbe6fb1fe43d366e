"""Recipes of attribute-specific models: what is read, and errors that name the key."""

import pytest
import yaml

from hf_fashion.losses.attribute import ATTRIBUTE_LOSSES, published_weights
from hf_fashion.training.attribute.recipe import AttributeRecipe
from hf_fashion.training.recipes.shipped import FOLDER


def read(folder, values):
    (folder / "recipe.yaml").write_text(yaml.safe_dump(values))
    return AttributeRecipe.read(folder / "recipe.yaml")


def stages(**stage):
    return {"training": {"stages": [{"epochs": 1, "learning_rate": 1e-4} | stage]}}


def test_missing_keys_have_defaults(tmp_path):
    recipe = read(tmp_path, {})
    assert recipe.model.architecture == "asen" and recipe.sampling.kind == "pk"
    assert recipe.training.stages[0].losses == {"global_triplet": 1.0}
    assert recipe.data.source_size is None and recipe.data.attributes is None


def test_the_numbers_of_a_stage_are_numbers(tmp_path):
    (tmp_path / "recipe.yaml").write_text(
        "training: {stages: [{epochs: 1, learning_rate: 1e-4, learning_rates: {semantics: 5e-5}, decay: 9e-1, "
        "decay_every: 3, losses: {global_triplet: 1, e_info_nce: 4e-2}}]}"
    )
    (stage,) = AttributeRecipe.read(tmp_path / "recipe.yaml").training.stages
    assert stage.learning_rates == {"semantics": 5e-5} and stage.decay == 0.9 and stage.decay_every == 3.0
    assert stage.losses == {"global_triplet": 1.0, "e_info_nce": 0.04}


def test_every_loss_of_the_table_may_be_named(tmp_path):
    losses = dict.fromkeys(ATTRIBUTE_LOSSES, 1.0)
    assert read(tmp_path, stages(losses=losses)).training.stages[0].losses == losses


@pytest.mark.parametrize(
    ("name", "model"), [("asen", "asen"), ("asen_plus_plus", "asen++"), ("ipad_region", "asen"), ("ipad", "ipad")]
)
def test_the_papers_recipes_have_the_published_weights(name, model):
    recipe = AttributeRecipe.read(FOLDER / "attributes" / f"{name}.yaml")
    assert [stage.losses for stage in recipe.training.stages] == [published_weights(model)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": {"architecture": "e2"}}, "model.architecture.*asen, ipad.*e2"),
        ({"sampling": {"kind": "all"}}, "sampling.kind.*triplets, pk.*all"),
        ({"sampling": {"extra_views": 3}}, "sampling.extra_views must be at least 0 and at most 2; got 3"),
        ({"sampling": {"values_per_group": 1}}, "sampling.values_per_group must be at least 2; got 1"),
        (
            {"sampling": {"kind": "triplets", "triplets_an_epoch": 9}, "training": {"batch_size": 10}},
            "triplets_an_epoch` is 9, which makes no batch of `training.batch_size` 10",
        ),
        ({"diverging": {"momentum": 1}}, "diverging.momentum must be at least 0 and below 1; got 1.0"),
        ({"diverging": {"min_filled": 9, "capacity": 8}}, "`diverging.min_filled` must be at most .* 8; got 9"),
        (stages(losses={"alignment": -1}), r"stages\[0\].losses.alignment must be at least 0; got -1.0"),
        ({"model": {"start_from": "a", "backbone": "b"}}, "start_from.*backbone"),
        ({"diverging": {"momentun": 0.9}}, "recipe.diverging: unknown key 'momentun'.*momentum"),
        ({"data": {"attributes": "colour"}}, "recipe.data.attributes must be of type list"),
        ({"data": {"source_size": "large"}}, "recipe.data.source_size must be of type int"),
        ({"model": {"start_from": "a", "attribute_texts": "b"}}, "has the texts that it was trained with"),
        (stages(losses={}), r"stages\[0\].losses.*at least one of global_triplet"),
        (stages(losses={"triplet": 1}), r"stages\[0\].losses.*global_triplet.*'triplet'"),
        (stages(losses={"alignment": "much"}), "losses.alignment must be a number; got 'much'"),
        (stages(learning_rates={"backbone": None}), "learning_rates.backbone must be a number"),
        (stages(decay="often"), "decay must be a number"),
        (stages(decay_every=0), r"stages\[0\].decay_every.*above 0"),
        (stages(trainable="new"), r"stages\[0\].trainable.*all; got 'new'"),
    ],
)
def test_mistakes_are_named(tmp_path, values, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, values)


def test_a_local_backbone_may_join_a_checkpoint(tmp_path):
    assert read(tmp_path, {"model": {"start_from": "a", "local_backbone": "b"}}).model.local_backbone == "b"
