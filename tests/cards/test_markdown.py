"""Texts of others are shown as they are: neither Markdown, HTML nor Python reads them."""

import ast
import html

import pytest

from hf_fashion.cards.markdown import code, escaped, quoted


@pytest.mark.parametrize("text", ["a|b", "`x` *b*", "<script>", "[a](http://b)", "<!-- end -->", "größe 袖", "## H"])
def test_a_text_is_shown_as_it_is(text):
    assert html.unescape(escaped(text)) == text
    assert not set(escaped(text)) & set("|`*<>[]") and not code(text).startswith("<!--")


def test_lines_and_control_characters():
    assert escaped("two\nlines\u202e\x07") == "two lines&#92;u202e&#92;x07"


def test_a_plain_name_is_code():
    assert code("image_embeds") == "`image_embeds`" and code("a|b") == "<code>a&#124;b</code>"


@pytest.mark.parametrize("text", ['say "x"\\', "two\nlines", "<!-- end -->", "\u202e"])
def test_a_quoted_text_is_a_string_of_python(text):
    assert ast.literal_eval(quoted(text)) == text and "<" not in quoted(text) and "\n" not in quoted(text)
