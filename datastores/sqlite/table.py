"""One table, opened: the texts that read and write it, and what its rules mean when they are broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from datastores.sqlite.catalogue import ColumnInfo, TableInfo
from datastores.sqlite.database import Database
from datastores.sqlite.rows import Column, misfit
from datastores.sqlite.schema import ALIAS
from datastores.sqlite.text import MAX_PLANS, Bound, Row, Run, Statements, equal, quote
from datastores.sqlite.values import DECIMAL_COLLATION, MISFITS
from rest_kit.errors import StoreCorrupt
from rest_kit.models.model import Model
from rest_kit.query import Query, Result
from rest_kit.types import MISSING, Pk, Record


@dataclass(frozen=True, slots=True)
class Writing:
    """The texts that write a table, and what goes into them."""

    fields: tuple[str, ...]
    text: str
    encode: Callable[[Record], list[Any]]


class Table:
    """A table or view with the model that it is served as. Immutable once made, so that threads may share it."""

    def __init__(self, database: Database, info: TableInfo, model: Model, columns: Sequence[Column]) -> None:
        assert model.pk is not None
        self.database = database
        self.generation = database.generation
        self.info = info
        self.model = model
        self.columns = tuple(columns)
        self.name = info.name
        self.quoted = quote(info.name)
        self.statements = Statements(f"{self.quoted} AS {ALIAS}", columns, model.full_order)
        self.key = self.statements.columns[model.pk.name]
        self.key_sql = self.key.sql.removeprefix(f"{ALIAS}.")
        self.key_is_alias = info.column(model.pk.name) == info.column(info.alias or "")
        self.key_may_repeat = model.pk.name != info.rowid and frozenset({model.pk.name}) not in map(
            frozenset, info.unique
        )
        """Whether nothing in the table keeps two rows from having one key."""
        self.build = self.statements.builder(model.names)
        self._key_type = model.pk.kind.python_type
        self._key_probe = self.key.storage.probe("eq")
        self.select = self._select_one()
        self.delete = " ".join(("DELETE FROM", self.quoted, "AS", ALIAS, "WHERE", equal(self.key, "?1")))
        self.unique_sets = self._unkept_sets()
        lying = [(name, info.column(name)) for name in model.names]
        self.computed = frozenset(name for name, column in lying if column and column.generated)
        self.makes_ids = model.pk.generated and not (info.keeps_ids and self.key_is_alias)
        """Whether we must see to it that no id is handed out twice."""
        self._filled = frozenset(name for name, c in lying if c and c.default is not None and self._left_to_it(name, c))
        self._insertions: dict[tuple[str, ...], Writing] = {}
        self._updates: dict[tuple[str, ...], Writing] = {}

    def _left_to_it(self, name: str, column: ColumnInfo) -> bool:
        """Whether SQLite, not the model, says what a value is that nobody gave."""
        return column.not_null or self.model.by_name[name].default is MISSING

    def _select_one(self) -> str:
        source = ("FROM", self.statements.source, "WHERE", equal(self.key, "?1"))
        return " ".join(("SELECT", self.statements.selected(self.model.names), *source))

    def _unkept_sets(self) -> tuple[tuple[str, ...], ...]:
        """The sets that must be unique by the model, but that no index of the table keeps so."""
        kept = {frozenset(names) for names in self.info.unique}
        return tuple(names for names in self.model.unique_sets if frozenset(names) not in kept or self._loose(names))

    def _loose(self, names: Sequence[str]) -> bool:
        """Whether SQLite compares these columns otherwise than we do: "1.10" and "1.1" differ for its index."""
        return any(self.statements.columns[name].storage.collation == DECIMAL_COLLATION for name in names)

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

    def records(self, rows: list[Row], query: Query) -> list[Record]:
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

    def misfit(self, rows: Sequence[Row], fields: Sequence[str]) -> StoreCorrupt:
        """The error for a stored value that its field cannot hold, naming table, column and row."""
        column, value = misfit([self.statements.columns[name] for name in fields], rows)
        where = " ".join(("SELECT", self.key.sql, "FROM", self.statements.source, "WHERE", column.sql, "IS ?1 LIMIT 1"))
        found = self.database.rows(where, (value,))
        row = f" of the row {found[0][0]!r}" if found else ""
        kind = self.model.by_name[column.field].kind.value
        return StoreCorrupt(f"{self.name}.{column.field}{row} holds {type(value).__name__} that is no {kind}")

    # --- writing ------------------------------------------------------------------------------------------------------

    def insertion(self, record: Record) -> Writing:
        """How a record with these fields is inserted; None is left out where SQLite has a default for it."""
        names = tuple([name for name, value in record.items() if value is not None or name not in self._filled])
        return self._insertions.get(names) or _remember(self._insertions, names, self._insertion(names))

    def _insertion(self, names: tuple[str, ...]) -> Writing:
        written = tuple(name for name in names if name not in self.computed)
        places = ", ".join(f"?{number}" for number in range(1, len(written) + 1))
        values = f"({', '.join(map(self.target, written))}) VALUES ({places})" if written else "DEFAULT VALUES"
        return Writing(written, " ".join(("INSERT INTO", self.quoted, values)), self.statements.encoder(written))

    def change(self, record: Record) -> Writing:
        """How these fields of a record are updated; the key is the parameter behind theirs."""
        names = tuple(record)
        return self._updates.get(names) or _remember(self._updates, names, self._change(names))

    def _change(self, names: tuple[str, ...]) -> Writing:
        written = tuple(name for name in names if name not in self.computed and name != self.key.field)
        pairs = ", ".join(f"{self.target(name)} = ?{number}" for number, name in enumerate(written, 1))
        where = equal(self.key, f"?{len(written) + 1}")
        text = " ".join(("UPDATE", self.quoted, "AS", ALIAS, "SET", pairs, "WHERE", where))
        return Writing(written, text, self.statements.encoder(written))

    def target(self, name: str) -> str:
        """The column of a field as a place to write to."""
        info = self.info.column(name)
        return self.key_sql if info is None else quote(info.name)


def _remember(known: dict[tuple[str, ...], Writing], names: tuple[str, ...], made: Writing) -> Writing:
    """Keep what was made for a set of fields; clients choose the sets of their updates, so their number is bounded."""
    if len(known) >= MAX_PLANS:
        known.clear()
    known[names] = made
    return made
