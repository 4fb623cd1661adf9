"""Many records in one request: what is wrong with any of them is told with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rest_kit.errors import Conflict, ValidationError
from rest_kit.models.faults import MAX_FAULTS


def each_at(data: Iterable[Any], make: Callable[[int, Any], Any]) -> list[Any]:
    """What `make` makes of every place and element; faults of all of them are raised together, with their places."""
    made, faults = [], []
    for place, one in enumerate(data):
        try:
            made.append(make(place, one))
        except ValidationError as exc:
            faults += [fault.under(place) for fault in exc.faults]
            if len(faults) >= MAX_FAULTS:
                break
        except Conflict as exc:
            raise Conflict(exc.detail, code=exc.code, fields=exc.fields, index=place) from exc
    if faults:
        raise ValidationError(faults)
    return made
