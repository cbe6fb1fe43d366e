"""The site of the documentation has every guide, and its API reference every public name."""

import re

import yaml

import hf_fashion
from tests.repo.tree import REPOSITORY


SITE = REPOSITORY / "docs" / "site"


def pages(entries) -> list[str]:
    """Return the files of a navigation."""
    if isinstance(entries, str):
        return [entries]
    values = entries.values() if isinstance(entries, dict) else entries
    return [page for entry in values for page in pages(entry)]


def navigation() -> list[str]:
    return pages(yaml.safe_load((SITE / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])


def test_every_guide_is_in_the_navigation():
    guides = [path for folder in ("docs", "docs/reference") for path in (REPOSITORY / folder).glob("*.md")]
    assert {path.relative_to(REPOSITORY).as_posix() for path in guides} <= set(navigation())
    assert [page for page in navigation() if not (REPOSITORY / page).is_file()] == []


def test_every_public_name_is_in_the_reference():
    texts = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "docs" / "reference").glob("*.md"))
    entries = set(re.findall(r"^::: (\S+)$", texts, re.MULTILINE))
    wanted = {f"{getattr(hf_fashion, name).__module__}.{name}" for name in hf_fashion.__all__}
    assert wanted <= entries
