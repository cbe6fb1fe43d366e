"""The handler and what it needs, written into a model's folder; what does not fit is refused before anything is."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from transformers import CLIPConfig, CLIPModel

from hf_fashion.hub.endpoint import write
from hf_fashion.hub.endpoint.write import write_endpoint
from hf_fashion.retrieval.gallery import Gallery
from tests.conftest import REPOSITORY
from tests.pipelines.searches import COUNT, embedded_gallery
from tests.tiny_dual_encoder import tiny_dual_encoder
from tests.tiny_e2 import tiny_config, tiny_model, tiny_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning


@pytest.fixture
def e2(tmp_path) -> Path:
    tiny_model().save_pretrained(tmp_path / "e2")
    tiny_processor().save_pretrained(tmp_path / "e2")
    return tmp_path / "e2"


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_model_gets_a_handler_and_its_code(e2):
    before = names(e2)
    write_endpoint(e2)
    written = names(e2) - before
    code = {name for name in written if name.startswith("endpoint_code/")}
    assert {"endpoint_code/__init__.py", "endpoint_code/service.py", "endpoint_code/encoder.py"} <= code
    assert written - code == {"handler.py", "endpoint.json", "requirements.txt"}
    assert before <= names(e2) and json.loads((e2 / "endpoint.json").read_text()) == {}
    compile((e2 / "handler.py").read_text(), "handler.py", "exec")


def test_gallery_and_re_ranker_are_saved_next_to_it_and_replaced(e2, tmp_path):
    gallery = embedded_gallery(tmp_path / "gallery", tiny_model(), tiny_processor())
    tiny_feature_reasoning().save_pretrained(tmp_path / "fr")
    for _ in range(2):
        write_endpoint(e2, tmp_path / "gallery", tmp_path / "fr")
        assert json.loads((e2 / "endpoint.json").read_text()) == {"gallery": "gallery", "reranker": "reranker"}
        assert {"gallery/gallery.json", "reranker/model.safetensors"} <= names(e2)
        gallery.delete(["p00"])
    assert len(Gallery.from_pretrained(e2 / "gallery", uri=tmp_path / "loaded")) == COUNT - 1
    assert [path for path in e2.iterdir() if path.name.startswith(".")] == []


def test_a_hub_id_is_written_and_removes_nothing(e2, tmp_path, monkeypatch, caplog):
    """It may be a mistyped path."""
    embedded_gallery(tmp_path / "gallery", tiny_model(), tiny_processor())
    write_endpoint(e2, tmp_path / "gallery")
    before = names(e2)
    with pytest.raises(ValueError, match=r"e2/gallery was saved by an earlier call and would be removed for 'shop/c"):
        write_endpoint(e2, "shop/catalogue")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="not taken for an id on the Hub either, since e2 is a folder here"):
        write_endpoint(e2, "e2/galery")
    assert names(e2) == before
    shutil.rmtree(e2 / "gallery")
    write_endpoint(e2, "shop/catalogue", "k_reciprocal")
    assert json.loads((e2 / "endpoint.json").read_text()) == {"gallery": "shop/catalogue", "reranker": "k_reciprocal"}
    assert "'shop/catalogue' is no folder here: it is taken for an id on the Hub" in caplog.text


def test_a_gallery_that_is_not_given_again_is_not_pushed_with_the_model(e2, tmp_path):
    embedded_gallery(tmp_path / "gallery", tiny_model(), tiny_processor())
    tiny_feature_reasoning().save_pretrained(tmp_path / "fr")
    write_endpoint(e2)
    without = {name: (e2 / name).read_bytes() for name in names(e2)}
    write_endpoint(e2, tmp_path / "gallery", tmp_path / "fr")
    write_endpoint(e2, tmp_path / "gallery")
    assert (e2 / "gallery" / "gallery.json").is_file() and not (e2 / "reranker").exists()
    write_endpoint(e2)
    assert {name: (e2 / name).read_bytes() for name in names(e2)} == without


def test_folders_that_it_did_not_write_stay(e2):
    """A shop's gallery may lie in the model's folder, under the very name."""
    gallery = embedded_gallery(e2 / "gallery", tiny_model(), tiny_processor())
    for others in (None, "shop/catalogue"):
        write_endpoint(e2, others)
    with pytest.raises(ValueError, match=r"e2/gallery was not written as part of an endpoint: move it"):
        write_endpoint(e2, e2 / "gallery")
    assert sorted(Gallery.open(e2 / "gallery").ids()) == sorted(gallery.ids())
    (e2 / "endpoint.json").write_text("[]")
    with pytest.raises(ValueError, match=r"endpoint\.json was not written by hf_fashion, or is damaged"):
        write_endpoint(e2)


def test_requirements_are_those_of_the_package_and_lines_of_others_stay(e2, monkeypatch):
    others = "my-package==1\ntransformers-interpret==0.10\nhf-fashion-tools\n# transformers\n"
    (e2 / "requirements.txt").write_text(f"{others}transformers==4.40\nHF_Fashion[gallery]\n")
    write_endpoint(e2)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    (line,) = [line for line in project["dependencies"] if line.startswith("transformers")]
    assert (e2 / "requirements.txt").read_text() == f"{others}{line}\n"
    monkeypatch.setattr(write, "installed_version", lambda name: "0.1.0")
    write_endpoint(e2, "shop/catalogue")
    assert (e2 / "requirements.txt").read_text() == f"{others}hf-fashion[gallery]==0.1.0\n"


def test_what_does_not_fit_is_refused_and_nothing_is_written(e2, tmp_path):
    embedded_gallery(tmp_path / "other", tiny_model(seed=1), tiny_processor())
    before = names(e2)
    with pytest.raises(ValueError, match="`model` is E2Model-"):
        write_endpoint(e2, tmp_path / "other")
    with pytest.raises(FileNotFoundError, match=r"there is no gallery at .*no gallery"):
        write_endpoint(e2, "no gallery")
    with pytest.raises(ValueError, match="`reranker` is for a search: give a `gallery` too"):
        write_endpoint(e2, None, "k_reciprocal")
    embedded_gallery(tmp_path / "gallery", tiny_model(), tiny_processor())
    with pytest.raises(FileNotFoundError, match="there is no re-ranker at nowhere"):
        write_endpoint(e2, tmp_path / "gallery", "nowhere")
    with pytest.raises(ValueError, match="`reranker` must be a FeatureReasoningModel"):
        write_endpoint(e2, tmp_path / "gallery", e2)
    tiny_feature_reasoning(embedder_fingerprints=["E2Model-other"]).save_pretrained(tmp_path / "fr")
    with pytest.raises(ValueError, match="the FR was trained to re-rank the searches of E2Model-other"):
        write_endpoint(e2, tmp_path / "gallery", tmp_path / "fr")
    assert names(e2) == before


def test_folders_that_serve_no_fashion_model_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is no folder of a saved model: it has no config\.json"):
        write_endpoint(tmp_path)
    for model in (tiny_dual_encoder(), tiny_feature_reasoning()):
        kind = model.config.model_type
        model.save_pretrained(tmp_path / kind)
        with pytest.raises(ValueError, match=f"a model of type '{kind}' is not supported"):
            write_endpoint(tmp_path / kind)


def test_a_handler_that_someone_wrote_stays(e2):
    (e2 / "handler.py").write_text("class EndpointHandler: ...\n")
    with pytest.raises(ValueError, match=r"handler\.py was not written by hf_fashion"):
        write_endpoint(e2)
    assert (e2 / "handler.py").read_text() == "class EndpointHandler: ...\n"


def test_a_plain_clip_is_served_too(tmp_path):
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 16, "patch_size": 4}
    text = tiny_config().text_config.to_dict()
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)).save_pretrained(tmp_path / "clip")
    tiny_processor().save_pretrained(tmp_path / "clip")
    write_endpoint(tmp_path / "clip")
    assert (tmp_path / "clip" / "handler.py").is_file()
