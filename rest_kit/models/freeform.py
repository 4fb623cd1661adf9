"""JSON values without a model: what a list without an item field, or a dict field, may hold.

Always a fresh copy, made of dict, list, str, 64-bit int, finite float, bool and None.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from rest_kit.jsonio import MAX_DEPTH
from rest_kit.models import coercion, scalars


def free_json(value: Any, room: int = MAX_DEPTH) -> Any:
    """The value as plain JSON of its own; dates, UUIDs and exact numbers become text or floats (ValueError)."""
    leaf = _LEAVES.get(type(value))
    if leaf is not None:
        return leaf(value)
    if room == 0:
        raise ValueError(f"values nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {_name(name): free_json(inner, room - 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [free_json(inner, room - 1) for inner in value]
    raise ValueError(f"a value of type {type(value).__name__}, which JSON does not know")


def _name(name: Any) -> str:
    if type(name) is not str:
        raise ValueError("an object with a name that is not a string")
    return scalars.parse_string(name)


def _same(value: Any) -> Any:
    return value


_LEAVES: Final[dict[type, Callable[[Any], Any]]] = {
    str: scalars.parse_string,
    int: coercion.to_integer,
    float: coercion.to_float,
    bool: _same,
    type(None): _same,
    Decimal: coercion.to_float,
    datetime.date: datetime.date.isoformat,
    datetime.datetime: lambda moment: scalars.format_datetime(coercion.to_datetime(moment)),
    uuid.UUID: str,
}
