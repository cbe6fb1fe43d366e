"""Hook of the site: a link to a folder, as GitHub follows it, leads to the folder's README."""

import re
from pathlib import Path
from typing import Any


LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the page with links to folders replaced.

    Args:
        markdown (`str`): the page.
        page (`mkdocs.structure.pages.Page`): where it comes from.
    """
    folder = Path(page.file.abs_src_path).parent

    def target(match: re.Match) -> str:
        link = match[1]
        return f"{link.rstrip('/')}/README.md" if (folder / link / "README.md").is_file() else link

    return LINK.sub(target, markdown)
