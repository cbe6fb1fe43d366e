"""Reads filters in SQL: sqlglot parses, a whitelist of its nodes lets through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.parser import Parser
from sqlglot.tokens import Token, Tokenizer, TokenType

from .columns import FilterColumns
from .tree import And, Condition, Or, opposite
from .values import read_time


MAX_LENGTH = 10_000  # characters
MAX_DEPTH = 20  # of parentheses and NOTs; sqlglot takes up to 50 of Python's frames for each
SUPPORTED = (
    "A filter consists of comparisons of a column with a value (=, !=, <>, <, <=, >, >=), [NOT] IN, [NOT] BETWEEN, "
    "[NOT] LIKE, IS [NOT] NULL, IS [NOT] TRUE or FALSE, array_has(column, value), AND, OR, NOT and parentheses; "
    "values are 'text', numbers, true, false, timestamp '...' and date '...'; names with spaces or - need `backticks`"
)
_WORDS = "AND OR NOT IN BETWEEN LIKE IS NULL TRUE FALSE DATE TIMESTAMP"
_SIGNS = {exp.EQ: "=", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
# Every node that a filter may have, and the operands of each: sqlglot parses much more of SQL.
_OPERANDS: dict[type[exp.Expression], frozenset[str]] = {
    **dict.fromkeys([*_SIGNS, exp.And, exp.Or], frozenset(["this", "expression"])),
    **dict.fromkeys([exp.Is, exp.Like], frozenset(["this", "expression", "negate"])),
    **dict.fromkeys([exp.Not, exp.Paren, exp.Neg, exp.Column, exp.Boolean], frozenset(["this"])),
    exp.Anonymous: frozenset(["this", "expressions"]),
    exp.In: frozenset(["this", "expressions", "negate"]),
    exp.Between: frozenset(["this", "low", "high", "negate"]),
    exp.Literal: frozenset(["this", "is_string"]),
    exp.Null: frozenset(),
    exp.Identifier: frozenset(["this", "quoted"]),
    exp.Cast: frozenset(["this", "to"]),  # the form of timestamp '...' and date '...'; the dialect has no CAST
    exp.DataType: frozenset(["this", "nested"]),
}
_TIMES = {exp.DataType.Type.DATE: date, exp.DataType.Type.TIMESTAMP: datetime}


class _FilterSQL(Dialect):
    """The words and signs that a filter may hold. All others are names or errors: `SELECT` could be a column."""

    class Tokenizer(Tokenizer):
        IDENTIFIERS = ['"', "`"]
        COMMENTS = []
        SINGLE_TOKENS = {sign: Tokenizer.SINGLE_TOKENS[sign] for sign in "(),-.=<>'`\""}
        SINGLE_TOKENS["!"] = TokenType.UNKNOWN  # of !=: it ends a name before it, and is nothing by itself
        KEYWORDS = {sign: Tokenizer.KEYWORDS[sign] for sign in ("==", "!=", "<>", "<=", ">=")}
        KEYWORDS |= {word: TokenType[word] for word in _WORDS.split()}

    class Parser(Parser):
        FUNCTIONS = {}
        FUNCTION_PARSERS = {}
        NO_PAREN_FUNCTION_PARSERS = {}


def condition_from_sql(text: str, columns: FilterColumns) -> Condition:
    """Read a condition in SQL.

    Args:
        text (`str`): the condition, as after WHERE.
        columns (`FilterColumns`): the columns that it may name.

    Raises:
        ValueError: it is not exactly one condition, or uses more of SQL than `SUPPORTED`.
    """
    try:
        return _Reader(columns).condition(_parsed(text))
    except RecursionError:
        raise ValueError("parentheses and NOTs are nested too deeply") from None


def _parsed(text: str) -> exp.Expression:
    if len(text) > MAX_LENGTH:
        raise ValueError(
            f"it must have at most {MAX_LENGTH:,} characters, got {len(text):,}. Give a long list in a mapping"
        )
    dialect = _FilterSQL()
    try:
        tokens = dialect.tokenize(text)
        _require_shallow(tokens)
        parsed = dialect.parser().parse_into(exp.Condition, tokens, text)[0]
    except TokenError:
        raise ValueError("a quote in it is not closed") from None
    except ParseError as error:
        place = error.errors[0]
        raise ValueError(
            f"it cannot be read at {place['highlight']!r:.80}, after {place['start_context'][-40:]!r}"
        ) from None
    if parsed is None:
        raise ValueError("it is empty")
    return parsed


def _require_shallow(tokens: list[Token]) -> None:
    depth = prefixes = deepest = 0
    for token in tokens:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        prefixes = prefixes + 1 if token.token_type in (TokenType.NOT, TokenType.DASH) else 0
        deepest = max(deepest, depth + prefixes)
    if deepest > MAX_DEPTH:
        raise ValueError(f"parentheses and NOTs may be nested {MAX_DEPTH} deep, got {deepest}")


class _Reader:
    """Makes conditions of sqlglot's nodes."""

    def __init__(self, columns: FilterColumns):
        self._columns = columns
        self._makers: dict[type[exp.Expression], Callable[[Any], Condition]] = {
            exp.Paren: lambda node: self.condition(node.this),
            exp.Not: lambda node: opposite(self.condition(node.this)),
            exp.And: lambda node: And(tuple(map(self.condition, _joined(node)))),
            exp.Or: lambda node: Or(tuple(map(self.condition, _joined(node)))),
            exp.Column: lambda node: columns.is_true(self._name(node)),
            exp.In: lambda node: columns.one_of(self._name(node.this), [_value(one) for one in node.expressions]),
            exp.Like: lambda node: columns.like(self._name(node.this), _value(node.expression)),
            exp.Is: self._is,
            exp.Between: self._between,
            exp.Anonymous: self._array_has,
            **dict.fromkeys(_SIGNS, self._comparison),
        }

    def condition(self, node: exp.Expression) -> Condition:
        _require_known(node)
        if type(node) not in self._makers:
            raise ValueError(f"a condition is missing at {_shown(node)}")
        made = self._makers[type(node)](node)
        return opposite(made) if node.args.get("negate") else made  # sqlglot's form of NOT LIKE

    def _comparison(self, node: exp.Binary) -> Condition:
        left, right, sign = node.this.unnest(), node.expression.unnest(), _SIGNS[type(node)]
        if isinstance(right, exp.Column) and not isinstance(left, exp.Column):
            left, right, sign = right, left, _MIRRORED[sign]
        return self._columns.compare(self._name(left), sign, _value(right))

    def _is(self, node: exp.Is) -> Condition:
        name, wanted = self._name(node.this), node.expression
        if isinstance(wanted, exp.Null):
            return self._columns.is_null(name)
        if isinstance(wanted, exp.Boolean):
            return self._columns.is_boolean(name, wanted.this)
        raise ValueError(f"after IS there must be NULL, TRUE or FALSE, got {_shown(wanted)}")

    def _between(self, node: exp.Between) -> Condition:
        name, low, high = self._name(node.this), _value(node.args["low"]), _value(node.args["high"])
        return And((self._columns.compare(name, ">=", low), self._columns.compare(name, "<=", high)))

    def _array_has(self, node: exp.Anonymous) -> Condition:
        if node.name.lower() != "array_has":
            raise ValueError(f"there is no function {node.name:.80}, only array_has")
        if len(node.expressions) != 2:
            raise ValueError(f"array_has takes a column and a value, got {len(node.expressions)} of them")
        column, value = node.expressions
        return self._columns.array_has_any(self._name(column), [_value(value)])

    def _name(self, node: exp.Expression) -> str:
        node = node.unnest()
        _require_known(node)
        if not isinstance(node, exp.Column):
            raise ValueError(f"a column is missing: one side must be a column's name, got {_shown(node)}")
        _require_known(node.this)
        return self._columns.find(node.name, exact=node.this.quoted)


