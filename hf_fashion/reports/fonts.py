"""Find a font of this system that has the letters of a text, and break the text into lines."""

from __future__ import annotations

import logging
import re
from functools import lru_cache

from PIL import ImageFont


logger = logging.getLogger(__name__)

SIZE = 10
# Files of fonts with many scripts: of Linux, of macOS, of Windows. Pillow's own font, which is tried first, has few.
FONTS = (
    "DejaVuSans.ttf",
    *("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc"),
    *("wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "DroidSansFallback.ttf"),
    *("PingFang.ttc", "Hiragino Sans GB.ttc", "Arial Unicode.ttf"),
    *("msyh.ttc", "YuGothR.ttc", "msgothic.ttc", "malgun.ttf", "arialuni.ttf", "segoeui.ttf"),
)
NO_CHARACTER = "\uffff"  # Unicode promises that no font has it
# Ranges of Chinese, Japanese and Korean, where a line may be broken before each letter.
EAST_ASIAN = r"\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
PIECES = rf"[{EAST_ASIAN}]|[^\s{EAST_ASIAN}]+|\s+"


def font_for(text: str) -> ImageFont.FreeTypeFont:
    """Return the first font that has all letters of a text, or else the one that lacks the fewest, with a warning.

    Args:
        text (`str`): the text to draw.
    """
    letters = frozenset(text)
    lacking = {font: _missing(font, letters) for font in _fonts()}
    best = min(lacking, key=lambda font: len(lacking[font]))
    if lacking[best]:
        _warn("".join(sorted(lacking[best])))
    return best


def wrapped(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """Break a text into lines of at most this width.

    Args:
        text (`str`): the text; its own line breaks are kept.
        width (`int`): in pixels.
        font (`ImageFont.FreeTypeFont`): the font that it is drawn in.
    """
    lines = [line for paragraph in text.splitlines() for line in _lines(paragraph, width, font)]
    return "\n".join(line.strip() for line in lines)


def shortened(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """Cut the beginning of a text that is wider than this.

    Args:
        text (`str`): the text in one line.
        width (`int`): in pixels.
        font (`ImageFont.FreeTypeFont`): the font that it is drawn in.
    """
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"...{text}") > width:
        text = text[1:]
    return f"...{text}"


def _lines(text: str, width: int, font: ImageFont.FreeTypeFont) -> list[str]:
    lines = [""]
    for piece in re.findall(PIECES, text):
        # A word that is wider than a line is broken between its letters.
        for part in piece if font.getlength(piece) > width else [piece]:
            if lines[-1] and font.getlength((lines[-1] + part).rstrip()) > width:
                lines.append("")
            lines[-1] += part
    return lines


@lru_cache(maxsize=1)
def _fonts() -> list[ImageFont.FreeTypeFont]:
    """Pillow's own font, and those of `FONTS` that this system has."""
    found = [ImageFont.load_default(SIZE)]
    for name in FONTS:
        try:
            found.append(ImageFont.truetype(name, SIZE))
        except OSError:
            continue
    return found


def _missing(font: ImageFont.FreeTypeFont, letters: frozenset[str]) -> set[str]:
    """The letters in whose place the font draws its box."""
    box = _drawn(font, NO_CHARACTER)
    return {letter for letter in letters if not letter.isspace() and _drawn(font, letter) == box}


def _drawn(font: ImageFont.FreeTypeFont, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


@lru_cache(maxsize=100)  # each only once
def _warn(letters: str) -> None:
    logger.warning(
        "no font of this system that is known here has %r: boxes are drawn instead. Install one that has it, such as "
        "Noto Sans CJK (fonts-noto-cjk) for Chinese, Japanese and Korean",
        letters[:50],
    )
