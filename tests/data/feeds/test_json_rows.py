"""JSON feeds: rows with their lines; what JSON or a table would change in silence is an error."""

from pathlib import Path

import pytest

from hf_fashion.data.feeds.json_rows import read_json_rows


LINES, LIST = Path("feed.jsonl"), Path("feed.json")


def test_lines_and_lists():
    assert read_json_rows(LINES, '{"a": 1}\n\n{"a": "x"}\r\n') == [(1, {"a": 1}), (3, {"a": "x"})]
    assert read_json_rows(LIST, '[{"a": 1},\n {"a": [2]}]') == [(1, {"a": 1}), (2, {"a": [2]})]


def test_nan_is_a_missing_value():
    assert read_json_rows(LINES, '{"price": NaN, "sizes": [1, NaN]}') == [(1, {"price": None, "sizes": [1, None]})]


def test_lists_of_lists_are_read():
    deep = "[" * 9 + "]" * 9
    assert len(read_json_rows(LINES, f'{{"a": {deep}}}')) == 1


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (LINES, '{"a": 1}\n{"a"}', r"feed\.jsonl, line 2: not JSON"),
        (LIST, '[{"a": 1},\n{]', r"feed\.json, line 2: not JSON"),
        (LINES, '{"a": 1}\n{"a": 1, "b": 2, "a": 3}', r"line 2: an object has the key 'a' twice"),
        (LINES, '{"a": 1}\n[1]', r"line 2: expected one JSON object a product"),
        (LIST, '{"a": 1}', r"row 1: expected one JSON object a product"),
        (
            LINES,
            '{"id": 9223372036854775808}',
            r"line 1: 'id' is 9223372036854775808, more than 64 .* as text",
        ),
        (LINES, '{"price": 1}\n{"price": Infinity}', r"line 2: Infinity is no number .* write null"),
        (LIST, '[{"sizes": [-Infinity]}]', r"line 1: -Infinity is no number"),
        (LIST, "[" * 100_000, "nested too deeply"),
        (LINES, '{"a": ' + "[" * 10 + "]" * 10 + "}", "line 1: 'a' is nested more than 8 deep"),
        (LINES, '{"a": 1}\n{"a\\u0000": 1}', r"line 2: the key 'a\\x00' has a control character"),
        (LIST, '[{"\\ud800": 1}]', r"row 1: the key '\\ud800' has a control character or half of a character"),
    ],
)
def test_mistakes_are_named_with_their_line(path, text, message):
    with pytest.raises(ValueError, match=message):
        read_json_rows(path, text)
