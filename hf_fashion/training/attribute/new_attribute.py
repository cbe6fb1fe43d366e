"""Add an attribute to a saved model: by its text (zero-shot), by a few labelled photos (few-shot), or by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from datasets import Dataset
from transformers import BaseImageProcessor, PreTrainedModel
from transformers.utils import CONFIG_NAME, cached_file

from ...cards.card import CARD
from ...data.attributes.vocabulary import build_vocabulary, with_attributes
from ...data.column_map import ColumnMap
from ...embedding.attribute_texts import embed_attribute_texts
from ...embedding.saved_models import load_model
from ...files import folder_written_aside
from ...hub.cards.facts import FACTS_FILE, CardFacts
from ...hub.cards.writing import write_card
from ...hub.sentence_transformers_files import write_sentence_transformers_files
from ...models.attribute.table_attribute import as_values
from .few_shot import FewShotReport, fit_attribute


def add_attribute(
    source: str | Path,
    name: str,
    output: str | Path,
    *,
    dataset: Dataset | None = None,
    column_map: ColumnMap | None = None,
    values: Sequence[str] | str = (),
    text_encoder: str | Path | None = None,
    device: str | torch.device | None = None,
    seed: int = 0,
    trust_remote_code: bool = False,
) -> FewShotReport | None:
    """Load a model, add an attribute, fit its row if there are photos, and save the model to another folder.

    Args:
        source (`str` or `Path`): folder or Hub id of ASEN, ASEN++, CSN, RPF or IPAD.
        name (`str`): the new attribute.
        output (`str` or `Path`): folder to create.
        dataset (`datasets.Dataset`, *optional*): rows with photos and labels.
        column_map (`ColumnMap`, *optional*): columns of the photo and of the attribute. Default: `image`, and the
            attribute's own name.
        values (`list[str]` or `str`, *optional*): values of the attribute. Default: those of the photos.
        text_encoder (`str` or `Path`, *optional*): what embedded the texts of a model whose attributes are given by
            text (`model.attribute_texts` of its recipe).
        device (`str` or `torch.device`, *optional*): where to compute. Default: a GPU if there is one.
        seed (`int`, *optional*, defaults to 0): seed of the fit.
        trust_remote_code (`bool`, *optional*, defaults to `False`): whether to run code that the models bring.

    Returns:
        `FewShotReport` or `None`: of the fit, if there are photos.

    Raises:
        OSError: `output` exists and is not empty, or a model is missing.
        ValueError: there are neither photos nor a text encoder, or as for `model.add_attribute` and [`fit_attribute`].
            Nothing is written then.
    """
    if dataset is None and text_encoder is None:
        raise ValueError(
            "an attribute needs labelled photos (`dataset`, --corpus), or for a model whose attributes are given by "
            "text the `text_encoder` (--text_encoder) that it was trained with."
        )
    values = as_values(values)
    if Path(output).exists() and (not Path(output).is_dir() or any(Path(output).iterdir())):
        raise FileExistsError(f"there is something in {output} already: choose another `output` (--output)")
    if dataset is not None:
        column_map = with_attributes(column_map or ColumnMap(attributes={name: name}), [name])
        values = values or build_vocabulary(dataset, column_map).attribute_values[name]
    model, processor = load_model(source, device, trust_remote_code=trust_remote_code)
    if not hasattr(model, "add_attribute"):
        raise ValueError(f"{str(source)!r} is a {type(model).__name__}, to which no attribute can be added.")
    texts = None
    if text_encoder is not None:
        texts = embed_attribute_texts(text_encoder, {name: values}, trust_remote_code)[0]
    model.add_attribute(name, values, text_embeds=texts)
    report = None
    if dataset is not None:
        report = fit_attribute(model, processor, dataset, name, column_map, seed=seed)
    _save(model, processor, _card_folder(str(source)), Path(output))
    return report


def attribute_column(column_map: ColumnMap, name: str, column: str | None = None) -> ColumnMap:
    """Return the column map with the column of an attribute: one that is named, the map's, or the attribute's name.

    Args:
        column_map (`ColumnMap`): the corpus' map.
        name (`str`): the attribute.
        column (`str`, *optional*): its column.
    """
    column = column or column_map.attributes.get(name, name)
    return replace(column_map, attributes={**column_map.attributes, name: column})


def _card_folder(source: str) -> Path:
    """The folder with the card of a model; of one on the Hub, where its files are kept."""
    if Path(source).is_dir():
        return Path(source)
    for name in (FACTS_FILE, CARD):  # not every model has them
        cached_file(source, name, _raise_exceptions_for_missing_entries=False)
    return Path(cached_file(source, CONFIG_NAME)).parent


def _save(model: PreTrainedModel, processor: BaseImageProcessor, source: Path, output: Path) -> None:
    """Write the model with the card of the one that it came from: what is known of its other attributes stays true."""
    with folder_written_aside(output) as aside:
        model.save_pretrained(aside)
        processor.save_pretrained(aside)
        write_sentence_transformers_files(model.config, aside)
        replace(CardFacts.read(source), name=None).write(aside)
        old = source / CARD
        write_card(aside, str(output), old.read_text(encoding="utf-8") if old.is_file() else None)
