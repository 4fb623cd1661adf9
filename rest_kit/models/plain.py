"""The plain load of a model: one field after the other through marshmallow, gathering every fault at once.

Slower than the compiled load, and the one that says what is wrong; the two must agree on every body.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Any, Final

import marshmallow

from rest_kit.errors import Fault, ValidationError, did_you_mean
from rest_kit.models.faults import faults_of
from rest_kit.models.field import Field
from rest_kit.types import MISSING, Kind, Record

MAX_UNKNOWN: Final = 20
"""How many unknown names are reported: to look for the nearest valid one takes time, which a body must not choose."""


class PlainLoad:
    """Loads bodies for the fields that it was made of; `concealed` are those of which clients must not know."""

    def __init__(self, by_name: Mapping[str, Field], concealed: Collection[str] = ()) -> None:
        self.by_name = by_name
        self.known = frozenset(by_name).difference(concealed)

    def __call__(self, data: Any, *, partial: bool) -> Record:
        """What a client sent, as typed values (ValidationError with every fault)."""
        if type(data) is not dict:
            raise ValidationError(Fault("type", "is not an object"))
        faults = self._misplaced(data)
        now = datetime.datetime.now(datetime.UTC)
        record: Record = {}
        for name, field in self.by_name.items():
            if name in data:
                if field.writable:
                    self._given(field, data[name], record, faults)
            elif not partial and not field.generated:
                self._absent(field, now, record, faults)
        if faults:
            raise ValidationError(faults)
        return record

    def _misplaced(self, data: dict[str, Any]) -> list[Fault]:
        """What was given but may not be: unknown names, and fields that clients never set."""
        faults = [
            Fault("read_only", "cannot be set", (name,))
            for name, field in self.by_name.items()
            if name in data and not field.writable and name in self.known
        ]
        unknown = [name for name in data if name not in self.known]
        valid = [name for name, field in self.by_name.items() if field.writable]
        for name in unknown[:MAX_UNKNOWN]:
            shown = str(name)[:100]
            faults.append(Fault("unknown", f"there is no field {shown!r}{did_you_mean(shown, valid)}", (name,)))
        return faults

    def _given(self, field: Field, value: Any, record: Record, faults: list[Fault]) -> None:
        try:
            record[field.name] = field.deserialize(value)
        except marshmallow.ValidationError as exc:
            faults += faults_of(exc.messages, (field.name,))

    def _absent(self, field: Field, now: datetime.datetime, record: Record, faults: list[Fault]) -> None:
        if field.auto_now or field.auto_now_add:
            record[field.name] = field.at(now)
        elif field.writable and field.required:
            faults.append(Fault("required", str(field.error_messages["required"]), (field.name,)))
        else:
            record[field.name] = None if field.default is MISSING else field.initial()


def assigned(by_name: Mapping[str, Field], values: Mapping[str, Any], was: Mapping[str, Any]) -> Record:
    """Values given to fields by the server's own code, typed or as JSON, as typed values (ValidationError).

    They stand in place of those in `was`.
    """
    record: Record = {}
    faults: list[Fault] = []
    for name, value in values.items():
        if name not in by_name:
            raise LookupError(f"there is no field {name!r}{did_you_mean(name, by_name)}")
        field = by_name[name]
        try:
            record[name] = field.deserialize(_as_json(field, value, was.get(name)))
        except marshmallow.ValidationError as exc:
            faults += faults_of(exc.messages, (name,))
        except ValueError as exc:
            faults.append(Fault("type", str(exc), (name,)))
    if faults:
        raise ValidationError(faults)
    return record


def _as_json(field: Field, value: Any, was: Any) -> Any:
    """A value as a client would send it, if it is of the field's own Python type (ValueError)."""
    typed = isinstance(value, field.kind.python_type) and not (
        isinstance(value, bool) and field.kind is not Kind.BOOLEAN
    )
    return field.as_given(value, was) if typed else value
