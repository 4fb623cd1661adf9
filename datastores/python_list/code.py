"""Queries as Python source, compiled once for each of their shapes: what a person would write for just this question.

Conditions, orders and fields go in; functions over raw rows come out. Values are always arguments, and names are
put in through `repr`, so that no text of a caller's ever becomes code. `rest_kit.rows` says what the code must mean.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from datastores.python_list.columns import Column
from datastores.python_list.forms import NESTED, clone
from rest_kit.errors import Fault, InvalidQuery, did_you_mean
from rest_kit.query import All, Filter, Not, Order, Search, Where
from rest_kit.rows import fold, unknown_operator
from rest_kit.types import Kind, Record

Row = dict[str, Any]
Select = Callable[..., list[Row]]
Reader = Callable[[Iterable[Row]], list[Record]]
OneReader = Callable[[Row], Record]
Side = Callable[..., bool]
Key = Callable[[Row], Any]
Leaf = tuple[list[str], Callable[[Any], Any] | None]

_KEPT: Final = 256
_DEEPEST: Final = 20
_SEPARATOR: Final = "\x00"

_TEMPLATES: Final[Mapping[str, str]] = {
    "eq": "{x} == {v}",
    "ne": "{x} != {v}",
    "gt": "{x} > {v}",
    "gte": "{x} >= {v}",
    "lt": "{x} < {v}",
    "lte": "{x} <= {v}",
    "in": "{x} in {v}",
    "notin": "{x} not in {v}",
    "range": "{v}[0] <= {x} <= {v}[1]",
    "contains": "{v} in {x}",
    "icontains": "{v} in fold({x})",
    "startswith": "{x}.startswith({v})",
    "istartswith": "fold({x}).startswith({v})",
    "endswith": "{x}.endswith({v})",
    "iendswith": "fold({x}).endswith({v})",
    "iexact": "fold({x}) == {v}",
    "isnull": "({x} is None) is {v}",
}
_NULL_IS_FALSE: Final = frozenset({"eq", "in", "isnull"})
_NULL_IS_TRUE: Final = frozenset({"ne", "notin"})
_FOLDED: Final = frozenset({"icontains", "istartswith", "iendswith", "iexact"})


class NotCompiled(Exception):
    """A question of a shape that is not worth compiling, or too deep for it; the plain path answers it."""


class Compiler:
    """The functions for one set of columns, as they are known now; made anew when that knowledge changes."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self._made: dict[str, Any] = {}
        self._leaves: dict[tuple[str, str], Leaf] = {}
        self._names: dict[str, Any] = {"fold": fold, "clone": clone, "copy": dict.copy}
        for column in columns.values():
            self._names[f"c{column.number}"] = datetime.date.fromisoformat if column.iso else column.convert
            self._names[f"d{column.number}"] = column.default

    def select(self, where: Where | None, search: Search | None) -> tuple[Select, list[Any]]:
        """A function from rows and the values that are returned with it to the rows that match (NotCompiled)."""
        values: list[Any] = []
        tests = [] if where is None else [self._condition(where, values, 0)]
        if search is not None:
            tests.append(self._search(search, values))
        test = " and ".join(tests) or "True"
        select = self._made.get(test)
        if select is None:
            given = "".join(f", v{number}" for number in range(len(values)))
            source = f"def made(rows{given}):\n return [r for r in rows if {test}]"
            select = self._made[test] = self._function(source)
        return select, values

    def reader(self, names: Sequence[str]) -> Reader:
        """A function from rows to records of these fields."""
        reader: Reader = self._function(f"def made(rows):\n return [{self._record(names)} for r in rows]")
        return reader

    def one_reader(self, names: Sequence[str]) -> OneReader:
        """A function from a row to a record of these fields."""
        reader: OneReader = self._function(f"def made(r):\n return {self._record(names)}")
        return reader

    # PERF: page of 20: copying takes a third of making dicts by name; that no row has grown shows in the lengths

    def copier(self) -> Reader:
        """A function from rows that have exactly the fields of the model, in its order, to records (KeyError)."""
        mend = self._mending("  ")
        copier: Reader = self._function(
            f"def made(rows):\n if sum(map(len, rows)) != {len(self._columns)} * len(rows): raise KeyError\n"
            f" made = list(map(copy, rows))\n{f' for r in made:{mend}' if mend else ''}\n return made"
        )
        return copier

    def one_copier(self) -> OneReader:
        """A function from one such row to a record (KeyError)."""
        copier: OneReader = self._function(
            f"def made(r):\n if len(r) != {len(self._columns)}: raise KeyError\n"
            f" r = r.copy(){self._mending(' ')}\n return r"
        )
        return copier

    def _record(self, names: Sequence[str]) -> str:
        return f"{{{', '.join(f'{name!r}: {self._outgoing(self.column(name))}' for name in names)}}}"

    def _mending(self, indent: str) -> str:
        mended = [column for column in self._columns.values() if not column.plain]
        return "".join(f"\n{indent}r[{column.name!r}] = {self._outgoing(column)}" for column in mended)

    def key(self, names: Sequence[str]) -> Key:
        """A function from a row to what it sorts by: one value, or a tuple of them, None before everything."""
        terms = [self._rank(self.column(name)) for name in names]
        key: Key = self._function(f"def made(r):\n return {', '.join(terms)}")
        return key

    def value(self, name: str) -> Key:
        """A function from a row to this field's value, typed."""
        key: Key = self._function(f"def made(r):\n return {self._converted(self.column(name))}")
        return key

    def values(self, names: Sequence[str]) -> Key:
        """A function from a row to a tuple of these fields' values, typed."""
        terms = ", ".join(self._converted(self.column(name)) for name in names)
        key: Key = self._function(f"def made(r):\n return ({terms},)")
        return key

    def side(self, order: Sequence[Order], *, ahead: bool) -> Side:
        """A function from a row and the place's values to whether the row is strictly behind it (or ahead of it)."""
        # one statement for each key, as expressions within expressions would be too deep for many keys
        lines = ["def made(r, a):"]
        for number, key in enumerate(order):
            column = self.column(key.field)
            sign = "<" if key.descending is not ahead else ">"
            place = f"(a[{number}] is not None, a[{number}])" if self._nullable(column) else f"a[{number}]"
            lines.append(f" if (own := {self._rank(column)}) != (place := {place}): return own {sign} place")
        side: Side = self._function("\n".join([*lines, " return False"]))
        return side

    def place(self, order: Sequence[Order], after: Sequence[Any]) -> tuple[Any, ...]:
        """The values of a place in an order, in the form that rows are compared in."""
        return tuple(_operand(self.column(key.field), value) for key, value in zip(order, after, strict=True))

    def _function(self, source: str) -> Any:
        made = self._made.get(source)
        if made is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            scope = dict(self._names)
            exec(source, scope)  # noqa: S102 - names come in through repr alone, values as arguments
            made = self._made[source] = scope["made"]
        return made

    def column(self, name: str) -> Column:
        """The column of that name (InvalidQuery)."""
        column = self._columns.get(name)
        if column is None:
            raise InvalidQuery(Fault("unknown", f"there is no field {name!r}{did_you_mean(name, self._columns)}"))
        return column

    def _condition(self, where: Where, values: list[Any], depth: int) -> str:
        if isinstance(where, Filter):
            return self._filter(where, values)
        if depth > _DEEPEST:
            raise NotCompiled
        if isinstance(where, Not):
            return f"(not {self._condition(where.part, values, depth + 1)})"
        word, none = (" and ", "True") if isinstance(where, All) else (" or ", "False")
        parts = [self._condition(part, values, depth + 1) for part in where.parts]
        return f"({word.join(parts)})" if parts else none

    def _filter(self, condition: Filter, values: list[Any]) -> str:
        leaf = self._leaves.get((condition.field, condition.op))
        if leaf is None:
            leaf = self._leaves[condition.field, condition.op] = self._leaf(condition.field, condition.op)
        if condition.value is None:
            return "False"
        around, argument = leaf
        name = f"v{len(values)}"
        values.append(condition.value if argument is None else argument(condition.value))
        return name.join(around)

    def _leaf(self, name: str, operator: str) -> Leaf:
        """A condition's source, in pieces between which the value's name goes, and what is done to the value."""
        column = self.column(name)
        template = _TEMPLATES.get(operator)
        if template is None:
            raise unknown_operator(operator)
        if operator == "eq" and column.kind is Kind.BOOLEAN:
            # PERF: filter + order: there are two booleans in all, and identity is asked in half the time
            template = "{x} is {v}"
        value = self._comparable(column)
        # a name's text may hold braces, but never a NUL, as it goes through repr
        template = template.replace("{v}", "\0")
        if operator in _NULL_IS_TRUE or (self._nullable(column) and operator not in _NULL_IS_FALSE):
            around = f"((t := {value}) is not None and {template.replace('{x}', 't')})"
        else:
            around = f"({template.replace('{x}', value)})"
        return around.split("\0"), _argument(column, operator)

    def _search(self, search: Search, values: list[Any]) -> str:
        if not search.words or any(not word or _SEPARATOR in word for word in search.words):
            raise NotCompiled
        texts = [f"({self._comparable(self.column(name))} or '')" for name in search.fields]
        text = texts[0] if len(texts) == 1 else f"{_SEPARATOR!r}.join([{', '.join(texts)}])"
        tests = []
        for word in search.words:
            tests.append(f"v{len(values)} in s")
            values.append(fold(word))
        tests[0] = f"v{len(values) - len(search.words)} in (s := fold({text}))"
        return f"({' and '.join(tests)})"

    def _nullable(self, column: Column) -> bool:
        return column.null or (column.missing and column.default is None)

    def _raw(self, column: Column) -> str:
        return f"r.get({column.name!r}, d{column.number})" if column.missing else f"r[{column.name!r}]"

    def _converted(self, column: Column) -> str:
        if not column.converts:
            return self._raw(column)
        if column.iso and self._nullable(column):
            return f"(None if (t := {self._raw(column)}) is None else c{column.number}(t))"
        return f"c{column.number}({self._raw(column)})"

    def _outgoing(self, column: Column) -> str:
        value = self._converted(column)
        return f"clone({value})" if column.kind in NESTED else value

    def _comparable(self, column: Column) -> str:
        return self._raw(column) if column.iso else self._converted(column)

    def _rank(self, column: Column) -> str:
        value = self._comparable(column)
        return f"((t := {value}) is not None, t)" if self._nullable(column) else value


def _operand(column: Column, value: Any) -> Any:
    return value.isoformat() if column.iso and value is not None else value


def _argument(column: Column, operator: str) -> Callable[[Any], Any] | None:
    """What is done to an operator's value before rows are compared with it; None for nothing."""
    if operator in ("in", "notin"):
        return lambda values: frozenset(_operand(column, value) for value in values if value is not None)
    if operator == "range":
        return lambda values: tuple(_operand(column, value) for value in values)
    if operator == "isnull":
        return bool
    if operator in _FOLDED:
        return fold
    return datetime.date.isoformat if column.iso else None
