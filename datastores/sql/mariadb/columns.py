"""How fields lie in MariaDB's types, for tables of ours and for those that others made."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from datastores.sql.catalogue import ColumnInfo
from datastores.sql.decimals import decimal_storage
from datastores.sql.mariadb.catalogue import EXACT
from datastores.sql.values import as_integer, finite, loose_decimal, naive, of_epoch, read_utc, to_epoch
from datastores.tables.columns import Column
from datastores.tables.json import json_storage
from datastores.tables.storage import HEXADECIMAL_LENGTH, Storage, hexadecimal
from datastores.tables.table import ALIAS
from rest_kit.errors import Fault, ValidationError
from rest_kit.models import fields as made
from rest_kit.models.field import Field
from rest_kit.models.structures import JsonField
from rest_kit.types import INT64_MAX, Kind

INTEGERS: Final = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year", "boolean"})
TEXTS: Final = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
LONG_TEXTS: Final = frozenset({"tinytext", "text", "mediumtext", "longtext", "json"})
INDEXED_LENGTH: Final = 191
"""How many characters of a long text an index holds."""
SPELLED: Final = frozenset({"enum", "set", "time", "uuid", "inet4", "inet6"})
"""Types that no field but text serves, or that are served as text too."""
MAX_DIGITS: Final = 65
MAX_PLACES: Final = 30
KEYED_LENGTH: Final = 700
"""How many characters an index holds, at four bytes each."""
LAST_SHORT_YEAR: Final = 99
SHORT: Final = 255
"""Up to which length a text counts against the size of a row, which is bounded."""


def declared(field: Field, keyed: bool) -> str:
    """The type of a field's column in a table of ours."""
    if field.kind is Kind.STRING:
        return _declared_text(field.max_length, keyed)
    if field.kind is Kind.DECIMAL:
        return _declared_decimal(field)
    return _DECLARED[field.kind]


def _declared_text(length: int | None, keyed: bool) -> str:
    if keyed:
        return f"varchar({min(length or KEYED_LENGTH, KEYED_LENGTH)})"
    return "longtext" if length is None or length > SHORT else f"varchar({length})"


def _declared_decimal(field: Field) -> str:
    places = field.places
    digits = field.digits or MAX_DIGITS
    return f"decimal({min(digits, MAX_DIGITS)},{MAX_PLACES if places is None else places})"


_DECLARED: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "bigint",
    Kind.FLOAT: "double",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime(6)",
    # not uuid, whose order is that of the last bytes first
    Kind.UUID: "char(36) CHARACTER SET ascii COLLATE ascii_nopad_bin",
    # not json, which refuses what is nested beyond 32 levels
    Kind.LIST: "longtext",
    Kind.DICT: "longtext",
}


# --- how a field lies in a column -------------------------------------------------------------------------------------


def column(field: Field, info: ColumnInfo, quote: Callable[[str], str]) -> Column | None:
    """How a field lies in a column; None where the column's type cannot hold it."""
    plain = Column(field.name, f"{ALIAS}.{quote(info.name)}", Storage("", (object,)), not info.not_null)
    if field.kind is Kind.STRING:
        return _text(plain, info)
    if field.kind is Kind.DECIMAL:
        return _decimal(plain, field, info)
    lie = _LYING.get((field.kind, info.type))
    if lie is None:
        return None
    found = lie(plain, field)
    if field.kind is Kind.UUID and info.length == HEXADECIMAL_LENGTH:
        return replace(found, storage=hexadecimal(found.storage))
    return found


def _text(plain: Column, info: ColumnInfo) -> Column | None:
    if info.type in TEXTS or info.type == "json":
        if info.exact:
            return replace(plain, storage=Storage("", (str,)))
        if info.charset == "utf8mb4":
            return _forced(plain, plain.sql)
        # what the column's characters cannot spell becomes a question mark, and is found by neither comparison
        found = _forced(plain, f"CONVERT({plain.sql} USING utf8mb4)")
        return replace(found, sought=f"CONVERT({{}} USING {info.charset})")
    if info.type not in SPELLED:
        return None
    found = _forced(plain, f"CONVERT({plain.sql} USING utf8mb4)")
    return found if info.type == "enum" else replace(found, seek="")


def _forced(plain: Column, sql: str) -> Column:
    """Text whose own comparison is another one: ours goes beside it, so that an index is still of use."""
    return replace(plain, sql=sql, seek=plain.sql, storage=Storage("", (str,), collation=EXACT))


def _decimal(plain: Column, field: Field, info: ColumnInfo) -> Column | None:
    if info.type != "decimal":
        return None
    storage = decimal_storage(field, info)
    if info.places is not None and info.places > 6:
        # the driver would write the least of these numbers as doubles
        return replace(plain, storage=_as_text(storage), value=f"CAST({{}} AS DECIMAL({MAX_DIGITS},{MAX_PLACES}))")
    return replace(plain, storage=storage)


