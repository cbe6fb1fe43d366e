"""SentenceTransformer loads a saved folder, or a repository, and gives the vectors of our Encoder."""

import json
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from datasets import Dataset
from PIL import Image
from safetensors.torch import load_file
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from hf_fashion.embedding.encoder import Encoder
from hf_fashion.hub.sentence_transformers_files import write_sentence_transformers_files
from tests.hub.processes import run_python
from tests.hub_server import HubServer
from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_image_processor, tiny_photos
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor
from tests.tiny_ipad import tiny_ipad


REPOSITORY_ID = "tester/tiny-e2"
UPLOAD = f"""
import sys
from huggingface_hub import HfApi
HfApi().create_repo("{REPOSITORY_ID}")
HfApi().upload_folder(repo_id="{REPOSITORY_ID}", folder_path=sys.argv[1])
"""
TEXTS = ["a red dress", "a blue coat with many buttons and a hood"]


def save(model, processor, folder: Path) -> Path:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    write_sentence_transformers_files(model.config, folder)
    return folder


@pytest.fixture(scope="module")
def e2_folder(tmp_path_factory) -> Path:
    return save(tiny_model(), tiny_processor(), tmp_path_factory.mktemp("saved") / "e2")


@pytest.fixture(scope="module")
def ipad_folder(tmp_path_factory) -> Path:
    return save(tiny_ipad(), tiny_image_processor(do_source=True), tmp_path_factory.mktemp("saved") / "ipad")


@pytest.fixture(scope="module")
def e2(e2_folder) -> SentenceTransformer:
    return SentenceTransformer(str(e2_folder), trust_remote_code=True, device="cpu")


@pytest.fixture(scope="module")
def ipad(ipad_folder) -> SentenceTransformer:
    return SentenceTransformer(str(ipad_folder), trust_remote_code=True, device="cpu")


@pytest.fixture(scope="module")
def loaded_anywhere(e2_folder, ipad_folder, tmp_path_factory) -> Path:
    """Return the folder with the outputs of a process without hf_fashion."""
    work = tmp_path_factory.mktemp("work")
    sources = {"folder": str(e2_folder), "hub": REPOSITORY_ID, "ipad": str(ipad_folder)}
    (work / "sources.json").write_text(json.dumps(sources))
    tiny_photos()[0].save(work / "image.png")
    with HubServer() as hub:
        run_python(["-c", UPLOAD, str(e2_folder)], work, hub.environment())
        script = str(Path(__file__).with_name("load_sentence_transformer_anywhere.py"))
        run_python(["-I", script, str(work)], work, hub.environment())
    return work


def assert_close(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=0, atol=1e-6)


def test_vectors_of_a_process_without_hf_fashion_are_those_of_the_encoder(loaded_anywhere, e2_folder, ipad_folder):
    found = load_file(loaded_anywhere / "outputs.safetensors")
    photo = tiny_photos()[0]
    expected = Encoder.from_pretrained(e2_folder).encode([photo, "a red dress", photo])
    assert_close(found["folder"], expected)
    assert_close(found["hub"], expected)
    of_ipad = Encoder.from_pretrained(ipad_folder).encode([photo])
    for attribute in ATTRIBUTE_NAMES:
        assert_close(found[f"ipad {attribute}"], of_ipad[attribute])


@pytest.mark.parametrize("name", ["hub", "ipad"])
def test_a_loaded_model_saved_again_is_whole(loaded_anywhere, name, e2_folder, ipad_folder):
    first, again = ipad_folder if name == "ipad" else e2_folder, loaded_anywhere / f"{name}_again"
    files = {path.name for path in first.iterdir()}
    assert files <= {path.name for path in again.iterdir()}
    for path in [first / "modules.json", first / "sentence_bert_config.json", *first.glob("*.py")]:
        if path.suffix == ".py":
            assert (again / path.name).read_text() == path.read_text()
        else:
            assert json.loads((again / path.name).read_text()) == json.loads(path.read_text())
    options = {"trust_remote_code": True, "device": "cpu"}
    photo, prompt = tiny_photos()[0], "pattern" if name == "ipad" else None
    vectors = [SentenceTransformer(str(path), **options).encode([photo], prompt=prompt) for path in (first, again)]
    assert_close(*vectors)


