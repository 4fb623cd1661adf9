"""One record inserted by itself: stores know batches only, and point into them."""

from __future__ import annotations

from rest_kit.errors import Conflict, Fault, ValidationError
from rest_kit.store import Tx
from rest_kit.types import Record


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
