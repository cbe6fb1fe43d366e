"""Decode a feed's bytes: UTF-8, UTF-16 and what Excel writes on Windows."""

import codecs
import logging
from pathlib import Path


logger = logging.getLogger(__name__)

UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
WINDOWS = "cp1252"


def read_text(path: Path) -> str:
    """Read a feed as text, and log a warning if it is not UTF-8.

    Args:
        path (`Path`): the feed.

    Returns:
        `str`: its text, line ends as they are, without a byte order mark.

    Raises:
        ValueError: the bytes are in none of these encodings, some lines are UTF-8 and others are not, or one holds a
            zero byte.
        OSError: the file cannot be read.
    """
    text = _decoded(path, path.read_bytes())
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(f"{path}, line {line}: a zero byte, which no text has: the file is damaged, write it again")
    return text


def _decoded(path: Path, content: bytes) -> str:
    encoding = _utf_16(content)
    if encoding is None:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            encoding = WINDOWS
            _require_one_encoding(path, content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: the file is neither UTF-8 nor {encoding.upper()}: save it as CSV in UTF-8"
        ) from error
    logger.warning("%s is not UTF-8; it is read as %s", path, encoding.upper())
    return text.removeprefix("\ufeff")


def _utf_16(content: bytes) -> str | None:
    """UTF-16 by its byte order mark; without one, by the zero byte in each of the first ASCII characters."""
    if content[:2] in UTF_16:
        return UTF_16[content[:2]]
    start = content[:200]
    if len(start) >= 4 and not start[0::2].count(0) and start[1::2].count(0) > len(start) // 4:
        return "utf-16-le"
    if len(start) >= 4 and not start[1::2].count(0) and start[0::2].count(0) > len(start) // 4:
        return "utf-16-be"
    return None


def _require_one_encoding(path: Path, content: bytes) -> None:
    """Raise if some lines hold UTF-8 beyond ASCII: read as cp1252, their letters would change."""
    kinds = {_is_utf_8(line): number for number, line in enumerate(content.split(b"\n"), 1) if not line.isascii()}
    if len(kinds) == 2:
        raise ValueError(
            f"{path}, line {kinds[False]} is not UTF-8, line {kinds[True]} is: save the whole file in one encoding"
        )


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