def test_photos_and_texts_in_one_batch_keep_their_order(e2, e2_folder):
    inputs = [TEXTS[1], *tiny_images(2), TEXTS[0]]
    encoder = Encoder.from_pretrained(e2_folder)
    found = e2.encode(inputs, batch_size=4)
    assert_close(found, encoder.encode(inputs))
    assert_close(np.linalg.norm(found, axis=1), np.ones(4))
    assert_close(e2.encode(inputs, batch_size=1), found)
    assert_close(e2.similarity(found, found), encoder.similarity(found, found))
    assert_close(e2.encode_query(TEXTS), encoder.encode_query(TEXTS))
    assert_close(e2.encode_document(tiny_images(2)), encoder.encode_document(tiny_images(2)))


def test_a_photo_with_a_text_is_the_query_of_both(e2, e2_folder):
    photo = tiny_images(1)[0]
    query = {"image": photo, "text": TEXTS[0]}
    expected = Encoder.from_pretrained(e2_folder).encode_query([query, {"text": TEXTS[1]}])
    assert_close(e2.encode([query, {"text": TEXTS[1]}]), expected)


def test_photos_are_upright_and_their_transparent_parts_white(e2, e2_folder, tmp_path):
    photo = tiny_photos()[0].convert("RGBA")
    photo.putalpha(Image.new("L", photo.size, 60))
    exif = photo.getexif()
    exif[0x0112] = 6
    photo.save(tmp_path / "turned.png", exif=exif)
    path = str(tmp_path / "turned.png")
    assert_close(e2.encode([path]), Encoder.from_pretrained(e2_folder).encode([path]))


def test_a_prompt_is_put_in_front_of_texts(e2):
    assert_close(e2.encode(TEXTS, prompt="a photo of "), e2.encode([f"a photo of {text}" for text in TEXTS]))
    photos = tiny_images(2)
    assert_close(e2.encode(photos, prompt="a photo of "), e2.encode(photos))


def test_long_texts_are_cut_as_the_encoder_cuts_them(e2, e2_folder):
    text = "a dress with stripes and dots " * 9
    assert_close(e2.encode(text), Encoder.from_pretrained(e2_folder).encode(text))
    assert e2.max_seq_length == 40
    assert e2.preprocess([text], max_length=9)["input_ids"].shape == (1, 9)  # as its trainer asks
    e2.max_seq_length = 12
    shorter = e2.preprocess([text])["input_ids"].shape
    e2.max_seq_length = 40
    assert shorter == (1, 12)


def test_the_embeddings_have_gradients(e2):
    features = e2.preprocess([tiny_images(1)[0], TEXTS[0]])
    embeds = e2(features)["sentence_embedding"]
    (embeds[0] @ embeds[1]).backward()
    assert e2[0].model.visual_projection.weight.grad.abs().sum() > 0
    assert e2[0].model.text_projection.weight.grad.abs().sum() > 0
    e2.zero_grad()


