"""How often is how often: `100/min` as a quota and a number of seconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from rest_kit.errors import did_you_mean

UNITS: Final = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
}
_RATE: Final = re.compile(r"([0-9]+)/([0-9]*)([A-Za-z]+)\Z")
_EXAMPLE: Final = "a rate is such as '100/min', '1000/day' or '5/30s'"
MOST: Final = 10**9
LONGEST: Final = 366 * 86400


class Rate(NamedTuple):
    """At most so many in any so many seconds."""

    quota: int
    seconds: float


def read_rates(given: Any) -> tuple[tuple[Rate, ...], list[str]]:
    """The rates of a text or of several, and a sentence for each that is none."""
    texts = [given] if isinstance(given, str) or not isinstance(given, Sequence) else list(given)
    problems = [] if texts else [f"there must be a rate; {_EXAMPLE}"]
    rates = []
    for text in texts:
        rate = _read(text)
        if isinstance(rate, Rate):
            rates.append(rate)
        else:
            problems.append(rate)
    return tuple(rates), problems


def _read(text: Any) -> Rate | str:
    """A rate, or what is wrong with it."""
    found = _RATE.match(text) if isinstance(text, str) else None
    if found is None:
        return f"{text!r} is not a rate; {_EXAMPLE}"
    quota, number, unit = found.groups()
    if unit not in UNITS:
        return f"the rate {text!r} has no unit {unit!r}{did_you_mean(unit, UNITS)}"
    return checked(int(quota), int(number or 1) * UNITS[unit], f"the rate {text!r}")


def checked(quota: Any, interval: Any, what: str) -> Rate | str:
    """A rate of a number and an interval in seconds or as a timedelta, or what is wrong with it."""
    seconds = interval.total_seconds() if isinstance(interval, timedelta) else interval
    if not isinstance(quota, int) or isinstance(quota, bool) or not 1 <= quota <= MOST:
        return f"{what} must allow a number from 1 to {MOST}, not {quota!r}"
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds <= LONGEST:
        return f"{what} must have an interval of more than nothing and at most 366 days, not {interval!r}"
    return Rate(quota, seconds)
