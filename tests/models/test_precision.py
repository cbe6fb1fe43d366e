"""Smaller weights: bfloat16 and float16 by both doors, int8 by torchao when a folder is loaded."""

from collections.abc import Callable

import pytest
import torch
from torchao.quantization import Int8DynamicActivationInt8WeightConfig, Int8Tensor, Int8WeightOnlyConfig
from transformers import AutoModel, PreTrainedModel, TorchAoConfig

from hf_fashion.models.e2.modeling_e2 import E2VisionModel
from tests.tiny_attribute import tiny_asen
from tests.tiny_e2 import tiny_inputs, tiny_model
from tests.tiny_feature_reasoning import tiny_feature_reasoning, tiny_lists
from tests.tiny_ipad import RPF, tiny_ipad, tiny_ipad_images


Calls = dict[str, Callable[[PreTrainedModel], torch.Tensor]]


def image_embeds(model: PreTrainedModel) -> torch.Tensor:
    outputs = model(**tiny_inputs())
    return torch.cat([outputs.image_embeds, outputs.text_embeds, outputs.region_embeds.flatten(0, 1)])


def vision_embeds(model: PreTrainedModel) -> torch.Tensor:
    return model(tiny_inputs()["pixel_values"]).image_embeds


def attribute_embeds(model: PreTrainedModel) -> torch.Tensor:
    return model(tiny_ipad_images()).attribute_embeds


def similarities(model: PreTrainedModel) -> torch.Tensor:
    lists = tiny_lists()
    short = lists | {"candidate_mask": torch.arange(6).expand(3, -1) < torch.tensor([[6], [4], [1]])}
    # Twice: all lists full, and some shorter, which take another path.
    return torch.stack([model(**inputs).similarities.nan_to_num(neginf=0) for inputs in (lists, short)])


# Name -> the model, its float32 outputs, and how many tensors stay in float32.
MODELS = {
    "e2": (tiny_model, image_embeds, 1),
    "e2-vision": (lambda: E2VisionModel(tiny_model().config.vision_config).eval(), vision_embeds, 0),
    "asen": (tiny_asen, attribute_embeds, 0),
    "asen++": (lambda: tiny_asen(local=True), attribute_embeds, 0),
    "csn": (lambda: tiny_asen(head="csn"), attribute_embeds, 0),
    "ipad": (tiny_ipad, attribute_embeds, 22),
    "rpf": (lambda: tiny_ipad(**RPF), attribute_embeds, 16),
    "fr": (lambda: tiny_feature_reasoning(step_size=0.002), similarities, 25),
}
INT8 = {"weights": Int8WeightOnlyConfig, "activations": Int8DynamicActivationInt8WeightConfig}


def dtypes(model: PreTrainedModel) -> dict[str, torch.dtype]:
    return {name: tensor.dtype for name, tensor in model.state_dict().items()}


@pytest.fixture(params=MODELS)
def saved(request, tmp_path):
    make, call, number = MODELS[request.param]
    model = make()
    model.save_pretrained(tmp_path)
    return model, tmp_path, call, number


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_new_model_and_a_loaded_one_have_the_same_dtypes_and_run(saved, dtype):
    model, folder, call, number = saved
    loaded = AutoModel.from_pretrained(folder, dtype=dtype) if model.config.model_type != "e2_vision_model" else None
    loaded = loaded or E2VisionModel.from_pretrained(folder, dtype=dtype)
    created = AutoModel.from_config(model.config, dtype=dtype)
    assert dtypes(created) == dtypes(loaded)
    weights = [tensor for tensor in loaded.state_dict().values() if tensor.is_floating_point()]
    assert sum(tensor.dtype == torch.float32 for tensor in weights) == number
    with torch.no_grad():
        cosines = torch.cosine_similarity(call(model), call(loaded).float(), dim=-1)
    assert cosines.min() > 0.99


@pytest.mark.parametrize("config", INT8)
def test_int8_weights_give_nearly_the_same(saved, config):
    model, folder, call, _ = saved
    loaded = type(model).from_pretrained(folder, quantization_config=TorchAoConfig(INT8[config]()))
    layers = [module for module in loaded.modules() if isinstance(module, torch.nn.Linear)]
    # transformers leaves a model's last layer in float, which it takes for that of a language model.
    assert all(isinstance(layer.weight.data, Int8Tensor) for layer in layers[:-1])
    with torch.no_grad():
        expected, found = call(model), call(loaded)
    assert not torch.equal(found, expected)
    assert torch.cosine_similarity(found, expected, dim=-1).min() > 0.998


def test_the_order_of_a_list_is_that_of_the_float_model(tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    load = AutoModel.from_pretrained
    models = load(tmp_path), load(tmp_path, quantization_config=TorchAoConfig(Int8WeightOnlyConfig()))
    full = tiny_lists()
    with torch.no_grad():
        orders = [model.rerank(**full).argsort(descending=True) for model in models]
    assert torch.equal(*orders)


@pytest.mark.parametrize("make", [tiny_model, tiny_feature_reasoning])
def test_int8_that_could_not_be_loaded_again_is_not_saved(tmp_path, make):
    make().save_pretrained(tmp_path / "float")
    config = TorchAoConfig(Int8WeightOnlyConfig())
    model = AutoModel.from_pretrained(tmp_path / "float", quantization_config=config)
    with pytest.raises(ValueError, match="Save it in float, and load it with `quantization_config`"):
        model.save_pretrained(tmp_path / "int8")
    assert not (tmp_path / "int8").exists()


@pytest.mark.parametrize("make", [lambda: tiny_asen(local=True), tiny_ipad])
def test_int8_is_saved_and_loaded_again(tmp_path, make):
    make().save_pretrained(tmp_path / "float")
    config = TorchAoConfig(Int8WeightOnlyConfig())
    model = AutoModel.from_pretrained(tmp_path / "float", quantization_config=config)
    model.save_pretrained(tmp_path / "int8")
    with torch.no_grad():
        assert torch.equal(attribute_embeds(AutoModel.from_pretrained(tmp_path / "int8")), attribute_embeds(model))
