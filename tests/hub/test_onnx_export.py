"""Export to ONNX: E2's two files against the model, their metadata, and files that are not written."""

import json
import re
from pathlib import Path

import onnx
import pytest
import torch
from transformers import AutoModel

from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.hub import onnx_export
from hf_fashion.hub.onnx_export import export_onnx
from tests.hub.onnx_runs import exported, run
from tests.tiny_attribute import tiny_asen
from tests.tiny_e2 import IMAGE_SIZE, TAG_ENTITIES, tiny_inputs, tiny_model, tiny_processor
from tests.tiny_filip import tiny_filip
from tests.tiny_siglip import tiny_siglip


def small_e2():
    return tiny_model(fusion_layers=[1])


@pytest.fixture(scope="module")
def e2(tmp_path_factory) -> Path:
    return exported(small_e2(), tmp_path_factory.mktemp("e2"))


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_the_image_side_of_e2_takes_every_batch(e2, batch_size):
    pixels = torch.randn(batch_size, 3, IMAGE_SIZE, IMAGE_SIZE)
    found = run(e2 / "vision_model.onnx", {"pixel_values": pixels})
    with torch.no_grad():
        expected = small_e2()(pixel_values=pixels)
    assert found.keys() == {"image_embeds", "region_embeds"}
    for name, embeds in found.items():
        torch.testing.assert_close(embeds, expected[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_the_text_side_of_e2_takes_every_batch_and_length(e2, batch_size):
    texts = [f"a dress with {'many ' * row}stripes" for row in range(batch_size)]
    tokens = dict(tiny_processor()(text=texts, padding=True, truncation=True, return_tensors="pt"))
    found = run(e2 / "text_model.onnx", tokens)
    with torch.no_grad():
        expected = small_e2()(**tokens)
    torch.testing.assert_close(found["text_embeds"], expected.text_embeds, rtol=0, atol=1e-5)


def test_files_say_what_they_are_and_nothing_of_this_machine(e2):
    for name in ("vision_model", "text_model"):
        content = (e2 / f"{name}.onnx").read_bytes()
        facts = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
        assert facts["hf_fashion.model_type"] == "e2"
        assert json.loads(facts["hf_fashion.tag_entities"]) == TAG_ENTITIES
        assert facts["hf_fashion.fingerprint"] == model_fingerprint(small_e2())
        assert b"modeling_e2.py" not in content and str(Path(__file__).parents[2]).encode() not in content


def test_transformers_js_is_told_the_type_and_the_model_stays_the_same(e2):
    config = json.loads((e2.parent / "config.json").read_text(encoding="utf-8"))
    assert config["transformers.js_config"] == {"dtype": "fp32"}
    model = AutoModel.from_pretrained(e2.parent)
    assert model_fingerprint(model) == model_fingerprint(small_e2())
    assert torch.equal(model(**tiny_inputs()).image_embeds, small_e2()(**tiny_inputs()).image_embeds)


def test_a_file_that_differs_leaves_the_one_that_was_there(tmp_path):
    tiny_asen(head="triplet").save_pretrained(tmp_path)
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_text("before")
    before = (tmp_path / "config.json").read_text()
    with pytest.raises(ValueError, match=r"model.onnx is not written: in onnxruntime its attribute_embeds differ"):
        export_onnx(tmp_path, tolerance=-1.0)
    assert [path.name for path in (tmp_path / "onnx").iterdir()] == ["model.onnx"]
    assert (tmp_path / "onnx" / "model.onnx").read_text() == "before"
    assert (tmp_path / "config.json").read_text() == before


@pytest.mark.parametrize(("one", "other", "expected"), [(1.0, 0.5, 0.5), (1.0, float("nan"), float("inf"))])
def test_infinities_that_agree_are_no_difference_and_nan_is_one(one, other, expected):
    ones, others = torch.tensor([-torch.inf, one]), torch.tensor([-torch.inf, other])
    assert onnx_export._difference(ones, others) == expected


def test_other_models_and_folders_without_one_are_refused(tmp_path):
    tiny_filip().save_pretrained(tmp_path / "filip")
    with pytest.raises(ValueError, match=r"a FILIP compares every patch .* exports need\. Take an E2 or a CLIP"):
        export_onnx(tmp_path / "filip")
    tiny_siglip().save_pretrained(tmp_path / "siglip")
    with pytest.raises(ValueError, match=r"type 'siglip' cannot be exported here, only E2"):
        export_onnx(tmp_path / "siglip")
    with pytest.raises(OSError, match="there is no model in a folder"):
        export_onnx(tmp_path / "nothing")


def test_weights_that_no_file_can_hold_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "LARGEST_FILE", 1000)
    tiny_asen(head="csn").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"model.onnx would hold [\d,]+ bytes of weights.* at most 1,000 bytes"):
        export_onnx(tmp_path)
    assert list((tmp_path / "onnx").iterdir()) == []


def test_missing_packages_are_named_with_the_line_that_installs_them(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "NEEDED", ("onnx", "no_such_package"))
    with pytest.raises(ImportError, match=re.escape('needs no_such_package: pip install "hf-fashion[onnx]"')):
        export_onnx(tmp_path)
