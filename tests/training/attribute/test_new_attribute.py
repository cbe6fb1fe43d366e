"""An attribute is added to a saved model: by photos, by its text, and nothing is written where it cannot be."""

import pytest
import torch
from huggingface_hub import HfApi
from transformers.utils import hub as transformers_hub

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.attribute_texts import embed_attribute_texts
from hf_fashion.hub.cards.facts import CardFacts
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.training.attribute import few_shot
from hf_fashion.training.attribute.new_attribute import add_attribute, attribute_column
from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_asen, tiny_image_processor
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.tower_folders import bert_folder
from tests.training.attribute.shoes import NAME, shoes


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(few_shot, "STEPS", 5)


def saved(folder, model, processor=None) -> str:
    model.save_pretrained(folder)
    (processor or tiny_image_processor()).save_pretrained(folder)
    return str(folder)


def test_photos_give_a_row_and_the_card_is_kept(tmp_path):
    source = saved(tmp_path / "asen", tiny_asen())
    CardFacts(license="mit", name="me/asen").write(tmp_path / "asen")
    report = add_attribute(source, NAME, tmp_path / "new", dataset=shoes(), device="cpu")
    assert report.photos == 10
    model = AsenModel.from_pretrained(tmp_path / "new")
    assert model.config.attribute_names == [*ATTRIBUTE_NAMES, NAME]
    assert model.config.attribute_values[NAME] == ["flat", "high"]
    assert torch.equal(model.attribute_rows()[:3], tiny_asen().attribute_rows())
    assert "license: mit" in (tmp_path / "new" / "README.md").read_text()
    assert CardFacts.read(tmp_path / "new").name is None, "it is another model"
    assert (tmp_path / "new" / "modules.json").is_file()


def test_the_card_of_a_model_on_the_hub_is_kept(hub, monkeypatch, tmp_path):
    monkeypatch.setattr(transformers_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "asen"
    saved(folder, tiny_asen())
    CardFacts(license="mit").write(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Mine\n\nOur own words.\n")
    api = HfApi(hub.endpoint, token=hub.token)
    api.create_repo("tester/asen")
    api.upload_folder(repo_id="tester/asen", folder_path=folder)
    add_attribute("tester/asen", NAME, tmp_path / "new", dataset=shoes(), device="cpu")
    card = (tmp_path / "new" / "README.md").read_text()
    assert "license: mit" in card and "Our own words." in card
    assert CardFacts.read(tmp_path / "new").license == "mit"


def test_a_text_gives_a_row(tmp_path):
    encoder = bert_folder(tmp_path / "bert")
    model = tiny_asen(attribute_text_dim=16)
    model.set_attribute_texts(embed_attribute_texts(encoder, model.config.attribute_values))
    source = saved(tmp_path / "asen", model)
    assert add_attribute(source, NAME, tmp_path / "new", values=["flat"], text_encoder=encoder, device="cpu") is None
    texts = embed_attribute_texts(encoder, {NAME: ["flat"]})
    rows = model.add_attribute(NAME, ["flat"], text_embeds=texts[0]).attribute_rows()
    added = AsenModel.from_pretrained(tmp_path / "new")
    assert torch.equal(added.attribute_rows(), rows)
    add_attribute(source, NAME, tmp_path / "one", values="flat", text_encoder=encoder, device="cpu")
    one = AsenModel.from_pretrained(tmp_path / "one")
    assert one.config.attribute_values == added.config.attribute_values and torch.equal(one.attribute_rows(), rows)


def test_what_cannot_be_added_is_named_and_nothing_is_written(tmp_path):
    source = saved(tmp_path / "asen", tiny_asen())
    e2 = saved(tmp_path / "e2", tiny_model(), tiny_processor())
    for model, photos, message in (
        (source, None, "an attribute needs labelled photos"),
        (e2, shoes(), "is a E2Model, to which no attribute can be added"),
        (source, shoes(("flat", "flat", "high")[:2] * 2), "needs at least two values"),
    ):
        with pytest.raises(ValueError, match=message):
            add_attribute(model, NAME, tmp_path / "new", dataset=photos, device="cpu")
        assert not (tmp_path / "new").exists()
    with pytest.raises(FileExistsError, match="choose another `output`"):
        add_attribute(source, NAME, tmp_path / "asen", dataset=shoes())


def test_the_column_is_named_or_the_map_s_or_has_the_attribute_s_name():
    column_map = ColumnMap(attributes={"neck": "n"})
    assert attribute_column(column_map, "neck").attributes == {"neck": "n"}
    assert attribute_column(column_map, "neck", "m").attributes == {"neck": "m"}
    assert attribute_column(column_map, NAME).attributes == {"neck": "n", NAME: NAME}
