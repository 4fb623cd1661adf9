"""One table of a server's database, opened: what of its rules the database keeps, and what is left to us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from datastores.sql.catalogue import ColumnInfo, TableInfo
from datastores.sql.database import Database
from datastores.sql.refusals import changed
from datastores.tables.columns import Column
from datastores.tables.statements import MAX_PLANS, Bound, Row, Run
from datastores.tables.table import ALIAS, BaseTable, Writing
from rest_kit.errors import StoreUnavailable
from rest_kit.models.model import Model
from rest_kit.query import Query, Result
from rest_kit.types import MISSING, Record

MOST_ROWS: Final = 256
"""How many rows one statement inserts at most."""
MOST_TEXT: Final = 1_000_000
"""How many characters several rows may have together, to be inserted by one statement."""

_MUTABLE: Final = frozenset({list, dict, object})
"""Types of values that drivers hand out and that can be changed."""


class Table(BaseTable):
    """A table or view with the model that it is served as."""

    def __init__(self, database: Database, info: TableInfo, model: Model, columns: Sequence[Column]) -> None:
        dialect = database.dialect
        super().__init__(info.name.name, dialect.quoted(info.name), model, columns, dialect.grammar)
        assert model.pk is not None
        self.database = database
        self.run = database.rows
        self.is_view = info.is_view
        self.why_not = info.why_not
        self.generation = database.generation
        self.info = info
        self.no_values = dialect.skips_defaults
        self.locked = f"{self.select} {dialect.grammar.lock}"
        self.delete = f"{dialect.delete(self.quoted)} WHERE {self.key_is}"
        if dialect.returns:
            self.into = f"{self.quoted} AS {ALIAS}"
            self.returns = f" RETURNING {self.statements.selected(model.names)}"
        self._many: dict[tuple[tuple[str, ...], int], Writing] = {}
        self.unique_sets = self._unkept_sets()
        """The sets that must be unique by the model, but that no index of the table keeps so."""
        lying = [(name, column) for name in model.names if (column := info.column(name)) is not None]
        self.computed = frozenset(name for name, column in lying if column.computed)
        self.filled = frozenset(name for name, column in lying if self._left_to_it(name, column))
        self.insists = frozenset(name for name, column in lying if column.insists)
        self.is_frozen = not any(_MUTABLE.intersection(column.storage.types) for column in columns)
        """Whether nobody who is given a record can change the row that it was made of."""
        self.key_is_made = next((column.made for name, column in lying if name == self.key.field), False)

    @property
    def is_current(self) -> bool:
        """Whether no statement has found the database's tables changed since this one was read."""
        return self.generation == self.database.generation

    def _left_to_it(self, name: str, column: ColumnInfo) -> bool:
        """Whether the database, not the model, says what a value is that nobody gave."""
        has_own = column.default is not None or column.made
        return has_own and (column.not_null or self.model.by_name[name].default is MISSING)

    def _unkept_sets(self) -> tuple[tuple[str, ...], ...]:
        """The sets that must be unique by the model, but that no index of the table keeps so."""
        kept = {frozenset(names) for names in self.info.unique.values()}
        return tuple(names for names in self.model.unique_sets if frozenset(names) not in kept)

    def overriding(self, names: Sequence[str]) -> str:
        """What it takes to bring a key that the database insists on making."""
        return "OVERRIDING SYSTEM VALUE " if self.insists.intersection(names) else ""

    def insertions(self, records: Sequence[Record]) -> Iterator[tuple[Writing, list[list[Any]]]]:
        """How records are inserted many at a time, with their values (ValidationError): those of the same fields.

        They come in numbers of which there are few, so that there are few texts; and no text gets too long.
        """
        for one, group in groupby(records, key=self.insertion):
            rows = [one.encode(record) for record in group]
            weights = [sum(len(value) for value in row if type(value) is str) for row in rows]
            most = max(1, min(MOST_ROWS, self.statements.grammar.max_values // max(1, len(one.fields))))
            start = 0
            while start < len(rows):
                count = 1 << (min(most, len(rows) - start).bit_length() - 1)
                while count > 1 and sum(weights[start : start + count]) > MOST_TEXT:
                    count //= 2
                yield self._insertion_of(one, count), rows[start : start + count]
                start += count

    def _insertion_of(self, one: Writing, count: int) -> Writing:
        """How so many records are inserted at once."""
        if count == 1:
            return one
        known = self._many.get((one.fields, count))
        if known is None:
            known = self._many[one.fields, count] = self._insertion(one.fields, count)
            if len(self._many) > MAX_PLANS:
                self._many.clear()
        return known

    def misfit(self, rows: Sequence[Row], fields: Sequence[str]) -> StoreUnavailable:
        """The error for a stored value that its field cannot hold: what it is now may be the column's type."""
        found = super().misfit(rows, fields)
        if self.database.dialect.read_table(self.run, self.info.name) == self.info:
            return found
        self.database.generation += self.is_current
        return changed(self.database.name)

    def target(self, name: str) -> str:
        """The column of a field as a place to write to."""
        return self.database.dialect.quote(name)

    def page(self, run: Run, bound: Bound, query: Query) -> Result:
        """The records of a query's page and its total, from one statement."""
        rows = run(bound.plan.reads[0], bound.parameters)
        total = None
        if query.total:
            total = rows[0][-1] if rows else bound.count(run)
            rows = [row[:-1] for row in rows]
        limit = query.page.limit
        more = limit is not None and len(rows) > limit
        return Result(self.records(rows[:limit] if more else rows, query), more, total)
