"""Add to the card of a saved model what was learned later: evaluations, a baseline, its license."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .evaluations import PARTS, card_evaluations, check_baselines, check_names, compared, read_evaluations
from .facts import CardFacts
from .licenses import check_languages, check_license
from .writing import card_kind, make_card, renewed_text, write_card


logger = logging.getLogger(__name__)


def update_card(
    folder: str | Path,
    results: Sequence[str | Path] = (),
    baselines: Mapping[str, str | Path] | None = None,
    license: str | None = None,
    language: Sequence[str] = (),
    name: str | None = None,
) -> None:
    """Write the card of a saved model again, with what is given; what is not given stays as it was.

    Given results take the place of all earlier ones, and so do given baselines. Earlier baselines stay next to new
    results where they were evaluated on the same data. A warning names what is no longer on the card.

    Args:
        folder (`str` or `Path`): of the model.
        results (`Sequence[str]`, *optional*): files of `hf-fashion evaluate --output`, instead of those before.
        baselines (`Mapping[str, str]`, *optional*): name of another model -> file of its evaluation on the same data,
            instead of those before.
        license (`str`, *optional*): as the Hub names it.
        language (`Sequence[str]`, *optional*): codes of the languages of its texts.
        name (`str`, *optional*): id or path that the card's code loads. Default: that of an earlier call, or the
            folder.

    Raises:
        FileNotFoundError: the folder holds no model, or a file is missing.
        ValueError: there is no card for such models, or an argument or a file does not fit; nothing is written then.
    """
    folder = Path(folder)
    renewed_text(folder, make_card(folder, str(folder)).text)  # before anything is written
    kind = card_kind(folder)
    check_names(kind.label, baselines or ())
    check_license(license)
    check_languages(list(language))
    old = facts = CardFacts.read(folder)
    if results:
        facts = replace(facts, evaluations=read_evaluations([Path(path) for path in results]))
    evaluations = card_evaluations(facts, kind) if facts.evaluations else []
    if baselines:
        read = read_evaluations([Path(path) for path in baselines.values()])
        facts = replace(facts, baselines=dict(zip(baselines, read, strict=True)))
        check_baselines(evaluations, facts.baselines)
    elif results:
        fitting = {name for one in evaluations for name in compared(one, facts.baselines)}
        facts = replace(facts, baselines={name: one for name, one in facts.baselines.items() if name in fitting})
    _warn_of_what_goes(old, facts)
    language = list(language) or facts.language
    facts = replace(facts, license=license or facts.license, language=language, name=name or facts.name)
    facts.write(folder)
    write_card(folder, facts.name)


def _warn_of_what_goes(old: CardFacts, new: CardFacts) -> None:
    lost = [one for one in _measured(old.evaluations) if one not in _measured(new.evaluations)]
    lost += [f"the baseline {name!r}" for name in old.baselines if name not in new.baselines]
    if lost:
        logger.warning(
            "no longer on the card: %s. To keep them, give all files of `results` and `baselines` at once",
            ", ".join(lost),
        )


def _measured(evaluations: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{title!r} on {one['split']} of {one['corpus']}"
        for one in evaluations
        for part, title in PARTS.items()
        if part in one
    ]
