"""The Hub's widgets: `pipeline(model=id)` knows the task from the card, and runs on the model's own code."""

import json

import pytest
import torch
from huggingface_hub import ModelCard, ModelCardData
from transformers import pipeline

from tests.hub.processes import run_python
from tests.hub_server import HubServer
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor
from tests.tiny_ipad import tiny_ipad


MODELS = {
    "e2": ("zero-shot-image-classification", lambda: (tiny_model(), tiny_processor())),
    "asen": ("image-feature-extraction", lambda: (tiny_asen(local=True), tiny_image_processor(do_source=True))),
    "ipad": ("image-feature-extraction", lambda: (tiny_ipad(), tiny_image_processor(do_source=True))),
}
PUSH = """
import sys
from huggingface_hub import HfApi
api = HfApi()
for name in sys.argv[2:]:
    api.create_repo(f"tester/{name}")
    api.upload_folder(repo_id=f"tester/{name}", folder_path=f"{sys.argv[1]}/{name}")
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    work = tmp_path_factory.mktemp("models")
    for name, (task, make) in MODELS.items():
        for part in make():
            part.save_pretrained(work / name)
        data = ModelCardData(library_name="transformers", pipeline_tag=task)
        ModelCard(f"---\n{data.to_yaml()}\n---\n# Tiny\n").save(work / name / "README.md")
    return work


@pytest.fixture(scope="module")
def found(saved, tmp_path_factory) -> dict:
    work = tmp_path_factory.mktemp("anywhere")
    tiny_images(1)[0].save(work / "image.png")
    with HubServer() as hub:
        run_python(["-c", PUSH, str(saved), *MODELS], work, hub.environment())
        script = __file__.replace("test_widget", "widget_anywhere")
        run_python(["-I", script, str(work)], work, hub.environment())
    return json.loads((work / "results.json").read_text())


@pytest.mark.parametrize("name", MODELS)
def test_the_card_names_the_task(name, found):
    assert found[name]["task"] == MODELS[name][0]


def test_e2_classifies(found, saved):
    classify = pipeline("zero-shot-image-classification", model=str(saved / "e2"))
    expected = classify(tiny_images(1)[0], candidate_labels=["dress", "coat"])
    assert [one["label"] for one in found["e2"]["answer"]] == [one["label"] for one in expected]
    scores = ([one["score"] for one in labels] for labels in (found["e2"]["answer"], expected))
    torch.testing.assert_close(*map(torch.tensor, scores))


@pytest.mark.parametrize("name", ["asen", "ipad"])
def test_an_attribute_model_extracts_an_embedding_of_each_attribute(name, found):
    model, processor = MODELS[name][1]()
    with torch.no_grad():
        expected = model(**processor(images=tiny_images(1)[0], return_tensors="pt")).attribute_embeds  # (1, A, D)
    for key in ("answer", "features"):
        torch.testing.assert_close(torch.tensor(found[name][key]), expected, rtol=1e-4, atol=1e-5)
