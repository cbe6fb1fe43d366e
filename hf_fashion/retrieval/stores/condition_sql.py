"""Read a condition in SQL as the checked tree. sqlglot parses it; only the few nodes below are let through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from sqlglot import exp, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import Token, TokenType

from .condition_values import Columns, point_in_time
from .conditions import Condition, joined


MAX_LENGTH = 100_000  # characters of a filter

_SIGNS = {exp.EQ: "=", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
# In front of a text, DATE and TIMESTAMP make a value of it; these words convert anything.
_CASTS = ("CAST", "TRY_CAST", "SAFE_CAST", "CONVERT", "::")


class _Filters(Dialect):
    """SQL without comments, and with names in double quotes or backticks."""

    class Tokenizer(tokens.Tokenizer):
        IDENTIFIERS = ['"', "`"]
        COMMENTS = []


def condition_of_sql(text: str, columns: Mapping[str, pa.DataType]) -> Condition:
    """Read SQL text.

    Args:
        text (`str`): what may follow WHERE.
        columns (`Mapping[str, pyarrow.DataType]`): name and type of each column.

    Raises:
        ValueError: it is not one whole condition on these columns, or it is longer than `MAX_LENGTH`.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"it has {len(text):,} characters, at most {MAX_LENGTH:,} are allowed")
    try:
        words = _Filters().tokenize(text)
        _require_plain(words)
        (tree,) = _Filters().parser().parse(words, text)
        return _Reader(Columns(columns)).condition(tree, negated=False)
    except SqlglotError as error:
        raise ValueError(_reason(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _require_plain(words: list[Token]) -> None:
    """Raise for words that the parser would pass over, or that it takes for the same as others."""
    if not words:
        raise ValueError("it is empty")
    for word in words:
        if word.comments or word.token_type == TokenType.SEMICOLON:
            raise ValueError(f"{';' if word.token_type == TokenType.SEMICOLON else 'a comment'} is not part of one")
        if word.token_type not in (TokenType.STRING, TokenType.IDENTIFIER) and word.text.upper() in _CASTS:
            raise ValueError(f"{word.text} is not supported")


class _Reader:
    """Reads nodes of sqlglot. `negated` is the NOT in front of a node, which moves inwards."""

    def __init__(self, columns: Columns):
        self._columns = columns
        self._readers = {
            exp.Column: self._flag,
            exp.Is: self._is,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Like: self._like,
            exp.ArrayContains: self._contains,
            **dict.fromkeys(_SIGNS, self._comparison),
        }

    def condition(self, node: exp.Expression, negated: bool) -> Condition:
        """Return the condition of a node and those inside it."""
        while isinstance(node, (exp.Paren, exp.Not)):
            negated ^= isinstance(node, exp.Not)
            node = node.this
        if isinstance(node, (exp.And, exp.Or)):
            parts = [self.condition(part, negated) for part in _operands(node)]
            return joined(parts, every=isinstance(node, exp.And) != negated)
        if type(node) not in self._readers:
            raise _unsupported(node)
        # sqlglot keeps the NOT of some comparisons inside the node.
        return self._readers[type(node)](node, negated ^ bool(node.args.get("negate")))

    def _flag(self, node: exp.Expression, negated: bool) -> Condition:
        return self._columns.flag(self._column(node), negated)

    def _comparison(self, node: exp.Expression, negated: bool) -> Condition:
        _require_parts(node, "this", "expression")
        column, value, sign = node.this, node.expression, _SIGNS[type(node)]
        if not isinstance(column, exp.Column):
            column, value, sign = value, column, _MIRRORED[sign]
        return self._columns.comparison(self._column(column), sign, _value(value), negated)

    def _is(self, node: exp.Expression, negated: bool) -> Condition:
        _require_parts(node, "this", "expression", "negate")
        column, value = self._column(node.this), node.expression
        if isinstance(value, exp.Null):
            return self._columns.missing(column, negated)
        if isinstance(value, exp.Boolean):
            return self._columns.is_true(column, value.this, negated)
        raise ValueError(f"IS asks for NULL, TRUE or FALSE, got {_text(value)}")

    def _in(self, node: exp.Expression, negated: bool) -> Condition:
        _require_parts(node, "this", "expressions", "negate")
        return self._columns.among(self._column(node.this), [_value(value) for value in node.expressions], negated)

    def _between(self, node: exp.Expression, negated: bool) -> Condition:
        _require_parts(node, "this", "low", "high", "negate")
        ends = (_value(node.args["low"]), _value(node.args["high"]))
        return self._columns.between(self._column(node.this), *ends, negated)

    def _like(self, node: exp.Expression, negated: bool) -> Condition:
        _require_parts(node, "this", "expression", "negate")
        return self._columns.like(self._column(node.this), _value(node.expression), negated)

    def _contains(self, node: exp.Expression, negated: bool) -> Condition:
        _require_parts(node, "this", "expression", "negate")
        return self._columns.contains(self._column(node.this), _value(node.expression), negated)

    def _column(self, node: exp.Expression) -> str:
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            raise ValueError(f"a column is compared with a value, got {_text(node)} in place of the column")
        _require_parts(node, "this")
        return self._columns.named(node.this.name, exactly=bool(node.this.quoted))


def _operands(node: exp.Expression) -> list[exp.Expression]:
    """The conditions that ANDs, or ORs, of one kind join, in their order; chains are as deep as they are long."""
    found, waiting = [], [node]
    while waiting:
        part = waiting.pop()
        if type(part) is type(node):
            waiting += [part.expression, part.this]
        else:
            found.append(part)
    return found


def _value(node: exp.Expression) -> Any:
    if isinstance(node, exp.Boolean):
        return node.this
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return -_number(node.this.name)
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else _number(node.name)
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        kind = node.to.this.name
        if kind in ("DATE", "TIMESTAMP"):
            return point_in_time(node.this.name, day=kind == "DATE")
    if isinstance(node, exp.Null):
        raise ValueError("no value equals NULL: a missing one is found by IS NULL")
    raise ValueError(f"a column is compared with a value, got {_text(node)} in place of the value")


def _number(text: str) -> int | float:
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:  # more digits than Python reads
        raise ValueError(f"{text[:20]}... is no number that a column holds") from None


def _require_parts(node: exp.Expression, *names: str) -> None:
    extra = [name for name, part in node.args.items() if part and name not in names]
    if extra:
        raise _unsupported(node)


def _unsupported(node: exp.Expression) -> ValueError:
    return ValueError(f"{_text(node)} is not supported")


def _text(node: exp.Expression) -> str:
    """A node as SQL, for errors; of what sqlglot does not write, its name."""
    try:
        text = node.sql(dialect=_Filters)
    except (SqlglotError, RecursionError):
        text = type(node).__name__
    return text if len(text) <= 100 else f"{text[:100]}..."


def _reason(error: SqlglotError) -> str:
    """What sqlglot found, and where, without its markup."""
    if not isinstance(error, ParseError) or not error.errors:
        return f"it cannot be read: {str(error)[:100]}"
    found = error.errors[0]
    where = f" at character {found['col']}, near {found['highlight']!r}" if found.get("col") else ""
    return f"{found['description']}{where}. A name that is a word of SQL is written in backticks"
