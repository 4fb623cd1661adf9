"""A query as text: what it is like is compiled once, what it asks for is bound each time.

`Statements` looks up the query's shape; one that was met before has its text at hand, so that nothing but the values is
left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from datastores.tables.columns import Column, Rows, row_builder
from datastores.tables.conditions import Conditions, behind, joined
from datastores.tables.grammar import Grammar
from datastores.tables.pages import Key, PageText
from datastores.tables.shapes import TRUE, Shape, search_shape, shape_of
from datastores.tables.storage import Convert
from rest_kit.errors import Fault, InvalidQuery, ValidationError
from rest_kit.query import Order, Page, Query
from rest_kit.types import INT64_MAX, Record

MAX_PLANS: Final = 512
"""How many shapes are kept; beyond it, all are forgotten at once."""

Row = tuple[Any, ...]
Run = Callable[[str, Sequence[Any]], list[Row]]
"""Runs one statement with its parameters and returns all of its rows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The text for one shape of query: the statements to read until the page is full, and the one that counts.

    All take the same parameters, but the count only the first `counted` of them. With a grammar that gathers there is
    one statement to read, whose rows end with the total where the query asks for it.
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
        return self.count(run)

    def count(self, run: Run) -> int:
        """How many rows match, counted."""
        return int(run(self.plan.count, self.parameters[: self.plan.counted])[0][0])


class Statements:
    """The texts for one table, made once per shape of query.

    `source` is what stands behind FROM (it gives the table the name `t`), `columns` the model's fields in order as
    they lie there, and `full_order` the model's.
    """

    def __init__(
        self,
        source: str,
        columns: Sequence[Column],
        full_order: Callable[[Sequence[Order]], tuple[Order, ...]],
        grammar: Grammar,
    ) -> None:
        self.source = source
        self.columns = {column.field: column for column in columns}
        self.names = tuple(self.columns)
        self.full_order = full_order
        self.grammar = grammar
        self._plans: dict[Hashable, Plan] = {}
        self._builders: dict[tuple[str, ...], Rows] = {}

    def bind(self, query: Query, locked: bool = False) -> Bound:
        """The text and the parameters of a query: rows come in the order of reading, `limit + 1` of them at most.

        `locked`: the rows stay as they are until the transaction ends.
        """
        page = query.page
        values: list[Any] = []
        where = shape_of(query.where, values)
        search = search_shape(query.search, values)
        after = None if page.after is None else tuple([value is None for value in page.after])
        key = (where, search, query.order, query.fields, after, page.before, page.offset > 0, query.total, locked)
        if page.after is not None:
            values.extend(page.after)
        values.append(self.grammar.unlimited if page.limit is None else min(page.limit, INT64_MAX - 1) + 1)
        if page.offset > 0:
            values.append(min(page.offset, INT64_MAX))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._remember(key, self._plan(_Asked(query, where, search, after, locked), len(values)))
        return Bound(plan, plan.bind(values))

    def _remember(self, key: Hashable, plan: Plan) -> Plan:
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        self._plans[key] = plan
        return plan

    def _plan(self, asked: _Asked, size: int) -> Plan:
        if size > self.grammar.max_values:
            raise InvalidQuery(Fault("too_many", f"more than {self.grammar.max_values} values in one query"))
        conditions = Conditions(self.columns, self.grammar)
        filters = [conditions.text(asked.where)] if asked.where != TRUE else []
        if asked.search is not None:
            filters.append(conditions.search(*asked.search))
        counted = len(conditions.probes)
        count = " ".join(["SELECT count(*) FROM", self.source, _where(filters)]).rstrip()
        reads = self._reads(conditions, asked, filters, count)
        return Plan(reads, count, counted, tuple(conditions.probes), self.builder(self._fields(asked.query)))

    def _fields(self, query: Query) -> Sequence[str]:
        return self.names if query.fields is None else query.fields

    def _reads(self, conditions: Conditions, asked: _Asked, filters: list[str], count: str) -> tuple[str, ...]:
        query = asked.query
        order = self.full_order(query.order)
        stretches = [""] if asked.after is None else self._stretches(conditions, asked, order)
        page = PageText(
            source=self.source,
            selected=[conditions.column(name).shown for name in self._fields(query)],
            keys=[self._key(conditions.column(key.field), key.descending is not query.page.before) for key in order],
            limit=_limit(conditions, query),
            total=f"({count})" if query.total and self.grammar.gathers else "",
            lock=self.grammar.lock if asked.locked else "",
        )
        wheres = [_where([*filters, *([part] if part else [])]) for part in stretches]
        if self.grammar.gathers and len(wheres) > 1:
            return (page.union(wheres),)
        return tuple(page.read(where) for where in wheres)

    def _key(self, column: Column, descending: bool) -> Key:
        direction = "DESC" if descending else "ASC"
        return Key(column.term, direction + (self.grammar.nulls[descending] if column.nullable else ""))

    def _stretches(self, conditions: Conditions, asked: _Asked, order: Sequence[Order]) -> list[str]:
        nulls = asked.after or ()
        if len(nulls) != len(order):
            raise InvalidQuery(Fault("invalid", f"a page begins behind {len(order)} values, not {len(nulls)}"))
        stretches = behind(conditions, order, nulls, asked.query.page.before) or [self.grammar.false]
        if asked.query.page.offset > 0 or asked.locked:
            return [joined(stretches, "OR")]
        return stretches

    def selected(self, fields: Sequence[str]) -> str:
        """The list of columns behind SELECT."""
        return ", ".join([self.columns[name].shown for name in fields])

    def builder(self, fields: Sequence[str]) -> Rows:
        """What makes records of the rows that the driver hands out."""
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
            try:
                for name, convert in plan:
                    value = record.get(name)
                    values.append(value if convert is None or value is None else convert(value))
            except ValidationError as exc:
                raise ValidationError([fault.under(name) for fault in exc.faults]) from exc
            return values

        return encode


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query whose text is being written, with its shape: `after` says which values of its place are None."""

    query: Query
    where: Shape
    search: Shape | None
    after: tuple[bool, ...] | None
    locked: bool


def _where(filters: Sequence[str]) -> str:
    return f"WHERE {joined(filters, 'AND')}" if filters else ""


def _limit(conditions: Conditions, query: Query) -> str:
    limit = f"LIMIT {conditions.parameter()}"
    return f"{limit} OFFSET {conditions.parameter()}" if query.page.offset > 0 else limit
