"""A value as its owner keeps it, made the exact Python type of its kind.

Rows of a list, columns of a database and cells of a file hold subclasses, naive datetimes, numbers as text; records
hold none of these. A function here takes a value that is not None and raises ValueError with a sentence.
"""

from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeVar

from rest_kit.models import scalars
from rest_kit.types import INT64_MAX, INT64_MIN, Kind

T = TypeVar("T")


def to_integer(value: Any) -> int:
    """A 64-bit integer from an int (a boolean is none) or its text."""
    if isinstance(value, int) and not isinstance(value, bool):
        if INT64_MIN <= value <= INT64_MAX:
            return int(value)
        raise ValueError("an integer beyond 64 bits")
    return _from_text(value, scalars.parse_integer, "an integer")


def to_float(value: Any) -> float:
    """A finite float, never -0.0, from any real number or its text."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            number = float(value) + 0.0
        except (OverflowError, ValueError) as exc:
            raise ValueError("a number beyond the range of a double") from exc
        if not math.isfinite(number):
            raise ValueError("a number that is not finite")
        return number
    return _from_text(value, scalars.parse_float, "a number")


def to_decimal(value: Any) -> Decimal:
    """An exact number from a Decimal, an int, a float (by its shortest digits) or its text."""
    if isinstance(value, float):
        value = Decimal(repr(float(value)))
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if isinstance(value, Decimal):
        return scalars.plain_decimal(Decimal(value))
    return _from_text(value, scalars.parse_decimal, "a number")


def to_boolean(value: Any) -> bool:
    """A boolean from a boolean or its text."""
    if isinstance(value, bool):
        return value
    return _from_text(value, scalars.parse_boolean, "a boolean")


def to_string(value: Any) -> str:
    """A text, as it is: what is stored already is not refused."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise ValueError(f"not a text: {value!r}")


def to_date(value: Any) -> datetime.date:
    """A date from a date (a datetime is none) or its text."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value if type(value) is datetime.date else datetime.date(value.year, value.month, value.day)
    return _from_text(value, scalars.parse_date, "a date")


def to_datetime(value: Any) -> datetime.datetime:
    """An aware datetime in UTC from a datetime (UTC where it has no offset) or its text."""
    if isinstance(value, datetime.datetime):
        try:
            return _exactly(scalars.utc(value))
        except OverflowError as exc:
            raise ValueError("a moment beyond the years 1 to 9999") from exc
    return _from_text(value, scalars.parse_datetime, "a date and time")


def _exactly(moment: datetime.datetime) -> datetime.datetime:
    if type(moment) is datetime.datetime:
        return moment
    return datetime.datetime.combine(moment.date(), moment.time(), datetime.UTC)


def to_uuid(value: Any) -> uuid.UUID:
    """A UUID from a UUID or its text."""
    if isinstance(value, uuid.UUID):
        return value if type(value) is uuid.UUID else uuid.UUID(int=value.int)
    return _from_text(value, scalars.parse_uuid, "a UUID")


def _from_text(value: Any, parse: Callable[[str], T], wanted: str) -> T:
    if isinstance(value, str):
        return parse(value)
    raise ValueError(f"not {wanted}: {value!r}")


COERCERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.INTEGER: to_integer,
    Kind.FLOAT: to_float,
    Kind.DECIMAL: to_decimal,
    Kind.BOOLEAN: to_boolean,
    Kind.STRING: to_string,
    Kind.DATE: to_date,
    Kind.DATETIME: to_datetime,
    Kind.UUID: to_uuid,
}