def _joined(node: exp.Connector) -> list[exp.Expression]:
    """The parts of a AND b AND c, which sqlglot nests to the left, as deep as there are parts."""
    parts, kind = [], type(node)
    while type(node) is kind:
        _require_known(node)
        parts.append(node.expression)
        node = node.this
    return [node, *reversed(parts)]


def _require_known(node: exp.Expression) -> None:
    operands = {name for name, value in node.args.items() if value is not None and value is not False and value != []}
    if type(node) not in _OPERANDS or not operands <= _OPERANDS[type(node)]:
        raise ValueError(f"a filter only compares columns with values, {_shown(node)} is not allowed")


def _value(node: exp.Expression) -> Any:
    node = node.unnest()
    _require_known(node)
    match node:
        case exp.Literal():
            return node.this if node.is_string else _number(node.this)
        case exp.Neg(this=exp.Literal(is_string=False) as number):
            return _number(f"-{number.this}")
        case exp.Boolean():
            return node.this
        case exp.Cast(this=exp.Literal(is_string=True) as text):
            return _time(text.this, node.args["to"])
        case exp.Column():
            raise ValueError(f"a value is missing: {_shown(node)} is a name, and text is in 'single quotes'")
    raise ValueError(f"a value is missing at {_shown(node)}")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r:.80} is not a number") from None


def _time(text: str, kind: exp.DataType) -> date | datetime:
    _require_known(kind)
    if kind.this not in _TIMES:
        raise ValueError(f"a time is written as timestamp '...' or date '...', got {kind.this.value}")
    return read_time(text, _TIMES[kind.this])


def _shown(node: exp.Expression) -> str:
    """A name or value itself, of other nodes their kind: all of one could be very long."""
    is_word = isinstance(node, (exp.Column, exp.Literal, exp.Anonymous))
    return f"{node.name!r:.80}" if is_word else node.key.upper()
