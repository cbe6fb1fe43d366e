"""What a run starts with: data from a feed, processor and model that fit each other."""

import json

import pytest
import torch
from PIL import Image
from transformers import CLIPModel

from hf_fashion import E2Model
from hf_fashion.training.recipe import DataRecipe, ModelRecipe
from hf_fashion.training.start import load_data, make_model, make_processor
from tests.training.tiny_run import tiny_corpus


TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
CONFIG = {"projection_dim": 8, "text_config": TOWER, "vision_config": TOWER | {"image_size": 16, "patch_size": 8}}


@pytest.fixture
def data(tmp_path):
    tiny_corpus(tmp_path)
    (tmp_path / "map.yaml").write_text("caption: title\ntags: {colour: colour, brand: brand}\n")
    return DataRecipe(corpus=str(tmp_path / "corpus"), column_map=str(tmp_path / "map.yaml"))


def start(data: DataRecipe, recipe: ModelRecipe):
    corpus, column_map, _ = load_data(data)
    processor = make_processor(recipe, corpus, column_map)
    return processor, make_model(recipe, processor)


def test_e2_from_scratch_has_the_corpus_entities_and_vocabulary(data):
    processor, model = start(data, ModelRecipe(config=CONFIG, vocab_size=600))
    assert isinstance(model, E2Model) and model.config.tag_entities == ["colour", "brand"]
    assert model.config.text_config.vocab_size == len(processor.tokenizer)
    assert model.config.text_config.eos_token_id == processor.tokenizer.eos_token_id


def test_clip_beside_it_has_the_same_towers(data):
    _, e2 = start(data, ModelRecipe(config=CONFIG, vocab_size=600))
    _, clip = start(data, ModelRecipe(architecture="clip", config=CONFIG, vocab_size=600))
    assert isinstance(clip, CLIPModel)
    shapes = {name: tensor.shape for name, tensor in e2.state_dict().items()}
    assert all(shapes[name] == tensor.shape for name, tensor in clip.state_dict().items())


def test_continuing_takes_weights_tokenizer_and_images(data, tmp_path):
    processor, clip = start(data, ModelRecipe(architecture="clip", config=CONFIG, vocab_size=600))
    clip.save_pretrained(tmp_path / "clip")
    processor.save_pretrained(tmp_path / "clip")
    recipe = ModelRecipe(start_from=str(tmp_path / "clip"), config=CONFIG | {"tokens_per_entity": 3})
    continued, e2 = start(data, recipe)
    assert continued.tokenizer.get_vocab() == processor.tokenizer.get_vocab()
    assert continued.image_processor.size == processor.image_processor.size
    assert e2.config.tokens_per_entity == 3
    weights = e2.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in clip.state_dict().items())


def test_an_e2_may_be_continued_too(data, tmp_path):
    processor, model = start(data, ModelRecipe(config=CONFIG, vocab_size=600))
    model.save_pretrained(tmp_path / "e2")
    processor.save_pretrained(tmp_path / "e2")
    _, continued = start(data, ModelRecipe(start_from=str(tmp_path / "e2")))
    assert torch.equal(continued.region_head.projections[0].weight, model.region_head.projections[0].weight)


def test_a_product_feed_with_a_missing_photo(tmp_path):
    rows = [{"id": str(n), "photo": f"{n}.png", "title": f"dress {n}"} for n in range(40)]
    for row in rows[1:]:
        Image.new("RGB", (8, 8), (int(row["id"]) * 6, 0, 0)).save(tmp_path / row["photo"])
    (tmp_path / "feed.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "map.yaml").write_text("image: photo\ncaption: title\nproduct_id: id\n")
    feed = {"corpus": str(tmp_path / "feed.jsonl"), "column_map": str(tmp_path / "map.yaml")}
    with pytest.raises(FileNotFoundError, match=r"0\.png"):
        load_data(DataRecipe(**feed))
    corpus, _, report = load_data(DataRecipe(**feed, on_bad_image="skip"))
    assert sum(corpus.num_rows.values()) == 39 and "skip" in str(report)


def test_a_corpus_without_a_map_is_refused(tmp_path):
    with pytest.raises(ValueError, match="column_map"):
        load_data(DataRecipe(corpus=str(tmp_path)))
