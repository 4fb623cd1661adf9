"""One table of an SQLite file, opened: what of its rules SQLite keeps, and what is left to us."""

from __future__ import annotations

from collections.abc import Sequence

from datastores.sqlite.catalogue import ColumnInfo, TableInfo
from datastores.sqlite.database import Database
from datastores.sqlite.grammar import GRAMMAR, quote
from datastores.sqlite.values import DECIMAL_COLLATION
from datastores.tables.columns import Column
from datastores.tables.statements import Row
from datastores.tables.table import ALIAS, BaseTable
from rest_kit.models.model import Model
from rest_kit.types import MISSING


class Table(BaseTable):
    """A table or view with the model that it is served as."""

    def __init__(self, database: Database, info: TableInfo, model: Model, columns: Sequence[Column]) -> None:
        super().__init__(info.name, quote(info.name), model, columns, GRAMMAR)
        assert model.pk is not None
        self.database = database
        self.run = database.rows
        self.is_view = info.is_view
        self.generation = database.generation
        self.info = info
        self.key_sql = self.key.sql.removeprefix(f"{ALIAS}.")
        self.key_is_alias = info.column(model.pk.name) == info.column(info.alias or "")
        self.key_may_repeat = model.pk.name != info.rowid and frozenset({model.pk.name}) not in map(
            frozenset, info.unique
        )
        """Whether nothing in the table keeps two rows from having one key."""
        self.unique_sets = self._unkept_sets()
        lying = [(name, info.column(name)) for name in model.names]
        self.computed = frozenset(name for name, column in lying if column and column.generated)
        self.filled = frozenset(name for name, c in lying if c and c.default is not None and self._left_to_it(name, c))
        self.makes_ids = model.pk.generated and not (info.keeps_ids and self.key_is_alias)
        """Whether we must see to it that no id is handed out twice."""

    @property
    def is_current(self) -> bool:
        """Whether the file is still the one that the table was read from."""
        return self.generation == self.database.generation

    def _left_to_it(self, name: str, column: ColumnInfo) -> bool:
        """Whether SQLite, not the model, says what a value is that nobody gave."""
        return column.not_null or self.model.by_name[name].default is MISSING

    def _unkept_sets(self) -> tuple[tuple[str, ...], ...]:
        """The sets that must be unique by the model, but that no index of the table keeps so."""
        kept = {frozenset(names) for names in self.info.unique}
        return tuple(names for names in self.model.unique_sets if frozenset(names) not in kept or self._loose(names))

    def _loose(self, names: Sequence[str]) -> bool:
        """Whether SQLite compares these columns otherwise than we do: "1.10" and "1.1" differ for its index."""
        return any(self.statements.columns[name].storage.collation == DECIMAL_COLLATION for name in names)

    def tell_row(self, column: Column, row: Row, fields: Sequence[str]) -> str:
        """Which row it was, looked up by the value where the key was not asked for."""
        if self.key.field in fields:
            return super().tell_row(column, row, fields)
        where = ("FROM", self.statements.source, "WHERE", column.sql, "IS ?1 LIMIT 1")
        value = row[list(fields).index(column.field)]
        found = self.database.rows(" ".join(("SELECT", self.key.sql, *where)), (value,))
        return f" of the row {found[0][0]!r}" if found else ""

    def target(self, name: str) -> str:
        """The column of a field as a place to write to."""
        info = self.info.column(name)
        return self.key_sql if info is None else quote(info.name)
