"""Add to the card of a saved model what was learned later: evaluations, a baseline, its license."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .evaluations import check_baselines, check_names, read_evaluations
from .facts import CardFacts
from .licenses import check_languages, check_license
from .writing import card_kind, make_card, write_card


def update_card(
    folder: str | Path,
    results: Sequence[str | Path] = (),
    baselines: Mapping[str, str | Path] | None = None,
    license: str | None = None,
    language: Sequence[str] = (),
    name: str | None = None,
) -> None:
    """Write the card of a saved model again, with what is given; what is not given stays as it was.

    Args:
        folder (`str` or `Path`): of the model.
        results (`Sequence[str]`, *optional*): files of `hf-fashion evaluate --output`, instead of those before.
        baselines (`Mapping[str, str]`, *optional*): name of another model -> file of its evaluation on the same data,
            instead of those before.
        license (`str`, *optional*): as the Hub names it.
        language (`Sequence[str]`, *optional*): codes of the languages of its texts.
        name (`str`, *optional*): id or path that the card's code loads. Default: the folder.

    Raises:
        FileNotFoundError: the folder holds no model, or a file is missing.
        ValueError: there is no card for such models, or an argument or a file does not fit; nothing is written then.
    """
    folder = Path(folder)
    make_card(folder, str(folder))  # before anything is written
    check_names(card_kind(folder).label, baselines or ())
    check_license(license)
    check_languages(list(language))
    facts = CardFacts.read(folder)
    if results:
        facts = replace(facts, evaluations=read_evaluations([Path(path) for path in results]), baselines={})
    if baselines:
        read = read_evaluations([Path(path) for path in baselines.values()])
        facts = replace(facts, baselines=dict(zip(baselines, read, strict=True)))
    check_baselines(facts.evaluations, facts.baselines)
    facts = replace(facts, license=license or facts.license, language=list(language) or facts.language)
    facts.write(folder)
    write_card(folder, name)
