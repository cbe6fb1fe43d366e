"""Models, with their processors and cards, are pushed to a Hub in one commit."""

import json
import resource
from collections.abc import Iterator

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import save_file
from transformers import AutoModel, AutoProcessor, pipeline

import hf_fashion
from hf_fashion.commits.failures import PushError
from hf_fashion.hub.push import ensure_repository
from tests import tiny_attribute
from tests.hub.model_repositories import (
    NAME,
    contents,
    equal_weights,
    number_of_commits,
    save,
    save_e2,
    stored,
    write_on_hub,
)
from tests.hub_server import Fault
from tests.pipelines.searches import embedded_gallery
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning


@pytest.fixture
def largest_file() -> Iterator[None]:
    """No file may have more than 4 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_folder_is_pushed_whole_in_one_commit(hub, tmp_path):
    folder = save_e2(tmp_path / "e2")
    before = contents(folder)
    commit = hf_fashion.push_to_hub(folder, "a", private=True, commit_message="Autumn")
    assert commit.oid == hub.repositories["model", NAME].refs["main"] and number_of_commits(hub) == 1
    assert contents(folder) == before
    there = stored(hub)
    assert f'from_pretrained("{NAME}"' in there.pop("README.md").decode()  # the card names the repository
    assert there == {path: content for path, content in before.items() if path != "README.md"}
    assert hub.repositories["model", NAME].private
    model, processor = AutoModel.from_pretrained(NAME), AutoProcessor.from_pretrained(NAME)
    assert equal_weights(model, tiny_model()) and type(processor) is hf_fashion.E2Processor


@pytest.mark.parametrize(
    ("model", "processor"),
    [
        (tiny_model, tiny_processor),
        (tiny_attribute.tiny_asen, tiny_attribute.tiny_image_processor),
        (tiny_feature_reasoning, lambda: None),
    ],
)
def test_a_model_and_its_processor_are_pushed_as_saved(hub, tmp_path, model, processor):
    hf_fashion.push_to_hub(model(), "a", processor=processor())
    save(tmp_path / "saved", model(), processor())
    there = stored(hub)
    assert contents(tmp_path / "saved").items() <= there.items()
    assert ("modules.json" in there) == (processor() is not None), "the files for sentence-transformers"
    assert number_of_commits(hub) == 1


def test_a_pipeline_is_pushed_with_its_code(hub, tmp_path):
    gallery = embedded_gallery(tmp_path / "gallery", tiny_model(), tiny_processor())
    search = pipeline("fashion-retrieval", model=tiny_model(), processor=tiny_processor(), gallery=gallery)
    hf_fashion.push_to_hub(search, "a")
    search.save_pretrained(tmp_path / "saved")
    assert contents(tmp_path / "saved").keys() <= stored(hub).keys() and "fashion_retrieval.py" in stored(hub)
    assert "custom_pipelines" in json.loads(stored(hub)["config.json"])


def test_the_same_push_again_makes_no_commit(hub, tmp_path):
    folder = save_e2(tmp_path / "e2")
    first, second = (hf_fashion.push_to_hub(folder, "a") for _ in range(2))
    assert first.oid == second.oid and number_of_commits(hub) == 1


def test_a_branch_is_pushed_to(hub, tmp_path):
    hf_fashion.push_to_hub(save_e2(tmp_path / "e2"), NAME, revision="draft")
    assert stored(hub) == {} and "model.safetensors" in stored(hub, "draft")


def test_what_is_on_the_card_by_people_stays(hub, tmp_path):
    hf_fashion.push_to_hub(save_e2(tmp_path / "e2"), "a")
    card = stored(hub)["README.md"].decode()
    write_on_hub(hub, {"README.md": card.replace("---\n\n", "license: mit\n---\n\nOurs. Ask Ada.\n\n", 1).encode()})
    hf_fashion.push_to_hub(save_e2(tmp_path / "e2", seed=1), "a")
    card = stored(hub)["README.md"].decode()
    assert "license: mit" in card and "Ours. Ask Ada." in card


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("nowhere", {}, "there is no folder 'nowhere' to push"),
        (".", {"processor": tiny_processor()}, "`processor` is for a model; save it in the folder that is pushed"),
        (3, {}, "`source` must be a folder, a model or a pipeline, got int"),
    ],
)
def test_a_wrong_source_is_named_before_anything_is_created(hub, source, options, message):
    with pytest.raises((ValueError, OSError), match=message):
        hf_fashion.push_to_hub(source, "a", **options)
    assert hub.repositories == {}


@pytest.mark.parametrize("route", ["lfs_upload", "commit"])
def test_a_push_that_failed_changes_nothing_and_is_made_again(hub, tmp_path, route):
    folder = save_e2(tmp_path / "e2")
    hf_fashion.push_to_hub(folder, "a")
    old = stored(hub)
    save_e2(folder, seed=1)
    before = contents(folder)
    hub.faults = [Fault(route, times=100, cut_after=50)]
    with pytest.raises(PushError, match="the push to tester/a failed: the connection was refused, cut or silent"):
        hf_fashion.push_to_hub(folder, "a")
    assert stored(hub) == old and contents(folder) == before
    hub.faults = []
    hf_fashion.push_to_hub(folder, "a")
    assert stored(hub) | {"README.md": b""} == before | {"README.md": b""}


def test_a_full_disk_is_said(hub, largest_file):
    with pytest.raises(PushError, match=r"nothing was pushed: .* has no space for the files of the push .*set TMPDIR"):
        hf_fashion.push_to_hub(tiny_model(), "a", processor=tiny_processor())
    assert hub.repositories == {}


def test_a_repository_is_made_and_its_token_checked_before_a_training(hub):
    assert ensure_repository("a", private=True) == NAME
    hub.faults = [Fault("preupload", status=403)]
    with pytest.raises(PushError, match="the token may not write there"):
        ensure_repository("a")


def test_transformers_own_push_keeps_the_card(hub, tmp_path):
    """A push of hf_fashion has left it: only into a new repository transformers writes its empty card."""
    hf_fashion.push_to_hub(save_e2(tmp_path / "e2"), "a")
    card = stored(hub)["README.md"]
    tiny_model(seed=1).push_to_hub("a")
    assert stored(hub)["README.md"].split() == card.split()


def test_the_empty_card_of_transformers_is_replaced(hub, tmp_path):
    tiny_model().push_to_hub("a")
    assert b"Model Card for Model ID" in stored(hub)["README.md"]
    hf_fashion.push_to_hub(save_e2(tmp_path / "e2"), "a")
    card = ModelCard(stored(hub)["README.md"].decode())
    assert card.text == ModelCard.load(tmp_path / "e2" / "README.md").text
    assert card.data.pipeline_tag == "zero-shot-image-classification"


def test_a_model_that_is_in_no_folder_gets_a_card(hub):
    hf_fashion.push_to_hub(tiny_model(), "a", processor=tiny_processor())
    assert ModelCard(stored(hub)["README.md"].decode()).data.pipeline_tag == "zero-shot-image-classification"


def test_an_adapter_is_pushed_with_the_card_that_it_has(hub, tmp_path):
    save_file({"lora": torch.zeros(1)}, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "README.md").write_text("---\nlibrary_name: peft\n---\n\n# An adapter\n")
    hf_fashion.push_to_hub(tmp_path, "a")
    assert stored(hub) == contents(tmp_path)


def test_files_of_a_push_are_listed(hub, tmp_path):
    hf_fashion.push_to_hub(save_e2(tmp_path / "e2"), "a")
    repository = hub.repositories["model", NAME]
    files = repository.commits[repository.refs["main"]]
    listed = json.loads(files["pushed_files.json"].content)["sha256"]
    assert listed == {path: files[path].sha256 for path in files.keys() - {"README.md", "pushed_files.json"}}
