"""A saved IPAD loads with `trust_remote_code` where hf_fashion cannot be imported, and gives the same."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hf_fashion.models.attribute.modeling_ipad import IpadModel
from tests.hub.processes import run_python
from tests.models.attribute.tiny_bare_backbones import tiny_bare_config
from tests.tiny_attribute import ATTRIBUTE_VALUES, tiny_image_processor, tiny_photos
from tests.tiny_ipad import DINOV2, tiny_ipad


def small_ipad() -> IpadModel:
    """Return an IPAD whose backbone is a transformers model without a Backbone class, with regions for a DINOv2, and
    with an attribute that was added to it."""
    model = tiny_ipad(backbone_config=tiny_bare_config("mobilenet_v2", feature_stride=16), **DINOV2)
    return model.add_attribute("heel height", ["flat", "high"])


@pytest.fixture(scope="module")
def loaded_anywhere(tmp_path_factory) -> Path:
    """Return the folder with the outputs of a process without hf_fashion."""
    folder, work = (tmp_path_factory.mktemp(name) for name in ("saved", "work"))
    small_ipad().save_pretrained(folder)
    tiny_image_processor().save_pretrained(folder)
    tiny_photos()[0].save(work / "image.png")
    run_python(["-I", str(Path(__file__).with_name("load_attribute_anywhere.py")), str(folder), str(work)], work)
    return work


def test_classes_come_from_the_saved_code(loaded_anywhere):
    results = json.loads((loaded_anywhere / "results.json").read_text())
    assert results["classes"] == ["IpadModel", "IpadConfig", "AttributeImageProcessorPil"]
    assert results["model_type"] == "ipad" and results["modules"] == []
    assert results["attribute_values"] == ATTRIBUTE_VALUES | {"heel height": ["flat", "high"]}


def test_inputs_and_outputs_are_equal(loaded_anywhere):
    there = load_file(loaded_anywhere / "outputs.safetensors")
    inputs = tiny_image_processor()(tiny_photos()[0], do_source=True, return_tensors="pt")
    with torch.no_grad():
        here = {**inputs, **small_ipad()(**inputs)}
    assert there.keys() == here.keys()
    for name, tensor in here.items():
        torch.testing.assert_close(there[name], tensor, rtol=1e-5, atol=1e-6)


def test_saving_what_was_loaded_keeps_the_code(loaded_anywhere):
    again = loaded_anywhere / "saved_again"
    auto_map = json.loads((again / "config.json").read_text())["auto_map"]
    assert set(auto_map) == {"AutoConfig", "AutoModel"}
    code = {"configuration_ipad.py", "modeling_ipad.py", "positioning_ipad.py", "semantics_ipad.py"}
    assert code | {"bare_backbone_attribute.py", "table_attribute.py"} <= {path.name for path in again.glob("*.py")}
