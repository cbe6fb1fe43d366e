"""Few-shot attributes: one row is fitted on a handful of photos, and nothing else changes."""

import pytest
import torch
from datasets import Dataset, Image

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.losses.triplet import triplet_loss
from hf_fashion.training.attribute import few_shot
from hf_fashion.training.attribute.few_shot import fit_attribute
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_ipad import tiny_ipad
from tests.training.attribute.shoes import NAME, shoes


MODELS = {
    "asen++": lambda: tiny_asen(local=True),
    "csn": lambda: tiny_asen(head="csn"),
    "ipad": lambda: tiny_ipad(),
    "text": lambda: tiny_asen(attribute_text_dim=5),
}


def with_attribute(name: str, values=("flat", "high")):
    model = MODELS[name]()
    text = {"text_embeds": torch.arange(5.0)} if name == "text" else {}
    return model.add_attribute(NAME, values, **text)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(few_shot, "STEPS", 20)


@pytest.mark.parametrize("name", MODELS)
def test_only_the_row_changes_and_the_loss_falls(name):
    model = with_attribute(name).train()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    rows = model.attribute_rows()
    report = fit_attribute(model, tiny_image_processor(), shoes(), NAME, progress=False)
    after = model.state_dict()
    changed = [key for key, tensor in before.items() if not torch.equal(after[key], tensor)]
    table = {"csn": "global_branch.head.masks.weight", "text": "attribute_embedding.offsets"}
    assert changed == [table.get(name, "attribute_embedding.weight")]
    assert torch.equal(after[changed[0]][:3], before[changed[0]][:3])
    assert not torch.equal(model.attribute_rows()[3], rows[3])
    assert report.loss_after < report.loss_before and (report.photos, report.values) == (10, 2)
    assert model.training and all(parameter.grad is None for parameter in model.parameters())


def test_the_best_row_of_the_model_stays_where_the_fit_finds_no_better(monkeypatch):
    monkeypatch.setattr(few_shot, "LEARNING_RATE", 0.0)
    model = with_attribute("asen++")
    rows = model.attribute_rows()
    report = fit_attribute(model, tiny_image_processor(), shoes(), NAME, progress=False)
    assert any(torch.equal(model.attribute_rows()[3], row) for row in rows)
    assert report.loss_after <= report.loss_before


def test_one_seed_gives_one_row():
    rows = []
    for seed in (0, 0, 1):
        model = with_attribute("asen++")
        fit_attribute(model, tiny_image_processor(), shoes(), NAME, seed=seed, progress=False)
        rows.append(model.attribute_rows()[3])
    assert torch.equal(rows[0], rows[1]) and not torch.equal(rows[0], rows[2])


def test_the_loss_before_is_that_of_the_whole_model():
    """Two values of two photos each: every batch holds all four photos equally often, so all triplets count alike."""
    model, dataset = with_attribute("asen++"), shoes(("flat", "high", "flat", "high"))
    report = fit_attribute(with_attribute("asen++"), tiny_image_processor(), dataset, NAME, progress=False)
    inputs = tiny_image_processor()(dataset["image"][:], return_tensors="pt")
    with torch.no_grad():
        embeds = model(**inputs, attribute_ids=torch.full((4,), 3)).global_embeds[:, 0]
    batch = [number for number in range(4) for _ in range(8)]  # P x K = 32 places
    triples = [
        (a, p, n)
        for a in range(32)
        for p in range(32)
        for n in range(32)
        if a != p and batch[a] % 2 == batch[p] % 2 != batch[n] % 2
    ]
    anchor, positive, negative = (embeds[[batch[triple[role]] for triple in triples]] for role in range(3))
    assert report.loss_before == pytest.approx(triplet_loss(anchor, positive, negative).item(), abs=1e-5)


def test_values_come_from_the_photos_and_unlabelled_ones_are_not_read():
    labels = ["flat", None, "high", "flat", "wedge", "", "high"]
    model, dataset = with_attribute("asen++", values=()), shoes(labels, "heel")
    report = fit_attribute(
        model, tiny_image_processor(), dataset, NAME, ColumnMap(attributes={NAME: "heel"}), progress=False
    )
    assert model.config.attribute_values[NAME] == ["flat", "high", "wedge"]
    assert (report.photos, report.values, report.rare) == (5, 3, {"wedge": 1})
    assert "5 photos of 3 values" in str(report) and "wedge (1)" in str(report)


def test_a_photo_that_cannot_be_read_is_named_by_its_row():
    cells = shoes([None, "", "flat", "high"] * 2).cast_column("image", Image(decode=False)).to_dict()
    cells["image"][6] = {"bytes": b"broken", "path": None}
    dataset = Dataset.from_dict(cells).cast_column("image", Image())
    with pytest.raises(ValueError, match=r"^row 6: the photo in column 'image' cannot be read"):
        fit_attribute(with_attribute("asen++"), tiny_image_processor(), dataset, NAME, progress=False)


def test_photos_that_do_not_help_are_named():
    report = few_shot.FewShotReport(NAME, 4, 2, {}, 0.1, 0.2, 1.0)
    assert str(report).endswith("the photos have not helped: label more, or train the model on them")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("flat", "flat", "flat"), "no triplet can be formed"),
        (("flat", "hihg", "flat"), r"'hihg' \(did you mean 'high'\?\)"),
        (("flat", "high") * 6, "12 photos are labelled with 'heel height', and at most 10"),
    ],
)
def test_photos_that_cannot_be_fitted_on_are_named_and_nothing_changes(labels, message, monkeypatch):
    monkeypatch.setattr(few_shot, "MAX_PHOTOS", 10)
    model = with_attribute("asen++")
    rows = model.attribute_rows()
    with pytest.raises(ValueError, match=message):
        fit_attribute(model, tiny_image_processor(), shoes(labels), NAME, progress=False)
    assert torch.equal(model.attribute_rows(), rows)


def test_an_attribute_that_was_not_added_is_named():
    with pytest.raises(ValueError, match=r"add it first, with model.add_attribute\('heel height'"):
        fit_attribute(tiny_asen(), tiny_image_processor(), shoes(), NAME)


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(ValueError, match="`batch_size`, the inputs of a forward pass, must be at least 1, got 0"):
        fit_attribute(with_attribute("asen++"), tiny_image_processor(), shoes(), NAME, batch_size=0)
