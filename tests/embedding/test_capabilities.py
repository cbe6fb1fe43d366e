"""What a model can embed, and what is said where it cannot."""

import pytest

from hf_fashion.embedding.capabilities import (
    attribute_names,
    check_attribute,
    check_entity,
    check_reads_text,
    region_spaces,
    space_names,
)
from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_asen
from tests.tiny_e2 import tiny_model, tiny_processor


def test_the_spaces_are_the_attributes_or_one():
    assert attribute_names(tiny_asen()) == space_names(tiny_asen()) == ATTRIBUTE_NAMES
    assert attribute_names(tiny_model()) == [] and space_names(tiny_model(), regions=False) == ["image"]


def test_e2_has_a_space_for_each_tag_entity_too():
    model = tiny_model()
    assert space_names(model) == ["image", "brand", "season"]
    assert region_spaces(model, ["season", "image", "colour"]) == ["season"]
    assert region_spaces(tiny_asen(), ATTRIBUTE_NAMES) == [] == region_spaces(model, ["image"])


@pytest.mark.parametrize(
    ("make", "entity", "known", "message"),
    [
        (tiny_asen, "brand", None, "AsenModel has no tag entities, got `entity`='brand': only E2 has"),
        (tiny_model, "seasn", None, r"unknown `entity` 'seasn' \(did you mean 'season'\?\): .* brand, season$"),
        (
            tiny_model,
            "season",
            ["image"],
            r"`entity` 'season': the gallery keeps .* \(hf-fashion embed --regions\)",
        ),
    ],
)
def test_a_wrong_entity_is_refused(make, entity, known, message):
    check_entity(make(), None, known)
    with pytest.raises(ValueError, match=message):
        check_entity(make(), entity, known)


@pytest.mark.parametrize(
    ("make", "attribute", "known", "message"),
    [
        (tiny_model, "neckline", None, "E2Model has no attributes, got `attribute`='neckline'"),
        (tiny_asen, None, None, "AsenModel compares photos in one attribute: .* neckline, sleeve_length, pattern"),
        (tiny_asen, "patern", None, r"unknown `attribute` 'patern' \(did you mean 'pattern'\?\)"),
        (tiny_asen, "pattern", ["neckline"], "unknown `attribute` 'pattern': it must be one of neckline$"),
    ],
)
def test_a_wrong_attribute_is_refused(make, attribute, known, message):
    with pytest.raises(ValueError, match=message):
        check_attribute(make(), attribute, known)


def test_a_right_attribute_passes():
    check_attribute(tiny_model(), None, ["image"])
    check_attribute(tiny_asen(), "pattern")


@pytest.mark.parametrize(("make", "tokenizer"), [(tiny_asen, tiny_processor().tokenizer), (tiny_model, None)])
def test_texts_for_a_model_that_reads_none_are_refused(make, tokenizer):
    with pytest.raises(ValueError, match=r"Model reads no text, got \['red'\]\. If a photo is meant"):
        check_reads_text(make(), tokenizer, ["red"])
    check_reads_text(make(), tokenizer, [])
