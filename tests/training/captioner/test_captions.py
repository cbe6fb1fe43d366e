"""Captions and their embeddings: rows without a caption, distinct captions, batches, the length of noise."""

import pytest
import torch
from datasets import Dataset, Image

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.training.captioner.captions import (
    CaptionCollator,
    EmbeddedCaptions,
    facts,
    noise_variance,
    photo_captions,
    text_captions,
    with_captions,
)
from tests.tiny_captioner import CAPTIONS, tiny_caption_processor
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor


@pytest.fixture
def rows() -> Dataset:
    columns = {"image": tiny_images(4), "title": [*CAPTIONS[:2], None, CAPTIONS[0]]}
    return Dataset.from_dict(columns).cast_column("image", Image())


COLUMNS = ColumnMap(image="image", caption="title")


def embedder():
    return tiny_model(), tiny_processor()


def test_texts_and_photos_of_the_rows_with_captions(rows):
    rows = with_captions(rows, COLUMNS)
    texts = text_captions(rows, COLUMNS, embedder(), tiny_caption_processor())
    photos = photo_captions(rows, COLUMNS, embedder(), tiny_caption_processor())
    assert texts.captions == photos.captions == [*CAPTIONS[:2], CAPTIONS[0]] and len(texts) == 3
    assert torch.equal(texts.embeds[0], texts.embeds[2]) and not torch.equal(photos.embeds[0], photos.embeds[2])
    torch.testing.assert_close(texts.embeds.norm(dim=-1), torch.ones(3))
    assert torch.equal(texts.distinct(), texts.embeds[:2])
    assert facts({"train": texts}).startswith("train: 3 captions of ")
    distances = (photos.embeds - texts.embeds).norm(dim=-1)
    variance = noise_variance(rows, texts, COLUMNS, embedder())
    assert variance * 12 == pytest.approx(distances.square().mean().item(), rel=1e-4)


def test_a_batch_has_the_models_inputs():
    processor = tiny_caption_processor()
    captions = EmbeddedCaptions(torch.randn(3, 12), CAPTIONS, processor.encode_captions(CAPTIONS))
    batch = CaptionCollator(processor, "image_embeds")([captions[0], captions[2]])
    assert torch.equal(batch["image_embeds"], captions.embeds[[0, 2]])
    expected = processor(text=[CAPTIONS[0], CAPTIONS[2]])
    assert torch.equal(batch["labels"], expected["labels"]) and set(batch) == {"image_embeds", *expected}
