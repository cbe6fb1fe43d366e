import time

import pytest

from hf_fashion.data.converters.shops.html_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Wool <b>co</b>at</p><ul><li>warm</li><li>soft</li></ul>", "Wool coat warm soft"),
        ("caf&eacute; &amp; bar&nbsp;&#39;x&#39;", "café & bar 'x'"),
        ("<style>p {color: red}</style><script>alert('<p>')</script>red", "red"),
        ("Sizes < 40 & > 36", "Sizes < 40 & > 36"),
        ("line<br>one<br/>\n two <!-- not this -->", "line one two"),
        ("cut off <b>bold", "cut off bold"),
        ("</script>shown", "shown"),
        ("size <M>, <S-M> or <XL/> of <Acme Wear></acme>", "size <M>, <S-M> or <XL/> of <Acme Wear></acme>"),
        ("Brand&copycat, AT&T &amp R&D", "Brand&copycat, AT&T & R&D"),
        ("  <p> </p>", None),
        ("", None),
        (None, None),
    ],
)
def test_the_words_that_are_shown(html, text):
    assert plain_text(html) == text


@pytest.mark.parametrize(
    "part", ["<a b=", "<!--", "<![a", "<!a", "<?", "</", "</a ", "<a b='", "<script>", "<!-- -->", "&a", "<p></"]
)
@pytest.mark.parametrize("end", ["", ">", "-->"])
def test_no_text_takes_long(part, end):
    begin = time.monotonic()
    plain_text(part * 20_000 + end)
    assert time.monotonic() - begin < 4


def test_declarations_are_not_shown_and_what_only_begins_as_one_is():
    assert plain_text("<!DOCTYPE html><?xml version='1.0'?><p>red</p>") == "red"
    assert plain_text("red <!-- never closed <b>blue</b>") == "red <!-- never closed blue"
