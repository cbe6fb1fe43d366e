"""Pack corpora for a machine without `datasets`: JPEG photos, tokens, drawn batches, protocols."""

import io
from pathlib import Path

import torch
from datasets import Dataset, DatasetDict, concatenate_datasets
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from benchmarks.gpu_batch.settings import Settings
from hf_fashion.data.attributes.labels import AttributeLabels, read_labels
from hf_fashion.data.attributes.protocol import RetrievalLists, all_against_all, draw_folds
from hf_fashion.data.column_map import ColumnMap, column_map_for
from hf_fashion.data.photos.stored_photos import StoredPhotos
from hf_fashion.data.products import product_tags, product_texts
from hf_fashion.data.samplers.pk_batches import PKBatchSampler
from hf_fashion.data.tokenizer import train_tokenizer
from hf_fashion.data.values import column_texts
from hf_fashion.evaluation.cross_modal_candidates import choose_candidates
from hf_fashion.evaluation.tags import tag_labels
from hf_fashion.files import write_json
from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from hf_fashion.models.e2.processing_e2 import E2Processor
from hf_fashion.training.corpus import load_data
from hf_fashion.training.recipe import LabelledDataRecipe


HELD_OUT_FRACTION = 0.2
SEEDS = (0, 1, 2)
LIST_FIELDS = ("query_rows", "query_values", "candidate_rows", "candidate_values", "own_places")


def pack_corpus(name: str, recipe: LabelledDataRecipe, settings: Settings, folder: Path) -> None:
    """Write a corpus: `<name>.json`, `<name>.safetensors`, and files of photos.

    Args:
        name (`str`): of the corpus.
        recipe (`LabelledDataRecipe`): where it is; a fifth of the products is held out for re-rankers.
        settings (`Settings`): sizes of photos, texts and batches.
        folder (`Path`): where the files go.

    Raises:
        ValueError: the corpus cannot be used as it is.
    """
    recipe.held_out_fraction = HELD_OUT_FRACTION
    with_texts = column_map_for(recipe.column_map, recipe.corpus).caption is not None
    kept, column_map, _ = load_data(recipe, with_texts)
    held_out, _, _ = load_data(recipe, with_texts, held_out=True)
    splits = DatasetDict({"kept": kept["train"], "held_out": held_out["train"], "validation": kept["validation"]})
    rows = concatenate_datasets(list(splits.values()))
    facts: dict = {f"num_{part}": len(split) for part, split in splits.items()}
    facts["photo_files"] = _pack_photos(name, StoredPhotos(rows, column_map.image), settings, folder)
    tensors, more = pack_attributes(splits, column_map, settings)
    facts |= more | {"entities": []}
    if with_texts:
        texts, more = pack_texts(rows, splits["validation"], column_map, settings)
        tensors, facts = tensors | texts, facts | more
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / f"{name}.safetensors")
    write_json(facts, folder / f"{name}.json")


def _pack_photos(name: str, photos: StoredPhotos, settings: Settings, folder: Path) -> int:
    starts = range(0, len(photos), settings.photos_a_file)
    for number, start in enumerate(starts):
        places = range(start, min(start + settings.photos_a_file, len(photos)))
        pieces = [encode_photo(photos[place], settings) for place in places]
        ends = torch.tensor([len(piece) for piece in pieces]).cumsum(0)
        stored = {"bytes": torch.frombuffer(bytearray(b"".join(pieces)), dtype=torch.uint8), "ends": ends}
        save_file(stored, folder / f"{name}-photos-{number}.safetensors")
    return len(starts)


def encode_photo(photo: Image.Image, settings: Settings) -> bytes:
    """Return a photo as a JPEG of the square size; its whole is kept, its aspect ratio not."""
    encoded = io.BytesIO()
    edge = (settings.image_size, settings.image_size)
    photo.resize(edge, Image.Resampling.BICUBIC).save(encoded, "JPEG", quality=settings.jpeg_quality)
    return encoded.getvalue()


def pack_texts(
    rows: Dataset, validation: Dataset, column_map: ColumnMap, settings: Settings
) -> tuple[dict[str, Tensor], dict]:
    """Return the tokens of texts and tags, who is compared with whom, and facts.

    The tokenizer learns from the rows that models train on only.
    """
    first = len(rows) - len(validation)
    train = rows.select(range(first))
    words = {tag for row in product_tags(train, column_map) for tag in row.values() if tag}
    titles = filter(None, column_texts(train, column_map.caption))
    tokenizer = train_tokenizer([*titles, *sorted(words)], settings.vocab_size, settings.max_tokens)
    entities = list(column_map.tags)
    tensors = {"candidates": choose_candidates(column_texts(validation, column_map.caption)).image_rows}
    for name, compose in (("titles", False), ("titles with tags", True)):
        processor = E2Processor(E2ImageProcessorPil(), tokenizer, tag_entities=entities, compose_text=compose)
        tokens = tokenize(tokenizer, product_texts(rows, column_map, processor))
        tensors |= {f"{name}.{key}": value for key, value in tokens.items()}
    tensors |= processor.encode_tags(product_tags(rows, column_map))
    for entity, column in column_map.tags.items():
        tagged, labels, vocabulary = tag_labels(column_texts(validation, column), entity)
        tensors |= {f"{entity}.rows": tagged, f"{entity}.labels": labels}
        tensors |= {f"{entity}.{key}": value for key, value in tokenize(tokenizer, vocabulary).items()}
    ids = {key: getattr(tokenizer, key) for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return tensors, {"entities": entities, "tokens": ids | {"vocab_size": len(tokenizer)}}


def tokenize(tokenizer, texts: list[str]) -> dict[str, Tensor]:
    """Return `input_ids` and `attention_mask` of texts, padded to the longest."""
    found = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    return {key: found[key] for key in ("input_ids", "attention_mask")}


def pack_attributes(splits: DatasetDict, column_map: ColumnMap, settings: Settings) -> tuple[dict[str, Tensor], dict]:
    """Return the drawn batches of every seed and stage, the lists that are searched, and facts."""
    labels = {part: read_labels(split, column_map) for part, split in splits.items()}  # each numbers its own values
    tensors = {
        f"batches.{seed}.{stage}": draw_batches(labels["kept"], settings, seed, stage)
        for seed in SEEDS
        for stage in range(len(settings.stage_steps))
    }
    folds = draw_folds(labels["validation"])
    tensors |= list_tensors("held_out", all_against_all(labels["held_out"]))
    for number, fold in enumerate(folds):
        tensors |= list_tensors(f"fold-{number}", fold)
    return tensors, {"attributes": labels["kept"].vocabulary.attribute_values, "folds": len(folds)}


def draw_batches(labels: AttributeLabels, settings: Settings, seed: int, stage: int) -> Tensor:
    """Return P x K batches (steps, items, 3) of row, attribute and value, as int32."""
    shape = (settings.values_per_group, settings.images_per_value, settings.attributes_per_batch)
    sampler = PKBatchSampler(labels, settings.stage_steps[stage], *shape, seed)
    sampler.set_epoch(stage)
    return torch.tensor([[list(item) for item in batch] for batch in sampler], dtype=torch.int32)


def list_tensors(prefix: str, protocol: dict[str, RetrievalLists]) -> dict[str, Tensor]:
    """Return the fields of all lists as tensors of int32 by `prefix.attribute.field`."""
    return {
        f"{prefix}.{attribute}.{field}": getattr(lists, field).int()
        for attribute, lists in protocol.items()
        for field in LIST_FIELDS
        if getattr(lists, field) is not None
    }
