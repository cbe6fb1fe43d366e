"""A recipe of E2 or CLIP: defaults, and what is refused."""

import pytest
import yaml

from hf_fashion.training.e2.recipe import E2Recipe, RegionWeightRecipe
from hf_fashion.training.recipes.shipped import FOLDER


def read(folder, values):
    (folder / "recipe.yaml").write_text(yaml.safe_dump(values))
    return E2Recipe.read(folder / "recipe.yaml")


def test_without_a_start_it_is_an_e2_from_scratch(tmp_path):
    recipe = read(tmp_path, {})
    assert recipe.model.architecture == "e2" and recipe.model.start_from is None
    assert recipe.model.config == {} and not recipe.model.compose_text


def test_the_papers_recipe_warms_up_the_new_parts():
    recipe = E2Recipe.read(FOLDER / "e2_fashiongen.yaml")
    stages = [(stage.trainable, stage.epochs, stage.learning_rate) for stage in recipe.training.stages]
    assert stages == [("new", 5, 5e-4), ("all", 20, 5e-5)]
    assert recipe.model.compose_text and recipe.training.batch_size == 64


def test_an_unknown_architecture_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"model\.architecture.*e2, clip.*siglip"):
        read(tmp_path, {"model": {"architecture": "siglip"}})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"freeze_layers": 2}, r"`model\.freeze_layers` keeps .*`model\.start_from`"),
        ({"freeze_layers": 2, "start_from": "clip", "lora_r": 4}, "exclude each other"),
        ({"freeze_layers": -1}, r"recipe\.model\.freeze_layers must be at least 0; got -1"),
        ({"region_weight": {"start": 0, "end": 1}}, r"recipe\.model\.region_weight.*epochs"),
        ({"region_weight": {"start": 0, "end": -1, "epochs": 1}}, r"region_weight\.end must be at least 0; got -1"),
        ({"region_weight": {"start": 0, "end": 1, "epochs": 1}, "architecture": "clip"}, "a CLIP has no regions"),
        ({"region_weight": {"start": 0, "end": 1, "epochs": 1}, "architecture": "filip"}, "a FILIP has no regions"),
        (
            {"weigh_entities": True, "architecture": "filip"},
            'a FILIP compares tokens: set `model.architecture` to "clip"',
        ),
        ({"weigh_entities": True, "start_from": "clip", "lora_r": 4}, r"remove `model\.weigh_entities`"),
        (
            {"region_weight": {"start": 0, "end": 1, "epochs": 1}, "config": {"region_loss_weight": 0.2}},
            r"`model\.config\.region_loss_weight` are set: remove one",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(tmp_path, model, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, {"model": model})


def test_a_schedule_of_the_region_weight_is_read(tmp_path):
    recipe = read(tmp_path, {"model": {"region_weight": {"start": 0, "end": 0.5, "epochs": 2}}})
    assert recipe.model.region_weight == RegionWeightRecipe(start=0.0, end=0.5, epochs=2.0)


def test_a_baseline_has_nothing_new_to_warm_up(tmp_path):
    stages = [{"epochs": 1, "learning_rate": 1, "trainable": "new"}]
    assert read(tmp_path, {"training": {"stages": stages}}).training.stages[0].trainable == "new"
    for architecture, message in (("clip", "a CLIP has no new parts"), ("filip", "a FILIP has no new parts")):
        with pytest.raises(ValueError, match=message):
            read(tmp_path, {"model": {"architecture": architecture}, "training": {"stages": stages}})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"start_from": "clip", "start_from_vision": "dinov2"}, "`model.start_from` has both towers"),
        ({"start_from_text": "bert"}, "`model.start_from_text` needs `model.start_from_vision`"),
        ({"start_from": "clip", "image_size": 112}, "`model.image_size` needs `model.start_from_vision`"),
        ({"start_from_vision": "dinov2", "lora_r": 4}, "name its folder or Hub id as `model.start_from`"),
    ],
)
def test_starts_that_contradict_each_other_are_refused(tmp_path, model, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, {"model": model})
