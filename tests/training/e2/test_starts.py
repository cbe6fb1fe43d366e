"""Starts of a run that are refused before anything is loaded, and the size of its photos."""

import pytest

from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from hf_fashion.training.e2.recipe import E2ModelRecipe
from hf_fashion.training.e2.starts import check_start, check_towers, settle_compose_text, square_photos
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.tower_folders import bert_folder, dinov2_folder, siglip_folder, vit_folder


def test_an_encoder_of_one_side_is_no_start_from(tmp_path):
    with pytest.raises(ValueError, match=r"type 'dinov2': architecture 'e2' .*`model\.start_from_vision`"):
        check_start(E2ModelRecipe(start_from=dinov2_folder(tmp_path)))


def test_an_adapter_of_e2_is_not_trained_on_a_siglip(tmp_path):
    with pytest.raises(ValueError, match=r"is a SigLIP, and an adapter of an E2 is loaded on an E2"):
        check_start(E2ModelRecipe(start_from=siglip_folder(tmp_path), lora_r=2))


def test_an_adapter_of_filip_is_not_trained_on_a_siglip(tmp_path):
    with pytest.raises(ValueError, match=r"adapter of a FILIP is loaded on a FILIP.*FilipModel\.from_towers"):
        check_start(E2ModelRecipe(architecture="filip", start_from=siglip_folder(tmp_path), lora_r=2))


def test_vision_encoders_that_e2_does_not_run_on_are_refused(tmp_path):
    with pytest.raises(ValueError, match="E2 does not run on vision models of type 'bert', only on: clip_vision_mode"):
        check_towers(E2ModelRecipe(start_from_vision=bert_folder(tmp_path)))


def test_a_size_is_for_encoders_that_take_several(tmp_path):
    dinov2, vit = dinov2_folder(tmp_path / "dinov2"), vit_folder(tmp_path / "vit")
    check_towers(E2ModelRecipe(start_from_vision=dinov2, image_size=56))
    with pytest.raises(ValueError, match=r"must be a multiple of 14, the patches of .*; got 60"):
        check_towers(E2ModelRecipe(start_from_vision=dinov2, image_size=60))
    with pytest.raises(ValueError, match=r"is of type 'vit': remove it"):
        check_towers(E2ModelRecipe(start_from_vision=vit, image_size=64))


def test_square_photos_keep_the_statistics(tmp_path):
    images = E2ImageProcessorPil.of(dinov2_folder(tmp_path))
    square = square_photos(56, images)
    assert dict(square.size)["width"] == 56 and not square.do_center_crop
    assert list(square.image_mean) == list(images.image_mean) and square.resample == images.resample


def e2_folder(folder, compose_text: bool) -> str:
    processor = tiny_processor()
    processor.compose_text = compose_text
    tiny_model().save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def settled(**model) -> bool:
    recipe = E2ModelRecipe(**model)
    settle_compose_text(recipe)
    return recipe.compose_text


def test_a_continued_model_reads_the_texts_that_it_knows(tmp_path, caplog):
    for composes in (False, True):
        start = e2_folder(tmp_path / str(composes), composes)
        assert settled(start_from=start) == settled(start_from=start, compose_text=composes, lora_r=2) == composes
    assert settled() is settled(start_from=siglip_folder(tmp_path / "siglip")) is False
    assert settled(start_from=siglip_folder(tmp_path / "siglip"), compose_text=True)
    assert not caplog.text


@pytest.mark.parametrize("asked", [False, True])
def test_other_texts_than_a_continued_model_knows_are_said(tmp_path, caplog, asked):
    start = e2_folder(tmp_path, not asked)
    assert settled(start_from=start, compose_text=asked) == asked
    assert (
        f"`model.compose_text` is {asked}, but `model.start_from` '{start}' has learned with {not asked}"
        in caplog.text
    )
    with pytest.raises(ValueError, match=r"and `model\.lora_r` adapts it as it is: leave the key out"):
        settled(start_from=start, compose_text=asked, lora_r=2)
