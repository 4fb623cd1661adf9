"""A query as SQLite text: what it is like is compiled once, what it asks for is bound each time.

`Statements` walks a query, notes its *shape* (which fields, operators, directions; how many values) and collects the
values; a shape that was met before has its text at hand. Every value is a bound parameter, and every name comes from
the model through `quote`. Conditions need no guard against NULL: without NOT, SQL's "unknown" is as good as false, and
NOT is written `IS NOT TRUE`, which makes of "unknown" what two-valued logic makes of false.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from datastores.sqlite import values as sql_values
from datastores.sqlite.rows import Column, Rows, row_builder
from datastores.sqlite.values import Convert
from rest_kit.errors import Fault, InvalidQuery, did_you_mean
from rest_kit.query import OPERATORS, All, Arity, Filter, Not, OperatorClass, Order, Page, Query, Search, Where
from rest_kit.query import Any as Either
from rest_kit.rows import fold, unknown_operator
from rest_kit.types import INT64_MAX, Record

MAX_PLANS: Final = 512
"""How many shapes are kept; beyond it, all are forgotten at once."""

MAX_VALUES: Final = 30_000
"""How many values one query may bind, within what every build of SQLite allows."""

Row = tuple[Any, ...]
Run = Callable[[str, Sequence[Any]], list[Row]]
"""Runs one statement with its parameters and returns all of its rows."""

Shape = tuple[Any, ...]
"""A leaf `(field, op, how many)`, or a branch `("and" | "or" | "not", parts)`."""

TRUE: Final[Shape] = ("and", ())
FALSE: Final[Shape] = ("or", ())

_TEXT: Final = frozenset(name for name, operator in OPERATORS.items() if operator.applies_to is OperatorClass.TEXT)
_MANY: Final = frozenset(name for name, operator in OPERATORS.items() if operator.arity is Arity.MANY)
_COMPARISONS: Final = {"ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def shape_of(where: Where | None, values: list[Any]) -> Shape:
    """The shape of a condition; its values are added to `values`, in the order in which the text will name them."""
    if type(where) is Filter:
        return _leaf_shape(where, values)
    if where is None:
        return TRUE
    if type(where) is Not:
        return ("not", (shape_of(where.part, values),))
    assert isinstance(where, All | Either)
    return ("and" if type(where) is All else "or", tuple([shape_of(part, values) for part in where.parts]))


def _leaf_shape(leaf: Filter, values: list[Any]) -> Shape:
    """The shape of one condition; a comparison with None is false, an empty needle is in every text."""
    op, value = leaf.op, leaf.value
    if op == "isnull":
        return (leaf.field, op, bool(value))
    if value is None:
        return FALSE
    if op in _MANY:
        given = [each for each in value if each is not None]
        values.extend(given)
        return (leaf.field, op, len(given))
    if op == "range":
        return _range_shape(leaf, values)
    if op in _TEXT and not value:
        return (leaf.field, "isnull", False) if op != "iexact" else _noted(leaf, values)
    if op == "startswith":
        values.append(value)
    return _noted(leaf, values)


def _range_shape(leaf: Filter, values: list[Any]) -> Shape:
    if None in leaf.value:
        return FALSE
    values.extend(leaf.value)
    return (leaf.field, "range", 2)


def _noted(leaf: Filter, values: list[Any]) -> Shape:
    values.append(leaf.value)
    return (leaf.field, leaf.op, 1)


def search_shape(search: Search | None, values: list[Any]) -> Shape | None:
    """The shape of a text search: how many words, in which fields."""
    if search is None or not search.words:
        return None
    values.extend(search.words)
    return (len(search.words), search.fields)


class Conditions:
    """Writes conditions as text, noting for every parameter how its value is made ready to be bound."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
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
        return f"?{len(self.probes)}"

    def text(self, shape: Shape) -> str:
        """A condition of that shape."""
        if len(shape) == 3:
            return self._leaf(*shape)
        kind, parts = shape
        if kind == "not":
            return f"({self.text(parts[0])}) IS NOT TRUE"
        if not parts:
            return "1" if kind == "and" else "0"
        return joined([self.text(part) for part in parts], kind.upper())

    def _leaf(self, name: str, op: str, count: int) -> str:
        column = self.column(name)
        if op == "isnull":
            return f"{column.sql} IS NULL" if count else f"{column.sql} IS NOT NULL"
        if op in _MANY:
            return self._membership(column, op, count)
        if op == "range":
            low = self.parameter(column.storage.probe("gte"))
            return f"{column.term} BETWEEN {low} AND {self.parameter(column.storage.probe('lte'))}"
        if op == "eq":
            return equal(column, self.parameter(column.storage.probe(op)))
        if op in _COMPARISONS:
            return f"{column.term} {_COMPARISONS[op]} {self.parameter(column.storage.probe(op))}"
        return self._text_leaf(column, op)

    def _membership(self, column: Column, op: str, count: int) -> str:
        if not count:
            return "0" if op == "in" else f"{column.sql} IS NOT NULL"
        probe = column.storage.probe("eq")
        listed = ", ".join([self.parameter(probe) for _ in range(count)])
        if op == "notin":
            return f"{column.term} NOT IN ({listed})"
        exactly = f"{column.term} IN ({listed})"
        return f"({column.seek} IN ({listed}) AND {exactly})" if column.seek else exactly

    def _text_leaf(self, column: Column, op: str) -> str:
        if op == "startswith":
            first = self.parameter()
            return f"({column.term} >= {first} AND {column.term} < {self.parameter(sql_values.successor)})"
        if op in ("contains", "endswith"):
            return _TEXT_FORMS[op](column.sql, self.parameter())
        if op not in _TEXT_FORMS:
            raise unknown_operator(op)
        return _TEXT_FORMS[op](folded(column), self.parameter(fold))

    def search(self, words: int, fields: Sequence[str]) -> str:
        """Every word in at least one of the fields."""
        folds = [folded(self.column(name)) for name in fields]
        found = []
        for _ in range(words):
            word = self.parameter(fold)
            found.append(joined([f"instr({text}, {word}) > 0" for text in folds], "OR") if folds else "0")
        return joined(found, "AND")


