"""Products as a training step reads them: texts, tags, views, batches."""

import pytest
import torch
from datasets import Dataset, Image, List

from hf_fashion import E2Processor
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.products import ProductCollator, ProductDataset, product_tags, product_texts
from tests.tiny_e2 import MAX_LENGTH, tiny_image_processor, tiny_images, tiny_processor, tiny_tokenizer


MAP = ColumnMap(image="photos", caption="title", tags={"brand": "maker", "season": "season"})


@pytest.fixture
def corpus():
    images = tiny_images(12)
    columns = {
        "photos": [images[:4], images[4:8], images[8:]],
        "title": ["red dress", "blue dress", "green dress"],
        "maker": ["Acme", None, "Bolt"],
        "season": ["Summer", "Fall", ""],
    }
    return Dataset.from_dict(columns).cast_column("photos", List(Image()))


def products(corpus, folder, **kwargs) -> ProductDataset:
    processor = tiny_processor()
    photos = PhotoCache.build(corpus, "photos", processor.image_processor, folder)
    return ProductDataset(corpus, MAP, photos, processor, **kwargs)


def test_texts_and_tags_are_read_through_the_map(corpus):
    assert product_tags(corpus, MAP)[1:] == [{"brand": None, "season": "Fall"}, {"brand": "Bolt", "season": None}]
    assert product_texts(corpus, MAP, tiny_processor())[0] == "red dress"
    composing = E2Processor(tiny_image_processor(), tiny_tokenizer(), list(MAP.tags), compose_text=True)
    assert product_texts(corpus, MAP, composing) == ["Acme.Summer.red dress", "Fall.blue dress", "Bolt.green dress"]


def test_a_missing_caption_stays_missing_and_a_map_without_one_is_refused(corpus):
    rows = corpus.remove_columns("title").add_column("title", ["red dress", None, ""])
    composing = E2Processor(tiny_image_processor(), tiny_tokenizer(), list(MAP.tags), compose_text=True)
    assert product_texts(rows, MAP, composing) == ["Acme.Summer.red dress", None, None]
    with pytest.raises(ValueError, match="no `caption`"):
        product_texts(rows, ColumnMap(image="photos"), composing)


def test_without_tags_every_row_has_none(corpus):
    assert product_tags(corpus, ColumnMap(image="photos", caption="title")) == [{}, {}, {}]


def test_evaluation_reads_the_first_view(corpus, tmp_path):
    dataset = products(corpus, tmp_path)
    for epoch in range(3):
        dataset.set_epoch(epoch)
        assert torch.equal(dataset[1]["photo"], torch.from_numpy(dataset.photos.photo(1, 0).copy()))


def test_training_draws_a_view_that_depends_on_seed_epoch_and_row_alone(corpus, tmp_path):
    def drawn(seed, order):
        dataset, views = products(corpus, tmp_path, view_seed=seed), {}
        for epoch in range(8):
            dataset.set_epoch(epoch)
            views |= {(epoch, row): dataset._view(row) for row in order}
        return views

    assert drawn(0, [0, 1, 2]) == drawn(0, [2, 0, 1])
    assert drawn(0, [0, 1, 2]) != drawn(1, [0, 1, 2])
    assert set(drawn(0, [0, 1, 2]).values()) == {0, 1, 2, 3}


def test_a_batch_is_what_the_processor_makes(corpus, tmp_path):
    dataset, processor = products(corpus, tmp_path), tiny_processor()
    batch = ProductCollator(processor, with_tags=True)([dataset[row] for row in range(3)])
    expected = processor(
        images=[corpus[row]["photos"][0] for row in range(3)],
        text=corpus["title"][:],
        tags=product_tags(corpus, MAP),
        return_tensors="pt",
        padding=True,
    )
    assert set(batch) == set(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(batch[name], tensor, rtol=0, atol=1e-5)


def test_without_tags_a_batch_is_clips(corpus, tmp_path):
    dataset = products(corpus, tmp_path)
    batch = ProductCollator(tiny_processor(), with_tags=False)([dataset[0]])
    assert set(batch) == {"pixel_values", "input_ids", "attention_mask"}


def test_one_warning_for_the_long_texts_of_a_split_and_none_for_its_batches(corpus, tmp_path, caplog):
    rows = corpus.remove_columns("title").add_column("title", ["x" * 100, "dress <|endoftext|>", "y" * 100])
    dataset = products(rows, tmp_path)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"2 of 7 texts are longer than the {MAX_LENGTH} tokens"), "3 texts, 4 tags"
    batch = ProductCollator(tiny_processor(), with_tags=True)([dataset[row] for row in range(3)])
    assert len(caplog.records) == 1 and batch["input_ids"].shape == (3, MAX_LENGTH)
    ends = (batch["input_ids"][1] == tiny_tokenizer().eos_token_id).nonzero().flatten()
    assert ends[0] == batch["attention_mask"][1].sum() - 1, "the text ends where it ends"
