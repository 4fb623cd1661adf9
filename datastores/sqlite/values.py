"""How each kind of value lies in SQLite: a value goes in through `encode`, and comes out again through `decode`.

The stored form of a kind orders as the kind does: dates and moments as text of one fixed form in UTC, UUIDs as
canonical text, booleans as 0 and 1, decimals as numbers where a double holds them exactly and else as text under a
collation of ours. Integers, floats and strings go as they are.
"""

from __future__ import annotations

import datetime
import decimal
import math
import sqlite3
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from datastores.tables.json import json_storage
from datastores.tables.storage import MISFITS, Convert, Storage
from rest_kit.models.field import Field
from rest_kit.models.scalars import MAX_DECIMAL_DIGITS, plain_decimal, utc
from rest_kit.rows import fold
from rest_kit.types import INT64_MAX, INT64_MIN, Kind

NOTHING: Final = b""
"""Equal to no stored value, and greater than every one of them: SQLite orders blobs behind numbers and text."""

BINARY: Final = "BINARY"
DECIMAL_COLLATION: Final = "rest_kit_decimal"
TEXT_COLLATION: Final = "rest_kit_text"
FOLD_FUNCTION: Final = "rest_kit_fold"

MOMENT_TYPE: Final = "DATETIME TEXT"
"""What a column of moments is declared as in a table of ours, and in no one else's."""

MAX_DOUBLE_DIGITS: Final = 15
"""A decimal of so many digits comes back from a double unchanged."""


