"""The processor: tags to tensors, the paper's composed text, saving."""

import pytest
import torch

from hf_fashion import E2Model, E2Processor
from hf_fashion.models.e2.processing_e2 import tag_id
from tests.tiny_e2 import MAX_LENGTH, TAG_ENTITIES, tiny_image_processor, tiny_images, tiny_processor, tiny_tokenizer
from tests.tower_folders import SIGLIP_LENGTH, bert_folder, dinov2_folder, siglip_tokenizer, towers_of


ROWS = [{"brand": "Acme", "season": "Summer"}, {"brand": None}, {"brand": "acme ", "season": ""}]


def test_tags_become_tokens_ids_and_a_mask():
    encoded = tiny_processor()(tags=ROWS)
    assert encoded["tag_input_ids"].shape[:2] == (3, 2) and encoded["tag_attention_mask"].shape[:2] == (3, 2)
    ids = encoded["tag_ids"]
    assert (ids == -1).tolist() == [[False, False], [True, True], [False, True]]
    assert ids[0, 0] == ids[2, 0], "letter case and white space make no other tag"


def test_ids_are_the_same_in_every_process():
    assert tag_id("Acme") == 4689823734664569936
    assert tag_id(None) == tag_id(" ") == -1


def test_images_text_and_tags_together():
    encoded = tiny_processor()(
        images=tiny_images(2), text=["a", "b"], tags=[{"brand": "x"}] * 2, return_tensors="pt", padding=True
    )
    assert set(encoded) == {
        "pixel_values",
        "input_ids",
        "attention_mask",
        "tag_input_ids",
        "tag_attention_mask",
        "tag_ids",
    }


def test_one_product_may_stand_alone():
    assert tiny_processor()(tags={"brand": "x"})["tag_ids"].shape == (1, 2)


def test_composed_text_is_the_papers():
    processor = E2Processor(tiny_image_processor(), tiny_tokenizer(), TAG_ENTITIES, compose_text=True)
    assert processor.compose("a dress", [ROWS[0]]) == ["Acme.Summer.a dress"]
    assert processor.compose(["a dress"], [ROWS[1]]) == ["a dress"]
    composed = processor(text=["a dress"], tags=[ROWS[0]], return_tensors="pt")["input_ids"]
    assert torch.equal(composed, tiny_tokenizer()("Acme.Summer.a dress", return_tensors="pt")["input_ids"])


def test_text_is_left_as_it_is_by_default():
    left = tiny_processor()(text=["a dress"], tags=[ROWS[0]], return_tensors="pt")["input_ids"]
    assert torch.equal(left, tiny_tokenizer()("a dress", return_tensors="pt")["input_ids"])


def test_unknown_entity_is_named():
    with pytest.raises(ValueError, match=r"tags\[1\].*colour.*brand"):
        tiny_processor()(tags=[{"brand": "x"}, {"colour": "red"}])


@pytest.mark.parametrize("tag", [2024, float("nan"), ["red", "blue"]])
def test_a_tag_that_is_no_text_is_named(tag):
    with pytest.raises(
        ValueError, match=rf"tags\[1\].*'season' is .*, a {type(tag).__name__}\. Give a string, or `None`"
    ):
        tiny_processor()(tags=[{"brand": "x"}, {"season": tag}])


def test_a_name_in_place_of_a_list_of_entities_is_refused():
    with pytest.raises(ValueError, match="`tag_entities` must be a list of names; got 'brand'"):
        E2Processor(tiny_image_processor(), tiny_tokenizer(), "brand")


def test_texts_and_tags_must_be_as_many():
    with pytest.raises(ValueError, match="2 and 1"):
        tiny_processor().compose(["a", "b"], [{}])
    with pytest.raises(ValueError, match="`text` and `tags` must be as many as each other; got 1 and 2"):
        tiny_processor()(text="a", tags=[{}, {}])


def test_images_and_tags_must_be_as_many():
    images = tiny_images(3)
    for given, number in ((images, 3), (images[0], 1)):
        with pytest.raises(ValueError, match=f"`images` and `tags` must be as many as each other; got {number} and 2"):
            tiny_processor()(images=given, tags=[{}, {}])
    assert tiny_processor()(images=images[0], tags={}, return_tensors="pt")["tag_ids"].shape == (1, 2)


def test_saved_and_read_is_equal(tmp_path):
    processor = E2Processor(tiny_image_processor(), tiny_tokenizer(), TAG_ENTITIES, compose_text=True)
    processor.save_pretrained(tmp_path)
    read = E2Processor.from_pretrained(tmp_path)
    assert read.tag_entities == TAG_ENTITIES and read.compose_text
    inputs = {"images": tiny_images(1), "text": ["a"], "tags": [ROWS[0]], "return_tensors": "pt"}
    for name, tensor in processor(**inputs).items():
        assert torch.equal(tensor, read(**inputs)[name]), name


