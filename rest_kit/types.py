"""The vocabulary every floor shares: what a record is, and which kinds of value one may hold.

A `Kind` says how values of a field compare, cast and travel; it is what a store needs to know about a field
without knowing marshmallow.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Any, Final

Record = dict[str, Any]
"""One row: field name → value of the model's Python type."""

Pk = int | str | uuid.UUID
"""A primary key as a store sees it."""

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1


class Missing(enum.Enum):
    """The one value that says "nothing was given here", where None means null."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING


class Kind(enum.Enum):
    """What sort of value a field holds; integers are 64-bit, datetimes are aware and in UTC."""

    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    STRING = "string"
    DATE = "date"
    DATETIME = "datetime"
    UUID = "uuid"
    LIST = "list"
    DICT = "dict"

    is_scalar: bool
    is_text: bool

    @property
    def python_type(self) -> type[Any]:
        """The exact type that a record's value of this kind has (None aside)."""
        return _PYTHON_TYPES[self]


for _kind in Kind:
    _kind.is_scalar = _kind not in (Kind.LIST, Kind.DICT)
    _kind.is_text = _kind is Kind.STRING

_PYTHON_TYPES: Final[dict[Kind, type[Any]]] = {
    Kind.INTEGER: int,
    Kind.FLOAT: float,
    Kind.DECIMAL: decimal.Decimal,
    Kind.BOOLEAN: bool,
    Kind.STRING: str,
    Kind.DATE: datetime.date,
    Kind.DATETIME: datetime.datetime,
    Kind.UUID: uuid.UUID,
    Kind.LIST: list,
    Kind.DICT: dict,
}