def bounded_integer(value: int) -> int | float:
    """An integer that SQLite can bind: one beyond 64 bits as a float, which compares alike with every stored one."""
    if INT64_MIN <= value <= INT64_MAX:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _fold_stored(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


def compare_decimals(left: str, right: str) -> int:
    """The collation of decimals kept as text: by value; what is no number comes last, by code point."""
    try:
        a, b = Decimal(left), Decimal(right)
    except decimal.InvalidOperation:
        return _compare(left, right)
    return _compare(a, b)


def _compare(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def prepare(connection: sqlite3.Connection) -> None:
    """Give a connection the function and the collations that the compiled text refers to."""
    connection.create_function(FOLD_FUNCTION, 1, _fold_stored, deterministic=True)
    connection.create_collation(DECIMAL_COLLATION, compare_decimals)
    connection.create_collation(TEXT_COLLATION, _compare)


# --- dates and moments ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MomentForm:
    """One way of writing a moment so that the order of the texts is the order of the moments, always in UTC.

    `digits` of a second are written; None means six where they are not all zero, else none (as Python's `str` does).
    """

    separator: str = "T"
    digits: int | None = 6
    suffix: str = "Z"

    def write(self, value: datetime.datetime) -> str:
        """The moment in this form, cut to its digits."""
        moment = utc(value).replace(tzinfo=None)
        if self.digits is None:
            return moment.isoformat(self.separator) + self.suffix
        text = moment.isoformat(self.separator, "microseconds")
        return text[: 19 if self.digits == 0 else 20 + self.digits] + self.suffix

    @property
    def patterns(self) -> list[str]:
        """The form as GLOB patterns, one of which a text in this form matches."""
        start = "-".join(("[0-9]" * 4, "[0-9]" * 2, "[0-9]" * 2)) + self.separator + ":".join(["[0-9]" * 2] * 3)
        fractions = (0, 6) if self.digits is None else (self.digits,)
        return [start + ("." + "[0-9]" * digits if digits else "") + self.suffix for digits in fractions]

    def holds(self, text: Any) -> bool:
        """Whether a stored value is a moment in this very form."""
        try:
            return bool(self.write(read_moment(text)) == text)
        except MISFITS:
            return False

    def exact(self, value: datetime.datetime) -> str | bytes:
        """The moment in this form, or `NOTHING` where the form cannot hold it."""
        text = self.write(value)
        return text if read_moment(text) == value else NOTHING

    def ceiling(self, value: datetime.datetime) -> str | bytes:
        """The first moment that the form can hold, at or after the given one."""
        text = self.write(value)
        if read_moment(text) == value:
            return text
        try:
            return self.write(value + datetime.timedelta(microseconds=10 ** (6 - (self.digits or 0))))
        except OverflowError:
            return NOTHING

    @property
    def storage(self) -> Storage:
        """The storage of moments in this form."""
        if self.digits in (6, None):
            return Storage(MOMENT_TYPE, (str,), self.write, read_moment)
        return Storage(MOMENT_TYPE, (str,), self.write, read_moment, self.exact, self.write, self.ceiling)


def read_moment(text: str) -> datetime.datetime:
    """A stored moment, in UTC (ValueError, TypeError)."""
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo is datetime.UTC else utc(moment)


# --- decimals ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DecimalGrid:
    """Decimals of a fixed number of places, few enough digits to lie in a double and come back unchanged."""

    places: int

    def to(self, value: Decimal, rounding: str) -> Decimal:
        """The neighbour of the value on the grid (a number far beyond the grid stays what it is)."""
        try:
            return value.quantize(Decimal(1).scaleb(-self.places), rounding, _WIDE)
        except decimal.InvalidOperation:
            return value

    def encode(self, value: Decimal) -> float:
        return float(value) + 0.0

    def decode(self, value: float) -> Decimal:
        found = Decimal(repr(value))
        on_grid = self.to(found, decimal.ROUND_FLOOR)
        if on_grid != found:
            raise ValueError("more decimal places than the field has")
        return plain_decimal(on_grid)

    def exact(self, value: Decimal) -> float | bytes:
        return float(value) if self.to(value, decimal.ROUND_FLOOR) == value else NOTHING

    def floor(self, value: Decimal) -> float:
        return float(self.to(value, decimal.ROUND_FLOOR))

    def ceiling(self, value: Decimal) -> float:
        return float(self.to(value, decimal.ROUND_CEILING))

    def storage(self, digits: int) -> Storage:
        """The storage of such decimals of at most `digits` digits."""
        declared = f"DECIMAL({digits},{self.places})"
        return Storage(declared, (int, float), self.encode, self.decode, self.exact, self.floor, self.ceiling)


_WIDE = decimal.Context(prec=2000)


def _decimal_storage(field: Field) -> Storage:
    digits, places = field.digits, field.places
    if places is None:
        return _text_decimal("DECIMAL TEXT", lambda text: plain_decimal(Decimal(text)))
    if digits is not None and digits <= MAX_DOUBLE_DIGITS:
        return DecimalGrid(places).storage(digits)
    quantum = Decimal(1).scaleb(-places)
    declared = f"DECIMAL TEXT({digits or MAX_DECIMAL_DIGITS},{places})"
    return _text_decimal(declared, lambda text: plain_decimal(Decimal(text).quantize(quantum, context=_WIDE)))


def _text_decimal(declared: str, decode: Convert) -> Storage:
    # TEXT in the declared type gives the column SQLite's text affinity, the other word tells inference what lies there.
    return Storage(declared, (str,), lambda value: format(value, "f"), decode, collation=DECIMAL_COLLATION)


# --- the rest ---------------------------------------------------------------------------------------------------------

_BOOLEANS: Final = {0: False, 1: True}


_STORAGES: Final[dict[Kind, Storage]] = {
    Kind.INTEGER: Storage("INTEGER", (int,), exact=bounded_integer, floor=bounded_integer, ceiling=bounded_integer),
    Kind.FLOAT: Storage("REAL", (float,)),
    Kind.BOOLEAN: Storage("BOOLEAN", (int,), decode=_BOOLEANS.__getitem__),
    Kind.STRING: Storage("TEXT", (str,), collation=BINARY),
    Kind.DATE: Storage("DATE", (str,), datetime.date.isoformat, datetime.date.fromisoformat),
    Kind.DATETIME: MomentForm().storage,
    Kind.UUID: Storage("UUID TEXT", (str,), str, uuid.UUID),
}


def storage_of(field: Field) -> Storage:
    """How a field lies in a table of ours."""
    if field.kind is Kind.DECIMAL:
        return _decimal_storage(field)
    if not field.kind.is_scalar:
        return json_storage(field, "JSON TEXT")
    return _STORAGES[field.kind]
