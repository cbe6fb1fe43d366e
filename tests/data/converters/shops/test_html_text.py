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
