"""Attributes by name: a model grows by one, its other attributes stay the same bit for bit, texts become rows."""

import pytest
import torch
from huggingface_hub.errors import StrictDataclassClassValidationError
from torch import nn

from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from hf_fashion.models.attribute.table_attribute import TextAttributeTable, add_row, keep_rows, make_table, set_row
from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_asen, tiny_asen_config, tiny_photo_inputs
from tests.tiny_ipad import RPF, tiny_ipad


TEXT_DIM = 5
MODELS = {
    "asen": lambda: tiny_asen(),
    "asen++": lambda: tiny_asen(local=True),
    "csn": lambda: tiny_asen(head="csn"),
    "ipad": lambda: tiny_ipad(),
    "rpf": lambda: tiny_ipad(**RPF),
}
TEXT_MODELS = {
    "asen": lambda: tiny_asen(attribute_text_dim=TEXT_DIM),
    "ipad": lambda: tiny_ipad(attribute_text_dim=TEXT_DIM),
}


def texts(number: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(number, TEXT_DIM, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def embeds_of(model, **kwargs) -> torch.Tensor:
    return model.get_attribute_features(**tiny_photo_inputs(), **kwargs)


@pytest.mark.parametrize("name", MODELS)
def test_the_others_stay_the_same_and_the_new_one_is_saved(name, tmp_path):
    model = MODELS[name]()
    before, rows = embeds_of(model), model.attribute_rows()
    assert model.add_attribute("heel height", ["flat", "high"]) is model
    first = torch.tensor([[0, 1, 2]]).expand(3, -1)
    assert torch.equal(embeds_of(model, attribute_ids=first), before)
    assert torch.equal(model.attribute_rows(), torch.cat([rows, rows.mean(0, keepdim=True)]))
    model.set_attribute_row("heel height", rows[0] + 1)
    assert torch.equal(model.attribute_rows()[:3], rows) and torch.equal(model.attribute_rows()[3], rows[0] + 1)

    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    assert loaded.config.attribute_names == [*ATTRIBUTE_NAMES, "heel height"]
    assert loaded.config.attribute_values["heel height"] == ["flat", "high"]
    assert torch.equal(embeds_of(loaded.eval()), embeds_of(model))


def test_a_new_row_learns():
    model = tiny_asen().add_attribute("heel height", ["flat", "high"])
    model(**tiny_photo_inputs()).global_embeds.square().sum().backward()
    assert model.attribute_embedding.weight.grad[3].abs().sum() > 0


@pytest.mark.parametrize("name", MODELS)
def test_kept_attributes_are_those_of_a_model_that_has_only_them(name):
    model = MODELS[name]()
    before = embeds_of(model)
    kept = model.keep_attributes(["pattern", "neckline"])
    assert kept.config.attribute_names == ["pattern", "neckline"] and list(kept.config.attribute_values) == [
        "pattern",
        "neckline",
    ]
    torch.testing.assert_close(embeds_of(kept), before[:, [2, 0]])


@pytest.mark.parametrize("name", MODELS)
def test_a_map_is_embedded_as_in_the_whole_model(name):
    model, inputs = MODELS[name](), tiny_photo_inputs()
    with torch.no_grad():
        rows = model.attribute_rows().expand(3, -1, -1)
        embeds = model.embed_map(model.encode_map(inputs["pixel_values"]), rows)
        torch.testing.assert_close(embeds, model(**inputs).global_embeds)


def test_a_model_without_rows_refuses():
    with pytest.raises(ValueError, match='take `head="asen"`'):
        tiny_asen(head="triplet").add_attribute("heel height", ["flat", "high"])


def test_a_wrapped_table_is_named():
    model = tiny_asen()
    model.attribute_embedding = nn.Sequential(model.attribute_embedding)
    with pytest.raises(ValueError, match="merge the adapter"):
        model.add_attribute("heel height")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "pattern"}, "`name` must be a new name"),
        ({"name": " "}, "`name` must be a new name"),
        ({"name": "heel", "values": ["a", "a"]}, "`values` must be distinct"),
        ({"name": "heel", "values": [1, 2]}, "`values` must be distinct strings"),
        ({"name": "heel", "values": ["flat", " "]}, "none of them blank"),
        ({"name": "heel", "values": None}, r"must be distinct strings, .*; got \[None\]"),
        ({"name": "heel", "text_embeds": torch.ones(5)}, "learnt rows: leave it out"),
    ],
)
def test_what_cannot_be_added_is_named_and_changes_nothing(arguments, message):
    model = tiny_asen()
    with pytest.raises(ValueError, match=message):
        model.add_attribute(**arguments)
    assert model.config.attribute_names == ATTRIBUTE_NAMES and len(model.attribute_rows()) == 3


