"""Conditions as SQL text: every value is a bound parameter, and every name comes from the model.

Conditions need no guard against NULL: without NOT, SQL's "unknown" is as good as false, and NOT is written
`IS NOT TRUE`, which makes of "unknown" what two-valued logic makes of false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from datastores.tables.columns import Column
from datastores.tables.grammar import Grammar
from datastores.tables.shapes import MANY, Shape
from datastores.tables.storage import Convert
from rest_kit.errors import Fault, InvalidQuery, did_you_mean
from rest_kit.query import Order
from rest_kit.rows import fold, unknown_operator

_COMPARISONS: Final = {"ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Conditions:
    """Writes conditions as text, noting for every parameter how its value is made ready to be bound."""

    def __init__(self, columns: Mapping[str, Column], grammar: Grammar) -> None:
        self.columns = columns
        self.grammar = grammar
        self.probes: list[Convert | None] = []

    def column(self, name: str) -> Column:
        """The column of a field (InvalidQuery)."""
        try:
            return self.columns[name]
        except KeyError as exc:
            near = did_you_mean(name, self.columns)
            raise InvalidQuery(Fault("unknown", f"there is no field {name!r}{near}")) from exc

    def parameter(self, probe: Convert | None = None) -> str:
        """The next parameter."""
        self.probes.append(probe)
        return self.grammar.parameter(len(self.probes))

    def value(self, column: Column, op: str) -> str:
        """The next parameter, as a value to compare a column with."""
        return column.value.format(self.parameter(column.storage.probe(op)))

    def text(self, shape: Shape) -> str:
        """A condition of that shape."""
        if len(shape) == 3:
            return self._leaf(*shape)
        kind, parts = shape
        if kind == "not":
            return f"({self.text(parts[0])}) IS NOT TRUE"
        if not parts:
            return self.grammar.true if kind == "and" else self.grammar.false
        return joined([self.text(part) for part in parts], kind.upper())

    def _leaf(self, name: str, op: str, count: int) -> str:
        column = self.column(name)
        if op == "isnull":
            return f"{column.sql} IS NULL" if count else f"{column.sql} IS NOT NULL"
        if op in MANY:
            return self._membership(column, op, count)
        if op == "range":
            low = self.value(column, "gte")
            return f"{column.term} BETWEEN {low} AND {self.value(column, 'lte')}"
        if op == "eq":
            return equal(column, self.value(column, op))
        if op in _COMPARISONS:
            return f"{column.term} {_COMPARISONS[op]} {self.value(column, op)}"
        return self._text_leaf(column, op, count)

    def _membership(self, column: Column, op: str, count: int) -> str:
        if not count:
            return self.grammar.false if op == "in" else f"{column.sql} IS NOT NULL"
        values = [self.value(column, "eq") for _ in range(count)]
        if op == "notin":
            return f"{column.equated} NOT IN ({', '.join(values)})"
        exactly = f"{column.equated} IN ({', '.join(values)})"
        if not column.seek:
            return exactly
        return f"({column.seek} IN ({', '.join(map(column.sought.format, values))}) AND {exactly})"

    def _text_leaf(self, column: Column, op: str, count: int) -> str:
        write = self.grammar
        if op == "startswith":
            first = f"{column.term} >= {self.parameter()}"
            return first if count == 1 else f"({first} AND {column.term} < {self.parameter()})"
        if op == "contains":
            return write.contains(column.term, self.parameter())
        if op == "endswith":
            return write.ends(column.term, self.parameter())
        return self._folded_leaf(op, write.fold(column.sql))

    def _folded_leaf(self, op: str, text: str) -> str:
        write = self.grammar
        if op == "icontains":
            return write.contains(text, self._folded_value())
        if op == "istartswith":
            return write.starts(text, self._folded_value())
        if op == "iendswith":
            return write.ends(text, self._folded_value())
        if op == "iexact":
            return f"{text} = {self._folded_value()}"
        raise unknown_operator(op)

    def _folded_value(self) -> str:
        return self.grammar.fold_value(self.parameter(fold))

    def search(self, words: int, fields: Sequence[str]) -> str:
        """Every word in at least one of the fields."""
        folds = [self.grammar.fold(self.column(name).sql) for name in fields]
        found = []
        for _ in range(words):
            word = self._folded_value()
            matches = [self.grammar.contains(text, word) for text in folds]
            found.append(joined(matches, "OR") if matches else self.grammar.false)
        return joined(found, "AND")


def equal(column: Column, value: str) -> str:
    """Equality byte by byte, in the form that an index can answer."""
    exactly = f"{column.equated} = {value}"
    return f"({column.seek} = {column.sought.format(value)} AND {exactly})" if column.seek else exactly


def joined(parts: Sequence[str], word: str) -> str:
    """The parts joined by AND or OR, as a balanced tree: SQLite limits the depth of an expression, not its length."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({joined(parts[:half], word)} {word} {joined(parts[half:], word)})"


def behind(conditions: Conditions, order: Sequence[Order], nulls: Sequence[bool], flip: bool) -> list[str]:
    """Conditions for the rows strictly behind a place in the order, one for each stretch of it, nearest first.

    `nulls` says which of the place's values are None; `flip` reads against the order. Each stretch is one range of an
    index on the order's fields, so that a page costs the same at any depth (a comparison of rows, `(a, id) > (?, ?)`,
    is not: SQLite does not look into the rowid at the end of an index for it).
    """
    keys = [(conditions.column(key.field), key.descending is not flip) for key in order]
    values = [conditions.value(column, "gt") for column, _ in keys]
    stretches = []
    for depth in reversed(range(len(keys))):
        equal = [_same(column, values[i], nulls[i]) for i, (column, _) in enumerate(keys[:depth])]
        for beyond in _beyond(*keys[depth], values[depth], nulls[depth]):
            stretches.append(joined([*equal, beyond], "AND"))
    return stretches


def _same(column: Column, value: str, null: bool) -> str:
    return f"{column.sql} IS NULL" if null else equal(column, value)


def _beyond(column: Column, descending: bool, value: str, null: bool) -> list[str]:
    """The rows whose value comes behind `value`; None is smaller than everything."""
    if null:
        return [] if descending else [f"{column.sql} IS NOT NULL"]
    if not descending:
        return [f"{column.term} > {value}"]
    return [f"{column.term} < {value}", *([f"{column.sql} IS NULL"] if column.nullable else [])]
