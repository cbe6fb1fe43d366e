"""The pipeline of captioners, by the task of a saved folder and by hf_fashion's own."""

from io import BytesIO

import pytest
from datasets import Dataset
from PIL import Image
from transformers import pipeline

from hf_fashion.models.captioner.pipeline_captioner import captioning_pipeline
from tests.tiny_captioner import tiny_caption_processor, tiny_captioner
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captioner")
    tiny_captioner(method="decap").save_pretrained(folder)
    tiny_caption_processor().save_pretrained(folder)
    return folder


def test_a_caption_of_each_photo_in_every_form(folder):
    describe = pipeline("fashion-captioning", model=str(folder))
    photos = tiny_images(2)
    photos[0].save(folder / "photo.png")
    first, second = describe(photos, do_sample=False)
    assert describe(str(folder / "photo.png"), do_sample=False) == first != second
    assert describe((folder / "photo.png").read_bytes(), do_sample=False) == first
    assert len(describe(photos[0], num_beams=2, num_return_sequences=2, do_sample=False)) == 2
    assert describe(photos[0], do_sample=False, return_dict_in_generate=True) == first
    assert len(describe(photos[0], max_new_tokens=1, do_sample=False)[0]["generated_text"]) < len(
        first[0]["generated_text"]
    )


def test_photos_of_every_sequence(folder):
    describe, photos = pipeline("fashion-captioning", model=str(folder)), tiny_images(3)
    expected = describe(photos, do_sample=False)
    column = Dataset.from_dict({"image": photos})["image"]
    assert describe(column, do_sample=False) == describe(tuple(photos), do_sample=False) == expected
    for several in ((photo for photo in photos), iter(photos), map(Image.Image.copy, photos)):
        assert list(describe(several, do_sample=False)) == expected
    with pytest.raises(ValueError, match="a photo is an image, bytes or a path, got BytesIO"):
        describe(BytesIO())
    assert describe([]) == []


def test_several_captions_of_each_photo_in_batches(folder):
    describe, photos = pipeline("fashion-captioning", model=str(folder)), tiny_images(3)
    options = {"num_return_sequences": 2, "num_beams": 2, "do_sample": False}
    found = describe(photos, batch_size=2, **options)
    assert [len(captions) for captions in found] == [2, 2, 2]
    assert found == [describe(photo, **options) for photo in photos]


def test_the_task_of_a_saved_folder_needs_trust(folder, tmp_path):
    describe = pipeline("image-to-text", model=str(folder), trust_remote_code=True)
    (photo,) = tiny_images(1)
    expected = pipeline("fashion-captioning", model=str(folder))(photo, do_sample=False)
    assert describe(photo, do_sample=False) == expected
    with pytest.raises(ValueError, match="trust_remote_code"):
        pipeline("image-to-text", model=str(folder))
    describe.save_pretrained(tmp_path)
    again = pipeline("image-to-text", model=str(tmp_path), trust_remote_code=True)
    assert again(photo, do_sample=False) == expected
    assert {path.name for path in tmp_path.iterdir()} >= {path.name for path in folder.glob("*.py")}


def test_what_is_no_captioner_and_no_photo_is_refused(folder):
    with pytest.raises(ValueError, match="E2Model writes no captions"):
        captioning_pipeline(tiny_model(), tiny_processor())
    with pytest.raises(ValueError, match=r"no\.png.*cannot be read"):
        pipeline("fashion-captioning", model=str(folder))("no.png")
    with pytest.raises(ValueError, match="cannot be fetched: its address is in a private network"):
        pipeline("fashion-captioning", model=str(folder))("http://127.0.0.1:9/photo.jpg")
    assert captioning_pipeline(tiny_captioner(), tiny_caption_processor())(Image.new("RGBA", (9, 9)))


def test_photos_of_strangers_are_given_and_not_named(folder):
    describe = pipeline("fashion-captioning", model=str(folder), allow_paths=False, allow_urls=False)
    tiny_images(1)[0].save(folder / "photo.png")
    for name, what in ((str(folder / "photo.png"), "paths"), ("http://8.8.8.8/photo.jpg", "URLs")):
        with pytest.raises(ValueError, match=f"photos are not read from {what} here"):
            describe(name)
    assert describe((folder / "photo.png").read_bytes())
