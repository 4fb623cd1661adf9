"""How fields lie in PostgreSQL's types, for tables of ours and for those that others made."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from datastores.sql.catalogue import ColumnInfo
from datastores.sql.decimals import decimal_storage
from datastores.sql.values import (
    as_integer,
    finite,
    loose_decimal,
    naive,
    read_utc,
)
from datastores.tables.columns import Column
from datastores.tables.json import json_storage
from datastores.tables.storage import Storage
from datastores.tables.table import ALIAS
from rest_kit.models import fields as made
from rest_kit.models.field import Field
from rest_kit.models.structures import JsonField
from rest_kit.types import Kind

EXACT: Final = '"C"'
"""The collation that compares and orders text by code point."""

INTEGERS: Final = frozenset({"int2", "int4", "int8", "oid"})
TEXTS: Final = frozenset({"text", "varchar", "name"})
LEFT_OUT: Final = frozenset({"bytea", "tsvector", "tsquery", "record", "void"})
"""Types that no field serves."""


def declared(field: Field, keyed: bool) -> str:
    """The type of a field's column in a table of ours."""
    if field.kind is Kind.STRING:
        length = field.max_length
        return f"{'text' if length is None else f'varchar({length})'} COLLATE {EXACT}"
    if field.kind is Kind.DECIMAL:
        places = field.places
        digits = field.digits
        return "numeric" if places is None else f"numeric({digits or 1000},{places})"
    return _DECLARED[field.kind]


_DECLARED: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "bigint",
    Kind.FLOAT: "double precision",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamp with time zone",
    Kind.UUID: "uuid",
    # not jsonb, which makes 1e16 an integer and puts the names of an object in another order
    Kind.LIST: "json",
    Kind.DICT: "json",
}


# --- how a field lies in a column -------------------------------------------------------------------------------------


def column(field: Field, info: ColumnInfo, quote: Callable[[str], str]) -> Column | None:
    """How a field lies in a column; None where the column's type cannot hold it."""
    plain = Column(field.name, f"{ALIAS}.{quote(info.name)}", Storage("", (object,)), not info.not_null)
    if field.kind is Kind.STRING:
        return _text(plain, info)
    if info.element:
        return _array(plain, field)
    if field.kind is Kind.DECIMAL and info.type == "numeric":
        return replace(plain, storage=decimal_storage(field, info))
    lie = _LYING.get((field.kind, info.type))
    return None if lie is None else lie(plain, field)


def _text(plain: Column, info: ColumnInfo) -> Column | None:
    if info.type in LEFT_OUT or info.element:
        return None
    text = Storage("", (str,))
    if info.type in TEXTS:
        if info.exact:
            return replace(plain, storage=text)
        forced = _forced(plain, plain.sql)
        # PERF: benchmarks/sql.py, filtered page: a second comparison takes time, and the planner, which takes the two
        # for independent of one another, expects a fraction of the rows
        return replace(forced, seek="", same=plain.sql) if info.distinct else forced
    found = _forced(plain, f"CAST({plain.sql} AS text)")
    return found if info.type in ("bpchar", "citext") else replace(found, seek="")


def _forced(plain: Column, sql: str) -> Column:
    """Text whose own comparison is another one: ours goes beside it, so that an index is still of use."""
    return replace(plain, sql=sql, seek=plain.sql, storage=Storage("", (str,), collation=EXACT))


def _array(plain: Column, field: Field) -> Column | None:
    if field.kind is not Kind.LIST:
        return None
    item = field.item
    decode = None if item is None else field.coerce
    return replace(plain, storage=Storage("", (list,), decode=decode))


def _as(storage: Storage) -> Callable[[Column, Field], Column]:
    return lambda plain, field: replace(plain, storage=storage)


def _moment(plain: Column, field: Field) -> Column:
    # shown without its zone, so that neither the session's zone nor the driver's idea of the years 1 and 9999 matters
    return replace(plain, read=f"{plain.sql} AT TIME ZONE 'UTC'", storage=_MOMENT)


def _real(plain: Column, field: Field) -> Column:
    # by way of its shortest text: 0.1 stays 0.1, as a cast alone would not have it
    return replace(plain, sql=f"CAST(CAST({plain.sql} AS text) AS double precision)", storage=_FLOAT)


def _json(plain: Column, field: Field) -> Column:
    return replace(plain, read=f"CAST({plain.sql} AS text)", storage=json_storage(field))


_MOMENT: Final = Storage("", (datetime.datetime,), decode=read_utc)
_FLOAT: Final = Storage("", (float,), decode=finite)
_INTEGER: Final = Storage("", (int,))

_LYING: Final[dict[tuple[Kind, str], Callable[[Column, Field], Column]]] = {
    **{(Kind.INTEGER, name): _as(_INTEGER) for name in INTEGERS},
    (Kind.INTEGER, "numeric"): _as(Storage("", (Decimal,), decode=as_integer)),
    (Kind.FLOAT, "float8"): _as(_FLOAT),
    (Kind.FLOAT, "float4"): _real,
    (Kind.FLOAT, "numeric"): _as(Storage("", (Decimal,), encode=loose_decimal, decode=lambda v: finite(float(v)))),
    **{(Kind.FLOAT, name): _as(Storage("", (int,), decode=float)) for name in INTEGERS},
    (Kind.BOOLEAN, "bool"): _as(Storage("", (bool,))),
    (Kind.DATE, "date"): _as(Storage("", (datetime.date,))),
    (Kind.DATETIME, "timestamptz"): _moment,
    (Kind.DATETIME, "timestamp"): _as(Storage("", (datetime.datetime,), encode=naive, decode=read_utc)),
    (Kind.UUID, "uuid"): _as(Storage("", (uuid.UUID,))),
    **{(kind, name): _json for kind in (Kind.LIST, Kind.DICT) for name in ("json", "jsonb")},
}


# --- what field a column asks for -------------------------------------------------------------------------------------


def field_of(info: ColumnInfo) -> tuple[type[Field], Mapping[str, Any]] | None:
    """The field that a column asks for, and its options; None for one that cannot be served."""
    if info.labels:
        return made.ChoiceField, {"choices": info.labels}
    if info.element:
        return _array_field(info.element)
    if info.type == "numeric":
        return made.DecimalField, _sized(info)
    if info.type in ("varchar", "bpchar") and info.length is not None:
        return made.StringField, {"max_length": info.length}
    if info.type in LEFT_OUT:
        return None
    return _FIELDS.get(info.type, made.TextField), {}


def _sized(info: ColumnInfo) -> Mapping[str, Any]:
    if info.digits is None or info.places is None or not 0 <= info.places <= info.digits:
        return {}
    return {"digits": info.digits, "places": info.places}


def _array_field(element: str) -> tuple[type[Field], Mapping[str, Any]] | None:
    if element in INTEGERS or element in TEXTS or element in ("bool", "float8"):
        return made.ListField, {}
    item = {"uuid": made.UUIDField, "date": made.DateField, "numeric": made.DecimalField}.get(element)
    return None if item is None else (made.ListField, {"item": item("item", nullable=True)})


_FIELDS: Final[dict[str, type[Field]]] = {
    **dict.fromkeys(INTEGERS, made.IntegerField),
    "float4": made.FloatField,
    "float8": made.FloatField,
    "bool": made.BooleanField,
    "date": made.DateField,
    "timestamp": made.DateTimeField,
    "timestamptz": made.DateTimeField,
    "uuid": made.UUIDField,
    "json": JsonField,
    "jsonb": JsonField,
}
