"""One table, opened: the texts that read and write it, made once for each set of fields."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from datastores.tables.columns import Column, misfit
from datastores.tables.conditions import equal
from datastores.tables.grammar import Grammar
from datastores.tables.statements import MAX_PLANS, Bound, Row, Run, Statements
from datastores.tables.storage import MISFITS
from rest_kit.errors import StoreCorrupt, StoreUnavailable
from rest_kit.models.model import Model
from rest_kit.query import Filter, Page, Query, Result, Where, conjoin
from rest_kit.types import Pk, Record

ALIAS = "t"
"""The name that a table goes by in the compiled text: a qualified name is never taken for a string by mistake."""


@dataclass(frozen=True, slots=True)
class Writing:
    """The texts that write a table, and what goes into them."""

    fields: tuple[str, ...]
    text: str
    encode: Callable[[Record], list[Any]]


def scoped(key: str, pk: Pk, scope: Where) -> Query:
    """The query for one record, if it is within the scope."""
    return Query(where=conjoin(Filter(key, "eq", pk), scope), page=Page(1))


class BaseTable(ABC):
    """A table or view with the model that it is served as. Immutable once made, so that threads may share it.

    `quoted` is its name as SQL; `computed` are the fields that the database makes by itself, `filled` those that it has
    a value for where none is given.
    """

    run: Run
    """Runs one statement outside of any transaction but this thread's own."""
    is_view: bool
    why_not: str = ""
    """Why a table that is no view cannot be written; empty where it can."""
    computed: Set[str] = frozenset()
    filled: Set[str] = frozenset()
    returns: str = ""
    """What makes a statement that writes hand out the row; empty where it cannot."""

    def __init__(self, name: str, quoted: str, model: Model, columns: Sequence[Column], grammar: Grammar) -> None:
        assert model.pk is not None
        self.name = name
        self.quoted = quoted
        self.into = quoted
        self.model = model
        self.columns = tuple(columns)
        self.statements = Statements(f"{quoted} AS {ALIAS}", columns, model.full_order, grammar)
        self.key = self.statements.columns[model.pk.name]
        self.build = self.statements.builder(model.names)
        self._key_type = model.pk.kind.python_type
        self._key_probe = self.key.storage.probe("eq")
        self.key_is = equal(self.key, self.key.value.format(grammar.parameter(1)))
        source = ("FROM", self.statements.source, "WHERE", self.key_is)
        self.select = " ".join(("SELECT", self.statements.selected(model.names), *source))
        self.delete = " ".join(("DELETE FROM", quoted, "AS", ALIAS, "WHERE", self.key_is))
        self._insertions: dict[tuple[str, ...], Writing] = {}
        self._updates: dict[tuple[str, ...], Writing] = {}

    @property
    @abstractmethod
    def is_current(self) -> bool:
        """Whether the table is still what it was when it was opened."""

    # --- reading ------------------------------------------------------------------------------------------------------

    def key_value(self, pk: Pk) -> Any:
        """The stored form of a primary key; None for one of a type that no key here has."""
        if type(pk) is not self._key_type:
            return None
        return pk if self._key_probe is None else self._key_probe(pk)

    def page(self, run: Run, bound: Bound, query: Query) -> Result:
        """The records of a query's page and its total; `run` reads one snapshot where that takes several."""
        rows, more = bound.rows(run, query.page.limit)
        total = bound.total(run, query.page, len(rows), more) if query.total else None
        return Result(self.records(rows, query), more, total)

    def records(self, rows: Sequence[Row], query: Query) -> list[Record]:
        """Rows as the query's records, in its order (StoreCorrupt)."""
        fields = self.model.names if query.fields is None else query.fields
        build = self.build if query.fields is None else self.statements.builder(fields)
        try:
            found = build(rows)
        except MISFITS as exc:
            raise self.misfit(rows, fields) from exc
        if query.page.before:
            found.reverse()
        return found

    def record(self, row: Row) -> Record:
        """One whole row as a record (StoreCorrupt)."""
        try:
            return self.build((row,))[0]
        except MISFITS as exc:
            raise self.misfit([row], self.model.names) from exc

    def misfit(self, rows: Sequence[Row], fields: Sequence[str]) -> StoreUnavailable:
        """The error for a stored value that its field cannot hold, naming table, column and row."""
        column, row, value = misfit([self.statements.columns[name] for name in fields], rows)
        told = self.tell_row(column, row, fields)
        kind = self.model.by_name[column.field].kind.value
        return StoreCorrupt(f"{self.name}.{column.field}{told} holds {type(value).__name__} that is no {kind}")

    def tell_row(self, column: Column, row: Row, fields: Sequence[str]) -> str:
        """Which row it was, for the log."""
        if self.key.field not in fields:
            return ""
        return f" of the row {row[list(fields).index(self.key.field)]!r}"

    # --- writing ------------------------------------------------------------------------------------------------------

    def insertion(self, record: Record) -> Writing:
        """How a record with these fields is inserted; None is left out where the database has a default for it."""
        names = tuple([name for name, value in record.items() if value is not None or name not in self.filled])
        return self._insertions.get(names) or _remember(self._insertions, names, self._insertion(names))

    def _insertion(self, names: tuple[str, ...], count: int = 1) -> Writing:
        """How so many records with these fields are inserted at once."""
        written = tuple(name for name in names if name not in self.computed)
        places = iter(range(1, count * len(written) + 1))
        rows = ", ".join(f"({', '.join(self._place(name, next(places)) for name in written)})" for _ in range(count))
        values = f"({', '.join(map(self.target, written))}) {self.overriding(written)}VALUES {rows}"
        parts = ["INSERT INTO", self.into, values if written else self.no_values]
        return Writing(written, " ".join(parts) + self.returns, self.statements.encoder(written))

    no_values = "DEFAULT VALUES"
    """What inserts a row of nothing but defaults."""

    def overriding(self, names: Sequence[str]) -> str:
        """What it takes to bring values for these fields, where the database would make one of them itself."""
        return ""

    def _place(self, name: str, number: int) -> str:
        """What stands for a value that is written."""
        return self.statements.columns[name].value.format(self.statements.grammar.parameter(number))

    def change(self, record: Record) -> Writing:
        """How these fields of a record are updated; the key is the parameter behind theirs."""
        names = tuple(record)
        return self._updates.get(names) or _remember(self._updates, names, self._change(names))

    def _change(self, names: tuple[str, ...]) -> Writing:
        written = tuple(name for name in names if name not in self.computed and name != self.key.field)
        pairs = ", ".join(
            f"{self.target(name)} = {self._place(name, number)}" for number, name in enumerate(written, 1)
        )
        place = self._place(self.key.field, len(written) + 1)
        text = " ".join(("UPDATE", self.quoted, "AS", ALIAS, "SET", pairs, "WHERE", equal(self.key, place)))
        return Writing(written, text + self.returns, self.statements.encoder(written))

    @abstractmethod
    def target(self, name: str) -> str:
        """The column of a field as a place to write to."""


def _remember(known: dict[tuple[str, ...], Writing], names: tuple[str, ...], made: Writing) -> Writing:
    """Keep what was made for a set of fields; clients choose the sets of their updates, so their number is bounded."""
    if len(known) >= MAX_PLANS:
        known.clear()
    known[names] = made
    return made
