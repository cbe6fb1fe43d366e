"""The Encoder against single calls of the model, for every kind of model and input."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize
from transformers import CLIPConfig, CLIPModel, ResNetModel, SiglipModel
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from hf_fashion import E2Model, E2Processor, Encoder
from hf_fashion.embedding.corpus import embed_texts
from hf_fashion.embedding.features import unit_length
from tests import tiny_attribute
from tests.tiny_attribute import ATTRIBUTE_NAMES
from tests.tiny_dual_encoder import tiny_dual_encoder
from tests.tiny_e2 import MAX_LENGTH, tiny_config, tiny_images, tiny_model, tiny_processor
from tests.tiny_filip import tiny_filip
from tests.tower_folders import siglip_folder, siglip_tokenizer


TEXTS = ["a red dress", "shirt", "a coat with a very long description"]


def tiny_clip() -> CLIPModel:
    config = tiny_config()
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 16, "patch_size": 4}
    return CLIPModel(CLIPConfig(text_config=config.text_config.to_dict(), vision_config=vision, projection_dim=12))


def photo_features(model, photos) -> torch.Tensor:
    """Photo by photo, as the model gives them."""
    processor = tiny_processor()
    with torch.no_grad():
        rows = [model.get_image_features(**processor(images=[one], return_tensors="pt")) for one in photos]
    return torch.cat([row.pooler_output for row in rows])


def text_features(model, texts) -> torch.Tensor:
    """Text by text, as the model gives them."""
    processor = tiny_processor()
    with torch.no_grad():
        rows = [model.get_text_features(**processor(text=[one], return_tensors="pt")) for one in texts]
    return torch.cat([row.pooler_output for row in rows])


def attribute_features(model, photos) -> torch.Tensor:
    with torch.no_grad():
        inputs = tiny_attribute.tiny_image_processor(do_source=True)(photos, return_tensors="pt")
        return model.get_attribute_features(**inputs)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(tiny_model(), tiny_processor())


@pytest.fixture(scope="module")
def asen_encoder() -> Encoder:
    return Encoder(tiny_attribute.tiny_asen(local=True), tiny_attribute.tiny_image_processor(do_source=True))


@pytest.fixture
def photo_path(tmp_path) -> Path:
    tiny_images(1, seed=4)[0].save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.mark.parametrize("make", [tiny_model, tiny_clip], ids=["e2", "clip"])
@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_a_mixed_list_keeps_its_order(make, batch_size, photo_path):
    model = make().eval()
    photos = tiny_images(3)
    inputs = [TEXTS[0], photos[0], photo_path, TEXTS[1], str(photo_path), photos[1], TEXTS[2], photos[2]]
    found = Encoder(model, tiny_processor()).encode(inputs, batch_size=batch_size)
    of_photos = photo_features(model, [photos[0], *tiny_images(1, seed=4) * 2, photos[1], photos[2]])
    of_texts = text_features(model, TEXTS)
    features = [of_texts[0], of_photos[0], of_photos[1], of_texts[1], *of_photos[2:4], of_texts[2], of_photos[4]]
    torch.testing.assert_close(torch.from_numpy(found), normalize(torch.stack(features), dim=1))


@pytest.mark.parametrize("one", [TEXTS[0], tiny_images(1)[0]], ids=["text", "photo"])
def test_a_single_input_gives_a_single_row(encoder, one):
    found = encoder.encode(one)
    assert isinstance(found, np.ndarray) and found.shape == (12,) and found.dtype == np.float32
    np.testing.assert_array_equal(found, encoder.encode([one])[0])
    np.testing.assert_array_equal(found, encoder.encode((one,), convert_to="tensor")[0].numpy())


def test_without_normalisation_features_are_as_the_model_gives_them(encoder):
    inputs = [*tiny_images(2), *TEXTS]
    expected = torch.cat([photo_features(encoder.model, inputs[:2]), text_features(encoder.model, TEXTS)])
    torch.testing.assert_close(encoder.encode(inputs, normalize=False, convert_to="tensor"), expected)


def test_the_first_dimensions_get_length_1_again(encoder):
    whole, few = (encoder.encode(TEXTS, convert_to="tensor", dimensions=number) for number in (None, 5))
    torch.testing.assert_close(few, normalize(whole[:, :5], dim=1))
    cut = encoder.encode(TEXTS, convert_to="tensor", normalize=False, dimensions=5)
    torch.testing.assert_close(cut, text_features(encoder.model, TEXTS)[:, :5])
    query = encoder.encode_query({"red": 1, "blue": 2}, dimensions=5, convert_to="tensor")
    whole_query = encoder.encode_query({"red": 1, "blue": 2}, convert_to="tensor")
    torch.testing.assert_close(query, normalize(whole_query[:5], dim=0))


@pytest.mark.parametrize("dimensions", [0, 13])
def test_more_dimensions_than_there_are_are_refused(encoder, dimensions):
    for encode in (encoder.encode, encoder.encode_document, encoder.encode_query):
        with pytest.raises(ValueError, match=f"`dimensions` must be from 1 to 12, .* got {dimensions}"):
            encode(tiny_images(1), dimensions=dimensions)


@pytest.mark.parametrize("call", ["encode", "encode_document", "encode_query"])
def test_batches_of_no_input_are_refused(encoder, call):
    with pytest.raises(ValueError, match=r"`batch_size`, .* must be at least 1, got -1"):
        getattr(encoder, call)(tiny_images(1), batch_size=-1)


def test_attribute_models_give_a_dict_or_the_asked_attribute(asen_encoder):
    photos = tiny_attribute.tiny_photos()
    expected = attribute_features(asen_encoder.model, photos)
    found = asen_encoder.encode(photos, batch_size=2, convert_to="tensor")
    assert list(found) == ATTRIBUTE_NAMES
    for number, attribute in enumerate(ATTRIBUTE_NAMES):
        torch.testing.assert_close(found[attribute], expected[:, number], rtol=1e-4, atol=1e-5)
        one = asen_encoder.encode(photos, attribute, convert_to="tensor")
        torch.testing.assert_close(one, found[attribute], rtol=1e-4, atol=1e-5)
    assert asen_encoder.encode(photos[0])["pattern"].shape == expected.shape[-1:]


@pytest.mark.parametrize(
    ("inputs", "attribute", "message"),
    [
        (
            tiny_images(1),
            "neckine",
            r"unknown `attribute` 'neckine' \(did you mean 'neckline'\?\): .* neckline, sleeve",
        ),
        (["a red dress"], None, r"AsenModel reads no text, got \['a red dress'\]"),
        ([], None, "there is nothing to embed"),
        (["no_such.jpg"], None, "the photo 'no_such.jpg' cannot be read: there is no such file"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(asen_encoder, inputs, attribute, message):
    with pytest.raises(ValueError, match=message):
        asen_encoder.encode(inputs, attribute)


def test_models_without_attributes_have_none(encoder):
    with pytest.raises(ValueError, match="E2Model has no attributes, got `attribute`='neckline'"):
        encoder.encode(tiny_images(1), "neckline")


def test_every_string_is_a_photo_of_a_document(encoder, photo_path):
    without_ending = photo_path.rename(photo_path.with_name("photo"))
    expected = encoder.encode(tiny_images(1, seed=4)[0])
    np.testing.assert_array_equal(encoder.encode_document(str(without_ending)), expected)
    np.testing.assert_array_equal(encoder.encode_document([str(without_ending)])[0], expected)
    with pytest.raises(ValueError, match="the photo 'a red dress' cannot be read: there is no such file"):
        encoder.encode_document(["a red dress"])


def test_queries_of_every_form_are_weighted_sums(encoder, photo_path):
    photo, other = tiny_images(2, seed=4)
    queries = [
        photo,
        "a red dress",
        str(photo_path),
        {"red": 1, "buttons": -0.5},
        {"image": other, "terms": {"blue": 0.7}, "image_weight": 0.5},
        {"image": photo_path, "text": "blue"},
    ]
    of_photos = normalize(photo_features(encoder.model, [photo, other]), dim=1)
    red_dress, red, buttons, blue = normalize(
        text_features(encoder.model, ["a red dress", "red", "buttons", "blue"]), dim=1
    )
    sums = [
        of_photos[0],
        red_dress,
        of_photos[0],
        red - 0.5 * buttons,
        0.5 * of_photos[1] + 0.7 * blue,
        of_photos[0] + blue,
    ]
    expected = normalize(torch.stack(sums), dim=1)
    for batch_size in (1, 4, 32):
        found = encoder.encode_query(queries, batch_size=batch_size, convert_to="tensor")
        torch.testing.assert_close(found, expected)
    torch.testing.assert_close(encoder.encode_query(queries[3], convert_to="tensor"), expected[3])


def test_queries_by_attribute(asen_encoder):
    photos = tiny_attribute.tiny_photos()
    expected = attribute_features(asen_encoder.model, photos)
    queries = [photos[0], {"image": photos[1], "attribute": "pattern"}, photos[2]]
    found = asen_encoder.encode_query(queries, "neckline", convert_to="tensor")
    rows = torch.stack([expected[0, 0], expected[1, 2], expected[2, 0]])
    torch.testing.assert_close(found, rows, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"AsenModel compares photos in one attribute: .* one of neckline, sleeve"):
        asen_encoder.encode_query(photos[0])
    with pytest.raises(ValueError, match="unknown `attribute` 'pattern': it must be one of neckline"):
        asen_encoder.prepare_query(queries[1], known=["neckline"])


def test_similarity_is_the_cosine_of_every_pair(encoder):
    a, b = torch.randn(3, 12), np.random.default_rng(0).normal(size=(2, 12))
    expected = torch.stack([torch.cosine_similarity(row.double(), torch.from_numpy(b), dim=1) for row in a])
    torch.testing.assert_close(encoder.similarity(a, b), expected.float())
    assert encoder.similarity(a[0], b).shape == (1, 2)


@pytest.mark.parametrize("make", [tiny_model, tiny_clip], ids=["e2", "clip"])
def test_e2_and_clip_have_one_space(make):
    model, photos = make().eval(), tiny_images(3)
    encoder = Encoder(model, tiny_processor())
    assert encoder.spaces == {"image": 12} and encoder.space_names == ["image"]
    vectors = encoder.embed_photos(encoder.prepare_photos(photos))["image"]
    torch.testing.assert_close(vectors, normalize(photo_features(model, photos), dim=-1))


def test_e2_has_a_space_for_each_region_if_asked_to():
    model, photos = tiny_model(), tiny_images(3)
    encoder = Encoder(model, tiny_processor(), regions=True)
    assert encoder.spaces == {"image": 12, "brand": 12, "season": 12}
    vectors = encoder.embed_photos(encoder.prepare_photos(photos))
    with torch.no_grad():
        regions = model.get_region_features(**tiny_processor()(images=photos, return_tensors="pt"))
    torch.testing.assert_close(vectors["image"], normalize(photo_features(model, photos), dim=-1))
    torch.testing.assert_close(torch.stack([vectors["brand"], vectors["season"]], 1), normalize(regions, dim=-1))
    by_season = encoder.encode_query({"image": photos[1], "entity": "season"})
    torch.testing.assert_close(torch.from_numpy(by_season), vectors["season"][1])
    with pytest.raises(ValueError, match="CLIPModel has no tag entities, so it embeds no `regions`: only E2 does"):
        Encoder(tiny_clip(), tiny_processor(), regions=True)


def test_attribute_models_have_a_space_for_each_attribute(asen_encoder):
    assert asen_encoder.spaces == dict.fromkeys(ATTRIBUTE_NAMES, 2 * tiny_attribute.EMBEDDING_DIM)
    photos = tiny_attribute.tiny_photos()
    vectors = asen_encoder.embed_photos(asen_encoder.prepare_photos(photos))
    torch.testing.assert_close(
        torch.stack(list(vectors.values()), dim=1), attribute_features(asen_encoder.model, photos)
    )


def test_the_model_stays_in_its_mode_and_float_type():
    model = tiny_model().train().to(torch.bfloat16)
    encoder = Encoder(model, tiny_processor())
    vectors = encoder.embed_photos(encoder.prepare_photos(tiny_images(2)))["image"]
    assert model.training and vectors.dtype == torch.float32
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2))
    found = encoder.encode(["a dress", *tiny_images(2)], convert_to="tensor")
    assert model.training and found.dtype == torch.float32
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(3))


def test_embeddings_can_be_trained_on(encoder):
    head = torch.nn.Linear(12, 2)
    head(encoder.encode(TEXTS, convert_to="tensor")).sum().backward()
    assert head.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", ["e2", "asen"])
def test_from_pretrained_loads_model_and_processor(kind, tmp_path):
    parts = {
        "e2": (tiny_model(), tiny_processor()),
        "asen": (tiny_attribute.tiny_asen(), tiny_attribute.tiny_image_processor()),
    }
    for part in parts[kind]:
        part.save_pretrained(tmp_path)
    photos = tiny_attribute.tiny_photos()
    loaded = Encoder.from_pretrained(tmp_path, device="cpu", dtype=torch.float32, local_files_only=True)
    found, expected = (encoder.encode(photos, convert_to="tensor") for encoder in (loaded, Encoder(*parts[kind])))
    torch.testing.assert_close(found, expected)
    assert not loaded.model.training
    halved = Encoder.from_pretrained(tmp_path, device="cpu", dtype=torch.bfloat16)
    assert list(halved.model.parameters())[-1].dtype == torch.bfloat16


def test_filip_is_refused_with_what_to_take_instead(tmp_path):
    message = "a FILIP compares every patch .* no single vector of either.* Take an E2 or a CLIP of the same start"
    with pytest.raises(ValueError, match=message):
        Encoder(tiny_filip(), tiny_processor())
    for part in (tiny_filip(), tiny_processor()):
        part.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        Encoder.from_pretrained(tmp_path)


@pytest.mark.parametrize("make", [tiny_dual_encoder, lambda: ResNetModel(tiny_attribute.tiny_backbone_config())])
def test_other_models_are_refused(make, tmp_path):
    model = make()
    message = rf"type '{model.config.model_type}' is not supported, only E2 \('e2'\), CLIP \('clip'\), .* IPAD"
    with pytest.raises(ValueError, match=message):
        Encoder(model, tiny_processor())
    for part in (model, tiny_processor()):
        part.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        Encoder.from_pretrained(tmp_path)


@pytest.mark.parametrize("call", ["encode", "encode_query"])
def test_one_warning_for_all_texts_of_a_call(encoder, call, caplog):
    texts = ["x" * 100, "a dress", "y" * 99, "z" * 98]
    embeds = getattr(encoder, call)(texts, batch_size=1)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"3 of 4 texts are longer than the {MAX_LENGTH} tokens that the model reads")
    assert np.allclose(embeds[0], getattr(encoder, call)("x" * 60), atol=1e-6), "what is behind the last is not read"


def test_a_query_that_is_prepared_warns_for_itself(encoder, caplog):
    encoder.prepare_query({"terms": {"x" * 100: 1, "dress": 0.5}})
    (record,) = caplog.records
    assert record.getMessage().startswith("1 of 2 texts are longer")


@pytest.mark.parametrize("call", ["encode", "encode_query"])
def test_a_special_token_in_a_text_does_not_end_it(encoder, call):
    one, other = getattr(encoder, call)(["red <|endoftext|> dress", "red <|endoftext|> coat"])
    assert np.abs(one - other).max() > 1e-3


def test_half_of_a_character_is_refused_in_a_sentence(encoder):
    for embed in (encoder.encode, encoder.encode_query):
        with pytest.raises(ValueError, match="has half of a character"):
            embed("red \ud83d")


def test_siglip_and_an_e2_around_it_embed_as_transformers_does(tmp_path):
    folder = siglip_folder(tmp_path / "siglip")
    siglip, tokenizer = SiglipModel.from_pretrained(folder).eval(), siglip_tokenizer()
    photos, texts = tiny_images(2), ["red dress", "a long blue coat for winter"]
    tokens = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt", return_attention_mask=False)
    pixels = SiglipImageProcessorPil.from_pretrained(folder)(photos, return_tensors="pt")
    with torch.no_grad():
        text_embeds = unit_length(siglip.get_text_features(**tokens).pooler_output)
        image_embeds = unit_length(siglip.get_image_features(**pixels).pooler_output)
    e2 = E2Model.from_towers(folder, tag_entities=[])
    processor = E2Processor.from_towers(folder, tag_entities=[])
    plain = Encoder(siglip, SiglipImageProcessorPil.from_pretrained(folder), tokenizer)
    for encoder in (plain, Encoder(e2, processor), Encoder(siglip, processor)):
        found = encoder.encode([*texts, *photos], convert_to="tensor")
        torch.testing.assert_close(found, torch.cat([text_embeds, image_embeds]), rtol=0, atol=1e-5)
        found = encoder.encode_query(texts[0], convert_to="tensor")
        torch.testing.assert_close(found, text_embeds[0], rtol=0, atol=1e-5)
        found, _ = embed_texts(encoder.model, processor, texts, progress=False)
        torch.testing.assert_close(found, text_embeds, rtol=0, atol=1e-5)