def equal(column: Column, value: str) -> str:
    """Equality byte by byte, in the form that an index can answer."""
    exactly = f"{column.term} = {value}"
    return f"({column.seek} = {value} AND {exactly})" if column.seek else exactly


def folded(column: Column) -> str:
    """The column's text with case ignored."""
    return f"{sql_values.FOLD_FUNCTION}({column.sql})"


def _ends(text: str, needle: str) -> str:
    # In bytes: SQLite's length() of a text ends at a NUL, which other programs' data may hold.
    return f"substr(CAST({text} AS BLOB), -length(CAST({needle} AS BLOB))) = CAST({needle} AS BLOB)"


_TEXT_FORMS: Final[dict[str, Callable[[str, str], str]]] = {
    "contains": lambda text, needle: f"instr({text}, {needle}) > 0",
    "icontains": lambda text, needle: f"instr({text}, {needle}) > 0",
    "istartswith": lambda text, needle: f"instr({text}, {needle}) = 1",
    "endswith": _ends,
    "iendswith": _ends,
    "iexact": lambda text, needle: f"{text} = {needle}",
}


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
    values = [conditions.parameter(column.storage.probe("gt")) for column, _ in keys]
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


def order_text(columns: Mapping[str, Column], order: Sequence[Order], flip: bool) -> str:
    """The ORDER BY list; SQLite's NULLs are smallest already."""
    return ", ".join(f"{columns[key.field].term} {'DESC' if key.descending is not flip else 'ASC'}" for key in order)