def _as_text(storage: Storage) -> Storage:
    """The same, with the number handed over as text."""
    check = storage.encode

    def encode(value: Decimal) -> str:
        return format(value if check is None else check(value), "f")

    def compare(value: Decimal) -> str:
        return format(value, "f")

    return replace(storage, encode=encode, exact=compare, floor=compare, ceiling=compare)


def _as(storage: Storage) -> Callable[[Column, Field], Column]:
    return lambda plain, field: replace(plain, storage=storage)


def _timestamp(plain: Column, field: Field) -> Column:
    # by its seconds, whatever the session's time zone
    return replace(
        plain,
        read=f"UNIX_TIMESTAMP({plain.sql})",
        value="FROM_UNIXTIME({})",
        storage=Storage("", (Decimal, int), encode=to_epoch, decode=of_epoch),
    )


def _float(plain: Column, field: Field) -> Column:
    # the value itself, where MariaDB would show six digits of it
    return replace(plain, sql=f"CAST({plain.sql} AS DOUBLE)", storage=_DOUBLE)


def _uuid(plain: Column, field: Field) -> Column:
    return replace(_forced(plain, f"CONVERT({plain.sql} USING utf8mb4)"), storage=replace(_UUID, collation=EXACT))


def _bit(plain: Column, field: Field) -> Column:
    return replace(plain, sql=f"({plain.sql} + 0)", storage=_BOOLEAN)


def _year(plain: Column, field: Field) -> Column:
    # as a number, where MariaDB would take 70 for 1970
    return replace(plain, sql=f"({plain.sql} + 0)", storage=_YEAR)


def _json(plain: Column, field: Field) -> Column:
    return replace(plain, storage=json_storage(field))


def _check_year(value: int) -> int:
    """A year as it is, where MariaDB would take 70 for 1970 (ValidationError)."""
    if 0 < value <= LAST_SHORT_YEAR:
        raise ValidationError(Fault("range", "is beyond what the table keeps"))
    return value


def _same(value: int) -> int:
    return value


_YEAR: Final = Storage("", (int,), _check_year, exact=_same, floor=_same, ceiling=_same)
_DOUBLE: Final = Storage("", (float,), decode=finite)
_INTEGER: Final = Storage("", (int,))
_BOOLEAN: Final = Storage("", (int,), decode={0: False, 1: True}.__getitem__)
_UUID: Final = Storage("", (str,), encode=str, decode=uuid.UUID)

_LYING: Final[dict[tuple[Kind, str], Callable[[Column, Field], Column]]] = {
    **{(Kind.INTEGER, name): _as(_INTEGER) for name in INTEGERS},
    (Kind.INTEGER, "year"): _year,
    (Kind.INTEGER, "decimal"): _as(Storage("", (Decimal,), decode=as_integer)),
    (Kind.FLOAT, "double"): _as(_DOUBLE),
    (Kind.FLOAT, "float"): _float,
    (Kind.FLOAT, "decimal"): _as(Storage("", (Decimal,), encode=loose_decimal, decode=lambda v: finite(float(v)))),
    **{(Kind.FLOAT, name): _as(Storage("", (int,), decode=float)) for name in INTEGERS},
    **{(Kind.BOOLEAN, name): _as(_BOOLEAN) for name in INTEGERS},
    (Kind.BOOLEAN, "bit"): _bit,
    (Kind.DATE, "date"): _as(Storage("", (datetime.date,))),
    (Kind.DATETIME, "datetime"): _as(Storage("", (datetime.datetime,), encode=naive, decode=read_utc)),
    (Kind.DATETIME, "timestamp"): _timestamp,
    **{(Kind.UUID, name): _uuid for name in ("uuid", "varchar")},
    (Kind.UUID, "char"): _as(_UUID),
    **{(kind, name): _json for kind in (Kind.LIST, Kind.DICT) for name in ("json", "text", "mediumtext", "longtext")},
}


# --- what field a column asks for -------------------------------------------------------------------------------------


def field_of(info: ColumnInfo) -> tuple[type[Field], Mapping[str, Any]] | None:
    """The field that a column asks for, and its options; None for one that cannot be served."""
    if info.labels:
        return made.ChoiceField, {"choices": info.labels}
    if info.type == "decimal":
        return made.DecimalField, {"digits": info.digits, "places": info.places}
    if info.type in ("char", "varchar"):
        return made.StringField, {"max_length": info.length}
    if info.type in INTEGERS and info.type != "boolean":
        return made.IntegerField, {"min": 0, "max": INT64_MAX} if info.unsigned else {}
    if info.type in TEXTS or info.type in SPELLED:
        return _FIELDS.get(info.type, made.TextField), {}
    kind = _FIELDS.get(info.type)
    return None if kind is None else (kind, {})


_FIELDS: Final[dict[str, type[Field]]] = {
    "boolean": made.BooleanField,
    "bit": made.BooleanField,
    "float": made.FloatField,
    "double": made.FloatField,
    "date": made.DateField,
    "datetime": made.DateTimeField,
    "timestamp": made.DateTimeField,
    "uuid": made.UUIDField,
    "json": JsonField,
}
