"""A model out of SQLite's catalogue, checked against the rows: a declared type is a wish there, not a promise.

One scan looks at what lies in each column. A column becomes what it was declared to be only if every value is that, in
one form whose order as text is the order of the values; else it is served as what it holds. Columns of blobs are left
out, computed ones are read-only.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from datastores.sqlite.catalogue import ColumnInfo, TableInfo
from datastores.sqlite.grammar import quote
from datastores.sqlite.schema import form_in
from datastores.sqlite.values import MomentForm
from rest_kit.errors import ConfigurationError, StoreCorrupt
from rest_kit.models import fields as made
from rest_kit.models.field import Field
from rest_kit.models.keys import Reference
from rest_kit.models.model import Model
from rest_kit.models.rules import UniqueTogether
from rest_kit.types import MISSING

COLUMNS_PER_SCAN: Final = 300
"""SQLite returns at most 2000 values of a row, and a scan asks for five of each column."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What lies in a column, nulls aside.

    The first and the last of SQLite's type names, whether every value is canonical for what the column was declared to
    be, and the most characters that one has, where a length was declared.
    """

    lowest: str | None
    highest: str | None
    canonical: bool
    has_null: bool
    longest: int

    @property
    def empty(self) -> bool:
        return self.lowest is None

    @property
    def has_blobs(self) -> bool:
        return self.lowest == "blob"

    @property
    def numeric(self) -> bool:
        return self.lowest in ("integer", "real") and self.highest in ("integer", "real")

    @property
    def integers(self) -> bool:
        return self.lowest == self.highest == "integer"


def infer_model(connection: sqlite3.Connection, table: TableInfo) -> Model:
    """The model of an existing table (StoreCorrupt where nothing names its rows, or one of its columns)."""
    contents = _look(connection, table)
    served = _served(table, contents)
    _refuse_names(table, served)
    key = _key(connection, table, contents)
    fields = [_key_field(table, key)] if key == table.rowid else []
    for column in served:
        held = contents[column.name]
        is_key = column.name == key
        fields.append(_key_field(table, key, held) if is_key else _field(connection, table, column, held))
    names = {field.name for field in fields}
    together = [UniqueTogether(*parts) for parts in table.unique if len(parts) > 1 and names.issuperset(parts)]
    return Model.of(table.name, fields, together)


def _served(table: TableInfo, contents: dict[str, Contents]) -> list[ColumnInfo]:
    """The columns without blobs."""
    return [column for column in table.columns if not contents[column.name].has_blobs and not _is_blob(column)]


def _is_blob(column: ColumnInfo) -> bool:
    return "BLOB" in column.declared.upper() or "BINARY" in column.declared.upper()


def _refuse_names(table: TableInfo, columns: Sequence[ColumnInfo]) -> None:
    """Refuse a column whose name no field can have (StoreCorrupt)."""
    for column in columns:
        if column.name in ("", "resource_uri"):
            why = "stands for the link that every object has" if column.name else "is no name"
            remedy = "rename it, or declare a model without it"
            raise StoreCorrupt(f"the table {table.name!r} has a column {column.name!r}, which {why}: {remedy}")


# --- the scan ---------------------------------------------------------------------------------------------------------


def _look(connection: sqlite3.Connection, table: TableInfo) -> dict[str, Contents]:
    """What lies in each column, in one scan of a table that is not uncommonly wide."""
    found: dict[str, Contents] = {}
    for start in range(0, len(table.columns), COLUMNS_PER_SCAN):
        found |= _look_at(connection, table, table.columns[start : start + COLUMNS_PER_SCAN])
    return found


def _look_at(connection: sqlite3.Connection, table: TableInfo, columns: Sequence[ColumnInfo]) -> dict[str, Contents]:
    asked = [_questions(column) for column in columns]
    listed = ", ".join(question for questions in asked for question in questions)
    answers = iter(connection.execute(" ".join(("SELECT", listed, "FROM", quote(table.name)))).fetchone())
    found = {}
    for column, questions in zip(columns, asked, strict=True):
        lowest, highest, canonical, has_null, longest = (next(answers) for _ in questions)
        found[column.name] = Contents(lowest, highest, bool(canonical), bool(has_null), longest or 0)
    return found


def _questions(column: ColumnInfo) -> tuple[str, str, str, str, str]:
    """The SQL of what a scan asks about a column."""
    name = quote(column.name)
    types = f"nullif(typeof({name}), 'null')"
    longest = f"max(length({name}))" if column.size else "NULL"
    return f"min({types})", f"max({types})", f"min({_canonical(column)})", f"max({name} IS NULL)", longest


def _canonical(column: ColumnInfo) -> str:
    """SQL that says of a value whether it is what the column was declared to hold (1, 0; null for null)."""
    name, declared = quote(column.name), column.declared.upper()
    for word, condition in _CANONICAL:
        if re.search(word, declared):
            return f"CASE WHEN {name} IS NULL THEN NULL ELSE coalesce({condition(name, column)}, 0) END"
    return "1"


def _is_decimal(name: str, column: ColumnInfo) -> str:
    if "TEXT" in column.declared.upper():
        return f"typeof({name}) = 'text' AND {name} GLOB '*[0-9]' AND {name} NOT GLOB '*[^0-9.-]*'"
    size = _digits_and_places(column)
    if size is None:
        return "0"
    digits, places = size
    fits = f"abs({name}) < 1e{digits - places} AND round({name}, {places}) = {name}"
    return f"typeof({name}) IN ('integer', 'real') AND {fits}"


def _digits_and_places(column: ColumnInfo) -> tuple[int, int] | None:
    """The size of a decimal, where one is declared that makes sense."""
    digits, places = column.size or (0, 0)
    return (digits, places) if digits and places <= digits else None


_CANONICAL: Final[tuple[tuple[str, Callable[[str, ColumnInfo], str]], ...]] = (
    ("BOOL", lambda name, _: f"typeof({name}) = 'integer' AND {name} IN (0, 1)"),
    ("DATETIME|TIMESTAMP", lambda *_: "1"),
    ("DATE", lambda name, _: f"typeof({name}) = 'text' AND {name} >= '0001' AND date({name}, '+0 days') IS {name}"),
    ("DEC|NUMERIC", _is_decimal),
    ("UUID", lambda name, _: f"{name} GLOB '{'-'.join('[0-9a-f]' * n for n in (8, 4, 4, 4, 12))}'"),
    ("JSON", lambda name, _: f"CASE WHEN json_valid({name}) THEN json_type({name}) = 'object' END"),
)


def moment_form(connection: sqlite3.Connection, table: TableInfo, column: ColumnInfo) -> MomentForm | None:
    """The one form, ordering as text, in which every moment of a column is written; None where there is none."""
    form = form_in(connection, table, column)
    if form is None:
        return None
    name = quote(column.name)
    valid = f"date(substr({name}, 1, 10), '+0 days') || time(substr({name}, 12, 8), '+0 days')"
    same = f"{valid} IS substr({name}, 1, 10) || substr({name}, 12, 8) AND {name} >= '0001'"
    shaped = " OR ".join(f"{name} GLOB '{pattern}'" for pattern in form.patterns)
    misfit = f"{name} IS NOT NULL AND NOT coalesce(typeof({name}) = 'text' AND ({shaped}) AND {same}, 0)"
    select = " ".join(("SELECT 1 FROM", quote(table.name), "WHERE", misfit, "LIMIT 1"))
    return None if connection.execute(select).fetchall() else form


def key_field(connection: sqlite3.Connection, table: TableInfo) -> Field:
    """The field of the column that names a row, for a model that has no key of its own (StoreCorrupt)."""
    contents = _look(connection, table)
    name = _key(connection, table, contents)
    return _key_field(table, name, contents.get(name))


# --- the fields -------------------------------------------------------------------------------------------------------


def _key(connection: sqlite3.Connection, table: TableInfo, contents: dict[str, Contents]) -> str:
    """The column that names a row: a unique one without nulls (the declared key, then `id` first), else the rowid.

    SQLite lets nulls into a key that is declared without NOT NULL.
    """
    alone = {names[0] for names in table.unique if len(names) == 1}
    served = _served(table, contents)
    able = [column.name for column in served if column.name in alone and not contents[column.name].has_null]
    able.sort(key=lambda name: (table.key != (name,), name.lower() != "id"))
    if able:
        return able[0]
    if table.rowid is not None:
        return table.rowid
    view_key = table.column("id") if table.is_view else None
    if view_key is None:
        raise StoreCorrupt(
            f"nothing names a row of {table.name!r} by itself: it needs a column 'id', or a unique one without nulls"
        )
    if contents[view_key.name].has_null or not _distinct(connection, table, view_key.name):
        raise StoreCorrupt(f"the column {view_key.name!r} of the view {table.name!r} does not tell its rows apart")
    return view_key.name


def _distinct(connection: sqlite3.Connection, table: TableInfo, name: str) -> bool:
    counts = f"count(*) = count(DISTINCT {quote(name)})"
    return bool(connection.execute(" ".join(("SELECT", counts, "FROM", quote(table.name)))).fetchone()[0])


def _key_field(table: TableInfo, name: str, held: Contents | None = None) -> Field:
    """The field of the key: made by SQLite where it is the row's number, else brought by the client.

    A key that refers to another table's is brought, too, though SQLite would make one.
    """
    reference = table.references.get(name)
    is_number = name in (table.rowid, table.alias)
    if is_number and reference is None:
        return made.PkField(name)
    if is_number or (held is not None and held.integers):
        field: Field = made.IntegerField(name, required=True).named(name, primary_key=True)
    else:
        field = made.StringPkField(name)
    if reference is None:
        return field
    return field.named(name, references=".".join(reference), on_delete=_on_delete(table, name, not_null=True))


def _field(connection: sqlite3.Connection, table: TableInfo, column: ColumnInfo, held: Contents) -> Field:
    """The field of a column that is not the key.

    Where SQLite has a default that is not a plain value, None stands for "left out".
    """
    kind, options = _kind(connection, table, column, held)
    default = _default(column, kind, options)
    if default is not MISSING:
        options["default"] = default
    left_out = column.default is not None or column.generated
    options["nullable"] = not column.not_null or (left_out and default is MISSING)
    options["required"] = not options["nullable"] and not left_out
    options["read_only"] = column.generated
    options["unique"] = (column.name,) in table.unique
    if issubclass(kind, Reference):
        options["on_delete"] = _on_delete(table, column.name, not_null=column.not_null)
    return kind(column.name, **options)


def _on_delete(table: TableInfo, column: str, *, not_null: bool) -> str:
    """What becomes of a row when what it refers to is deleted; a key that may not be null cannot become so."""
    said = table.on_delete.get(column, "")
    if said == "SET NULL" and not not_null:
        return "set_null"
    return "cascade" if said == "CASCADE" else "restrict"


def _default(column: ColumnInfo, kind: type[Field], options: dict[str, Any]) -> Any:
    """The column's default where it is plain, and such as the field can take; else MISSING."""
    default = _plain_default(column, kind)
    try:
        kind(column.name, default=default, **options)
    except ConfigurationError:
        # SQLite holds no default to its column's type
        return MISSING
    return default


