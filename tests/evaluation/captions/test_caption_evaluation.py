"""The evaluation of captioners, on photos whose captions and tags are known."""

import pytest
import torch

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.evaluation.captions.caption_evaluation import evaluate_captions, write_captions
from hf_fashion.evaluation.evaluate import evaluate, read_options
from hf_fashion.evaluation.options import CaptionOptions
from hf_fashion.reports.evaluation_tables import evaluation_tables
from tests.evaluation.saved_models import save_corpus
from tests.tiny_captioner import tiny_caption_processor, tiny_captioner


pytest.importorskip("pycocoevalcap", reason='pip install "hf-fashion[captions]"')
pytest.importorskip("nltk", reason='pip install "hf-fashion[captions]"')


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captioner")
    tiny_captioner().save_pretrained(folder / "model")
    tiny_caption_processor().save_pretrained(folder / "model")
    save_corpus(folder / "corpus")
    return folder


def test_captions_are_measured_and_shown(saved):
    results = evaluate(str(saved / "model"), str(saved / "corpus"), column_map="generated", device="cpu")
    assert set(results["captions"]) == {"num_photos", "bleu@4", "meteor_without_synonyms", "rouge_l", "cider"}
    assert results["captions"]["num_photos"] > 0 and results["examples"][0]["true_caption"]
    said = results["said_tags"]
    assert all(0 <= said[f"{entity}_accuracy"] <= said[f"{entity}_named"] <= 1 for entity in said["entities"])
    printed = evaluation_tables(results)
    assert "CIDEr" in printed and "Tags that captions name (%)" in printed and "true caption" in printed


def test_options_are_those_of_captioners(saved):
    assert read_options(str(saved / "model"), {"num_beams": 2}) == CaptionOptions(num_beams=2)
    with pytest.raises(ValueError, match="`tags` is for another kind of models"):
        read_options(str(saved / "model"), {"tags": True})
    with pytest.raises(ValueError, match="`rerankers` are for models that search"):
        CaptionOptions(rerankers=["k_reciprocal"])
    with pytest.raises(ValueError, match="`num_beams` must be at least 1"):
        CaptionOptions(num_beams=0)


def test_batches_do_not_matter():
    embeds, parts = torch.randn(5, 12), (tiny_captioner(method="decap"), tiny_caption_processor())
    assert write_captions(*parts, embeds, batch_size=2) == write_captions(*parts, embeds)


def test_missing_libraries_are_named_before_captions_are_written(monkeypatch):
    monkeypatch.setattr("hf_fashion.metrics.captions.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install .hf-fashion\[captions\]"):
        evaluate_captions(tiny_captioner(), None, None, ColumnMap(caption="title"), CaptionOptions())


def test_a_corpus_without_captions_is_refused(saved):
    with pytest.raises(ValueError, match="names no `caption`"):
        evaluate_captions(tiny_captioner(), None, None, ColumnMap(), CaptionOptions())
