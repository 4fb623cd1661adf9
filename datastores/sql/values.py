"""Values on their way between records and drivers, as all the servers' databases share them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from decimal import Decimal

from rest_kit.models.scalars import plain_decimal, utc, with_places
from rest_kit.types import INT64_MAX, INT64_MIN


def finite(value: float) -> float:
    """A double as JSON knows it: never infinite, never -0.0 (ValueError)."""
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value + 0.0


def as_integer(value: Decimal | int) -> int:
    """An exact number as a 64-bit integer, if it is one (ValueError)."""
    number = int(value)
    if number != value or not INT64_MIN <= number <= INT64_MAX:
        raise ValueError("not an integer of 64 bits")
    return number


def loose_decimal(value: float) -> Decimal:
    """A double as the exact number that its shortest digits say."""
    return Decimal(repr(value))


def plain_field_decimal(value: Decimal) -> Decimal:
    """An exact number in plain notation (ValueError where it is none)."""
    return plain_decimal(value)


def placed_decimal(places: int) -> Callable[[Decimal], Decimal]:
    """What makes an exact number one of so many places (ValueError where it has more)."""
    quantum = -places

    def read(value: Decimal) -> Decimal:
        return value if value.as_tuple().exponent == quantum else with_places(plain_decimal(value), places)

    return read


def read_utc(value: datetime.datetime) -> datetime.datetime:
    """A moment that the database hands out in UTC, with or without saying so."""
    return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else utc(value)


def naive(value: datetime.datetime) -> datetime.datetime:
    """A moment in UTC for a column that knows no zones."""
    return utc(value).replace(tzinfo=None)
