"""A model as a table: how one is created, and where the fields of a model lie in a table that exists already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from datastores.sql.catalogue import ColumnInfo, TableInfo, TableName
from datastores.sql.declared import DeclaredTable
from datastores.sql.dialect import Dialect
from datastores.tables.columns import Column
from rest_kit.errors import StoreCorrupt, did_you_mean
from rest_kit.models.field import Field
from rest_kit.models.model import Model


@dataclass(frozen=True, slots=True)
class Making:
    """A table that is to be made of a model: with an index for each of `indexes`, referring to columns of others.

    `referred` holds, for each field that refers to another table, the column that it refers to, where that is there.
    """

    dialect: Dialect
    table: TableName
    model: Model
    indexes: Sequence[str]
    referred: Mapping[str, ColumnInfo]

    def statements(self) -> list[str]:
        """The statements that make it."""
        create = f"CREATE TABLE IF NOT EXISTS {self.dialect.quoted(self.table)} ({', '.join(self._parts())})"
        fields = [self.model.by_name[name] for name in self.indexes]
        indexes = [index_statement(self.dialect, self.table, field) for field in fields]
        return [create + self.dialect.table_options, *indexes]

    def _parts(self) -> Iterator[str]:
        for field in self.model.by_name.values():
            yield self._definition(field)
        for names in self.model.unique_sets:
            yield f"UNIQUE ({', '.join(map(self.dialect.quote, names))})"
        for field in self.model.by_name.values():
            if field.references:
                yield self._foreign_key(field)

    def _definition(self, field: Field) -> str:
        name = self.dialect.quote(field.name)
        if field is self.model.pk:
            if field.generated:
                return self.dialect.generated_key(field.name)
            return f"{name} {self.dialect.declared(field, True)} NOT NULL PRIMARY KEY"
        referred = self.referred.get(field.name)
        declared = "" if referred is None else referred.declared
        kind = declared or self.dialect.declared(field, self._is_keyed(field))
        return f"{name} {kind} {'NULL' if field.nullable else 'NOT NULL'}"

    def _is_keyed(self, field: Field) -> bool:
        """Whether an index covers the field."""
        within = any(field.name in names for names in self.model.unique_sets)
        return within or field.name in self.indexes or bool(field.references)

    def _foreign_key(self, field: Field) -> str:
        target, column = target_of(field.references or "", self.table)
        referred = f"{self.dialect.quoted(target)} ({self.dialect.quote(column)})"
        return f"FOREIGN KEY ({self.dialect.quote(field.name)}) REFERENCES {referred}"


def target_of(references: str, table: TableName) -> tuple[TableName, str]:
    """The table and the column that a field of a table refers to, as its `references` says."""
    target, _, column = references.rpartition(".")
    schema, _, name = target.rpartition(".")
    return TableName(name, schema or table.schema), column


def index_statement(dialect: Dialect, table: TableName, field: Field, info: ColumnInfo | None = None) -> str:
    """The statement that makes an index over one column, of a table that is there or is about to be made."""
    name = dialect.quote(f"rest_kit_{table.name}_{field.name}"[:60])
    return f"CREATE INDEX IF NOT EXISTS {name} ON {dialect.quoted(table)} ({dialect.index_on(field, info)})"


def bound_columns(
    dialect: Dialect, table: TableInfo, model: Model, declared: DeclaredTable | None = None
) -> list[Column]:
    """Where the fields of a model lie in an existing table (StoreCorrupt naming every column that does not do)."""
    missing = [name for name in model.names if table.column(name) is None]
    if missing:
        known = [column.name for column in table.columns]
        told = ", ".join(f"{name!r}{did_you_mean(name, known)}" for name in missing)
        raise StoreCorrupt(f"the table {str(table.name)!r} has no column for {told}")
    found = [(field, _column(dialect, table, field, declared)) for field in model.by_name.values()]
    misfits = [f"{field.name!r} ({field.kind.value})" for field, column in found if column is None]
    if misfits:
        told = ", ".join(misfits)
        raise StoreCorrupt(f"the table {str(table.name)!r} has columns of another type than the model's {told}")
    return [column for _, column in found if column is not None]


def _column(dialect: Dialect, table: TableInfo, field: Field, declared: DeclaredTable | None) -> Column | None:
    info = table.column(field.name)
    if info is None:
        return None
    if declared is None:
        return dialect.column(field, info)
    return declared.column(field, info.type, lambda plain: dialect.column(plain, info))
