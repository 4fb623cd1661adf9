"""Rules over a whole object: which fields must be unique together, and users' functions over the record."""

from __future__ import annotations

from collections.abc import Callable

import marshmallow

from rest_kit.errors import Fault, ValidationError
from rest_kit.models.faults import faults_of
from rest_kit.types import Record

ObjectRule = Callable[[Record], object]
"""Takes the whole record; fails by returning False, or by raising ValueError or a ValidationError."""


class UniqueTogether:
    """No two records share the values of all these fields at once (nulls aside); the store holds to it."""

    def __init__(self, *fields: str) -> None:
        self.fields = fields

    def __repr__(self) -> str:
        return f"UniqueTogether({', '.join(map(repr, self.fields))})"


def run_rule(rule: ObjectRule, record: Record) -> list[Fault]:
    """What the rule finds wrong with the record."""
    try:
        fine = rule(record) is not False
    except ValidationError as exc:
        return exc.faults
    except marshmallow.ValidationError as exc:
        return faults_of({exc.field_name: exc.messages})
    except ValueError as exc:
        return [Fault("invalid", str(exc))]
    return [] if fine else [Fault("invalid", "the object is not valid")]
