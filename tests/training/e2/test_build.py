"""Processor and model of a run: from scratch, from a CLIP, from an E2; mistakes in their fields are named."""

import pytest
import torch
from datasets import Dataset
from transformers import CLIPModel, Dinov2Model, SiglipModel

from hf_fashion import E2Model, FilipModel
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.training.corpus import load_data, with_entities
from hf_fashion.training.e2.build import (
    check_fields,
    choose_entities,
    make_model,
    make_processor,
    require_negatives,
    require_tags,
)
from hf_fashion.training.e2.recipe import E2ModelRecipe
from hf_fashion.training.recipe import DataRecipe
from tests.scripts.tiny_run import tiny_corpus
from tests.tiny_dual_encoder import tiny_dual_encoder
from tests.tower_folders import bert_folder, dinov2_folder, siglip_folder


TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
CONFIG = {"projection_dim": 8, "text_config": TOWER, "vision_config": TOWER | {"image_size": 16, "patch_size": 8}}


@pytest.fixture
def data(tmp_path):
    tiny_corpus(tmp_path)
    (tmp_path / "map.yaml").write_text("caption: title\ntags: {colour: colour, brand: brand}\n")
    return DataRecipe(corpus=str(tmp_path / "corpus"), column_map=str(tmp_path / "map.yaml"))


def start(data: DataRecipe, recipe: E2ModelRecipe):
    corpus, column_map, _ = load_data(data)
    if recipe.architecture == "e2":
        column_map = with_entities(column_map, choose_entities(recipe, column_map))
    processor = make_processor(recipe, corpus["train"], column_map)
    return processor, make_model(recipe, processor)


def save(folder, processor, model) -> str:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def test_e2_from_scratch_has_the_corpus_entities_and_vocabulary(data):
    processor, model = start(data, E2ModelRecipe(config=CONFIG, vocab_size=600))
    assert isinstance(model, E2Model) and model.config.tag_entities == ["colour", "brand"]
    assert model.config.text_config.vocab_size == len(processor.tokenizer)
    assert model.config.text_config.eos_token_id == processor.tokenizer.eos_token_id


def test_clip_beside_it_has_the_same_towers(data):
    _, e2 = start(data, E2ModelRecipe(config=CONFIG, vocab_size=600))
    _, clip = start(data, E2ModelRecipe(architecture="clip", config=CONFIG, vocab_size=600))
    assert isinstance(clip, CLIPModel)
    shapes = {name: tensor.shape for name, tensor in e2.state_dict().items()}
    assert all(shapes[name] == tensor.shape for name, tensor in clip.state_dict().items())


def test_continuing_takes_weights_tokenizer_and_images(data, tmp_path):
    processor, clip = start(data, E2ModelRecipe(architecture="clip", config=CONFIG, vocab_size=600))
    recipe = E2ModelRecipe(start_from=save(tmp_path, processor, clip.half()), config={"tokens_per_entity": 3})
    continued, e2 = start(data, recipe)
    assert continued.tokenizer.get_vocab() == processor.tokenizer.get_vocab()
    assert continued.image_processor.size == processor.image_processor.size
    assert e2.config.tokens_per_entity == 3
    assert e2.dtype == torch.float32, "half-precision weights would not take small steps"
    weights = e2.state_dict()
    assert all(torch.equal(weights[name], tensor.float()) for name, tensor in clip.state_dict().items())


def test_an_e2_is_continued_with_its_own_order_of_entities(data, tmp_path):
    recipe = E2ModelRecipe(config=CONFIG | {"tag_entities": ["brand", "colour"]}, vocab_size=600)
    processor, model = start(data, recipe)
    recipe = E2ModelRecipe(start_from=save(tmp_path, processor, model), config={"region_loss_weight": 0.1})
    again, continued = start(data, recipe)
    assert again.tag_entities == continued.config.tag_entities == ["brand", "colour"]
    assert continued.config.region_loss_weight == 0.1
    assert torch.equal(continued.region_head.projections[0].weight, model.region_head.projections[0].weight)


def test_fewer_entities_than_the_corpus_has(data):
    processor, model = start(data, E2ModelRecipe(config=CONFIG | {"tag_entities": ["brand"]}, vocab_size=600))
    assert processor.tag_entities == model.config.tag_entities == ["brand"]


