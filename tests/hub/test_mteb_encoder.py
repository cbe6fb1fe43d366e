"""mteb gets the numbers of `hf-fashion evaluate`, among the same candidates, without a download."""

from pathlib import Path
from types import SimpleNamespace

import mteb
import numpy as np
import pytest
from datasets import Dataset, load_from_disk
from mteb.models import SentenceTransformerEncoderWrapper
from sentence_transformers import SentenceTransformer
from transformers import AutoConfig

import hf_fashion
from hf_fashion.data.column_map import ColumnMap, column_map_for
from hf_fashion.evaluation.evaluate import evaluate
from hf_fashion.hub.mteb_encoder import MtebEncoder
from hf_fashion.hub.mteb_tasks import attribute_tasks, cross_modal_tasks
from hf_fashion.hub.sentence_transformers_files import write_sentence_transformers_files
from tests.evaluation.saved_models import ATTRIBUTES, save_asen, save_corpus, save_e2
from tests.hub.model_repositories import write_on_hub
from tests.hub.processes import run_python
from tests.tiny_e2 import tiny_model, tiny_processor


# mteb rounds to five digits.
ROUNDED = 1e-5
KNOWN_TO_MTEB = """
import sys
from mteb.models import ModelMeta, SentenceTransformerEncoderWrapper
meta = ModelMeta.from_hub(sys.argv[1])
assert meta.loader is SentenceTransformerEncoderWrapper and set(meta.modalities) == {"image", "text"}, meta
assert (meta.license, meta.similarity_fn_name.value, meta.max_tokens) == ("apache-2.0", "cosine", 40), meta
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    save_e2(folder / "e2")
    save_asen(folder / "asen")
    save_corpus(folder / "corpus")
    return folder


@pytest.fixture(scope="module")
def validation(saved) -> Dataset:
    return load_from_disk(saved / "corpus")["validation"]


@pytest.fixture(scope="module")
def column_map() -> ColumnMap:
    return column_map_for(None, "generated")


def scores_of(model, tasks) -> dict[str, dict[str, float]]:
    results = mteb.evaluate(model, tasks, cache=None, co2_tracker=False, show_progress_bar=False)
    return {result.task_name: result.scores["test"][0] for result in results.task_results}


def evaluated(folder: Path, model: str, **options) -> dict:
    return evaluate(str(folder / model), str(folder / "corpus"), column_map="generated", device="cpu", **options)


@pytest.mark.parametrize("pairing", ["distinct_titles", "same_title"])
def test_cross_modal_numbers_are_those_of_evaluate(saved, validation, column_map, pairing):
    scores = scores_of(
        MtebEncoder(str(saved / "e2"), device="cpu"),
        cross_modal_tasks(validation, column_map, "generated", pairing),
    )
    expected = evaluated(saved, "e2", pairing=pairing)["cross_modal"]
    for direction, task in (("text_to_image", "generated_t2i"), ("image_to_text", "generated_i2t")):
        for k in (1, 5, 10):
            assert scores[task][f"hit_rate_at_{k}"] == pytest.approx(expected[f"{direction}_recall@{k}"], abs=ROUNDED)
            relevant = expected.get(f"{direction}_relevant_recall@{k}", expected[f"{direction}_recall@{k}"])
            assert scores[task][f"recall_at_{k}"] == pytest.approx(relevant, abs=ROUNDED)


def test_sentence_transformers_through_mteb_gives_the_same(saved, validation, column_map):
    write_sentence_transformers_files(AutoConfig.from_pretrained(saved / "e2"), saved / "e2")
    wrapped = SentenceTransformerEncoderWrapper(
        SentenceTransformer(str(saved / "e2"), trust_remote_code=True, device="cpu")
    )
    wrapped.mteb_model_meta = wrapped.mteb_model_meta.model_copy(update={"modalities": ["image", "text"]})
    tasks = cross_modal_tasks(validation, column_map, "generated")
    own = scores_of(MtebEncoder(str(saved / "e2"), device="cpu"), tasks)
    for task, scores in scores_of(wrapped, tasks).items():
        assert {name: scores[name] for name in scores if "_at_" in name and "nauc" not in name} == pytest.approx(
            {name: own[task][name] for name in scores if "_at_" in name and "nauc" not in name}
        )


def test_attribute_numbers_are_those_of_evaluate(saved, validation, column_map):
    encoder = MtebEncoder(str(saved / "asen"), device="cpu")
    tasks = attribute_tasks(validation, column_map, "generated", ATTRIBUTES)
    scores = scores_of(encoder, tasks)
    expected = evaluated(saved, "asen")["retrieval"]
    assert expected["num_without_match"] == 2
    for attribute, task in zip(ATTRIBUTES, tasks, strict=True):
        assert task.metadata.main_score == f"map_at_{expected[f'{attribute}_num_candidates']}"
        matched = sum(map(bool, task.rows["relevant_docs"].values()))  # the others count as 0, and mteb omits them
        expected_map = expected[f"{attribute}_map"] * expected[f"{attribute}_num_queries"] / matched
        assert scores[f"generated_{attribute}"]["main_score"] == pytest.approx(expected_map, abs=ROUNDED)


def test_an_attribute_named_for_the_encoder_is_the_one_of_every_task(saved, validation, column_map):
    named = MtebEncoder(str(saved / "asen"), device="cpu", attribute="hem")
    assert named.mteb_model_meta.experiment_kwargs == {"attribute": "hem"}
    (task,) = attribute_tasks(validation, column_map, "generated", ["hem"])
    unnamed = MtebEncoder(str(saved / "asen"), device="cpu")
    assert (
        scores_of(named, task)["generated_hem"]["ndcg_at_5"] == scores_of(unnamed, task)["generated_hem"]["ndcg_at_5"]
    )
    with pytest.raises(ValueError, match="give the query, the call or the pipeline an `attribute`"):
        unnamed.encode([{"image": validation["image"][:1]}], task_metadata=SimpleNamespace(prompt=None))


def test_the_metadata_say_what_the_model_reads(saved):
    e2, asen = (MtebEncoder(str(saved / name), device="cpu").mteb_model_meta for name in ("e2", "asen"))
    assert (e2.modalities, asen.modalities) == (["image", "text"], ["image"])
    assert (e2.embed_dim, e2.max_tokens, asen.embed_dim) == (12, 40, 10)
    assert e2.loader is MtebEncoder and e2.revision.startswith("E2Model-")
    assert asen.revision != e2.revision


def test_mteb_knows_a_pushed_model_by_its_files(hub, tmp_path):
    hf_fashion.push_to_hub(tiny_model(), "tester/a", processor=tiny_processor())
    write_on_hub(hub, {"README.md": b"---\nlicense: apache-2.0\nlanguage: en\n---\n# E2\n"})
    run_python(["-c", KNOWN_TO_MTEB, "tester/a"], tmp_path, hub.environment())


def test_wrong_attributes_are_named(saved, validation, column_map):
    with pytest.raises(ValueError, match="did you mean 'hem'"):
        MtebEncoder(str(saved / "asen"), device="cpu", attribute="hen")
    with pytest.raises(ValueError, match="none overlap"):
        scores_of(MtebEncoder(str(saved / "asen"), device="cpu"), cross_modal_tasks(validation, column_map, "x"))


def test_photos_and_texts_are_embedded_as_by_the_encoder(saved, validation):
    encoder = MtebEncoder(str(saved / "e2"), device="cpu")
    photos, texts = validation["image"][:3], ["a dress.jpg", "a red coat", "socks"]
    batches = [{"image": photos[:2], "text": texts[:2]}, {"image": photos[2:], "text": texts[2:]}]
    found = encoder.encode(batches, task_metadata=None, prompt_type=None)
    queries = [{"image": photo, "text": text} for photo, text in zip(photos, texts, strict=True)]
    np.testing.assert_allclose(found, encoder.model.encode_query(queries), rtol=0, atol=1e-6)
