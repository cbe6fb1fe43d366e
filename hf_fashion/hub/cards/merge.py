"""Bring a model's card to the Hub: under the name that it has there, with what people wrote here and there."""

from pathlib import Path

from ...cards.card import CARD, renewed_card
from .writing import has_card, make_card


def card_for_hub(folder: str | Path, repo_id: str, old: str | None = None) -> str | None:
    """Return the card of a model's folder for its repository, or `None` if the folder has none and none can be made.

    Its code loads the model from the repository. Sections, text and metadata that people wrote into the card of the
    folder or into that of the repository stay; where both changed the same section, the repository's stays.

    Args:
        folder (`str` or `Path`): of a saved model.
        repo_id (`str`): the repository.
        old (`str`, *optional*): the card that is there.

    Raises:
        ValueError: `config.json`, `card.json` or the metadata of a card cannot be read.
    """
    card = Path(folder) / CARD
    local = card.read_text(encoding="utf-8") if card.is_file() else None
    is_model = (Path(folder) / "config.json").is_file()  # and no adapter
    made = make_card(folder, repo_id).text if is_model and has_card(folder) else None
    mine = renewed_card(local, made) if local and made else local or made
    return renewed_card(old, mine) if old and mine else mine
