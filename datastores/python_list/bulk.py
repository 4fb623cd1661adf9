"""Many values at once: whether all of one type fit their field, found out in a few passes of C.

A list's rows are all looked at before the first answer, so that a look at each value by itself would be felt. "No"
means only that they must be looked at one by one, which also finds the one that fits in no form.
"""

from __future__ import annotations

import datetime
import math
import re
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import Any, Final

from rest_kit.models import scalars
from rest_kit.models.fields import Field
from rest_kit.types import INT64_MAX, INT64_MIN, Kind

Check = Callable[[Field, Sequence[Any]], bool]


def all_fit(field: Field, cls: type[Any], values: Sequence[Any]) -> bool:
    """Whether these values, all exactly of that type, are fit to be the field's.

    Those of the kind's own type can then leave as they are; others need converting, and none of them can fail at it.
    """
    check = _CHECKS.get((field.kind, cls))
    return check is not None and check(field, values)


def _always(field: Field, values: Sequence[Any]) -> bool:
    return True


def _integers(field: Field, values: Sequence[int]) -> bool:
    return min(values) >= INT64_MIN and max(values) <= INT64_MAX


def _floats(field: Field, values: Sequence[float]) -> bool:
    if not all(map(math.isfinite, values)):
        return False
    return 0.0 not in values or all(math.copysign(1.0, value) > 0 for value in values if not value)


_EXPONENT: Final = itemgetter(2)
_MOST_PLACES: Final = 500
_LARGE: Final = Decimal(10**300)


def _decimals(field: Field, values: Sequence[Decimal]) -> bool:
    wanted = range(-_MOST_PLACES, 1) if field.places is None else (-field.places,)
    # what is not finite has a letter for its exponent, and could not be compared
    if not _exponents(values).issubset(wanted):
        return False
    if min(values) <= -_LARGE or max(values) >= _LARGE:
        return False
    return 0 not in values or not any(value.is_signed() for value in values if not value)


def _exponents(values: Sequence[Decimal]) -> set[Any]:
    # numbers of one column mostly have the same, and a tuple for each takes four times as long
    if all(map(Decimal.same_quantum, values, repeat(values[0]))):
        return {values[0].as_tuple().exponent}
    return set(map(_EXPONENT, map(Decimal.as_tuple, values)))


def _decimal_texts(field: Field, values: Sequence[str]) -> bool:
    return all(map(_decimal_form(field.places).fullmatch, values))


@cache
def _decimal_form(places: int | None) -> re.Pattern[str]:
    fraction = rf"(\.[0-9]{{1,{places or _MOST_PLACES}}})?" if places != 0 else ""
    return re.compile(rf"-?[0-9]{{1,300}}{fraction}")


def _strings(field: Field, values: Sequence[str]) -> bool:
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True


def _date_texts(field: Field, values: Sequence[str]) -> bool:
    try:
        dates = map(datetime.date.fromisoformat, values)
        # it takes other spellings than ours, too
        return list(map(datetime.date.isoformat, dates)) == values
    except ValueError:
        return False


_ZONE: Final = attrgetter("tzinfo")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def _moments(field: Field, values: Sequence[datetime.datetime]) -> bool:
    # other zones may be equal to UTC
    return set(map(id, map(_ZONE, values))) == {id(datetime.UTC)}


def _moment_texts(field: Field, values: Sequence[str]) -> bool:
    if not all(map(_MOMENT.fullmatch, values)):
        return False
    try:
        moments = list(map(datetime.datetime.fromisoformat, values))
        if set(map(_ZONE, moments)) - {None, datetime.UTC}:
            list(map(scalars.utc, moments))
    except (ValueError, OverflowError):
        return False
    return True


_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


def _uuid_texts(field: Field, values: Sequence[str]) -> bool:
    return all(map(_UUID.fullmatch, values))


_CHECKS: Final[dict[tuple[Kind, type[Any]], Check]] = {
    (Kind.INTEGER, int): _integers,
    (Kind.FLOAT, float): _floats,
    (Kind.FLOAT, int): _integers,
    (Kind.DECIMAL, Decimal): _decimals,
    (Kind.DECIMAL, int): _integers,
    (Kind.DECIMAL, str): _decimal_texts,
    (Kind.BOOLEAN, bool): _always,
    (Kind.STRING, str): _strings,
    (Kind.DATE, datetime.date): _always,
    (Kind.DATE, str): _date_texts,
    (Kind.DATETIME, datetime.datetime): _moments,
    (Kind.DATETIME, str): _moment_texts,
    (Kind.UUID, uuid.UUID): _always,
    (Kind.UUID, str): _uuid_texts,
}
