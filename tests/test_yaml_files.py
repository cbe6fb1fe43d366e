"""YAML is read strictly: keys once, bounded in size and depth, errors with file and line."""

import pytest

from hf_fashion.yaml_files import BooleanWord, parse_yaml, read_yaml, replace_words


def test_values_are_those_of_yaml():
    text = "base: &b {x: 1, y: [a, null]}\nown: {<<: *b, x: 2}\nagain: *b\n1: one\n'1': text"
    assert parse_yaml(text) == {
        "base": {"x": 1, "y": ["a", None]},
        "own": {"x": 2, "y": ["a", None]},
        "again": {"x": 1, "y": ["a", None]},
        1: "one",
        "1": "text",
    }
    assert parse_yaml("") is None


def test_words_that_yaml_takes_for_booleans_are_text_or_booleans_as_it_is_asked():
    values = parse_yaml("{on: [no, Yes, off, true], 'no': \"no\"}")
    assert all(isinstance(word, BooleanWord) for word in (*values["on"][:3], *list(values)[:1]))
    assert replace_words(values, str) == {"on": ["no", "Yes", "off", True], "no": "no"}
    assert replace_words(values, bool) == {"on": [False, True, False, True], "no": "no"}
    assert {type(value) for value in replace_words(values, bool)["on"]} == {bool}
    assert type(replace_words(values, str)["on"][0]) is str


EXPLODING = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' is given twice, first in line 1"),
        ("on: 1\n'on': 2", "line 2: the key 'on' is given twice"),
        ("{a: {b: 1, b: 1}}", "line 1: the key 'b' is given twice"),
        ("- {x: 1}\n- x: 1\n  y: 2\n  x: 3", "line 4: the key 'x' is given twice, first in line 2"),
        ("a: [1", "while parsing a flow sequence"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: &a [*a]", "line 1: a value holds itself"),
        (EXPLODING, "more than 100,000 values"),
        ("[" * 5000, "nested too deeply"),
        ("a: 2026-99-99", "month must be in 1..12"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_yaml(text)


def test_the_file_is_named(tmp_path):
    (tmp_path / "map.yaml").write_text("a: 1\na: 2")
    with pytest.raises(ValueError, match=r"map.yaml: line 2: the key 'a'"):
        read_yaml(tmp_path / "map.yaml")
    (tmp_path / "map.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"map.yaml: 'utf-8' codec"):
        read_yaml(tmp_path / "map.yaml")
