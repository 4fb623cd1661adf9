"""Many records in one request: what is wrong with any of them is told with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rest_kit.errors import Conflict, Fault, ValidationError
from rest_kit.models.faults import MAX_FAULTS
from rest_kit.store import Tx
from rest_kit.types import Record


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


def insert_one(tx: Tx, record: Record) -> Record:
    """Insert a record that is no part of a batch, so that errors point into it alone (Conflict, ValidationError)."""
    try:
        return tx.insert([record])[0]
    except Conflict as exc:
        raise Conflict(exc.detail, code=exc.code, fields=exc.fields) from exc
    except ValidationError as exc:
        raise ValidationError(map(outside_batch, exc.faults)) from exc


def outside_batch(fault: Fault) -> Fault:
    """The fault of a batch's first object as that of the object itself."""
    return Fault(fault.code, fault.detail, fault.path[1:]) if fault.path[:1] == (0,) else fault