def _plain_default(column: ColumnInfo, kind: type[Field]) -> Any:
    """The column's default where it is a plain number or text; else MISSING."""
    text = column.default or ""
    if _NUMBER.fullmatch(text) and kind in _NUMERIC:
        return _NUMERIC[kind](text)
    if _TEXT.fullmatch(text) and issubclass(kind, made.StringField):
        return text[1:-1].replace("''", "'")
    return MISSING


_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_TEXT: Final = re.compile(r"'([^']|'')*'")
_NUMERIC: Final[dict[type[Field], Callable[[str], Any]]] = {
    made.FloatField: float,
    made.DecimalField: Decimal,
    made.IntegerField: lambda text: MISSING if "." in text else int(text),
    made.BooleanField: lambda text: {"0": False, "1": True}.get(text, MISSING),
}


def _kind(
    connection: sqlite3.Connection, table: TableInfo, column: ColumnInfo, held: Contents
) -> tuple[type[Field], dict[str, Any]]:
    """The class of a column's field, and what it is told beyond what every field is."""
    if not (held.empty or held.numeric or held.lowest == held.highest):
        return made.TextField, {}
    if column.name in table.references:
        return _reference(column, held, ".".join(table.references[column.name]))
    declared = _declared_kind(connection, table, column) if held.canonical or held.empty else None
    if declared is not None:
        return declared
    if held.integers or (held.empty and column.affinity == "INTEGER"):
        return (made.FloatField if re.search("DEC|NUM", column.declared.upper()) else made.IntegerField), {}
    if held.empty and "TIME" in column.declared.upper():
        # a time of day, for which there is no field: others write it as text
        return made.TextField, {}
    if held.numeric or (held.empty and column.affinity in ("REAL", "NUMERIC")):
        return made.FloatField, {}
    return _text(column, held)


