"""Write text of others into Markdown: shown as it is, never read as markup or as code."""

import json
import re


def code(text: str) -> str:
    """Return a text in Markdown's code style; what Markdown or HTML would read in it is shown as it is.

    Args:
        text (`str`): any text, such as a name of a column.
    """
    plain = escaped(text)
    return f"`{text}`" if plain == text else f"<code>{plain}</code>"


def escaped(text: str) -> str:
    """Return a text in one line, without characters that Markdown or HTML would read.

    Args:
        text (`str`): any text.
    """
    line = re.sub(r"\s+", " ", text)
    line = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)
    return re.sub(r"[^\w .,:/()@+=%±-]", lambda character: f"&#{ord(character[0])};", line)


def quoted(text: str) -> str:
    """Return a string of Python in double quotes, in one line, and without the `<` of a comment of HTML.

    Args:
        text (`str`): any text.
    """
    return json.dumps(text, ensure_ascii=not text.isprintable()).replace("<", "\\u003c")
