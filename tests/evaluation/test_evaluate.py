"""The entrance: the evaluation of the model's kind, with the options of this kind."""

import pytest

from hf_fashion.evaluation.evaluate import evaluate, read_options
from hf_fashion.evaluation.options import AttributeOptions, E2Options
from tests.evaluation.saved_models import ATTRIBUTES, ENTITIES, save_asen, save_corpus, save_e2, save_filip
from tests.tiny_dual_encoder import tiny_dual_encoder
from tests.tiny_feature_reasoning import tiny_feature_reasoning


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    save_e2(folder / "e2")
    save_asen(folder / "asen")
    save_filip(folder / "filip")
    tiny_feature_reasoning().save_pretrained(folder / "fr")
    save_corpus(folder / "corpus")
    return folder


def evaluated(folder, model: str, **options):
    return evaluate(
        str(folder / model), str(folder / "corpus"), column_map="generated", device="cpu", batch_size=16, **options
    )


def test_a_model_that_reads_text(saved):
    results = evaluated(saved, "e2", tags=True)
    assert (results["model"], results["split"], results["dtype"]) == (str(saved / "e2"), "validation", "float32")
    assert (results["entities"], results["skipped_rows"]) == (ENTITIES, 0)
    assert "text_to_image_recall@1" in results["cross_modal"] and "brand_region_accuracy" in results["tags"]
    assert not {"linear_probe", "localisation", "reranking", "retrieval"} & set(results)


def test_filip_by_token_similarity(saved):
    results = evaluated(saved, "filip", tags=True)
    assert set(results["cross_modal"]) == set(evaluated(saved, "e2")["cross_modal"])
    assert {"brand_image_accuracy", "brand_image_map"} <= set(results["tags"])
    assert not [name for name in results["tags"] if "region" in name]
    sampled = evaluated(saved, "filip", protocol="sample100", group_column="article_type")["cross_modal"]
    assert 0 <= sampled["text_to_image_recall@1"] <= 1


def test_an_attribute_specific_model(saved):
    results = evaluated(saved, "asen", attributes=["hem"], dtype="bfloat16")
    assert (results["attributes"], results["seed"], results["dtype"]) == (["hem"], 0, "bfloat16")
    assert "hem_map" in results["retrieval"] and not {"pointing", "reranking", "cross_modal"} & set(results)
    assert evaluated(saved, "asen")["attributes"] == ATTRIBUTES


def test_options_are_those_of_the_kind(saved):
    assert read_options(str(saved / "e2"), {"tags": True}) == E2Options(tags=True)
    assert read_options(str(saved / "asen"), {}) == AttributeOptions()
    for model, option in (("e2", "attributes"), ("asen", "tags")):
        with pytest.raises(ValueError, match=f"`{option}` is for another kind of models"):
            read_options(str(saved / model), {option: True})
    with pytest.raises(ValueError, match=r"no option `tag` \(did you mean 'tags'\?\)"):
        read_options(str(saved / "e2"), {"tag": True})


def test_a_re_ranker_has_no_evaluation_of_its_own(saved):
    with pytest.raises(ValueError, match=r"is a 'feature_reasoning'.*`rerankers`"):
        evaluated(saved, "fr")


def test_a_model_that_only_looks_like_clip_has_no_evaluation(saved):
    tiny_dual_encoder().save_pretrained(saved / "dual")
    with pytest.raises(
        ValueError, match=r"is a 'vision-text-dual-encoder': only E2, FILIP, CLIP, SigLIP, attribute-spec"
    ):
        evaluated(saved, "dual")
