"""A model out of a server's catalogue, whose declared types can be relied on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from datastores.sql.catalogue import ColumnInfo, Reference, TableInfo
from datastores.sql.dialect import Dialect
from rest_kit.errors import StoreCorrupt
from rest_kit.models import fields as made
from rest_kit.models.field import Field
from rest_kit.models.model import Model
from rest_kit.models.rules import UniqueTogether
from rest_kit.types import Kind


def infer_model(dialect: Dialect, table: TableInfo) -> Model:
    """The model of an existing table (StoreCorrupt where no single column names its rows)."""
    key = key_of(table)
    fields = [field for info in table.columns if (field := _field(dialect, table, info, key)) is not None]
    names = {field.name for field in fields}
    if key not in names:
        raise StoreCorrupt(f"the key of {str(table.name)!r}, {key!r}, is of a type that cannot be served")
    together = dict.fromkeys(
        columns for columns in table.unique.values() if len(columns) > 1 and names.issuperset(columns)
    )
    return Model.of(table.name.name, fields, [UniqueTogether(*columns) for columns in together])


def key_of(table: TableInfo) -> str:
    """The column that names a row: the declared key, else a unique one without nulls (`id` first) (StoreCorrupt)."""
    if len(table.key) == 1:
        return table.key[0]
    if len(table.key) > 1:
        told = ", ".join(table.key)
        raise StoreCorrupt(f"{str(table.name)!r} has a key of several columns, ({told}), and only one can be served")
    alone = [names[0] for names in table.unique.values() if len(names) == 1]
    able = [info.name for info in table.columns if info.name in alone and info.not_null]
    able.sort(key=lambda name: name.lower() != "id")
    if table.is_view and table.column("id") is not None:
        able.append("id")
    if not able:
        kind = "a column 'id'" if table.is_view else "a primary key, or a unique column without nulls"
        raise StoreCorrupt(f"nothing names a row of {str(table.name)!r} by itself: it needs {kind}")
    return able[0]


def key_field(dialect: Dialect, table: TableInfo) -> Field:
    """The field of the column that names a row, for a model that has no key of its own (StoreCorrupt)."""
    name = key_of(table)
    info = table.column(name)
    found = None if info is None else _field(dialect, table, info, name)
    if found is None:
        raise StoreCorrupt(f"the key of {str(table.name)!r}, {name!r}, is of a type that cannot be served")
    return found


def _field(dialect: Dialect, table: TableInfo, info: ColumnInfo, key: str) -> Field | None:
    asked = dialect.field_of(info)
    if asked is None:
        return None
    kind, options = asked
    reference = table.alone.get(info.name)
    if info.name == key:
        made_key = _key_field(kind, info, dict(options))
        return made_key if made_key is None or reference is None else _with_reference(made_key, table, reference)
    common = _common(table, info)
    if reference is None:
        return kind(info.name, **common, **options)
    field = _REFERRING.get(kind.kind, kind)(info.name, **common, **options)
    return _with_reference(field, table, reference)


_REFERRING: Final[Mapping[Kind, type[Field]]] = {Kind.INTEGER: made.IntForeign, Kind.STRING: made.StringForeign}


def _with_reference(field: Field, table: TableInfo, reference: Reference) -> Field:
    """The field, which says what it refers to; a kind without a class for that can, too."""
    # where the column cannot be null, the database will not make it so
    stays = reference.on_delete == "set_null" and not field.nullable
    on_delete = "restrict" if stays else reference.on_delete
    return field.named(field.name, references=table.told(reference), on_delete=on_delete)


def _key_field(kind: type[Field], info: ColumnInfo, options: dict[str, Any]) -> Field | None:
    """The field of the key: made by the database, or brought by the client."""
    if kind.kind is Kind.INTEGER:
        if info.made:
            return made.PkField(info.name)
        return made.IntegerField(info.name, required=True, **options).named(info.name, primary_key=True)
    if kind.kind is Kind.UUID:
        return made.UUIDPkField(info.name)
    if kind.kind is Kind.STRING:
        length = options.get("max_length")
        return made.StringPkField(info.name, **({} if length is None else {"max_length": length}))
    return None


def _common(table: TableInfo, info: ColumnInfo) -> dict[str, Any]:
    """What every field is told. Where the database has a default, None stands for "left out"."""
    left_out = info.default is not None or info.made or info.computed
    nullable = not info.not_null or left_out
    return {
        "nullable": nullable,
        "required": not nullable,
        "read_only": info.computed or info.insists,
        "unique": (info.name,) in table.unique.values(),
    }