def test_texts_that_truncation_cuts_are_counted_once(caplog):
    processor = tiny_processor()
    processor(text=["x" * 100, "a dress", "y" * 100], truncation=True, padding=True)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"2 of 3 texts are longer than the {MAX_LENGTH} tokens that the model reads")
    caplog.clear()
    processor(text="a dress", text_kwargs={"truncation": True, "max_length": 5})
    assert caplog.records[0].getMessage().startswith("1 of 1 texts are longer than the 5 tokens")


def test_tags_that_are_cut_are_counted_once(caplog):
    encoded = tiny_processor()(tags=[{"brand": "x" * 100, "season": "Summer"}, {"brand": None}])
    (record,) = caplog.records
    assert record.getMessage().startswith("1 of 2 texts are longer")
    assert encoded["tag_input_ids"].shape[-1] == MAX_LENGTH


@pytest.mark.parametrize("read_again", [False, True])
def test_a_literal_end_of_text_does_not_end_a_text(read_again, tmp_path):
    processor = tiny_processor()
    if read_again:
        processor.save_pretrained(tmp_path)
        processor = E2Processor.from_pretrained(tmp_path)
    end = processor.tokenizer.eos_token_id
    (ids,) = processor(text=["red <|endoftext|> dress"])["input_ids"]
    tag_ids = processor(tags={"brand": "<|endoftext|>"})["tag_input_ids"][0, 0].tolist()
    assert ids.count(end) == 1 and ids[-1] == end and tag_ids[1] != end


@pytest.mark.parametrize("towers", ["dinov2", "siglip"])
def test_model_and_processor_of_other_towers_in_two_lines(towers, tmp_path):
    starts = towers_of(towers, tmp_path)
    model = E2Model.from_towers(*starts, tag_entities=TAG_ENTITIES)
    processor = E2Processor.from_towers(*starts, tag_entities=TAG_ENTITIES)
    processor.save_pretrained(tmp_path / "saved")
    options = {"padding": True, "truncation": True, "return_tensors": "pt"}
    photo = tiny_images(1)[0]
    for one in (processor, E2Processor.from_pretrained(tmp_path / "saved")):
        inputs = one(images=photo, text=["red dress"], tags=[{"brand": "acme"}], **options)
        assert set(inputs) <= set(one.model_input_names) and "token_type_ids" not in one.tokenizer("a")
        with torch.no_grad():
            outputs = model(**inputs)
        (maps,) = one.post_process_region_maps(outputs, [(photo.height, photo.width)])
        assert maps.shape == (2, photo.height, photo.width) and maps.amax() > 0.5


def test_the_entities_of_both_lines_are_the_same_by_default(tmp_path):
    starts = towers_of("siglip", tmp_path)
    assert E2Processor.from_towers(*starts).tag_entities == E2Model.from_towers(*starts).config.tag_entities


def test_siglips_texts_and_tags_are_always_padded_to_its_length(tmp_path):
    processor = E2Processor.from_towers(*towers_of("siglip", tmp_path), tag_entities=TAG_ENTITIES)
    expected = siglip_tokenizer()(["red"], padding="max_length", return_tensors="pt")["input_ids"]
    for options in ({}, {"padding": True}, {"text_kwargs": {"padding": "longest"}}):
        found = processor(text=["red"], return_tensors="pt", **options)
        assert set(found) == {"input_ids"} and torch.equal(found["input_ids"], expected)
    tags = processor(tags=[{"brand": "red"}])
    assert torch.equal(tags["tag_input_ids"][:, 0], expected) and "tag_attention_mask" not in tags
    with pytest.raises(ValueError, match=f"padded to {SIGLIP_LENGTH} tokens, got 4"):
        E2Model.from_towers(str(tmp_path / "siglip")).get_text_features(expected[:, :4])


def test_a_tokenizer_without_padding_is_refused(tmp_path):
    vision, text = dinov2_folder(tmp_path / "dinov2"), bert_folder(tmp_path / "bert")
    settings = tmp_path / "bert" / "tokenizer_config.json"
    settings.write_text(settings.read_text().replace('"pad_token": "[PAD]"', '"pad_token": null'))
    with pytest.raises(ValueError, match=r"has no padding token: set `tokenizer.pad_token`"):
        E2Processor.from_towers(vision, text)


def test_another_padding_is_refused():
    with pytest.raises(ValueError, match="`text_padding` must be"):
        E2Processor(tiny_image_processor(), tiny_tokenizer(), TAG_ENTITIES, text_padding="shortest")