@pytest.mark.parametrize("name", ["e2", "ipad"])
def test_its_trainer_trains_what_hf_fashion_loads_again(name, e2_folder, ipad_folder, tmp_path):
    folder, anchors, prompt = (
        (e2_folder, TEXTS * 2, None) if name == "e2" else (ipad_folder, tiny_images(4), "pattern")
    )
    model = SentenceTransformer(str(folder), trust_remote_code=True, device="cpu")
    photos = tiny_images(4, seed=1)
    rows = Dataset.from_dict({"anchor": anchors, "positive": photos}).cast_column("positive", datasets.Image())
    rows = rows if name == "e2" else rows.cast_column("anchor", datasets.Image())
    quiet = {"report_to": [], "save_strategy": "no", "disable_tqdm": True, "use_cpu": True}
    settings = SentenceTransformerTrainingArguments(
        str(tmp_path / "run"), per_device_train_batch_size=4, max_steps=1, learning_rate=1e-3, prompts=prompt, **quiet
    )
    before = model.encode(photos, prompt=prompt)
    SentenceTransformerTrainer(model, settings, train_dataset=rows, loss=MultipleNegativesRankingLoss(model)).train()
    model.save_pretrained(str(tmp_path / "trained"))
    found = model.encode(photos, prompt=prompt)
    assert abs(found - before).max() > 1e-4
    assert_close(Encoder.from_pretrained(tmp_path / "trained").encode(photos, attribute=prompt), found)


def test_the_dimension_and_the_kinds_are_known(e2, ipad):
    assert e2.get_embedding_dimension() == 12 and ipad.get_embedding_dimension() == 20
    assert e2.supports("image") and e2.supports("text") and e2.supports(("image", "text"))
    assert ipad.supports("image") and not ipad.supports("text")


def test_an_attribute_is_named_by_the_prompt(ipad, ipad_folder):
    photos = tiny_photos()
    expected = Encoder.from_pretrained(ipad_folder).encode(photos)
    for attribute in ATTRIBUTE_NAMES:
        assert_close(ipad.encode(photos, prompt_name=attribute), expected[attribute])
        assert_close(ipad.encode_query(photos, prompt=attribute), expected[attribute])
    assert ipad.encode(photos, prompt_name="neckline", convert_to_tensor=True).dtype == torch.float32


def test_models_load_in_another_float_type(e2_folder):
    model = SentenceTransformer(
        str(e2_folder), trust_remote_code=True, device="cpu", model_kwargs={"dtype": "bfloat16"}
    )
    expected = Encoder.from_pretrained(e2_folder, dtype="bfloat16").encode(tiny_images(2))
    assert model[0].model.dtype == torch.bfloat16
    assert_close(model.encode(tiny_images(2)), expected)


@pytest.mark.parametrize("call", ["encode", "encode_query", "encode_document"])
def test_without_an_attribute_the_error_names_them(ipad, call):
    with pytest.raises(ValueError, match=r"prompt_name='neckline'.*neckline, sleeve_length, pattern"):
        getattr(ipad, call)(tiny_photos())


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        (["no/such/photo.jpg"], {}, "no/such/photo.jpg"),
        ([{"image": "x.jpg", "text": 3}], {}, 'a "text" that is a string'),
        ([{"role": "user", "content": "a red dress"}], {}, "a photo must be one of PIL"),
        (["a dress"], {"processing_kwargs": {"text": {}}}, "takes no 'processing_kwargs'"),
    ],
)
def test_wrong_inputs_are_named(e2, inputs, options, message):
    with pytest.raises(ValueError, match=message):
        e2.encode(inputs, **options)


def test_wrong_inputs_of_attribute_models_are_named(ipad):
    with pytest.raises(ValueError, match="did you mean 'neckline'"):
        ipad.encode(tiny_photos(), prompt="neckling")
    with pytest.raises(ValueError, match="text"):
        ipad.encode(["a red dress"], prompt_name="neckline")


def test_other_formats_and_backends_are_refused(e2, e2_folder, tmp_path):
    with pytest.raises(ValueError, match="safetensors"):
        e2.save_pretrained(str(tmp_path), safe_serialization=False)
    with pytest.raises(ValueError, match="'torch', got 'onnx'"):
        SentenceTransformer(str(e2_folder), trust_remote_code=True, backend="onnx")


def test_nothing_runs_without_trust(e2_folder):
    with pytest.raises(ValueError, match="trust_remote_code"):
        SentenceTransformer(str(e2_folder))