@dataclass(frozen=True, slots=True)
class Plan:
    """The text for one shape of query: the statements to read until the page is full, and the one that counts.

    All take the same parameters, but the count only the first `counted` of them.
    """

    reads: tuple[str, ...]
    count: str
    counted: int
    probes: tuple[Convert | None, ...]
    build: Rows

    def bind(self, values: list[Any]) -> list[Any]:
        """The values as they are bound."""
        return [
            value if probe is None or value is None else probe(value)
            for probe, value in zip(self.probes, values, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Bound:
    """A query ready to be run: its plan, and its parameters."""

    plan: Plan
    parameters: list[Any]

    def rows(self, run: Run, limit: int | None) -> tuple[list[Row], bool]:
        """The rows of the page, read statement by statement until it is full, and whether there are more."""
        rows: list[Row] = []
        for text in self.plan.reads:
            rows += run(text, self.parameters)
            if limit is not None and len(rows) > limit:
                return rows[:limit], True
        return rows, False

    def total(self, run: Run, page: Page, found: int, more: bool) -> int:
        """How many rows match, counted only where a page that held `found` of them does not tell."""
        if not more and page.after is None and (found or not page.offset):
            return found + page.offset
        return int(run(self.plan.count, self.parameters[: self.plan.counted])[0][0])


class Statements:
    """The texts for one table, made once per shape of query.

    `source` is what stands behind FROM (it gives the table the name `t`), `columns` the model's fields in order as
    they lie there, and `full_order` the model's.
    """

    def __init__(
        self, source: str, columns: Sequence[Column], full_order: Callable[[Sequence[Order]], tuple[Order, ...]]
    ) -> None:
        self.source = source
        self.columns = {column.field: column for column in columns}
        self.names = tuple(self.columns)
        self.full_order = full_order
        self._plans: dict[Hashable, Plan] = {}
        self._builders: dict[tuple[str, ...], Rows] = {}

    def bind(self, query: Query) -> Bound:
        """The text and the parameters of a query: rows come in the order of reading, `limit + 1` of them at most."""
        page = query.page
        values: list[Any] = []
        where = shape_of(query.where, values)
        search = search_shape(query.search, values)
        after = None if page.after is None else tuple([value is None for value in page.after])
        key = (where, search, query.order, query.fields, after, page.before, page.offset > 0)
        if page.after is not None:
            values.extend(page.after)
        values.append(-1 if page.limit is None else min(page.limit, INT64_MAX - 1) + 1)
        if page.offset > 0:
            values.append(min(page.offset, INT64_MAX))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._remember(key, self._plan(query, where, search, after, len(values)))
        return Bound(plan, plan.bind(values))

    def _remember(self, key: Hashable, plan: Plan) -> Plan:
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        self._plans[key] = plan
        return plan

    def _plan(self, query: Query, where: Shape, search: Shape | None, after: Sequence[bool] | None, size: int) -> Plan:
        if size > MAX_VALUES:
            raise InvalidQuery(Fault("too_many", f"more than {MAX_VALUES} values in one query"))
        conditions = Conditions(self.columns)
        filters = [conditions.text(where)] if where != TRUE else []
        if search is not None:
            filters.append(conditions.search(*search))
        counted = len(conditions.probes)
        order = self.full_order(query.order)
        stretches = [""] if after is None else self._stretches(conditions, query, order, after)
        tail = ["ORDER BY", self._order(conditions, order, query.page.before), "LIMIT", conditions.parameter()]
        if query.page.offset > 0:
            tail += ["OFFSET", conditions.parameter()]
        fields = self.names if query.fields is None else query.fields
        head = ["SELECT", self.selected(fields, conditions)]
        reads = [self._statement(head, [*filters, *([part] if part else [])], tail) for part in stretches]
        count = self._statement(["SELECT count(*)"], filters, [])
        return Plan(tuple(reads), count, counted, tuple(conditions.probes), self.builder(fields))

    def _stretches(
        self, conditions: Conditions, query: Query, order: Sequence[Order], nulls: Sequence[bool]
    ) -> list[str]:
        if len(nulls) != len(order):
            raise InvalidQuery(Fault("invalid", f"a page begins behind {len(order)} values, not {len(nulls)}"))
        stretches = behind(conditions, order, nulls, query.page.before) or ["0"]
        if query.page.offset > 0:
            return [joined(stretches, "OR")]
        return stretches

    def _order(self, conditions: Conditions, order: Sequence[Order], flip: bool) -> str:
        for key in order:
            conditions.column(key.field)
        return order_text(self.columns, order, flip)

    def _statement(self, head: list[str], filters: list[str], tail: list[str]) -> str:
        where = ["WHERE", joined(filters, "AND")] if filters else []
        return " ".join([*head, "FROM", self.source, *where, *tail])

    def selected(self, fields: Sequence[str], conditions: Conditions | None = None) -> str:
        """The list of columns behind SELECT."""
        find = (conditions or Conditions(self.columns)).column
        return ", ".join([find(name).sql for name in fields]) or "NULL"

    def builder(self, fields: Sequence[str]) -> Rows:
        """What makes records of the rows that SQLite hands out."""
        names = tuple(fields)
        found = self._builders.get(names)
        if found is None:
            found = row_builder([self.columns[name] for name in names])
            if len(self._builders) < MAX_PLANS:
                self._builders[names] = found
        return found

    def encoder(self, fields: Sequence[str]) -> Callable[[Record], list[Any]]:
        """What makes the stored values of a record's fields, in that order; a field that is absent is NULL."""
        plan = [(name, self.columns[name].storage.encode) for name in fields]

        def encode(record: Record) -> list[Any]:
            values = []
            for name, convert in plan:
                value = record.get(name)
                values.append(value if convert is None or value is None else convert(value))
            return values

        return encode
