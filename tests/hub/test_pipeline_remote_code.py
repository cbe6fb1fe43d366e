"""The retrieval pipeline is saved with its model, and loads from there with and without hf_fashion."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file
from transformers import AutoModel, AutoProcessor, pipeline

import hf_fashion
from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.retrieval.gallery import Gallery
from tests.hub.processes import run_python
from tests.hub_server import HubServer
from tests.pipelines.searches import COUNT, embedded_gallery
from tests.tiny_attribute import tiny_asen, tiny_image_processor, tiny_photos
from tests.tiny_e2 import TAG_ENTITIES, tiny_images, tiny_model, tiny_processor


REPOSITORY_ID = "tester/tiny-search"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> Gallery:
    return embedded_gallery(tmp_path_factory.mktemp("gallery") / "e2", tiny_model(), tiny_processor())


@pytest.fixture(scope="module")
def saved(gallery, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "search"
    pipeline("fashion-retrieval", model=tiny_model(), processor=tiny_processor(), gallery=gallery).save_pretrained(
        folder
    )
    return folder


@pytest.fixture(scope="module", params=["folder", "hub"])
def loaded_anywhere(request, saved, gallery, tmp_path_factory) -> Path:
    """Folder with what a process without hf_fashion wrote, having loaded from a folder or from a Hub."""
    work = tmp_path_factory.mktemp(request.param)
    save_file({"vectors": gallery.vectors(sorted(gallery.ids()), "image")}, work / "products.safetensors")
    tiny_images(COUNT)[5].save(work / "image.png")
    script = str(Path(__file__).with_name("load_pipeline_anywhere.py"))
    if request.param == "folder":
        run_python(["-I", script, str(saved), str(work)], work)
        return work
    with HubServer() as hub:
        with pytest.MonkeyPatch.context() as patch:
            hub.use_here(patch)
            model, processor = AutoModel.from_pretrained(saved), AutoProcessor.from_pretrained(saved)
            search = hf_fashion.FashionRetrievalPipeline(model, gallery=gallery, processor=processor, device="cpu")
            search.push_to_hub(REPOSITORY_ID)
        run_python(["-I", script, REPOSITORY_ID, str(work)], work, hub.environment())
    return work


def names_and_scores(results: list[dict]) -> list[tuple[int, float]]:
    return [(int(result["id"].removeprefix("p")), pytest.approx(result["score"], abs=1e-5)) for result in results]


def test_results_are_equal_where_hf_fashion_cannot_be_imported(loaded_anywhere, gallery):
    there = json.loads((loaded_anywhere / "results.json").read_text())
    assert there["modules"] == []
    assert there["classes"] == ["FashionRetrievalPipeline", "E2Model", "E2Processor"]
    here = pipeline("fashion-retrieval", model=tiny_model(), processor=tiny_processor(), gallery=gallery, top_k=3)
    assert names_and_scores(there["photo"]) == names_and_scores(here(tiny_images(COUNT)[5]))
    expected = here([{"green shirt": 1, "buttons": -0.5}, "a red dress"])
    assert list(map(names_and_scores, there["terms"])) == list(map(names_and_scores, expected))
    reranking = {"gallery": gallery, "top_k": 3, "reranker": "k_reciprocal"}
    here = pipeline("fashion-retrieval", model=tiny_model(), processor=tiny_processor(), **reranking)
    assert names_and_scores(there["reranked"]) == names_and_scores(here(tiny_images(COUNT)[5]))


def test_heat_maps_and_photos_travel_too(loaded_anywhere):
    there = json.loads((loaded_anywhere / "results.json").read_text())
    assert there["heat maps"] == TAG_ENTITIES
    assert tuple(there["image"]) == tiny_images(1)[0].size


def test_what_needs_hf_fashion_says_so(loaded_anywhere):
    there = json.loads((loaded_anywhere / "results.json").read_text())
    assert 'needs hf_fashion: pip install "hf-fashion[gallery]"' in there["gallery"]


def test_saving_what_was_loaded_keeps_code_and_entry(loaded_anywhere, saved):
    again = loaded_anywhere / "saved_again"
    assert {path.name for path in again.glob("*.py")} == {path.name for path in saved.glob("*.py")}
    implementation = "fashion_retrieval.FashionRetrievalPipeline"
    assert json.loads((again / "config.json").read_text())["custom_pipelines"] == {
        "fashion-retrieval": {"impl": implementation, "pt": ["AutoModel"], "type": "multimodal"}
    }


def test_a_model_that_is_saved_later_needs_no_code_of_the_pipeline(gallery, tmp_path):
    made = {"processor": tiny_processor(), "gallery": gallery}
    search = pipeline("fashion-retrieval", model=tiny_model(), **made)
    search.save_pretrained(tmp_path / "shared")
    search.model.save_pretrained(tmp_path / "plain")
    assert "custom_pipelines" not in json.loads((tmp_path / "plain" / "config.json").read_text())
    with_others = tiny_model()
    with_others.config.custom_pipelines = others = {"a-task": {"impl": "a.A"}}
    pipeline("fashion-retrieval", model=with_others, **made).save_pretrained(tmp_path / "others")
    assert with_others.config.custom_pipelines == others
    written = json.loads((tmp_path / "others" / "config.json").read_text())["custom_pipelines"]
    assert list(written) == ["a-task", "fashion-retrieval"]


def test_the_saved_pipeline_opens_the_gallery_that_its_model_embedded(saved, gallery):
    options = {"gallery": gallery.info()["uri"], "reranker": "query_expansion"}
    search = pipeline("fashion-retrieval", model=str(saved), trust_remote_code=True, **options)
    here = pipeline("fashion-retrieval", model=tiny_model(), processor=tiny_processor(), **options)
    photo = tiny_images(COUNT)[5]
    assert names_and_scores(search(photo)) == names_and_scores(here(photo))
    assert type(search) is not type(here)  # the saved code


def test_model_and_processor_load_as_ever_from_a_saved_pipeline(saved):
    model = AutoModel.from_pretrained(saved)
    assert model_fingerprint(model) == model_fingerprint(tiny_model())
    processor, photos = AutoProcessor.from_pretrained(saved), tiny_images(2)
    assert type(processor) is hf_fashion.E2Processor
    here, there = (given(images=photos, text=["a dress", "shoes"]) for given in (tiny_processor(), processor))
    assert here["input_ids"] == there["input_ids"]
    np.testing.assert_array_equal(here["pixel_values"], there["pixel_values"])


def test_a_model_with_an_image_processor_alone_is_saved_too(tmp_path):
    model, processor = tiny_asen(), tiny_image_processor()
    uri = str(tmp_path / "gallery")
    gallery = embedded_gallery(uri, model, processor)
    options = {"gallery": gallery, "attribute": "pattern"}
    search = pipeline("fashion-retrieval", model=model, processor=processor, **options)
    search.save_pretrained(tmp_path / "saved")
    loaded = pipeline("fashion-retrieval", model=str(tmp_path / "saved"), trust_remote_code=True, **options)
    photo = tiny_photos(1)[0]
    assert names_and_scores(loaded(photo)) == names_and_scores(search(photo))
