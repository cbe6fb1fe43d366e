"""Write the card of a model's folder: `README.md` and its pictures, from the configuration and the facts in it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from ...cards.card import CARD, marked_card, renewed_card
from ...files import file_written_aside
from .evaluations import card_evaluations
from .facts import CardFacts, RunFacts
from .kinds import ModelKind, model_kind
from .metadata import card_metadata, widget_examples
from .pictures import card_pictures, save_pictures
from .rendering import render_text


class ModelCardFiles(NamedTuple):
    """Hold a card and its pictures.

    Args:
        text (`str`): of `README.md`.
        pictures (`dict[str, PIL.Image.Image]`): path in the repository -> picture.
    """

    text: str
    pictures: dict[str, Image.Image]


def has_card(folder: str | Path) -> bool:
    """Return whether there is a card for the model of a folder: E2, CLIP, FILIP, an attribute model, FR, a captioner,
    a combiner, a backbone.

    Args:
        folder (`str` or `Path`): of a saved model.

    Raises:
        FileNotFoundError: the folder has no `config.json`.
        ValueError: its `config.json` is damaged.
    """
    return model_kind(_read_config(Path(folder))) is not None


def card_kind(folder: str | Path) -> ModelKind:
    """Return the kind of a folder's model, which has a card.

    Args:
        folder (`str` or `Path`): of a saved model.

    Raises:
        FileNotFoundError: the folder has no `config.json`.
        ValueError: its `config.json` is damaged, or there is no card for such models.
    """
    config = _read_config(Path(folder))
    kind = model_kind(config)
    if kind is None:
        raise ValueError(f"{folder}: there is no card for models of the type {config.get('model_type')!r}")
    return kind


def make_card(folder: str | Path, name: str) -> ModelCardFiles:
    """Make the card of a model from its folder, without what people wrote.

    Args:
        folder (`str` or `Path`): of a saved model.
        name (`str`): id or path to load it by.

    Raises:
        FileNotFoundError: the folder has no `config.json`.
        ValueError: its `config.json` or `card.json` is damaged, or there is no card for such models.
    """
    folder = Path(folder)
    kind, config = card_kind(folder), _read_config(folder)
    facts = CardFacts.read(folder)
    evaluations = card_evaluations(facts, kind)
    pictures = card_pictures(kind, facts.run, evaluations, facts.baselines)
    fields = card_metadata(name, kind, facts, evaluations, widget_examples(folder, kind)).to_dict()
    text = render_text(name, kind, config, facts, evaluations, list(pictures))
    return ModelCardFiles(marked_card(fields, text), pictures)


def write_card(folder: str | Path, name: str | None = None, old: str | None = None) -> None:
    """Write the card of a model and its pictures into its folder; what people wrote into the old card stays.

    Args:
        folder (`str` or `Path`): of a saved model.
        name (`str`, *optional*): id or path to load it by. Default: the folder.
        old (`str`, *optional*): the old card. Default: the one in the folder, if there is one.

    Raises:
        FileNotFoundError: the folder has no `config.json`.
        ValueError: as [`make_card`], or the metadata of the old card cannot be read.
    """
    folder = Path(folder)
    made = make_card(folder, str(folder) if name is None else name)
    text = renewed_text(folder, made.text, old)
    save_pictures(made.pictures, folder)
    with file_written_aside(folder / CARD) as aside:
        aside.write_text(text, encoding="utf-8")


def renewed_text(folder: Path, new: str, old: str | None = None) -> str:
    """Return a new card with what people wrote into the old one.

    Args:
        folder (`Path`): of a saved model.
        new (`str`): the text that [`make_card`] made.
        old (`str`, *optional*): the old card. Default: the one in the folder, if there is one.

    Raises:
        ValueError: the metadata of the old card cannot be read.
    """
    if old is None and (folder / CARD).is_file():
        old = (folder / CARD).read_text(encoding="utf-8")
    return new if old is None else renewed_card(old, new)


def write_run_card(folder: Path, final: Path, run: RunFacts) -> None:
    """Write `card.json`, `README.md` and its pictures into the folder of a model that a run exports.

    License and language are those of the recipe's section `card`. What people wrote into the card of the folder that
    this one replaces is kept. Models of other kinds get no card.

    Args:
        folder (`Path`): of the model; written aside.
        final (`Path`): the name that it gets.
        run (`RunFacts`): the run.
    """
    if not has_card(folder):
        return
    CardFacts(**run.recipe.get("card", {})).with_run(run).write(folder)
    old = final / CARD
    write_card(folder, str(final), old.read_text(encoding="utf-8") if old.is_file() else None)


def _read_config(folder: Path) -> Mapping[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is no folder of a model: it has no config.json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
