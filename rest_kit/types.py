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
    """What sort of value a field holds; integers are 64-bit, datetimes are aware and in UTC.

    `python_type` is the exact type that a record's value of the kind has, None aside.
    """

    INTEGER = ("integer", int)
    FLOAT = ("float", float)
    DECIMAL = ("decimal", decimal.Decimal)
    BOOLEAN = ("boolean", bool)
    STRING = ("string", str)
    DATE = ("date", datetime.date)
    DATETIME = ("datetime", datetime.datetime)
    UUID = ("uuid", uuid.UUID)
    LIST = ("list", list)
    DICT = ("dict", dict)

    python_type: type[Any]
    is_scalar: bool
    is_text: bool

    def __new__(cls, word: str, python_type: type[Any]) -> Kind:
        kind = object.__new__(cls)
        kind._value_ = word
        kind.python_type = python_type
        kind.is_scalar = python_type not in (list, dict)
        kind.is_text = python_type is str
        return kind

    # PERF: POST: kinds are keys of tables, and an Enum's own hash is a call of Python
    __hash__ = object.__hash__
