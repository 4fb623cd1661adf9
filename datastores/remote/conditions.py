"""Conditions brought into the form that APIs can say: a list of plain ones that must all hold.

Negations are pushed inwards, where they turn into the opposite operator (or null, as a comparison with null is false);
alternatives of one field become `in`; of several bounds the narrowest stays. What cannot be put so stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any as Anything
from typing import Final

from rest_kit.models import Model
from rest_kit.query import All, Any, Filter, Not, Order, Where

OPPOSITES: Final = {
    "eq": "ne",
    "ne": "eq",
    "in": "notin",
    "notin": "in",
    "gt": "lte",
    "lte": "gt",
    "lt": "gte",
    "gte": "lt",
}
NARROWEST: Final = {"gt": max, "gte": max, "lt": min, "lte": min}


def conjuncts(where: Where | None, model: Model) -> list[Where]:
    """The conditions that must all hold, as plain as they can be put; none of them is an `All`."""
    return [] if where is None else _narrowed(_flat(positive(where, model)))


def positive(where: Where, model: Model, *, negated: bool = False) -> Where:
    """The same condition (or its opposite) with no negation left but those that no operator has."""
    if isinstance(where, Not):
        return positive(where.part, model, negated=not negated)
    if isinstance(where, Filter):
        return _opposite(where, model) if negated else _plain(where)
    parts = [positive(part, model, negated=negated) for part in where.parts]
    if isinstance(where, All) is not negated:
        return All(*parts)
    return _one_of(parts) or Any(*parts)


def _plain(condition: Filter) -> Filter:
    if condition.op == "notin" and not condition.value:
        return Filter(condition.field, "isnull", False)
    return condition


def _opposite(condition: Filter, model: Model) -> Where:
    name, op, value = condition.field, condition.op, condition.value
    if op == "isnull":
        return Filter(name, op, not value)
    if op not in OPPOSITES or value is None:
        return Not(condition)
    turned = _plain(Filter(name, OPPOSITES[op], value))
    return Any(turned, Filter(name, "isnull", True)) if model.by_name[name].nullable else turned


def _one_of(parts: Sequence[Where]) -> Filter | None:
    """Alternatives of one field's values as one `in`; None where they are anything else."""
    values: list[Anything] = []
    for part in parts:
        if not isinstance(part, Filter) or part.op not in ("eq", "in") or part.value is None:
            return None
        values += part.value if part.op == "in" else [part.value]
    names = {part.field for part in parts if isinstance(part, Filter)}
    return Filter(names.pop(), "in", tuple(dict.fromkeys(values))) if len(names) == 1 else None


def _flat(where: Where) -> Iterator[Where]:
    if isinstance(where, All):
        for part in where.parts:
            yield from _flat(part)
    else:
        yield where


def _narrowed(parts: Iterable[Where]) -> list[Where]:
    """Without doubles, and with the narrowest alone of several bounds on one side."""
    kept: list[Where] = []
    places: dict[tuple[str, str], int] = {}
    for part in parts:
        if isinstance(part, Filter) and part.op in NARROWEST and part.value is not None:
            place = places.setdefault((part.field, part.op), len(kept))
            if place < len(kept):
                known = kept[place]
                assert isinstance(known, Filter)
                kept[place] = Filter(part.field, part.op, NARROWEST[part.op](known.value, part.value))
                continue
        if part not in kept:
            kept.append(part)
    return kept


def hopeless(parts: Iterable[Where]) -> bool:
    """Whether one of the conditions can hold for no record at all."""
    return any(
        (isinstance(part, Any) and not part.parts) or (isinstance(part, Filter) and part.op == "in" and not part.value)
        for part in parts
    )


def turned(order: Sequence[Order]) -> tuple[Order, ...]:
    """The same order read from its end."""
    return tuple(Order(key.field, not key.descending) for key in order)


def ranges(order: Sequence[Order], place: Sequence[Anything], model: Model) -> list[All]:
    """What lies strictly behind a place, as conditions one after another: all of each comes before all of the next."""
    found: list[All] = []
    for depth in reversed(range(len(order))):
        ties = [_equal(key, value) for key, value in zip(order[:depth], place[:depth], strict=True)]
        found += [All(*ties, beyond) for beyond in _beyond(order[depth], place[depth], model)]
    return found


def _equal(key: Order, value: Anything) -> Filter:
    return Filter(key.field, "isnull", True) if value is None else Filter(key.field, "eq", value)


def _beyond(key: Order, value: Anything, model: Model) -> list[Filter]:
    """What comes behind a value of one key; null is smaller than everything."""
    if not key.descending:
        return [Filter(key.field, "isnull", False) if value is None else Filter(key.field, "gt", value)]
    if value is None:
        return []
    null = [Filter(key.field, "isnull", True)] if model.by_name[key.field].nullable else []
    return [Filter(key.field, "lt", value), *null]
