"""The evaluation of a run in work: distinct titles, a perfect and an untrained model."""

import pytest
import torch
from datasets import Dataset, Image

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.products import ProductCollator, ProductDataset
from hf_fashion.evaluation.cross_modal import evaluate_cross_modal
from hf_fashion.training.e2.validation import equal_inputs, validate, warn_of_few_titles
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor
from tests.tiny_filip import tiny_filip


@pytest.fixture
def validation(tmp_path):
    titles = ["red dress", "blue dress", "red dress", "green coat"]
    dataset = Dataset.from_dict({"image": tiny_images(4), "title": titles}).cast_column("image", Image())
    processor = tiny_processor()
    photos = PhotoCache.build(dataset, "image", processor.image_processor, tmp_path)
    products = ProductDataset(dataset, ColumnMap(caption="title"), photos, processor)
    collator = ProductCollator(processor, with_tags=False)
    return products, collator, equal_inputs(dataset, "image", products, collator)


def test_a_title_counts_once(validation):
    metrics = validate(tiny_model(), *validation)
    assert metrics["image_to_text_num_queries"] == metrics["text_to_image_num_queries"] == 3
    assert metrics["image_to_text_recall@5"] == 1, "three candidates, so five always hold the right one"
    assert metrics["sum_recall"] == pytest.approx(sum(v for k, v in metrics.items() if "_recall@" in k))


def test_ceilings_know_photos_and_texts_that_no_model_tells_apart(tmp_path):
    """As those of the evaluation do."""
    photos = [tiny_images(4)[number] for number in (0, 1, 2, 0, 3)]
    titles = ["Red dress", "red dress", "blue dress", "green coat", "blue dress"]
    dataset = Dataset.from_dict({"image": photos, "title": titles}).cast_column("image", Image())
    processor, column_map, model = tiny_processor(), ColumnMap(caption="title"), tiny_model()
    cache = PhotoCache.build(dataset, "image", processor.image_processor, tmp_path)
    products = ProductDataset(dataset, column_map, cache, processor)
    collator = ProductCollator(processor, with_tags=False)
    inputs = equal_inputs(dataset, "image", products, collator)
    assert [ids.tolist() for ids in inputs] == [[0, 1, 2, 0], [0, 0, 1, 2]]
    different = torch.arange(4), torch.arange(4)
    without, metrics = (validate(model, products, collator, given) for given in (different, inputs))
    changed = {name for name in metrics if metrics[name] != without[name]}
    assert {"image_to_text_recall_ceiling@1", "sum_recall_ceiling"} <= changed
    assert all("recall_ceiling" in name for name in changed)
    evaluated = evaluate_cross_modal(model, processor, dataset, column_map, progress=False)
    assert {name: evaluated[name] for name in changed} == {name: metrics[name] for name in changed}


def test_filip_is_validated_by_token_similarity(validation):
    model = tiny_filip()
    metrics = validate(model, *validation, batch_size=2)
    products, collator, _ = validation
    batch = collator([products[row] for row in (0, 1, 3)])
    with torch.no_grad():
        outputs = model(**batch)
    for way, logits in (("image_to_text", outputs.logits_per_image), ("text_to_image", outputs.logits_per_text)):
        hits = logits.argmax(1) == torch.arange(3)
        assert metrics[f"{way}_recall@1"] == pytest.approx(hits.float().mean().item())


def test_batches_change_nothing_and_randomness_is_left_alone(validation):
    model = tiny_model().train()
    before = torch.get_rng_state()
    one, many = validate(model, *validation, batch_size=1), validate(model, *validation, batch_size=8)
    assert one == many and model.training
    assert torch.equal(torch.get_rng_state(), before), "a resumed run would diverge"


def test_one_title_to_choose_from_is_said(validation, caplog):
    products, *_ = validation
    warn_of_few_titles(products)
    assert not caplog.text
    products.titles = ["red dress"] * 4
    warn_of_few_titles(products)
    assert "one distinct title: recall is 1 with every model" in caplog.text
