"""Heat maps of a photo: of E2's entities, of an attribute, of IPAD's rounds; a model without them says so."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel, pipeline

from hf_fashion.embedding.encoder import Encoder
from hf_fashion.pipelines.heat_maps_fashion_retrieval import LONGEST_EDGE, heat_maps
from tests.pipelines.searches import embedded_gallery
from tests.tiny_attribute import tiny_asen, tiny_image_processor, tiny_photos
from tests.tiny_e2 import TAG_ENTITIES, tiny_config, tiny_images, tiny_model, tiny_processor
from tests.tiny_ipad import tiny_ipad


PHOTO = tiny_images(1)[0]


def heat(picture: Image.Image, photo: Image.Image) -> np.ndarray:
    return np.abs(np.asarray(picture).astype(int) - np.asarray(photo)).sum(-1)


def test_e2_has_a_map_for_each_entity_that_the_processor_draws_too(make):
    found = make().heat_maps(PHOTO)
    assert list(found) == TAG_ENTITIES
    processor = tiny_processor()
    with torch.no_grad():
        outputs = tiny_model()(**processor(images=PHOTO, return_tensors="pt"))
    (maps,) = processor.post_process_region_maps(outputs, [(PHOTO.height, PHOTO.width)])
    drawn = processor.draw_region_maps(PHOTO.convert("L"), maps)
    for place, picture in enumerate(found.values(), 1):
        panel = drawn.crop((place * PHOTO.width, 0, (place + 1) * PHOTO.width, PHOTO.height))
        assert np.abs(np.asarray(panel).astype(int) - np.asarray(picture)).max() <= 1


@pytest.mark.parametrize("local", [False, True])
def test_an_attribute_has_one_map(local):
    encoder = Encoder(tiny_asen(local), tiny_image_processor(do_source=local))
    photo = tiny_photos()[1]  # 120x80: the model sees the middle
    found = heat_maps(encoder, photo, "pattern")
    assert list(found) == ["pattern"]
    painted = heat(found["pattern"], photo.convert("L").convert("RGB"))
    assert painted[:, :20].max() == painted[:, 100:].max() == 0 < painted.max()


def test_ipad_has_a_map_for_each_round(tmp_path):
    model, processor = tiny_ipad(), tiny_image_processor(do_source=True)
    gallery = embedded_gallery(tmp_path / "gallery", model, processor)
    search = pipeline("fashion-retrieval", model=model, processor=processor, gallery=gallery, attribute="neckline")
    rounds = model.config.num_iterations
    found = search.heat_maps(tiny_photos()[0])
    assert list(found) == [f"round {number}" for number in range(1, rounds + 1)]
    assert found.keys() == search.heat_maps(tiny_photos()[0], "pattern").keys()
    with pytest.raises(ValueError, match="unknown `attribute` 'neck'"):
        search.heat_maps(tiny_photos()[0], "neck")


def test_a_large_photo_is_shown_smaller_and_kept_as_it_is(make):
    photo = PHOTO.resize((900, 2000))
    assert {picture.size for picture in make().heat_maps(photo).values()} == {(461, LONGEST_EDGE)}
    assert photo.size == (900, 2000)


def test_what_a_model_does_not_have_is_said(make):
    config = tiny_config().text_config.to_dict()
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 16, "patch_size": 4}
    clip = CLIPModel(CLIPConfig(text_config=config, vision_config=vision, projection_dim=12))
    for model in (clip, tiny_model(fusion_layers=[])):
        with pytest.raises(
            ValueError, match=f"this {type(model).__name__} has no heat maps: those of an E2 with fusion"
        ):
            heat_maps(Encoder(model, tiny_processor()), PHOTO)
    with pytest.raises(ValueError, match="E2Model has no attributes, got `attribute`='brand'"):
        make().heat_maps(PHOTO, "brand")
    with pytest.raises(ValueError, match="give the query, the call or the pipeline an `attribute`"):
        heat_maps(Encoder(tiny_asen(), tiny_image_processor()), PHOTO)
    with pytest.raises(ValueError, match="not read from paths here"):
        make(allow_paths=False).heat_maps("photo.png")
