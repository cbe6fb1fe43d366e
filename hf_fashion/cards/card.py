"""Write the card of a repository, and renew it: a new card with what people wrote into the old one."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import CardData, ModelCard, ModelCardData
from huggingface_hub.repocard import REGEX_YAML_BLOCK

from ..yaml_files import parse_yaml, replace_words
from .metadata import RECORD, record, renew_fields
from .sections import mark_sections, renew_sections


CARD = "README.md"
_NOTE = "<!-- hf_fashion renews the marked sections. What you change in one, or add between them, stays. -->"
_AUTOMATIC = "This is the model card of a 🤗 transformers model that has been pushed on the Hub."


def marked_card(fields: Mapping[str, Any], body: str) -> str:
    """Return a card whose title, introduction and sections are marked, so that it can be renewed.

    Args:
        fields (`Mapping[str, Any]`): the metadata.
        body (`str`): Markdown that begins with a title, `# ...`; its sections have headings of level two.
    """
    return _joined(fields, f"{_NOTE}\n\n{mark_sections(body)}", record(fields))


def renewed_card(old: str, new: str) -> str:
    """Return the new card with what people wrote into the old one: texts, sections that they changed, metadata.

    What they did not change is as in the new card. The blank card that transformers pushes is replaced.

    Args:
        old (`str`): the card that is there.
        new (`str`): from [`marked_card`], as it is or changed by people.

    Raises:
        ValueError: the metadata of a card is not YAML.
    """
    old_fields, old_text = _read(old)
    new_fields, new_text = _read(new)
    fields = renew_fields(old_fields, new_fields, old_text)
    if _is_blank(old_text):
        old_text = new_text
    text = renew_sections(RECORD.sub("", old_text), RECORD.sub("", new_text))
    line = RECORD.search(new_text)
    return _joined(fields, text, line[0] if line else record(new_fields))


def _read(card: str) -> tuple[dict[str, Any], str]:
    """Fields and text of a card."""
    card = card.replace("\r\n", "\n")
    match = REGEX_YAML_BLOCK.search(card)
    try:
        # `no` is a language, so words are text.
        fields = replace_words(parse_yaml(match[2]) if match else None, str) or {}
    except ValueError as error:
        raise ValueError(f"the metadata of the card is not YAML; correct it there, then try again: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"the metadata of the card must be `key: value` lines; correct it there: got {fields!r}")
    return fields, card[match.end() :] if match else card


def _is_blank(text: str) -> bool:
    """Whether a card has no text, or the one of the template that transformers pushes, without a word of people."""
    template = ModelCard.from_template(ModelCardData(), model_description="").text
    lines = [line for line in text.splitlines() if not line.startswith(_AUTOMATIC)]
    return not text.strip() or " ".join(lines).split() == template.split()


def _joined(fields: Mapping[str, Any], text: str, last_line: str) -> str:
    return f"---\n{CardData(**fields).to_yaml()}\n---\n\n{text.strip()}\n\n{last_line}"
