"""Edit the description of a photo by words, by rules over its tags or by a model that generates text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from transformers import Pipeline

from ...messages import shown
from .change_words import Change


# (description of the photo, what to change) -> description of the photo to find
Editor = Callable[[str, str], str]
PROMPT = """Edit the description of a product as the instruction asks. Write only the new description.

Description: blue shirt with long sleeves
Instruction: in white, with short sleeves
New description: white shirt with short sleeves

Description: {description}
Instruction: {words}
New description:"""
MAX_NEW_TOKENS = 64


def edit_tags(tags: Mapping[str, str], change: Change) -> str:
    """Return the description of a photo after a change: its tags with the new values, then the other words.

    Args:
        tags (`Mapping[str, str]`): tag entity -> the photo's value.
        change ([`Change`]): what is to be changed.
    """
    unwanted = set(change.unwanted)
    kept = {entity: value for entity, value in tags.items() if (entity, value) not in unwanted}
    return " ".join([*(kept | dict(change.wanted)).values(), *change.more])


class GenerativeEditor:
    """Edits a description by a text-generation pipeline of transformers, greedily, as CIReVL does.

    Args:
        generator (`Pipeline`): `pipeline("text-generation", model=...)`.

    Raises:
        ValueError: the pipeline does not generate text.
    """

    def __init__(self, generator: Pipeline):
        if generator.task != "text-generation":
            raise ValueError(f"`editor` must be a text-generation pipeline, got one for {generator.task!r}")
        self.generator = generator

    def __call__(self, description: str, words: str) -> str:
        """Return the edited description: the first line that the model writes.

        Args:
            description (`str`): of the photo.
            words (`str`): what to change.

        Raises:
            ValueError: the model writes nothing.
        """
        prompt = PROMPT.format(description=description, words=words)
        options = {"max_new_tokens": MAX_NEW_TOKENS, "do_sample": False, "return_full_text": False}
        written = self.generator(prompt, **options)[0]["generated_text"]
        lines = [line.strip() for line in written.splitlines() if line.strip()]
        if not lines:
            raise ValueError(
                f"the editor wrote nothing for {shown(description)} and {shown(words)}: use another model"
            )
        return lines[0]


def read_editor(editor: Any) -> Editor:
    """Return an editor as a function of description and words.

    Args:
        editor (`Pipeline` or `Callable`): a text-generation pipeline, or a function `(description, words) -> text`.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(editor, Pipeline):
        return GenerativeEditor(editor)
    if not callable(editor):
        raise ValueError(
            "`editor` must be a text-generation pipeline or a function (description, words) -> text, got "
            f"{shown(editor)}"
        )
    return editor
