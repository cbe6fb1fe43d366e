"""A model's fingerprint: equal for equal models, other for all others."""

import re

import pytest
import torch
from torchao.quantization import Int8DynamicActivationInt8WeightConfig, Int8WeightOnlyConfig
from transformers import AutoModel, AutoProcessor, CLIPProcessor, TorchAoConfig

from hf_fashion.data.tokenizer import train_tokenizer
from hf_fashion.embedding.fingerprint import check_fingerprint, embedder_fingerprint, model_fingerprint
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_e2 import tiny_image_processor as tiny_e2_image_processor
from tests.tiny_e2 import tiny_model, tiny_processor, tiny_tokenizer
from tests.tiny_ipad import tiny_ipad


@pytest.mark.parametrize("make", [tiny_model, lambda: tiny_asen(local=True), tiny_ipad], ids=["e2", "asen++", "ipad"])
def test_saving_and_loading_keeps_the_fingerprint(make, tmp_path):
    model = make()
    model.save_pretrained(tmp_path / "one")
    loaded = AutoModel.from_pretrained(tmp_path / "one")
    loaded.save_pretrained(tmp_path / "two")
    again = AutoModel.from_pretrained(tmp_path / "two", attn_implementation="eager", output_hidden_states=True)
    assert model_fingerprint(model) == model_fingerprint(loaded) == model_fingerprint(again)


def test_the_fingerprint_names_the_class():
    assert re.fullmatch(r"E2Model-[0-9a-f]{16}", model_fingerprint(tiny_model()))


def test_int8_weights_count(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    configs = [Int8WeightOnlyConfig, Int8WeightOnlyConfig, Int8DynamicActivationInt8WeightConfig]
    models = [AutoModel.from_pretrained(tmp_path, quantization_config=TorchAoConfig(config())) for config in configs]
    first, again, activations = map(model_fingerprint, models)
    assert first == again != activations
    assert model_fingerprint(tiny_model()) not in (first, activations)
    with torch.no_grad():
        models[1].visual_projection.weight.qdata[0, 0] += 1
    assert model_fingerprint(models[1]) != first


def test_the_layout_in_memory_does_not_count():
    model = tiny_asen()
    before = model_fingerprint(model)
    assert model_fingerprint(model.to(memory_format=torch.channels_last)) == before
    assert model_fingerprint(model.train()) == before


def test_a_single_weight_counts():
    model = tiny_model()
    before = model_fingerprint(model)
    with torch.no_grad():
        next(model.vision_model.parameters()).view(-1)[0] += 1e-3
    assert model_fingerprint(model) != before


def test_an_architecture_without_weights_counts():
    assert model_fingerprint(tiny_asen(local=True)) != model_fingerprint(tiny_asen(local=True, global_weight=0.5))


def test_the_float_type_counts():
    assert model_fingerprint(tiny_model()) != model_fingerprint(tiny_model().to(torch.bfloat16))


def test_the_float_type_of_a_temperature_does_not_count(tmp_path):
    model = tiny_model().half()
    model.save_pretrained(tmp_path)
    again = AutoModel.from_pretrained(tmp_path, dtype="auto")
    assert (model.logit_scale.dtype, again.logit_scale.dtype) == (torch.float16, torch.float32)
    assert model_fingerprint(again) == model_fingerprint(model)


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def test_saving_and_loading_keeps_the_fingerprint_of_the_whole(model, tmp_path):
    processor = tiny_processor()
    for part in (model, processor):
        part.save_pretrained(tmp_path)
    fingerprint = embedder_fingerprint(model, processor)
    assert re.fullmatch(r"E2Model-[0-9a-f]{16}-v2-[0-9a-f]{16}-[0-9a-f]{16}", fingerprint)
    assert (
        embedder_fingerprint(AutoModel.from_pretrained(tmp_path), AutoProcessor.from_pretrained(tmp_path))
        == fingerprint
    )
    assert embedder_fingerprint(model, processor.image_processor, processor.tokenizer) == fingerprint
    assert embedder_fingerprint(model, CLIPProcessor(processor.image_processor, processor.tokenizer)) == fingerprint
    assert embedder_fingerprint(model, tiny_image_processor()) != embedder_fingerprint(
        model, processor.image_processor
    )
    assert embedder_fingerprint(model) == model_fingerprint(model)


def test_what_was_tokenized_before_does_not_count(model):
    processor = tiny_processor()
    before = embedder_fingerprint(model, processor)
    processor(text=["x" * 100, "dress"], truncation=True, padding=True, max_length=9)
    processor.tokenizer("dress", split_special_tokens=False)
    assert embedder_fingerprint(model, processor) == before


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("image_mean", [0.5, 0.5, 0.5]),
        ("size", {"height": 16, "width": 16}),
        ("crop_size", {"height": 14, "width": 14}),
        ("do_center_crop", False),
        ("resample", 0),
    ],
)
def test_another_image_processor_is_refused(model, setting, value):
    processor = tiny_processor()
    stored = embedder_fingerprint(model, processor)
    setattr(processor.image_processor, setting, value)
    with pytest.raises(ValueError, match="here was embedded with another image processor than the one of `model`"):
        check_fingerprint(stored, embedder_fingerprint(model, processor), "here")


def test_another_tokenizer_is_refused(model):
    image_processor = tiny_e2_image_processor()
    stored = embedder_fingerprint(model, image_processor, tiny_tokenizer())
    other = train_tokenizer(["red dress", "blue dress"], 516)
    with pytest.raises(ValueError, match="another tokenizer than the one of `model`"):
        check_fingerprint(stored, embedder_fingerprint(model, image_processor, other), "here")
    check_fingerprint(stored, embedder_fingerprint(model, image_processor), "here")  # queries by photos only


def test_a_gallery_of_the_first_version_is_compared_by_its_weights_with_a_warning(model, caplog):
    found = embedder_fingerprint(model, tiny_processor())
    check_fingerprint(model_fingerprint(model), found, "here")
    (record,) = caplog.records
    assert "here was made when fingerprints held only the weights: its model is the same" in record.getMessage()
    with pytest.raises(ValueError, match=r"here was embedded by E2Model-.*, `model` is E2Model-.*cannot be compared"):
        check_fingerprint(model_fingerprint(tiny_model(seed=1)), found, "here")
