"""Find the tokens of a corpus that name tags, for a model that weighs them (`model.weigh_entities` of a recipe)."""

from collections.abc import Mapping, Sequence

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ...data.column_map import ColumnMap
from ...data.products import product_tags, product_texts
from ...models.e2.modeling_e2 import E2Model
from ...models.e2.processing_e2 import E2Processor


def find_entity_words(model: E2Model, processor: E2Processor, dataset: Dataset, column_map: ColumnMap) -> None:
    """Measure how often each token names a tag, and give it to the model.

    Args:
        model (`E2Model`): with `weighted_entities`; its `entity_words.shares` are set.
        processor (`E2Processor`): its tokenizer, and how it composes texts.
        dataset (`Dataset`): the train split.
        column_map (`ColumnMap`): names the caption and the column of each entity.

    Raises:
        ValueError: the map names no tags, or no text has a word of its product's tags.
    """
    entities = model.config.weighted_entities
    if not entities:
        raise ValueError("`model.weigh_entities` weighs words of tags: name the columns of `tags` in the column map.")
    texts, tags = product_texts(dataset, column_map, processor), product_tags(dataset, column_map)
    shares = token_shares(processor.tokenizer, texts, tags, entities, len(model.entity_words.shares))
    if not shares.any():
        raise ValueError(
            f"`model.weigh_entities`: no text has a word of its product's tags ({', '.join(entities)}): map other "
            "columns, put the tags into the texts by `model.compose_text`, or remove it."
        )
    model.entity_words.shares.copy_(shares)


def token_shares(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str | None],
    tags: Sequence[Mapping[str, str | None]],
    entities: Sequence[str],
    vocab_size: int,
) -> Tensor:
    """Return, of the texts that have a token, the share whose tag of an entity has it too.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): of V tokens or fewer.
        texts (`Sequence[str | None]`): of N products.
        tags (`Sequence[Mapping[str, str | None]]`): N products' tags by entity; `None` where one is missing.
        entities (`Sequence[str]`): E names.
        vocab_size (`int`): V.

    Returns:
        `torch.Tensor` of shape `(V, E)`: 0..1; 0 for a token that no text has, and for special tokens.
    """
    seen, named = torch.zeros(vocab_size, 1), torch.zeros(vocab_size, len(entities))
    distinct = {text for text in texts if text} | {tag for row in tags for tag in row.values() if tag}
    tokens = {text: _token_set(tokenizer, text) for text in distinct}
    for text, row in zip(texts, tags, strict=True):
        words = tokens.get(text, set())
        seen[list(words)] += 1
        for column, entity in enumerate(entities):
            named[list(words & tokens.get(row[entity], set())), column] += 1
    return named / seen.clamp(min=1)


def _token_set(tokenizer: PreTrainedTokenizerBase, text: str) -> set[int]:
    return set(tokenizer(text, add_special_tokens=False)["input_ids"]) - set(tokenizer.all_special_ids)
