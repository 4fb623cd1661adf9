"""A model as a table: how one is created, and where the fields of a model lie in a table that exists already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from datastores.sql.catalogue import TableInfo, TableName
from datastores.sql.declared import DeclaredTable
from datastores.sql.dialect import Dialect
from datastores.tables.columns import Column
from rest_kit.errors import StoreCorrupt, did_you_mean
from rest_kit.models.field import Field
from rest_kit.models.model import Model


def create_statements(dialect: Dialect, table: TableName, model: Model, indexes: Sequence[str]) -> list[str]:
    """The statements that make a table of the model, with an index for each of the fields named."""
    parts = list(_parts(dialect, table, model, indexes))
    create = f"CREATE TABLE IF NOT EXISTS {dialect.quoted(table)} ({', '.join(parts)}){dialect.table_options}"
    return [create, *(index_statement(dialect, table, model.by_name[name]) for name in indexes)]


def index_statement(dialect: Dialect, table: TableName, field: Field) -> str:
    """The statement that makes an index over one column."""
    name = dialect.quote(f"rest_kit_{table.name}_{field.name}"[:60])
    return (
        f"CREATE INDEX IF NOT EXISTS {name} ON {dialect.quoted(table)} ({dialect.index_on(field.name, field.nullable)})"
    )


def _parts(dialect: Dialect, table: TableName, model: Model, indexes: Sequence[str]) -> Iterator[str]:
    keyed = {name for names in model.unique_sets for name in names} | set(indexes)
    for field in model.by_name.values():
        yield _definition(dialect, field, model, field.name in keyed)
    for names in model.unique_sets:
        yield f"UNIQUE ({', '.join(map(dialect.quote, names))})"
    for field in model.by_name.values():
        if getattr(field, "references", None):
            yield _foreign_key(dialect, table, field)


def _definition(dialect: Dialect, field: Field, model: Model, keyed: bool) -> str:
    name = dialect.quote(field.name)
    if field is model.pk:
        if field.generated:
            return dialect.generated_key(field.name)
        return f"{name} {dialect.declared(field, True)} NOT NULL PRIMARY KEY"
    keyed = keyed or bool(getattr(field, "references", None))
    return f"{name} {dialect.declared(field, keyed)} {'NULL' if field.nullable else 'NOT NULL'}"


def _foreign_key(dialect: Dialect, table: TableName, field: Field) -> str:
    references: str = field.references  # type: ignore[attr-defined]
    target, _, column = references.rpartition(".")
    schema, _, name = target.rpartition(".")
    referred = dialect.quoted(TableName(name, schema or table.schema))
    return f"FOREIGN KEY ({dialect.quote(field.name)}) REFERENCES {referred} ({dialect.quote(column)})"


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
