"""Exact numbers in columns of a fixed number of places: a database rounds what has more of them, and says nothing."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Final

from datastores.sql.catalogue import ColumnInfo
from datastores.tables.storage import Convert, Storage
from rest_kit.errors import Fault, ValidationError
from rest_kit.models.field import Field
from rest_kit.models.scalars import plain_decimal, with_places

_WIDE: Final = Context(prec=2000)


def decimal_storage(field: Field, info: ColumnInfo) -> Storage:
    """How an exact number lies in a column; what the column would round is refused."""
    places = field.places
    decode = _read_placed(places) if places is not None else _read_short if info.places else plain_decimal
    if info.places is None or (places is not None and places <= info.places):
        return Storage("", (Decimal,), decode=decode)
    return Storage("", (Decimal,), _checked(info.places), decode, exact=_same, floor=_same, ceiling=_same)


def _read_placed(places: int) -> Convert:
    """What makes an exact number one of so many places (ValueError where it has more)."""
    exponent = -places

    def read(value: Decimal) -> Decimal:
        return value if value.as_tuple().exponent == exponent else with_places(plain_decimal(value), places)

    return read


def _read_short(value: Decimal) -> Decimal:
    """A number of any number of places out of a column that fills them up: without the zeros at its end."""
    return plain_decimal(value.normalize(_WIDE)) if value else Decimal(0)


def _checked(places: int) -> Convert:
    def write(value: Decimal) -> Decimal:
        try:
            return with_places(value, places)
        except ValueError as exc:
            raise ValidationError(Fault("places", f"has more decimal places than the {places} of the column")) from exc

    return write


def _same(value: Decimal) -> Decimal:
    return value
