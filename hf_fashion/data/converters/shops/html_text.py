"""Strip HTML from titles and descriptions."""

from html.parser import HTMLParser


# What they hold is not shown.
HIDDEN = ("script", "style", "template")
# They do not end a word.
INLINE = ("a", "abbr", "b", "bdi", "em", "font", "i", "mark", "s", "small", "span", "strong", "sub", "sup", "u", "wbr")


def plain_text(html: str | None) -> str | None:
    """Return the words of HTML in one line, or `None` if there are none. Text without tags is only put in one line.

    Args:
        html (`str`, *optional*): HTML, or text.
    """
    reader = _Words()
    reader.feed(html or "")
    reader.close()
    return " ".join("".join(reader.parts).split()) or None


class _Words(HTMLParser):
    """Collects what is shown; tags that are not in the line become blanks."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag, attrs):
        self._hidden += tag in HIDDEN
        self._separate(tag)

    def handle_endtag(self, tag):
        self._hidden -= tag in HIDDEN and self._hidden > 0
        self._separate(tag)

    def handle_startendtag(self, tag, attrs):
        self._separate(tag)

    def handle_data(self, data):
        if not self._hidden:
            self.parts.append(data)

    def _separate(self, tag: str) -> None:
        if tag not in INLINE:
            self.parts.append(" ")
