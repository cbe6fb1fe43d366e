"""Strip HTML from titles and descriptions."""

import re
from html import unescape
from html.entities import html5
from html.parser import HTMLParser


# What looks like a tag and is none of these is text: "size <M>".
NAMES = (
    "a/abbr/address/article/aside/audio/b/bdi/bdo/blockquote/body/br/button/canvas/caption/center/cite/"
    "code/col/colgroup/data/dd/del/details/dfn/div/dl/dt/em/embed/fieldset/figcaption/figure/font/footer/"
    "form/h1/h2/h3/h4/h5/h6/head/header/hr/html/i/iframe/img/input/ins/kbd/label/legend/li/link/main/map/"
    "mark/meta/nav/noscript/object/ol/optgroup/option/p/param/picture/pre/q/s/samp/script/section/select/"
    "small/source/span/strike/strong/style/sub/summary/sup/svg/table/tbody/td/template/textarea/tfoot/th/"
    "thead/time/title/tr/track/tt/u/ul/var/video/wbr"
)
ELEMENTS = set(NAMES.split("/"))
ENTITY = re.compile(r"&(?=([a-zA-Z][a-zA-Z0-9]*))")
DECLARATION = re.compile(r"<[!?][^<>]*>")
NO_TAG = re.compile(r"<(?=[!?])")
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
    # HTMLParser reads names that only begin as one of HTML does: "&copycat".
    reader.feed(ENTITY.sub(lambda found: "&" if f"{found[1]};" in html5 else "&amp;", _closed(html or "")))
    reader.close()
    return " ".join("".join(reader.parts).split()) or None


def _closed(html: str) -> str:
    """HTML without comments and declarations, and with `&lt;` where one of them, or a tag, never ends.

    HTMLParser searches for the end of each of them to the end of the text, which takes hours in a long one.
    """
    parts, place = [], 0
    while (start := html.find("<!--", place)) >= 0 and (end := html.find("-->", start)) >= 0:
        parts.append(html[place:start])
        place = end + len("-->")
    html = DECLARATION.sub(" ", " ".join([*parts, html[place:]]))
    last = html.rfind(">") + 1
    return NO_TAG.sub("&lt;", html[:last]) + html[last:].replace("<", "&lt;")


class _Words(HTMLParser):
    """Collects what is shown; tags that are not in the line become blanks."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag, attrs):
        if tag not in ELEMENTS:
            self.handle_data(unescape(self.get_starttag_text()))
            return
        self._hidden += tag in HIDDEN
        self._separate(tag)

    def handle_endtag(self, tag):
        if tag not in ELEMENTS:
            self.handle_data(f"</{tag}>")
            return
        self._hidden -= tag in HIDDEN and self._hidden > 0
        self._separate(tag)

    def handle_startendtag(self, tag, attrs):
        if tag in ELEMENTS:
            self._separate(tag)
        else:
            self.handle_data(unescape(self.get_starttag_text()))

    def handle_data(self, data):
        if not self._hidden:
            self.parts.append(data)

    def _separate(self, tag: str) -> None:
        if tag not in INLINE:
            self.parts.append(" ")
