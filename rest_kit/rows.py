"""What a Query means, in plain Python: the specification that every store must agree with, exactly.

Records go in (dicts of typed values), the query's records come out, as fresh dicts. Nothing here is clever: a store
that is faster has to answer the same, and the conformance suite compares the two.

- A comparison with None is false, `ne` and `notin` included; only `isnull` sees None. `Not` turns plain true or false
  round, so `Not(Filter("a", "gt", 5))` holds where `a` is None.
- None is smaller than everything; text is ordered by code point; false sorts before true.
- Ignoring case compares folded text (see `fold`). Text operators are literal: there are no wildcards, and the empty
  text is in every text.
- The primary key is the last tie-break, so that an order is total and a page can begin behind any record.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from rest_kit.errors import Fault, InvalidQuery, RecordNotFound, did_you_mean
from rest_kit.models.model import Model
from rest_kit.query import OPERATORS, All, Filter, Not, Order, Page, Query, Result, Search, Where
from rest_kit.types import Pk, Record


def fold(text: str) -> str:
    """The text with case ignored: each code point lower-cased by itself, `İ` to `i` and every `Σ` to `σ`.

    Code point by code point, as databases do it: `str.lower` alone looks at a `Σ`'s neighbours, and makes two of `İ`.
    """
    if text.isascii():
        return text.lower()
    return text.replace("Σ", "σ").replace("İ", "i").lower()


COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda value, given: bool(value == given),
    "ne": lambda value, given: bool(value != given),
    "gt": lambda value, given: bool(value > given),
    "gte": lambda value, given: bool(value >= given),
    "lt": lambda value, given: bool(value < given),
    "lte": lambda value, given: bool(value <= given),
    "in": lambda value, given: value in given,
    "notin": lambda value, given: value not in given,
    "range": lambda value, given: bool(given[0] <= value <= given[1]),
    "contains": lambda value, given: given in value,
    "icontains": lambda value, given: fold(given) in fold(value),
    "startswith": lambda value, given: value.startswith(given),
    "istartswith": lambda value, given: fold(value).startswith(fold(given)),
    "endswith": lambda value, given: value.endswith(given),
    "iendswith": lambda value, given: fold(value).endswith(fold(given)),
    "iexact": lambda value, given: fold(value) == fold(given),
}
"""What each operator but `isnull` asks of a value that is there, and of the value or values given."""


def matches(where: Where | None, record: Mapping[str, Any]) -> bool:
    """Whether the record fulfils the conditions, as every record does where there are none (InvalidQuery)."""
    if where is None:
        return True
    if isinstance(where, Filter):
        return _holds(where, record[where.field])
    if isinstance(where, Not):
        return not matches(where.part, record)
    return (all if isinstance(where, All) else any)(matches(part, record) for part in where.parts)


def within(scope: Where | None, record: Record, pk: Pk) -> Record:
    """The record with that primary key, if it is within the scope (RecordNotFound)."""
    # PERF: benchmarks/policies.py: most scopes are one field that equals one value
    if type(scope) is Filter and scope.op == "eq":
        if scope.value is not None and record[scope.field] == scope.value:
            return record
    elif matches(scope, record):
        return record
    raise RecordNotFound(pk)


def _holds(condition: Filter, value: Any) -> bool:
    if condition.op == "isnull":
        return (value is None) is bool(condition.value)
    compare = COMPARISONS.get(condition.op)
    if compare is None:
        raise unknown_operator(condition.op)
    return value is not None and condition.value is not None and compare(value, condition.value)


def unknown_operator(name: str) -> InvalidQuery:
    """The refusal of an operator that does not exist, naming the nearest one."""
    return InvalidQuery(Fault("operator", f"there is no operator {name!r}{did_you_mean(name, OPERATORS)}"))


def found(search: Search | None, record: Mapping[str, Any]) -> bool:
    """Whether every word occurs, ignoring case, in at least one of the fields; a null field holds no word."""
    if search is None:
        return True
    texts = [fold(record[name]) for name in search.fields if record[name] is not None]
    return all(any(fold(word) in text for text in texts) for word in search.words)


def rank(value: Any) -> tuple[bool, Any]:
    """The value as something comparable, None before everything else."""
    return (value is not None, value)


def sort(records: Iterable[Record], order: Sequence[Order]) -> list[Record]:
    """The records in that order; those that tie in all of its keys stay as they came."""
    ordered = list(records)
    for key in reversed(order):
        ordered.sort(key=lambda record: rank(record[key.field]), reverse=key.descending)
    return ordered


def behind(record: Mapping[str, Any], place: Sequence[Any], order: Sequence[Order]) -> bool:
    """Whether the record comes strictly after the place that these values of the order's fields stand for."""
    for key, given in zip(order, place, strict=True):
        own, other = rank(record[key.field]), rank(given)
        if own != other:
            return (own < other) if key.descending else (own > other)
    return False


def ahead(record: Mapping[str, Any], place: Sequence[Any], order: Sequence[Order]) -> bool:
    """Whether the record comes strictly before the place."""
    return behind(record, place, [Order(key.field, not key.descending) for key in order])


def cut(records: Sequence[Record], page: Page, order: Sequence[Order]) -> tuple[list[Record], bool]:
    """The page's part of the ordered records, and whether more follow in the direction of reading.

    With `before` the page is read backwards, from `after` or else from the end, and turned round again.
    """
    side = ahead if page.before else behind
    rest = list(records) if page.after is None else [r for r in records if side(r, page.after, order)]
    if page.before:
        rest.reverse()
    rest = rest[page.offset :]
    taken = rest if page.limit is None else rest[: page.limit]
    return (taken[::-1] if page.before else taken), len(rest) > len(taken)


def project(record: Mapping[str, Any], names: Iterable[str]) -> Record:
    """A fresh record of exactly these fields, in this order, that shares nothing with the one given."""
    return {name: copy.deepcopy(record[name]) for name in names}


def find(records: Iterable[Record], query: Query, model: Model) -> Result:
    """What the query finds among the records, which hold every field of the model."""
    order = model.full_order(query.order)
    chosen = [r for r in records if matches(query.where, r) and found(query.search, r)]
    taken, more = cut(sort(chosen, order), query.page, order)
    names = model.names if query.fields is None else query.fields
    return Result([project(r, names) for r in taken], more, len(chosen) if query.total else None)
