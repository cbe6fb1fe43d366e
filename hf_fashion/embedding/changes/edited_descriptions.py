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
        """Return the edited description: the first line that the model writes, or `""`.

        Args:
            description (`str`): of the photo.
            words (`str`): what to change.

        Raises:
            ValueError: the model has too few positions for the description.
        """
        prompt = PROMPT.format(description=description, words=words)
        self._require_room(prompt, description)
        options = {"max_new_tokens": MAX_NEW_TOKENS, "do_sample": False, "return_full_text": False}
        written = self.generator(prompt, **options)[0]["generated_text"]
        lines = [line.strip() for line in written.splitlines() if line.strip()]
        return lines[0] if lines else ""

    def _require_room(self, prompt: str, description: str) -> None:
        """Raise where the model would fail with an index out of range, or forget the beginning."""
        positions = getattr(self.generator.model.config.get_text_config(), "max_position_embeddings", None)
        needed = len(self.generator.tokenizer(prompt).input_ids) + MAX_NEW_TOKENS
        if positions is not None and needed > positions:
            raise ValueError(
                f"the editor's model has {positions} positions, and editing {shown(description)} takes {needed}: use "
                "a model with more, or a shorter description"
            )


class CheckedEditor:
    """An editor that must write something.

    Args:
        edit (`Callable`): `(description, words) -> text`.
    """

    def __init__(self, edit: Editor):
        self.edit = edit

    def __call__(self, description: str, words: str) -> str:
        """Return the edited description.

        Args:
            description (`str`): of the photo.
            words (`str`): what to change.

        Raises:
            ValueError: the editor writes nothing, or something else than text.
        """
        edited = self.edit(description, words)
        if not isinstance(edited, str) or not edited.strip():
            wrote = "nothing" if edited is None or edited == "" else shown(edited)
            raise ValueError(
                f"the editor wrote {wrote} for {shown(description)} and {shown(words)}, and must write the new "
                "description: use another one"
            )
        return edited


def read_editor(editor: Any) -> Editor:
    """Return an editor as a function of description and words, which must write something.

    Args:
        editor (`Pipeline` or `Callable`): a text-generation pipeline, or a function `(description, words) -> text`.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(editor, CheckedEditor):
        return editor
    if isinstance(editor, Pipeline):
        return CheckedEditor(GenerativeEditor(editor))
    if not callable(editor):
        raise ValueError(
            "`editor` must be a text-generation pipeline or a function (description, words) -> text, got "
            f"{shown(editor)}"
        )
    return CheckedEditor(editor)