def _reference(column: ColumnInfo, held: Contents, target: str) -> tuple[type[Field], dict[str, Any]]:
    if held.integers or (held.empty and column.affinity == "INTEGER"):
        return made.IntForeign, {"references": target}
    return made.StringForeign, {"references": target}


def _declared_kind(
    connection: sqlite3.Connection, table: TableInfo, column: ColumnInfo
) -> tuple[type[Field], dict[str, Any]] | None:
    """The field that the declared type asks for, if it is one of those that the values were held to."""
    declared = column.declared.upper()
    if re.search("DATETIME|TIMESTAMP", declared):
        return (made.DateTimeField, {}) if moment_form(connection, table, column) else None
    if re.search("DEC|NUMERIC", declared):
        return _decimal(column)
    for word, kind in (("BOOL", made.BooleanField), ("DATE", made.DateField), ("UUID", made.UUIDField)):
        if word in declared:
            return kind, {}
    return (made.DictField, {}) if "JSON" in declared else None


def _decimal(column: ColumnInfo) -> tuple[type[Field], dict[str, Any]] | None:
    size = _digits_and_places(column)
    if size is not None:
        return made.DecimalField, {"digits": size[0], "places": size[1]}
    return (made.DecimalField, {}) if "TEXT" in column.declared.upper() else None


def _text(column: ColumnInfo, held: Contents) -> tuple[type[Field], dict[str, Any]]:
    """Text, held to the declared length only where every value that lies there keeps it, as SQLite does not ask."""
    if column.size is None or held.longest > column.size[0]:
        return made.TextField, {}
    return made.StringField, {"max_length": column.size[0]}
