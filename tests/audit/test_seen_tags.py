"""A model finds the label that was swapped."""

import io

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict, Features, Image, Value
from PIL import Image as PILImage
from transformers import CLIPConfig, CLIPModel, set_seed

from hf_fashion.audit.audited_corpus import AuditedCorpus
from hf_fashion.audit.seen_tags import find_disagreements
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.corpus import photo_loader
from hf_fashion.embedding.encoder import Encoder
from hf_fashion.evaluation.tags import evaluate_tags
from tests import tiny_attribute
from tests.audit.planted import COLUMN_MAP, TRAIN_ROWS, clean_corpus
from tests.tiny_e2 import tiny_config, tiny_model, tiny_processor
from tests.tiny_siglip import tiny_siglip


COLOURS = {"red": (220, 30, 30), "green": (30, 180, 60), "blue": (30, 60, 220)}
SWAPPED, CONFIRMED = 4, 7


def painted_corpus() -> AuditedCorpus:
    """24 photos of a colour each, in two splits; the labels of two are wrong, of which the title confirms one."""
    rng = np.random.default_rng(0)
    names = [list(COLOURS)[number % 3] for number in range(24)]
    photos = [
        np.clip(np.array(COLOURS[name]) + rng.integers(-20, 20, (24, 24, 3)), 0, 255).astype(np.uint8)
        for name in names
    ]
    labels, titles = list(names), [f"A {name} shirt" for name in names]
    labels[SWAPPED] = "blue"
    labels[CONFIRMED], titles[CONFIRMED] = "red", "A red shirt"
    labels[10] = None
    columns = {"image": [{"bytes": _png(photo), "path": None} for photo in photos], "title": titles, "colour": labels}
    features = Features({name: Image() if name == "image" else Value("string") for name in columns})
    rows = Dataset.from_dict(columns, features=features)
    splits = DatasetDict(train=rows.select(range(16)), validation=rows.select(range(16, 24)))
    return AuditedCorpus(
        splits, ColumnMap(caption="title", tags={"colour": "colour"}, attributes={"colour": "colour"})
    )


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    PILImage.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def trained_clip(corpus: AuditedCorpus) -> CLIPModel:
    """A CLIP that has learnt the colours of the photos, whatever their labels."""
    config = tiny_config()
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    vision |= {"image_size": 16, "patch_size": 4}
    set_seed(0)
    model = CLIPModel(CLIPConfig(text_config=config.text_config.to_dict(), vision_config=vision, projection_dim=12))
    processor = tiny_processor()
    prepare = Encoder(model, processor).prepare_photos
    (photos,) = photo_loader(corpus.splits["train"], "image", prepare, 0, batch_size=16)
    texts = processor.tokenizer(list(COLOURS), padding=True, return_tensors="pt")
    target = torch.arange(16) % 3
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(25):
        scores = model(**photos, **texts).logits_per_image  # (16, 3)
        loss = torch.nn.functional.cross_entropy(scores, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (scores.argmax(dim=1) == target).all()
    return model.eval()


def test_a_model_that_reads_finds_the_swapped_tag():
    corpus = painted_corpus()
    readable = [row for row in range(24) if row != 1]
    found = find_disagreements(trained_clip(corpus), tiny_processor(), corpus, readable, progress=False)["colour"]
    (issue,) = found["issues"]
    assert (issue["row"], issue["value"], issue["seen"]) == (SWAPPED, "blue", "green")
    assert issue["caption_agrees"] and issue["strength"] > 0.3
    assert found["judged"] == 22 and found["confirmed"] == 1 and found["agreement"] == pytest.approx(20 / 22)
    assert found["majority_rate"] == pytest.approx(9 / 22)


def test_an_attribute_model_finds_it_by_neighbours():
    corpus = painted_corpus()
    set_seed(0)
    model = tiny_attribute.tiny_asen(attribute_names=["colour"], attribute_values={"colour": []})
    found = find_disagreements(model, tiny_attribute.tiny_image_processor(), corpus, range(24), progress=False)
    (issue,) = found["colour"]["issues"]
    assert (issue["row"], issue["value"], issue["seen"]) == (SWAPPED, "blue", "green")
    assert found["colour"]["judged"] == 23 and found["colour"]["confirmed"] == 1


def test_e2_judges_by_the_region_of_the_entity():
    corpus = AuditedCorpus(DatasetDict(train=clean_corpus()["train"]), COLUMN_MAP)
    entities = list(COLUMN_MAP.tags)
    model, processor = tiny_model(tag_entities=entities), tiny_processor()
    found = find_disagreements(model, processor, corpus, range(TRAIN_ROWS), progress=False)
    expected = evaluate_tags(model, processor, corpus.splits["train"], COLUMN_MAP, progress=False)
    assert {name: labels["agreement"] for name, labels in found.items()} == pytest.approx(
        {name: expected[f"{name}_region_accuracy"] for name in entities}
    )


def test_siglip_judges_too():
    corpus = painted_corpus()
    found = find_disagreements(tiny_siglip(), tiny_processor(), corpus, range(24), progress=False)["colour"]
    assert found["judged"] == 23 and 0 <= found["agreement"] <= 1


def test_a_name_that_cannot_be_judged_says_why():
    corpus = painted_corpus()
    few = find_disagreements(tiny_siglip(), tiny_processor(), corpus, range(8), progress=False)
    assert few == {"colour": {"problem": "8 rows have one value of it, and 20 are needed"}}
    red = corpus.splits.map(lambda row: {"one": "red", "several": ["red", "blue"]})
    columns = {"colour": "colour", "one": "one", "several": "several"}
    mapped = AuditedCorpus(red, ColumnMap(attributes=columns))
    model = tiny_attribute.tiny_asen(attribute_names=list(columns), attribute_values={key: [] for key in columns})
    found = find_disagreements(model, tiny_attribute.tiny_image_processor(), mapped, range(24), progress=False)
    assert list(found) == list(columns) and found["colour"]["judged"] == 23
    assert found["one"] == {"problem": "all of its labels are 'red'"}
    assert found["several"] == {"problem": "0 rows have one value of it, and 20 are needed"}


def test_a_model_without_anything_to_judge_is_refused():
    corpus = AuditedCorpus(clean_corpus(), ColumnMap(attributes={"hem": "hem"}))
    with pytest.raises(ValueError, match="names no `tags`"):
        find_disagreements(tiny_model(), tiny_processor(), corpus, range(3), progress=False)
    model = tiny_attribute.tiny_asen(attribute_names=["colour"], attribute_values={"colour": []})
    with pytest.raises(ValueError, match=r"`attributes` of the model \(colour\)"):
        find_disagreements(model, tiny_attribute.tiny_image_processor(), corpus, range(3), progress=False)
