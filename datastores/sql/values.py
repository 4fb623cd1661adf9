"""Values on their way between records and drivers, as all the servers' databases share them."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal

from rest_kit.models.scalars import utc
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


def read_utc(value: datetime.datetime) -> datetime.datetime:
    """A moment that the database hands out in UTC, with or without saying so."""
    return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else utc(value)


def naive(value: datetime.datetime) -> datetime.datetime:
    """A moment in UTC for a column that knows no zones."""
    return utc(value).replace(tzinfo=None)


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def to_epoch(value: datetime.datetime) -> Decimal:
    """A moment as seconds since the epoch, exactly."""
    return Decimal((utc(value) - _EPOCH) // _MICROSECOND).scaleb(-6)


def of_epoch(value: Decimal | int) -> datetime.datetime:
    """Seconds since the epoch as a moment."""
    return _EPOCH + int(Decimal(value).scaleb(6)) * _MICROSECOND
