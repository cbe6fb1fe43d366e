"""A saved E2, in a folder or on a Hub, loads through transformers' Auto classes with and without hf_fashion."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoProcessor, pipeline

import hf_fashion
from tests.hub.processes import run_python
from tests.hub_server import HubServer
from tests.tiny_e2 import tiny_images, tiny_inputs, tiny_model, tiny_processor
from tests.tiny_e2_families import tiny_e2_on


REPOSITORY_ID = "tester/tiny-e2"


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "tiny-e2"
    tiny_model().save_pretrained(folder)
    tiny_processor().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["folder", "hub"])
def loaded_anywhere(request, saved, tmp_path_factory) -> Path:
    """Return the folder of outputs of a process without hf_fashion, which loaded from a folder or from a Hub."""
    work = tmp_path_factory.mktemp(request.param)
    save_file({name: tensor.contiguous() for name, tensor in tiny_inputs().items()}, work / "inputs.safetensors")
    tiny_images(1)[0].save(work / "image.png")
    script = str(Path(__file__).with_name("load_anywhere.py"))
    if request.param == "folder":
        run_python(["-I", script, str(saved), str(work)], work)
        return work
    with HubServer() as hub:
        with pytest.MonkeyPatch.context() as patch:
            hub.use_here(patch)
            AutoModel.from_pretrained(saved).push_to_hub(REPOSITORY_ID)
            AutoProcessor.from_pretrained(saved).push_to_hub(REPOSITORY_ID)
        run_python(["-I", script, REPOSITORY_ID, str(work)], work, hub.environment())
    return work


def test_classes_come_from_the_saved_code(loaded_anywhere):
    results = json.loads((loaded_anywhere / "results.json").read_text())
    assert results["classes"] == ["E2Model", "E2Model", "E2Processor", "E2ImageProcessorPil"]
    assert results["model_type"] == "e2"
    assert results["modules"] == []


def test_outputs_are_equal(loaded_anywhere):
    there = load_file(loaded_anywhere / "outputs.safetensors")
    with torch.no_grad():
        here = tiny_model()(**tiny_inputs(), return_loss=True)
    for name in ("loss", "image_embeds", "text_embeds", "region_embeds", "tag_embeds"):
        torch.testing.assert_close(there[name], here[name], rtol=1e-5, atol=1e-6)


def test_processing_is_equal(loaded_anywhere):
    there = load_file(loaded_anywhere / "outputs.safetensors")
    here = tiny_processor()(
        images=tiny_images(1)[0], text="a red dress", tags={"brand": "x"}, return_tensors="pt", padding=True
    )
    for name in ("pixel_values", "input_ids", "tag_input_ids", "tag_ids"):
        torch.testing.assert_close(there[name], here[name], rtol=0, atol=0)
    torch.testing.assert_close(there["pixel_values_alone"], here["pixel_values"], rtol=0, atol=0)


def test_pipelines_are_equal(loaded_anywhere, saved):
    """By `import hf_fashion` here and only by `trust_remote_code` there."""
    there = json.loads((loaded_anywhere / "results.json").read_text())
    image = tiny_images(1)[0]
    labels = pipeline("zero-shot-image-classification", model=str(saved))(image, candidate_labels=["dress", "shoe"])
    features = pipeline("image-feature-extraction", model=str(saved))(image, pool=True)
    assert [label["label"] for label in there["labels"]] == [label["label"] for label in labels]
    scores = [torch.tensor([label["score"] for label in found]) for found in (there["labels"], labels)]
    torch.testing.assert_close(*scores)
    torch.testing.assert_close(torch.tensor(there["features"]), torch.tensor(features))


def test_zero_shot_pipeline_agrees_with_the_model(saved):
    model, processor, image = tiny_model(), tiny_processor(), tiny_images(1)[0]
    labels = ["dress", "shoe"]
    found = pipeline("zero-shot-image-classification", model=str(saved))(
        image, candidate_labels=labels, hypothesis_template="{}"
    )
    inputs = processor(images=image, text=labels, return_tensors="pt", padding=True)
    with torch.no_grad():
        expected = model(**inputs).logits_per_image.softmax(-1)[0]
    scores = {entry["label"]: entry["score"] for entry in found}
    torch.testing.assert_close(torch.tensor([scores[label] for label in labels]), expected)


def test_saving_what_was_loaded_keeps_the_code(loaded_anywhere):
    again = loaded_anywhere / "saved_again"
    auto_map = json.loads((again / "config.json").read_text())["auto_map"]
    for entry in auto_map.values():
        assert (again / f"{entry.split('--')[-1].split('.')[0]}.py").is_file()


def test_weights_are_safetensors_only(saved):
    pickles = [path.name for path in saved.iterdir() if path.suffix in (".bin", ".pt", ".pth", ".pkl", ".ckpt")]
    assert pickles == []
    assert [path.name for path in saved.glob("*.safetensors")] == ["model.safetensors"]


def test_registered_classes_need_no_trust(saved):
    assert type(AutoModel.from_pretrained(saved)) is hf_fashion.E2Model
    assert type(AutoProcessor.from_pretrained(saved)) is hf_fashion.E2Processor


def test_image_side_alone_carries_its_code(tmp_path):
    vision = hf_fashion.E2VisionModel(tiny_model().config.vision_config)
    vision.save_pretrained(tmp_path)
    auto_map = json.loads((tmp_path / "config.json").read_text())["auto_map"]
    assert auto_map == {
        "AutoConfig": "configuration_e2.E2VisionConfig",
        "AutoModel": "modeling_e2.E2VisionModel",
    }
    names = {path.name for path in tmp_path.glob("*.py")}
    assert {"configuration_e2.py", "modeling_e2.py", "modeling_e2_vision.py", "selection_e2.py"} <= names
    assert "processing_e2.py" not in names


def test_image_side_on_another_tower_loads_by_its_code(tmp_path):
    vision = hf_fashion.E2VisionModel(tiny_e2_on("dinov2").config.vision_config).eval()
    vision.save_pretrained(tmp_path / "vision")
    pixels = tiny_inputs()["pixel_values"]
    save_file({"pixel_values": pixels, "image_embeds": vision(pixels).image_embeds}, tmp_path / "expected.safetensors")
    run_python(["-I", str(Path(__file__).with_name("load_image_side_anywhere.py")), str(tmp_path)], tmp_path)
