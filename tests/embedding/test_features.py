"""Features of photos and texts."""

import weakref

import pytest
import torch
from PIL import Image

from hf_fashion.embedding.features import (
    inference,
    max_text_length,
    photo_and_region_features,
    photo_features,
    photo_inputs,
    require_batch_size,
    text_features,
    text_inputs,
    to_model,
    unit_length,
)
from tests.tiny_attribute import tiny_asen, tiny_image_processor, tiny_photos
from tests.tiny_e2 import MAX_LENGTH, tiny_images, tiny_model, tiny_processor


def test_regions_are_computed_in_one_pass_with_the_photo():
    model, inputs = tiny_model(), tiny_processor()(images=tiny_images(3), return_tensors="pt")
    with inference(model):
        found = photo_and_region_features(model, inputs)
        torch.testing.assert_close(found[:, 0], photo_features(model, inputs))
        torch.testing.assert_close(found[:, 1:], model.get_region_features(**inputs))


def test_each_photo_gets_the_attributes_asked_of_it():
    model = tiny_asen(local=True)
    inputs = photo_inputs(tiny_image_processor(do_source=True), tiny_photos())
    assert set(inputs) == {"pixel_values", "source_pixel_values", "source_sizes"}
    with inference(model):
        everything = photo_features(model, inputs)  # (3, 3, D)
        asked = photo_features(model, inputs, torch.tensor([[2, 0], [1, 1], [0, 2]]))
        single = photo_features(model, inputs, torch.tensor([2, 1, 0]))
    for photo, attributes in enumerate([[2, 0], [1, 1], [0, 2]]):
        for place, attribute in enumerate(attributes):
            torch.testing.assert_close(asked[photo, place], everything[photo, attribute], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(single.squeeze(1), torch.stack([everything[0, 2], everything[1, 1], everything[2, 0]]))


def test_pixels_get_the_models_float_type_and_sizes_stay_whole():
    inputs = photo_inputs(tiny_image_processor(do_source=True), tiny_photos())
    moved = to_model(tiny_asen().double(), inputs)
    assert moved["pixel_values"].dtype == moved["source_pixel_values"].dtype == torch.float64
    assert not moved["source_sizes"].is_floating_point()


def test_texts_are_cut_at_the_last_token_that_the_model_reads():
    model, tokenizer = tiny_model(), tiny_processor().tokenizer
    tokenizer.model_max_length = 10**6
    inputs = text_inputs(model, tokenizer, ["x" * 100, "shirt"])
    assert max_text_length(model, tokenizer) == MAX_LENGTH and inputs["input_ids"].shape == (2, MAX_LENGTH)
    assert text_features(model, inputs).shape == (2, 12)


def test_unit_length_is_computed_in_float32():
    found = unit_length(torch.randn(5, 7).to(torch.bfloat16))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(5))


@pytest.mark.parametrize("training", [True, False])
def test_inference_restores_the_mode_also_after_an_error(training):
    model = tiny_model().train(training)
    with pytest.raises(KeyError), inference(model):
        assert not model.training and torch.is_inference_mode_enabled()
        raise KeyError
    assert model.training is training and not torch.is_inference_mode_enabled()


def test_e2_gives_the_features_of_photos_in_float32():
    model = tiny_model().to(torch.bfloat16)
    features = photo_features(model, photo_inputs(tiny_processor().image_processor, tiny_images(2)))
    assert features.shape == (2, 12) and features.dtype == torch.float32


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_damaged_weights_give_no_embeddings(value):
    model, processor = tiny_model(), tiny_processor()
    inputs = photo_inputs(processor.image_processor, tiny_images(2))
    texts = text_inputs(model, processor.tokenizer, ["a dress"])
    with torch.no_grad():
        model.visual_projection.weight[0, 0] = value
        model.text_projection.weight[0, 0] = value
    for embed in (lambda: photo_features(model, inputs), lambda: text_features(model, texts)):
        with pytest.raises(ValueError, match="features are not finite numbers: its weights are damaged, or too large"):
            embed()


def test_of_many_photos_one_is_in_memory_at_a_time():
    made: list[weakref.ref] = []

    def decoded(seed: int) -> Image.Image:
        assert not any(photo() for photo in made)
        photo = Image.new("RGB", (60, 40), (seed, 0, 0))
        made.append(weakref.ref(photo))
        return photo

    for processor in (tiny_image_processor(do_source=True), tiny_processor().image_processor):
        assert len(photo_inputs(processor, map(decoded, range(4)))["pixel_values"]) == 4


def test_batches_hold_at_least_one_input():
    require_batch_size(1)
    for batch_size in (0, -1):
        with pytest.raises(ValueError, match=rf"`batch_size`, .* must be at least 1, got {batch_size}"):
            require_batch_size(batch_size)
