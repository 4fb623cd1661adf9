"""How each kind of value is written as text: in a query string, a path, a CSV cell, a text column.

One spelling out, a strict set of spellings in: ASCII digits, finite numbers, RFC 3339 times. A parser raises
`ValueError` with a sentence for the caller.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from rest_kit.types import INT64_MAX, INT64_MIN, Kind

_INTEGER = re.compile(r"-?[0-9]{1,19}\Z")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?\Z"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
MAX_DECIMAL_DIGITS: Final = 1000


def parse_integer(text: str) -> int:
    """A 64-bit integer in ASCII digits."""
    if _INTEGER.match(text):
        value = int(text)
        if INT64_MIN <= value <= INT64_MAX:
            return value
    elif not re.match(r"-?[0-9]+\Z", text):
        raise ValueError("not an integer")
    raise ValueError("an integer beyond 64 bits")


def parse_float(text: str) -> float:
    """A finite number; never `nan` or `inf`."""
    if not _NUMBER.match(text):
        raise ValueError("not a number")
    value = float(text) + 0.0
    if math.isinf(value):
        raise ValueError("a number beyond the range of a double")
    return value


_WIDE = decimal.Context(prec=3 * MAX_DECIMAL_DIGITS)


def with_places(value: Decimal, places: int) -> Decimal:
    """The same number with exactly `places` decimal places (ValueError where it has more)."""
    exact = value.quantize(Decimal((0, (1,), -places)), context=_WIDE)
    if exact != value:
        raise ValueError(f"a number of more than {places} decimal places")
    return exact


def count_digits(value: Decimal) -> int:
    """How many digits a column needs for the number: 0.05 needs two, 120 three."""
    _, digits, exponent = value.as_tuple()
    return max(len(digits), -int(exponent))


def parse_decimal(text: str) -> Decimal:
    """An exact number, in plain notation or with an exponent."""
    if not _NUMBER.match(text):
        raise ValueError("not a number")
    try:
        return plain_decimal(Decimal(text))
    except decimal.InvalidOperation as exc:
        raise ValueError("a number beyond bounds") from exc


def plain_decimal(value: Decimal) -> Decimal:
    """The same number without a positive exponent, a negative zero, or more than 1000 digits (ValueError)."""
    sign, digits, exponent = value.as_tuple()
    if isinstance(exponent, str):
        raise ValueError("a number that is not finite")  # noqa: TRY004 - the value is wrong, not its type
    if max(len(digits) + exponent, -exponent, len(digits)) > MAX_DECIMAL_DIGITS:
        raise ValueError(f"a number of more than {MAX_DECIMAL_DIGITS} digits")
    if exponent > 0:
        value = Decimal((sign, digits + (0,) * exponent, 0))
    return -value if sign and not value else value


def parse_boolean(text: str) -> bool:
    """`true` or `false`, and nothing else."""
    if text == "true":
        return True
    if text == "false":
        return False
    raise ValueError("neither true nor false")


def parse_string(text: str) -> str:
    """Any text but NUL and lone surrogates, which not every store can keep."""
    if not storable(text):
        raise ValueError("text with a NUL or a lone surrogate")
    return text


def storable(text: str) -> bool:
    """Whether every store can keep the text: it holds no NUL and can be written as UTF-8."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_date(text: str) -> datetime.date:
    """A calendar date, `YYYY-MM-DD`."""
    if not _DATE.match(text):
        raise ValueError("not a date of the form YYYY-MM-DD")
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as exc:
        raise ValueError("no such date") from exc


def parse_datetime(text: str) -> datetime.datetime:
    """A moment as in RFC 3339, at most to the microsecond; without an offset it is UTC. Returned in UTC."""
    if not _DATETIME.match(text):
        raise ValueError("not a date and time as in RFC 3339")
    try:
        moment = datetime.datetime.fromisoformat(text.upper())
        return utc(moment)
    except (ValueError, OverflowError) as exc:
        raise ValueError("no such date and time") from exc


def utc(moment: datetime.datetime) -> datetime.datetime:
    """The same moment in UTC; without an offset it is UTC already (OverflowError beyond the years 1 to 9999)."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=datetime.UTC)
    return moment.astimezone(datetime.UTC)


def parse_uuid(text: str) -> uuid.UUID:
    """A UUID in its 36-character form (RFC 9562)."""
    if not _UUID.match(text):
        raise ValueError("not a UUID")
    return uuid.UUID(text)


def format_decimal(value: Decimal) -> str:
    """Plain notation, never an exponent."""
    return format(value, "f")


def format_boolean(value: bool) -> str:
    """`true` or `false`."""
    return "true" if value else "false"


def format_datetime(value: datetime.datetime) -> str:
    """RFC 3339 in UTC, with `Z`, and microseconds only where there are any."""
    return value.isoformat().replace("+00:00", "Z")


PARSERS: Final[dict[Kind, Callable[[str], Any]]] = {
    Kind.INTEGER: parse_integer,
    Kind.FLOAT: parse_float,
    Kind.DECIMAL: parse_decimal,
    Kind.BOOLEAN: parse_boolean,
    Kind.STRING: parse_string,
    Kind.DATE: parse_date,
    Kind.DATETIME: parse_datetime,
    Kind.UUID: parse_uuid,
}

FORMATTERS: Final[dict[Kind, Callable[[Any], str]]] = {
    Kind.INTEGER: str,
    Kind.FLOAT: repr,
    Kind.DECIMAL: format_decimal,
    Kind.BOOLEAN: format_boolean,
    Kind.STRING: str,
    Kind.DATE: datetime.date.isoformat,
    Kind.DATETIME: format_datetime,
    Kind.UUID: str,
}
