"""From corpus to tensors: which photo, which text, which rows are equal."""

import pytest
import torch
from datasets import Dataset, Features, Image, List
from transformers import CLIPProcessor

from hf_fashion.embedding.corpus import embed_images, embed_texts, equality_ids, photo_ids
from tests.tiny_dual_encoder import tiny_dual_encoder
from tests.tiny_e2 import MAX_LENGTH, tiny_images


def test_images_are_embedded_in_the_order_of_the_rows(e2, processor, corpus):
    photos = corpus["validation"]
    embeds = embed_images(e2, processor, photos, batch_size=7, progress=False)["image_embeds"]
    with torch.no_grad():
        inputs = processor.image_processor([photos[20]["image"]], return_tensors="pt")
        torch.testing.assert_close(embeds[20:21], e2(pixel_values=inputs["pixel_values"]).image_embeds)
    assert len(embeds) == len(photos)


def test_of_several_views_the_first_counts(e2, processor):
    first, second, third = tiny_images(3)
    views = Dataset.from_dict({"views": [[first, second], [third]]}, features=Features({"views": List(Image())}))
    single = Dataset.from_dict({"image": [first.convert("RGB"), third]}, features=Features({"image": Image()}))
    expected = embed_images(e2, processor, single, progress=False)
    embeds = embed_images(e2, processor, views, "views", progress=False)
    torch.testing.assert_close(embeds["region_embeds"], expected["region_embeds"])


def test_a_missing_column_is_named(e2, processor, corpus):
    with pytest.raises(ValueError, match="no column 'photo'"):
        embed_images(e2, processor, corpus["validation"], "photo")


def test_texts_do_not_depend_on_their_batch(e2, processor):
    texts = ["a red dress", "shirt", "a much longer description of a coat"]
    together, _ = embed_texts(e2, processor, texts, progress=False)
    alone, _ = embed_texts(e2, processor, texts, batch_size=1, progress=False)
    torch.testing.assert_close(together, alone)


def test_texts_with_equal_tokens_are_equal(clip, processor):
    processor = CLIPProcessor(processor.image_processor, processor.tokenizer)
    texts = ["Red Dress", "blue dress", "red dress", "x" * 50 + "a", "x" * 50 + "b"]
    embeds, ids = embed_texts(clip, processor, texts, progress=False)
    assert ids.tolist() == [0, 1, 0, 2, 2]
    torch.testing.assert_close(embeds[0], embeds[2])


def test_one_warning_says_how_many_texts_are_cut(e2, processor, caplog):
    embed_texts(e2, processor, ["x" * 100, "shirt", "y" * 100], batch_size=1, progress=False)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"2 of 3 texts are longer than the {MAX_LENGTH} tokens")


def test_a_special_token_does_not_end_a_text(e2, processor):
    _, ids = embed_texts(e2, processor, ["red <|endoftext|> hat", "red <|endoftext|> bag"], progress=False)
    assert ids.tolist() == [0, 1]


def test_texts_of_a_model_that_is_not_supported_are_refused(processor):
    with pytest.raises(ValueError, match="type 'vision-text-dual-encoder' is not supported"):
        embed_texts(tiny_dual_encoder(), processor, ["shirt"], progress=False)


def test_photo_ids_compare_bytes():
    first, second = tiny_images(2)
    photos = Dataset.from_dict({"image": [first, second, first]}, features=Features({"image": Image()}))
    assert photo_ids(photos).tolist() == [0, 1, 0]
    views = Dataset.from_dict({"v": [[second, first], [first], [second]]}, features=Features({"v": List(Image())}))
    assert photo_ids(views, "v").tolist() == [0, 1, 0]


def test_a_row_without_a_photo_is_named():
    photos = Dataset.from_dict({"image": [tiny_images(1)[0], None]}, features=Features({"image": Image()}))
    with pytest.raises(ValueError, match="row 1 has no photo"):
        photo_ids(photos)


def test_equality_ids_number_by_first_appearance():
    assert equality_ids(["b", None, "a", "b"]).tolist() == [0, 1, 2, 0]
