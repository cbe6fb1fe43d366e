"""Every photo once, for what is asked of it, in whatever batches."""

import pytest
import torch

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.embedding.attribute_corpus import embed_attributes, image_batches, model_attribute_ids
from tests.evaluation.attributes import LookUp, image_processor, shades
from tests.tiny_attribute import tiny_asen, tiny_image_processor


WANTED = torch.tensor([[1, 0], [1, 1], [0, 0], [0, 1], [1, 1], [0, 1], [1, 0]], dtype=torch.bool)
VALUES = {"pattern": ["plain", "dotted"], "hem": ["straight", "curved"], "neckline": ["v", "round"]}


@pytest.fixture
def photos():
    return shades([None] * 7, [None] * 7)


@pytest.fixture
def model():
    return LookUp(torch.randn(7, 3, 5, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize(("batch_size", "num_workers"), [(2, 0), (64, 0), (3, 2)])
def test_embeddings_of_the_wanted_rows_in_order(photos, model, batch_size, num_workers):
    found = embed_attributes(
        model,
        image_processor(),
        photos,
        WANTED,
        [2, 0],
        batch_size=batch_size,
        num_workers=num_workers,
        progress=False,
    )
    for embeds, wanted, attribute in zip(found, WANTED.T, (2, 0), strict=True):
        torch.testing.assert_close(embeds, model.embeds[wanted, attribute].detach())
    expected = [
        (row, tuple(torch.tensor([2, 0])[wanted].tolist())) for row, wanted in enumerate(WANTED) if wanted.any()
    ]
    assert sorted(model.seen) == expected  # row 2 is asked for nothing, no other row twice


def test_the_photos_before_their_crop_reach_the_model(photos, model):
    embed_attributes(model, image_processor(do_source=True), photos, WANTED, [2, 0], progress=False)
    assert all(inputs == {"source_pixel_values", "source_sizes"} for inputs in model.inputs)


def test_pixels_come_in_the_models_type_and_sizes_stay_whole(photos, model):
    batches = list(image_batches(model.double(), image_processor(do_source=True), photos, WANTED, batch_size=4))
    for rows, places, inputs in batches:
        assert inputs["pixel_values"].dtype == inputs["source_pixel_values"].dtype == torch.float64
        assert inputs["source_sizes"].tolist() == [[8, 8]] * len(rows)
        assert not inputs["source_sizes"].is_floating_point()
        assert len(places) == len(rows) <= 4


def test_an_evaluation_draws_no_number(photos, model):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    embed_attributes(model, image_processor(), photos, WANTED, [2, 0], progress=False)
    assert torch.equal(torch.rand(1), expected)


def test_what_is_missing_is_named(photos, model):
    with pytest.raises(ValueError, match=r"no photo is asked for attributes \[0\]"):
        embed_attributes(model, image_processor(), photos, WANTED & torch.tensor([True, False]), [2, 0])
    with pytest.raises(ValueError, match=r"no column 'photo' \(photos\); columns: image, hem_label"):
        embed_attributes(model, image_processor(), photos, WANTED, [2, 0], image_column="photo")
    assert model_attribute_ids(model, ["hem", "neck"]) == [2, 0]
    with pytest.raises(ValueError, match="the model has no attribute 'collar'; it has neck, sleeve, hem"):
        model_attribute_ids(model, ["neck", "collar"])


def test_a_real_model_gives_what_it_gives_of_all_photos_at_once():
    """ASEN++ with regions cut from the photos, in batches of 5 by what is labelled."""
    photos = make_generated_corpus(train_rows=1, validation_rows=24, image_size=96)["validation"]
    names = ["neckline", "pattern"]
    model = tiny_asen(local=True, attribute_names=["pattern", "hem", "neckline"], attribute_values=VALUES)
    processor = tiny_image_processor(do_source=True)
    wanted = read_labels(photos, ColumnMap(attributes={name: name for name in names})).labelled
    found = embed_attributes(model, processor, photos, wanted, model_attribute_ids(model, names), batch_size=5)
    with torch.no_grad():
        whole = model.get_attribute_features(**processor(photos["image"][:], return_tensors="pt"))
    assert len(found[0]) < len(found[1]) == 24
    for embeds, rows, attribute in zip(found, wanted.T, (2, 0), strict=True):
        torch.testing.assert_close(embeds, whole[rows, attribute], rtol=1e-4, atol=1e-5)
