"""How the values of one model become those of another: as they are, or by way of their text where nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from rest_kit.errors import did_you_mean
from rest_kit.models import Field, Model
from rest_kit.types import MISSING, Kind

Carry = Callable[[Any], Any]
"""A value of the source's as one of the target's (ValueError where it cannot be one)."""

_WIDER: Final[Mapping[Kind, frozenset[Kind]]] = {
    Kind.INTEGER: frozenset({Kind.FLOAT, Kind.DECIMAL}),
    Kind.FLOAT: frozenset({Kind.DECIMAL}),
    Kind.DECIMAL: frozenset({Kind.FLOAT}),
}
"""Which kinds of number may go into a field of which other kind, as far as the number is the same there."""


class Carries(NamedTuple):
    """What is carried over by field, None for what goes as it is; what cannot be; which key is made anew instead."""

    fields: Mapping[str, Carry | None]
    problems: Sequence[str]
    left: str | None = None


def carries(source: Model, target: Model) -> Carries:
    """How records of one model become records of another."""
    left = _key_left_behind(source, target)
    fields: dict[str, Carry | None] = {}
    problems = []
    for name, field in source.by_name.items():
        if name == left:
            continue
        if name not in target.by_name:
            problems.append(f"the target has no field {name!r}{did_you_mean(name, target.names)}")
        elif not can_carry(field, target.by_name[name]):
            kinds = f"{field.kind.value}, and cannot be carried over into {target.by_name[name].kind.value}"
            problems.append(f"{name!r} is {kinds}")
        else:
            fields[name] = carry_of(field, target.by_name[name])
    others = [field for field in target.fields if field.name not in source.by_name]
    lacking = [field.name for field in others if _must_come(field, target)]
    problems += [f"the target needs {name!r}, which the source has not" for name in lacking]
    return Carries(fields, problems, left)


def _key_left_behind(source: Model, target: Model) -> str | None:
    """The source's key, where it is a mere number, the target has no such field, and makes keys itself."""
    assert source.pk is not None
    assert target.pk is not None
    anew = source.pk.generated and target.pk.generated and source.pk.name not in target.by_name
    return source.pk.name if anew else None


def _must_come(field: Field, model: Model) -> bool:
    if field is model.pk:
        return not field.generated
    return not field.nullable and field.default is MISSING and not field.read_only


def can_carry(source: Field, target: Field) -> bool:
    """Whether values of one field may go into another, as far as their kinds tell."""
    if source.kind is target.kind:
        return True
    if not (source.kind.is_scalar and target.kind.is_scalar):
        return False
    return Kind.STRING in (source.kind, target.kind) or target.kind in _WIDER.get(source.kind, ())


def carry_of(source: Field, target: Field) -> Carry | None:
    """How values of one field become those of another that can carry them; None where they go as they are."""
    if source.kind is target.kind:
        return None if source.kind.is_scalar else lambda value: target.coerce(source.to_stored(value))
    if target.kind is Kind.STRING:
        return source.format
    if source.kind is Kind.STRING:
        return lambda value: _read(target, value)
    return lambda value: _same_number(value, target.parse(source.format(value)))


def _read(target: Field, text: str) -> Any:
    """What a text says, if it is one that such a value is written as."""
    value = target.parse(text)
    if target.kind is Kind.INTEGER and target.format(value) != text:
        raise ValueError("is written otherwise than the number that it would be")
    return value


def _same_number(given: Any, made: Any) -> Any:
    if _exactly(made) != _exactly(given):
        raise ValueError("would not be the same number")
    return made


def _exactly(number: Any) -> Decimal:
    """A number as it is written; a float in its shortest digits."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