@pytest.mark.parametrize("architecture", ["e2", "clip", "filip"])
def test_another_model_is_no_start(data, tmp_path, architecture):
    processor, _ = start(data, E2ModelRecipe(config=CONFIG, vocab_size=600))
    recipe = E2ModelRecipe(
        start_from=save(tmp_path / "dual", processor, tiny_dual_encoder()), architecture=architecture
    )
    message = f"type 'vision-text-dual-encoder': architecture '{architecture}' starts from one of"
    with pytest.raises(ValueError, match=message):
        start(data, recipe)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"config": {"region_los_weight": 0}}, "region_los_weight.*region_loss_weight"),
        ({"config": {"vision_config": {"drop_patch": False}}}, "vision_config.*drop_patch"),
        ({"architecture": "clip", "config": {"tag_entities": ["brand"]}}, "tag_entities"),
        ({"architecture": "clip", "config": {"text_config": {"num_hidden_layer": 2}}}, "num_hidden_layers"),
        ({"config": {"weighted_entities": ["brand"]}}, "weighted_entities"),
        ({"architecture": "filip", "config": {"tag_entities": ["brand"]}}, "tag_entities"),
        ({"architecture": "filip", "config": {"region_loss_weight": 0.2}}, "region_loss_weight"),
        ({"architecture": "clip", "start_from_vision": "d", "config": {"region_targets": "diagonal"}}, "region_tar"),
        ({"start_from": "clip", "config": {"vision_config": {"patch_size": 8}}}, "start_from"),
        ({"start_from_vision": "dinov2", "config": {"vision_config": {"patch_size": 8}}}, "start_from_vision"),
        ({"start_from_vision": "d", "start_from_text": "b", "config": {"text_config": TOWER}}, "start_from_text"),
    ],
)
def test_fields_that_would_be_dropped_are_refused(recipe, message):
    with pytest.raises(ValueError, match=message):
        check_fields(E2ModelRecipe(**recipe))


@pytest.mark.parametrize("text", ["bert", None])
def test_two_encoders_and_the_baseline_of_the_same_towers(data, tmp_path, text):
    starts = {"start_from_vision": dinov2_folder(tmp_path / "dinov2")}
    starts |= {"start_from_text": bert_folder(tmp_path / "bert")} if text else {"vocab_size": 600}
    config = {"projection_dim": 8} | ({} if text else {"text_config": TOWER})
    processor, e2 = start(data, E2ModelRecipe(config=config | {"first_selection_layer": 2}, **starts))
    again, clip = start(data, E2ModelRecipe(architecture="clip", config=config, **starts))
    dinov2 = Dinov2Model.from_pretrained(starts["start_from_vision"]).state_dict()
    for model in (e2, clip):
        weights = model.vision_model.tower.state_dict()
        assert all(torch.equal(weights[name], tensor) for name, tensor in dinov2.items() if "mask_token" not in name)
        assert model.dtype == torch.float32 and model.visual_projection.out_features == 8
        assert "visual_projection" in model.new_modules and ("text_model" in model.new_modules) == (text is None)
    assert e2.config.tag_entities == ["colour", "brand"] and clip.config.tag_entities == []
    shapes = {name: tensor.shape for name, tensor in e2.state_dict().items()}
    assert all(shapes[name] == tensor.shape for name, tensor in clip.state_dict().items() if "selection" not in name)
    assert processor.image_processor.to_dict() == again.image_processor.to_dict()


def test_siglip_is_a_start_and_its_own_baseline(data, tmp_path):
    folder = siglip_folder(tmp_path / "siglip")
    processor, e2 = start(data, E2ModelRecipe(start_from=folder))
    _, siglip = start(data, E2ModelRecipe(start_from=folder, architecture="clip"))
    assert isinstance(e2, E2Model) and isinstance(siglip, SiglipModel) and processor.text_padding == "max_length"
    assert torch.equal(e2.logit_bias, siglip.logit_bias[0])


def test_continuing_without_tag_entities_is_for_clip(data, tmp_path):
    starts = {"start_from_vision": dinov2_folder(tmp_path / "v"), "start_from_text": bert_folder(tmp_path / "t")}
    processor, model = start(data, E2ModelRecipe(architecture="clip", **starts))
    folder = save(tmp_path / "saved", processor, model)
    _, continued = start(data, E2ModelRecipe(architecture="clip", start_from=folder))
    assert torch.equal(continued.visual_projection.weight, model.visual_projection.weight)
    with pytest.raises(ValueError, match="type 'e2 without tag entities': architecture 'e2' starts from one of"):
        start(data, E2ModelRecipe(start_from=folder))


def test_filip_from_scratch_has_clips_towers(data):
    _, clip = start(data, E2ModelRecipe(architecture="clip", config=CONFIG, vocab_size=600))
    _, filip = start(data, E2ModelRecipe(architecture="filip", config=CONFIG, vocab_size=600))
    assert isinstance(filip, FilipModel)
    shapes = {name: tensor.shape for name, tensor in filip.state_dict().items()}
    assert all(shapes[name] == tensor.shape for name, tensor in clip.state_dict().items())


@pytest.mark.parametrize("text", ["bert", None])
def test_filip_and_clip_start_from_the_same_encoders(data, tmp_path, text):
    starts = {"start_from_vision": dinov2_folder(tmp_path / "dinov2")}
    starts |= {"start_from_text": bert_folder(tmp_path / "bert")} if text else {"vocab_size": 600}
    config = {"projection_dim": 8} | ({} if text else {"text_config": TOWER})
    models = []
    for architecture in ("clip", "filip"):
        torch.manual_seed(0)
        models.append(start(data, E2ModelRecipe(architecture=architecture, config=config, **starts))[1])
    clip, filip = (model.state_dict() for model in models)
    assert isinstance(models[1], FilipModel) and clip.keys() == filip.keys()
    assert all(torch.equal(filip[name], tensor) for name, tensor in clip.items())


