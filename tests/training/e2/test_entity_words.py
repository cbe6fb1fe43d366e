"""Which tokens name tags: counted as a loop over words does, and refused where none does."""

import pytest
from datasets import Dataset

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.tokenizer import train_tokenizer
from hf_fashion.training.e2.entity_words import find_entity_words, token_shares
from tests.tiny_e2 import tiny_model, tiny_processor


TEXTS = ["Acme red dress", "red Red coat", None, "Acme acme coat"]
TAGS = [
    {"brand": "Acme", "colour": "red"},
    {"brand": None, "colour": "dark red"},
    {"brand": "Acme", "colour": "red"},
    {"brand": "Zeta", "colour": "navy"},
]


def test_shares_are_those_of_the_texts_with_a_word():
    tokenizer = train_tokenizer([*filter(None, TEXTS), "dark navy zeta"] * 9, 600, 16)
    shares = token_shares(tokenizer, TEXTS, TAGS, ["brand", "colour"], len(tokenizer))

    def of(word: str) -> list[float]:
        (token,) = tokenizer(word, add_special_tokens=False)["input_ids"]
        return shares[token].tolist()

    assert of("acme") == [0.5, 0.0], "two texts have it, one of them of a product of that brand"
    assert of("red") == [0.0, 1.0] and of("coat") == of("navy") == [0.0, 0.0]
    assert not shares[tokenizer.all_special_ids].any()


def dataset(**columns) -> Dataset:
    return Dataset.from_dict({"title": ["a1 dress", "b2 coat"], "brand": ["a1", "b2"], **columns})


def test_a_model_is_given_the_shares_of_its_entities_in_its_order():
    model = tiny_model(weighted_entities=["colour", "brand"])
    column_map = ColumnMap(caption="title", tags={"brand": "brand", "colour": "colour"})
    find_entity_words(model, tiny_processor(), dataset(colour=["9", "9"]), column_map)
    shares, tokenizer = model.entity_words.shares, tiny_processor().tokenizer
    assert shares[tokenizer.convert_tokens_to_ids("1</w>")].tolist() == [0.0, 1.0]
    assert not shares[:, 0].any()


def test_texts_without_a_word_of_their_tags_are_refused():
    model, column_map = tiny_model(weighted_entities=["code"]), ColumnMap(caption="title", tags={"code": "code"})
    with pytest.raises(ValueError, match=r"no text has a word of its product's tags \(code\).*`model\.compose_text`"):
        find_entity_words(model, tiny_processor(), dataset(code=["9", "8"]), column_map)
    processor = tiny_processor()
    processor.tag_entities, processor.compose_text = ["code"], True
    find_entity_words(model, processor, dataset(code=["9", "8"]), column_map)
    assert model.entity_words.shares.any()


def test_a_map_without_tags_is_refused():
    with pytest.raises(ValueError, match="name the columns of `tags` in the column map"):
        find_entity_words(tiny_model(), tiny_processor(), dataset(), ColumnMap(caption="title"))
