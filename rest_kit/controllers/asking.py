"""What a controller's own code asks of its resource, in Python's words: `find(completed=False, ordering="-due")`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_kit.errors import did_you_mean
from rest_kit.models import Field, Model
from rest_kit.query import OPERATORS, Arity, Filter, Order, Page, Where, conjoin


def condition(model: Model, where: Where | None, filters: Mapping[str, Any]) -> Where | None:
    """The condition of `field=value` and `field__op=value`, whose values are of the fields' Python types.

    TypeError for what is no field or no operator of it, ValueError for a value that does not fit.
    """
    return conjoin(where, *(_filter(model, name, value) for name, value in filters.items()))


def _filter(model: Model, name: str, value: Any) -> Filter:
    field_name, _, op = (name, "", "eq") if name in model.by_name else name.rpartition("__")
    if field_name not in model.by_name:
        raise TypeError(f"{name}: {model.name} has no such field{did_you_mean(field_name or name, model.names)}")
    field = model.by_name[field_name]
    fitting = [operator.name for operator in OPERATORS.values() if operator.fits(field.kind)]
    if op not in fitting:
        raise TypeError(f"{name}: {field_name} has no such operator{did_you_mean(op, fitting)}")
    return Filter(field_name, op, _value(field, OPERATORS[op].arity, value))


def _value(field: Field, arity: Arity, value: Any) -> Any:
    """The value of a filter as a store expects it (ValueError)."""
    if arity is Arity.BOOLEAN:
        return bool(value)
    if arity is Arity.ONE:
        if value is None:
            raise ValueError(f"{field.name}: nothing compares with None; say {field.name}__isnull=True")
        return field.coerce(value)
    return tuple(field.coerce(one) for one in value)


def at_most(count: int | None) -> Page:
    """As many as this, or with None all of them (ValueError for what is no number of objects)."""
    if count is not None and (type(count) is not int or count < 0):
        raise ValueError(f"count must be 0 or more, or None for all, not {count!r}")
    return Page(count)


def order(model: Model, ordering: str | Sequence[str]) -> tuple[Order, ...]:
    """The order of `"-published,title"`, or of a list of such keys (ValueError for what cannot be ordered by)."""
    keys = ordering.split(",") if isinstance(ordering, str) else ordering
    found = tuple(Order(key.removeprefix("-"), key.startswith("-")) for key in keys if key)
    able = [name for name, field in model.by_name.items() if field.kind.is_scalar]
    for key in found:
        if key.field not in able:
            raise ValueError(f"{model.name} cannot be ordered by {key.field!r}{did_you_mean(key.field, able)}")
    return found