def test_filip_starts_from_clip_siglip_and_itself(data, tmp_path):
    processor, clip = start(data, E2ModelRecipe(architecture="clip", config=CONFIG, vocab_size=600))
    folder = save(tmp_path / "clip", processor, clip.half())
    again, filip = start(data, E2ModelRecipe(architecture="filip", start_from=folder))
    assert filip.dtype == torch.float32 and again.tokenizer.get_vocab() == processor.tokenizer.get_vocab()
    assert all(torch.equal(filip.state_dict()[name], tensor.float()) for name, tensor in clip.state_dict().items())
    _, continued = start(data, E2ModelRecipe(architecture="filip", start_from=save(tmp_path / "own", again, filip)))
    assert torch.equal(continued.visual_projection.weight, filip.visual_projection.weight)
    recipe = E2ModelRecipe(architecture="filip", start_from=siglip_folder(tmp_path / "siglip"))
    processor, siglip = start(data, recipe)
    assert siglip.config.contrastive_loss == "sigmoid" and processor.text_padding == "max_length"
    for architecture, own in (("e2", "e2"), ("clip", "e2 without tag entities")):
        with pytest.raises(ValueError, match=f"type 'filip': architecture '{architecture}' starts from one of {own}"):
            start(data, E2ModelRecipe(architecture=architecture, start_from=str(tmp_path / "own")))


def test_entities_are_weighed_by_e2s_and_by_clips_of_any_start(data, tmp_path):
    scratch = {"config": CONFIG, "vocab_size": 600}
    processor, clip = start(data, E2ModelRecipe(architecture="clip", **scratch))
    folder = save(tmp_path / "clip", processor, clip)
    towers = {"start_from_vision": dinov2_folder(tmp_path / "v"), "start_from_text": bert_folder(tmp_path / "t")}
    starts = (scratch, {"start_from": folder}, {"start_from": siglip_folder(tmp_path / "siglip")}, towers)
    for architecture, options in (*(("clip", options) for options in starts), ("e2", scratch)):
        again, model = start(data, E2ModelRecipe(architecture=architecture, weigh_entities=True, **options))
        assert isinstance(model, E2Model) and bool(model.config.tag_entities) == (architecture == "e2")
        assert model.config.weighted_entities == ["colour", "brand"] and not model.entity_words.weight.any()
    model.entity_words.weight.data += 1
    own = save(tmp_path / "own", again, model)
    for weigh in (False, True):
        _, continued = start(data, E2ModelRecipe(start_from=own, weigh_entities=weigh))
        assert torch.equal(continued.entity_words.weight, model.entity_words.weight)


def test_an_e2_without_tags_is_refused(data):
    with pytest.raises(ValueError, match="there are no tag entities: name the columns of `tags` in the column map"):
        choose_entities(E2ModelRecipe(), ColumnMap(caption="title"))


def test_entities_of_a_continued_e2_are_its_own(data, tmp_path, caplog):
    recipe = E2ModelRecipe(
        start_from=save(tmp_path / "e2", *start(data, E2ModelRecipe(config=CONFIG, vocab_size=600)))
    )
    assert choose_entities(recipe, ColumnMap(caption="title", tags={"colour": "colour", "brand": "brand"})) == [
        "colour",
        "brand",
    ]
    assert not caplog.text
    assert choose_entities(recipe, ColumnMap(tags={"size": "size", "brand": "brand"})) == ["colour", "brand"]
    assert "the column map's ['size'] are not trained" in caplog.text
    recipe.config = {"tag_entities": ["colour", "size"]}
    with pytest.raises(ValueError, match=r"is \['colour', 'size'\], but the E2 .* has \['colour', 'brand'\]"):
        choose_entities(recipe, ColumnMap(tags={"colour": "colour", "brand": "brand"}))


def test_a_batch_of_one_product_is_refused():
    require_negatives(2)
    with pytest.raises(ValueError, match=r"`training\.batch_size` is 1.*give it 2 or more"):
        require_negatives(1)


def test_a_split_without_tags_is_refused_and_one_without_some_is_said(caplog):
    train = Dataset.from_dict({"tint": ["red", None], "maker": ["", None]})
    require_tags(train, ColumnMap(tags={"colour": "tint"}))
    assert not caplog.text
    require_tags(train, ColumnMap(tags={"colour": "tint", "brand": "maker"}))
    assert "no tag of 'brand' (column 'maker'): the selection tokens" in caplog.text
    with pytest.raises(
        ValueError, match=r"no tag of 'brand' \(column 'maker'\), and architecture 'e2' learns from tags"
    ):
        require_tags(train, ColumnMap(tags={"brand": "maker"}))
