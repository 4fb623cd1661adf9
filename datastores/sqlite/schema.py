"""A model as a table: how one is created, and where the fields of a model lie in a table that exists already."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from datastores.sqlite.catalogue import ColumnInfo, TableInfo
from datastores.sqlite.grammar import quote
from datastores.sqlite.values import MOMENT_TYPE, TEXT_COLLATION, MomentForm, storage_of
from datastores.tables.columns import Column
from datastores.tables.storage import HEXADECIMAL_LENGTH, Storage, hexadecimal
from datastores.tables.table import ALIAS
from rest_kit.errors import Fault, StoreCorrupt, ValidationError, did_you_mean
from rest_kit.models.field import Field
from rest_kit.models.model import Model
from rest_kit.models.scalars import plain_decimal, with_places
from rest_kit.types import Kind

# --- making a table ---------------------------------------------------------------------------------------------------


def create_statements(table: str, model: Model, indexes: Sequence[str] = ()) -> list[str]:
    """The statements that make a table of the model, with an index for each of the fields named."""
    parts = [_definition(field, model) for field in model.by_name.values()]
    # SQLite asks the last index first: of two rules that are broken, the one told is then the first of the model
    parts += [f"UNIQUE ({_listed(names)})" for names in reversed(model.unique_sets)]
    parts += [_foreign_key(field) for field in model.by_name.values() if field.references]
    create = " ".join(("CREATE TABLE IF NOT EXISTS", quote(table), "(" + ", ".join(parts) + ")"))
    return [create, *(index_statement(table, name) for name in indexes)]


def index_statement(table: str, name: str) -> str:
    """The statement that makes an index over one column."""
    return f"CREATE INDEX IF NOT EXISTS {quote(f'rest_kit_{table}_{name}')} ON {quote(table)} ({quote(name)})"


def _definition(field: Field, model: Model) -> str:
    if field is model.pk:
        if field.generated:
            return f"{quote(field.name)} INTEGER PRIMARY KEY AUTOINCREMENT"
        return f"{quote(field.name)} {storage_of(field).declared} NOT NULL PRIMARY KEY"
    null = "" if field.nullable else " NOT NULL"
    return f"{quote(field.name)} {storage_of(field).declared}{null}"


def _foreign_key(field: Field) -> str:
    table, _, column = (field.references or "").rpartition(".")
    return f"FOREIGN KEY ({quote(field.name)}) REFERENCES {quote(table)} ({quote(column)})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(quote(name) for name in names)


# --- finding a model's fields in a table ------------------------------------------------------------------------------


def bound_columns(connection: sqlite3.Connection, table: TableInfo, model: Model) -> list[Column]:
    """Where the fields of a model lie in an existing table (StoreCorrupt naming every column that is not there)."""
    missing = [name for name in model.names if table.column(name) is None and name != table.rowid]
    if missing:
        known = [column.name for column in table.columns]
        told = ", ".join(f"{name!r}{did_you_mean(name, known)}" for name in missing)
        raise StoreCorrupt(f"the table {table.name!r} has no column for {told}")
    return [column_of(connection, table, field) for field in model.by_name.values()]


def column_of(connection: sqlite3.Connection, table: TableInfo, field: Field) -> Column:
    """Where one field lies, and how its values are stored there."""
    info = table.column(field.name)
    if info is None:
        return Column(field.name, f"{ALIAS}.{table.rowid}", storage_of(field), nullable=False)
    sql = f"{ALIAS}.{quote(info.name)}"
    nullable = not info.not_null and info.name != table.alias
    storage = fitting_storage(field, info)
    if field.kind is Kind.DATETIME:
        form = form_in(connection, table, info)
        if form is None:
            raise StoreCorrupt(f"{table.name}.{info.name} holds no moments in a form that orders as text")
        storage = form.storage
    if field.kind is Kind.STRING and info.affinity != "TEXT":
        return _text_among_numbers(Column(field.name, sql, storage, nullable), info)
    if field.kind is Kind.STRING and table.encoding != "UTF-8":
        # SQLite's own order is that of the bytes, which in UTF-16 is not that of the code points.
        return Column(field.name, sql, replace(storage, collation=TEXT_COLLATION), nullable, sql)
    return Column(field.name, sql, storage, nullable, sql if info.name in table.loose else "")


def _text_among_numbers(column: Column, info: ColumnInfo) -> Column:
    """Text in a column that may hold numbers too: SQLite makes one of a text that looks like it, we show it as text."""
    read = f"CAST({column.sql} AS TEXT)"
    if info.affinity == "BLOB":
        return replace(column, sql=read)
    return replace(column, sql=read, storage=replace(column.storage, encode=kept_as_text, exact=str), seek=column.sql)


def kept_as_text(value: str) -> str:
    """A text that a numeric column gives back as it is (ValidationError for a number that it would write otherwise)."""
    if _NUMBER_LIKE.fullmatch(value) and not _PLAIN_NUMBER.fullmatch(value):
        raise ValidationError(Fault("invalid", "the column would keep this text as a number that is written otherwise"))
    return value


_NUMBER_LIKE: Final = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
_PLAIN_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}|-?(?=.{1,16}$)(0|[1-9][0-9]*)\.[0-9]{0,3}[1-9]")


def fitting_storage(field: Field, info: ColumnInfo) -> Storage:
    """How a field lies in a column that was declared by somebody else."""
    storage = storage_of(field)
    if field.kind is Kind.FLOAT and info.affinity != "REAL":
        return replace(storage, types=(float, int), decode=read_float)
    if field.kind is Kind.INTEGER and info.affinity not in ("INTEGER", "NUMERIC"):
        return replace(storage, types=(int, float), decode=read_integer)
    if field.kind is Kind.UUID and info.size == (HEXADECIMAL_LENGTH, 0):
        return hexadecimal(storage)
    if field.kind is Kind.DECIMAL and info.affinity != "TEXT" and storage.collation:
        return loose_decimal(field.places)
    return storage


def read_float(value: float) -> float:
    """A number as a finite float (ValueError)."""
    number = float(value) + 0.0
    if number - number != 0:
        raise ValueError("not finite")
    return number


def read_integer(value: float) -> int:
    """A number as an integer, if it is one (ValueError)."""
    number = int(value)
    if number != value:
        raise ValueError("not an integer")
    return number


def _write_loose_decimal(value: Decimal) -> float:
    number = float(value)
    if Decimal(repr(number)) != value:
        raise ValidationError(Fault("digits", "has more digits than the column keeps"))
    return number + 0.0


def loose_decimal(places: int | None) -> Storage:
    """Decimals in a numeric column whose digits no declaration bounds: as many of them as a double keeps."""

    def read(value: float) -> Decimal:
        number = plain_decimal(Decimal(repr(value)))
        return number if places is None else with_places(number, places)

    return Storage("NUMERIC", (int, float), _write_loose_decimal, read, float, float, float)


def form_in(connection: sqlite3.Connection, table: TableInfo, info: ColumnInfo) -> MomentForm | None:
    """The form of the moments in a column, told from the first one; None where that is no moment that orders as text.

    A column without any is written in the form of whoever declared it.
    """
    name = quote(info.name)
    select = " ".join(("SELECT", name, "FROM", quote(table.name), "WHERE", name, "IS NOT NULL LIMIT 1"))
    found = connection.execute(select).fetchone()
    if found is None:
        return _first_form(info)
    return next((form for form in FORMS if form.holds(found[0])), None)


def _first_form(info: ColumnInfo) -> MomentForm:
    """The form in which the program that declared a column will write its moments, as far as the type gives it away."""
    if info.declared == MOMENT_TYPE:
        return MomentForm()
    if info.declared in ("DATETIME", "TIMESTAMP") and "CURRENT_TIMESTAMP" not in (info.default or "").upper():
        return OF_SQLALCHEMY
    return SPACED


SPACED: Final = MomentForm(" ", None, "")
"""As SQLite's own functions, Python's driver and Django write moments."""
OF_SQLALCHEMY: Final = MomentForm(" ", 6, "")
FORMS: Final = (
    MomentForm(),
    SPACED,
    MomentForm("T", None, ""),
    *(
        MomentForm(separator, digits, suffix)
        for separator in " T"
        for digits in (6, 3, 0)
        for suffix in ("Z", "+00:00", "")
        if (digits, suffix) != (0, "")
    ),
)
"""Every form of a moment that orders as text, the ones that we and that Python's programs write first."""