def test_wrong_names_and_rows_are_named():
    model = tiny_asen()
    for names in ([], ["pattern", "pattern"], ["heel"]):
        with pytest.raises(ValueError, match="`names` must be some of"):
            model.keep_attributes(names)
    with pytest.raises(ValueError, match="`name` must be one of"):
        model.set_attribute_row("heel", torch.ones(6))
    with pytest.raises(ValueError, match=r"`row` must have shape \(6,\)"):
        model.set_attribute_row("pattern", torch.ones(5))


@pytest.mark.parametrize("name", TEXT_MODELS)
def test_a_text_becomes_a_row_and_needs_no_encoder_later(name, tmp_path):
    model = TEXT_MODELS[name]()
    model.set_attribute_texts(texts(3))
    before = embeds_of(model)
    with pytest.raises(ValueError, match=r"`text_embeds` must have shape \(5,\)"):
        model.add_attribute("heel height", ["flat", "high"])
    model.add_attribute("heel height", ["flat", "high"], text_embeds=texts(1, seed=1)[0])
    now = embeds_of(model)
    torch.testing.assert_close(now[:, :3], before)
    assert (now[:, 3:] - before).abs().amax((0, 2)).min() > 1e-4
    model.set_attribute_row("heel height", torch.arange(6.0))
    torch.testing.assert_close(model.attribute_rows()[3], torch.arange(6.0))
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path).eval()
    assert torch.equal(embeds_of(loaded), embeds_of(model))
    torch.testing.assert_close(embeds_of(loaded.keep_attributes(ATTRIBUTE_NAMES)), before)


def test_the_projection_is_trained_and_the_texts_are_not():
    model = TEXT_MODELS["asen"]()
    model.set_attribute_texts(texts(3))
    stored = model.attribute_embedding.texts.clone()
    model(**tiny_photo_inputs()).global_embeds.square().sum().backward()
    torch.optim.SGD(model.parameters(), 0.1).step()
    assert model.attribute_embedding.projection.weight.grad.abs().sum() > 0
    assert torch.equal(model.attribute_embedding.texts, stored)
    assert model.get_input_embeddings() is None


def test_a_row_of_text_is_the_projection_of_the_normed_difference():
    table = TextAttributeTable(3, TEXT_DIM, 4)
    table.set_texts(texts(3))
    units = texts(3) / texts(3).norm(dim=1, keepdim=True)
    for place, unit in enumerate(units):
        difference = unit - units.mean(0)
        normed = (difference - difference.mean()) / (difference.var(unbiased=False) + 1e-5).sqrt()
        row = table.projection.weight @ normed + table.projection.bias
        torch.testing.assert_close(table(torch.tensor([[place]]))[0, 0], row)


def test_texts_of_another_shape_are_named():
    with pytest.raises(ValueError, match=r"\(3, 5\); got \(2, 5\)"):
        TEXT_MODELS["asen"]().set_attribute_texts(texts(2))
    with pytest.raises(ValueError, match=r"\(3, None\)"):
        tiny_asen().set_attribute_texts(texts(3))
    with pytest.raises(StrictDataclassClassValidationError, match="`attribute_text_dim` must be at least 1"):
        tiny_asen_config(attribute_text_dim=0)
    with pytest.raises(StrictDataclassClassValidationError, match="`attribute_text_dim` is for"):
        tiny_asen_config(attribute_text_dim=5, head="csn")


def test_tables_grow_shrink_and_change_alone():
    for table in (make_table(tiny_asen_config()), make_table(tiny_asen_config(attribute_text_dim=TEXT_DIM))):
        ids = torch.arange(3)
        before = table(ids).detach().clone()
        add_row(table, texts(1)[0])
        set_row(table, 3, torch.ones(6))
        assert torch.equal(table(ids), before)
        torch.testing.assert_close(table(torch.tensor(3)), torch.ones(6))
        keep_rows(table, [3, 0])
        torch.testing.assert_close(table(torch.arange(2)), torch.stack([torch.ones(6), before[0]]))


def test_a_checkpoint_of_before_has_the_same_configuration_and_weights(tmp_path):
    model = tiny_asen()
    assert (
        "attribute_text_dim" not in model.config.to_dict() and "attribute_text_dim" not in tiny_ipad().config.to_dict()
    )
    assert tiny_asen(attribute_text_dim=5).config.to_dict()["attribute_text_dim"] == 5
    model.save_pretrained(tmp_path)
    assert torch.equal(AsenModel.from_pretrained(tmp_path).attribute_rows(), model.attribute_rows())
    assert IpadModel.config_class().attribute_text_dim is None
