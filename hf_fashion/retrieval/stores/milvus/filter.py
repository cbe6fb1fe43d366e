"""Conditions of SQL, translated into Milvus's expressions; what has no translation is refused."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.types as kinds

from ...schema import ID
from ..sql_tokens import Reader
from .columns import MilvusColumns
from .literals import literal, one_of, text


SUPPORTED = (
    "On Milvus a filter is made of comparisons of a column with a value (=, !=, <>, <, <=, >, >=), [NOT] IN, "
    "[NOT] BETWEEN, [NOT] LIKE, IS [NOT] NULL, IS [NOT] TRUE or FALSE, array_has(column, value), AND, OR, NOT and "
    "parentheses; values are 'text', numbers, true, false, timestamp '...' and date '...'"
)
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_SIGNS = {"=": "==", "<>": "!="} | {sign: sign for sign in _OPPOSITE}


def milvus_filter(condition: str, columns: MilvusColumns) -> str:
    """The expression that finds the rows which SQL's condition finds: those where it is true, and neither false nor,
    because a value is missing, unknown.

    Args:
        condition (`str`): SQL.
        columns (`MilvusColumns`): of the table.

    Raises:
        ValueError: it is no condition on the table, or one that Milvus cannot be asked.
    """
    try:
        return _Translator(condition, columns).expression()
    except (ValueError, RecursionError) as error:
        message = f"`filter` is no condition on this gallery: {condition!r} ({error}). {SUPPORTED}"
        raise ValueError(message) from None


class _Translator:
    """Reads a condition from left to right. NOT is carried inwards (`negated`), down to comparisons, whose opposites
    ask for a value that is there: servers differ in what `not` makes of a missing one."""

    def __init__(self, condition: str, columns: MilvusColumns):
        self._words = Reader(condition)
        self._columns = columns

    def expression(self) -> str:
        found = self._any_of(False)
        if self._words.peek().kind != "end":
            raise ValueError(f"AND, OR or the end must stand where {self._words.peek()} stands")
        return found

    def _any_of(self, negated: bool) -> str:
        return self._joined("OR", self._all_of, " and " if negated else " or ", negated)

    def _all_of(self, negated: bool) -> str:
        return self._joined("AND", self._one, " or " if negated else " and ", negated)

    def _joined(self, word: str, part: Callable[[bool], str], sign: str, negated: bool) -> str:
        parts = [part(negated)]
        while self._words.take(word):
            parts.append(part(negated))
        return f"({sign.join(parts)})" if len(parts) > 1 else parts[0]

    def _one(self, negated: bool) -> str:
        while self._words.take("NOT"):
            negated = not negated
        if self._words.take("("):
            found = self._any_of(negated)
            self._words.require(")")
            return found
        if self._words.peek().is_word("ARRAY_HAS") and self._words.peek(1).is_sign("("):
            return self._array_has(negated)
        if self._value_length():
            return self._mirrored(negated)
        return self._about(self._column(), negated)

    def _about(self, name: str, negated: bool) -> str:
        """What follows a column's name."""
        if self._words.take("IS"):
            return self._is(name, negated)
        kind = self._scalar_kind(name)
        if self._words.peek().is_sign(*_SIGNS):
            return self._compared(name, _SIGNS[self._words.next().value], self._value(name, kind), negated)
        if self._words.peek(1).is_word("IN", "BETWEEN", "LIKE"):
            negated ^= self._words.take("NOT")
        if self._words.take("IN"):
            return self._among(name, negated)
        if self._words.take("BETWEEN"):
            return self._between(name, negated)
        if self._words.take("LIKE"):
            return self._like(name, negated)
        if not kinds.is_boolean(kind):
            raise ValueError(f"`{name}` ({kind}) before {self._words.peek()} does not return a boolean")
        return f"{self._columns.fields[name]} == {'false' if negated else 'true'}"

    def _compared(self, name: str, sign: str, value: str, negated: bool) -> str:
        if kinds.is_boolean(self._kind(name)) and sign not in ("==", "!="):
            raise ValueError(f"`{name}` (bool) is compared with = and != alone")
        sign = _OPPOSITE[sign] if negated else sign
        found = f"{self._columns.fields[name]} {sign} {value}"
        return self._where_there(name, found) if sign == "!=" else found

    def _where_there(self, name: str, found: str) -> str:
        """Not for missing values; an id is never missing."""
        return f"({found})" if name == ID else f"({found} and {self._columns.fields[name]} is not null)"

    def _opposite(self, name: str, found: str, negated: bool) -> str:
        return self._where_there(name, f"not ({found})") if negated else found

    def _mirrored(self, negated: bool) -> str:
        """A value, a sign, a column."""
        value = [self._words.next() for _ in range(self._value_length())]
        sign = self._words.next()
        if not sign.is_sign(*_SIGNS):
            raise ValueError(f"a comparison must stand where {sign} stands")
        name = self._column()
        constant = literal(value, self._scalar_kind(name), name)
        return self._compared(name, _MIRRORED[_SIGNS[sign.value]], constant, negated)

    def _is(self, name: str, negated: bool) -> str:
        field = self._columns.fields[name]
        negated ^= self._words.take("NOT")
        if name == ID:
            raise ValueError("`id` is never missing")
        if self._words.take("NULL"):
            return f"{field} is {'not ' if negated else ''}null"
        word = self._words.next()
        if not word.is_word("TRUE", "FALSE") or not kinds.is_boolean(self._kind(name)):
            raise ValueError(f"'NULL' must stand where {word} stands")
        value, other = ("true", "false") if word.is_word("TRUE") else ("false", "true")
        return f"({field} == {other} or {field} is null)" if negated else f"{field} == {value}"

    def _between(self, name: str, negated: bool) -> str:
        low = self._value(name, self._kind(name))
        self._words.require("AND")
        high = self._value(name, self._kind(name))
        parts = [self._compared(name, ">=", low, negated), self._compared(name, "<=", high, negated)]
        return f"({(' or ' if negated else ' and ').join(parts)})"

    def _array_has(self, negated: bool) -> str:
        self._words.next()
        self._words.require("(")
        name = self._column()
        kind = self._kind(name)
        if not kinds.is_nested(kind):
            raise ValueError(f"array_has asks about lists, `{name}` is {kind}")
        self._words.require(",")
        value = self._value(name, kind.value_type)
        self._words.require(")")
        # With array_contains Milvus Lite takes no negative numbers.
        return self._opposite(name, f"array_contains_any({self._columns.fields[name]}, [{value}])", negated)

    def _like(self, name: str, negated: bool) -> str:
        """Servers of 2.5 take a pattern that begins without % and _ for a beginning, whatever they find behind it: the
        empty one for every beginning, and _ at the end for %."""
        pattern = self._pattern(name)
        if not set("%_") & set(pattern):
            return self._compared(name, "==", text(pattern), negated)
        if "_" in pattern[len(pattern.rstrip("%_")) :]:
            raise ValueError(f"on Milvus LIKE takes no _ at the end, got {pattern!r}")
        return self._opposite(name, f"{self._columns.fields[name]} like {text(pattern)}", negated)

    def _pattern(self, name: str) -> str:
        token, kind = self._words.next(), self._kind(name)
        if token.kind != "string" or not (kinds.is_string(kind) or kinds.is_large_string(kind)):
            raise ValueError(f"LIKE compares text with text, got `{name}` ({kind}) and {token}")
        if "\\" in token.value:
            raise ValueError("on Milvus LIKE takes no backslash: % and _ always stand for other letters")
        return token.value

    def _among(self, name: str, negated: bool) -> str:
        self._words.require("(")
        values = [self._value(name, self._kind(name))]
        while self._words.take(","):
            values.append(self._value(name, self._kind(name)))
        self._words.require(")")
        field = self._columns.fields[name]
        return self._where_there(name, one_of(f"{field} not", values)) if negated else one_of(field, values)

    def _value(self, name: str, kind: pa.DataType) -> str:
        length = self._value_length()
        if not length:
            raise ValueError(f"a value must stand where {self._words.peek()} stands")
        return literal([self._words.next() for _ in range(length)], kind, name)

    def _value_length(self) -> int:
        """Of how many words a value is that stands here; 0 where none does."""
        token, after = self._words.peek(), self._words.peek(1)
        typed = token.is_word("TIMESTAMP", "DATE") and after.kind == "string"
        negative = token.is_sign("-") and after.kind == "number"
        if typed or negative:
            return 2
        return int(token.kind in ("string", "number") or token.is_word("TRUE", "FALSE"))

    def _column(self) -> str:
        token, names = self._words.next(), [ID, *self._columns.metadata]
        if token.kind == "word" and self._words.peek().is_sign("("):
            raise ValueError(f"there is no function {token}, array_has alone")
        same = [name for name in names if name == token.value]
        if token.kind == "word":
            same = same or [name for name in names if name.lower() == token.value.lower()]
        if token.kind not in ("word", "name") or len(same) != 1:
            there = ", ".join(f"`{name}`" for name in names)
            raise ValueError(f"a column must stand where {token} stands, one of {there}")
        return same[0]

    def _scalar_kind(self, name: str) -> pa.DataType:
        if kinds.is_nested(self._kind(name)):
            raise ValueError(f"`{name}` ({self._kind(name)}) holds lists, which array_has and IS NULL ask about")
        return self._kind(name)

    def _kind(self, name: str) -> pa.DataType:
        return self._columns.schema.field(name).type
