"""What every part of the conformance suite stands on: how to make a store, and how to compare it with the reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from unittest import mock

import msgspec
import pytest

from rest_kit import rows as reference
from rest_kit.errors import ReadOnly, Unsupported
from rest_kit.models import Model
from rest_kit.query import Order, Page, Query, Result
from rest_kit.store import DataStore, Tx
from rest_kit.types import Pk, Record

T = TypeVar("T")


class StoreSuite:
    """The author's side of the suite: how a store of theirs is made, and made again."""

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        """A store over a new, separate place that holds these rows, bound to the model, with these options.

        `rows` are typed and hold every field, generated keys included, ascending. Options that are asked for:
        `events=False`, and `retention=<int>` where the store claims events.
        """
        raise NotImplementedError(f"{type(self).__name__}.make_store")

    def reopen(self, store: DataStore) -> DataStore:
        """The same place opened afresh, as after a restart; unless overridden, the store closed and used again."""
        store.close()
        return store

    def later(self, seconds: float) -> AbstractContextManager[object]:
        """As if so many seconds had gone by; unless overridden, for a store that asks Python's `time.time`."""
        return mock.patch("time.time", lambda now=time.time: now() + seconds)


def person(name: str, **more: Any) -> Record:
    """A record of `person_model` without a key."""
    return {"name": name, "nick": None, "age": None, "score": None, **more}


def insert(store: DataStore, records: Iterable[Record]) -> list[Record]:
    """Insert in a transaction of its own."""
    given = list(records)
    return store.atomic(lambda tx: tx.insert(given))


def update(store: DataStore, pk: Pk, record: Record) -> Record:
    """Update in a transaction of its own."""
    return store.atomic(lambda tx: tx.update(pk, record))


def delete(store: DataStore, pk: Pk) -> None:
    """Delete in a transaction of its own."""
    store.atomic(lambda tx: tx.delete(pk))


def everything(store: DataStore) -> list[Record]:
    """All records, by primary key."""
    return store.find(Query()).records


def place(record: Record, order: Sequence[Order]) -> tuple[Any, ...]:
    """Where a record stands in a full order: what a page's `after` holds."""
    return tuple(record[key.field] for key in order)


def agree(found: Result, expected: Result, what: object) -> None:
    """Fail unless two results are the same: records, types, order of fields, more and total."""
    if _exact(found) != _exact(expected):
        raise AssertionError(f"{what}\n  expected {_shown(expected)}\n  found    {_shown(found)}")


def _shown(result: Result) -> str:
    return f"more={result.more} total={result.total} {result.records!r:.2000}"


def _exact(result: Result) -> Any:
    return ([exact(record) for record in result.records], result.more, result.total)


def exact(value: Any) -> Any:
    """A value in a form that tells 1 from 1.0 and True, 0.0 from -0.0, and one order of keys from another."""
    if isinstance(value, dict):
        return (type(value), [(key, exact(item)) for key, item in value.items()])
    if isinstance(value, list):
        return (type(value), [exact(item) for item in value])
    return (type(value), repr(value))


def same(found: Any, expected: Any, what: object = "") -> None:
    """Fail unless two values are the same, types included."""
    if exact(found) != exact(expected):
        raise AssertionError(f"{what}\n  expected {expected!r:.2000}\n  found    {found!r:.2000}")


def check(store: DataStore, model: Model, rows: Sequence[Record], query: Query) -> None:
    """Fail unless the store answers the query as the reference answers it over `rows`, in a transaction too.

    A store that claims no totals is asked for none.
    """
    query = msgspec.structs.replace(query, total=query.total and store.capabilities.total)
    expected = reference.find(rows, query, model)
    agree(store.find(query), expected, query)
    if store.capabilities.writable:
        agree(store.atomic(lambda tx: tx.find(query)), expected, f"in a transaction: {query}")


def refuses_writes(store: DataStore) -> bool:
    """False for a store that can be written; for any other, having made sure that it refuses every write."""
    if store.capabilities.writable:
        return False
    assert store.capabilities.why_not, "a store that is not writable says why in capabilities.why_not"
    record = everything(store)[:1]
    works: list[Callable[[Tx], object]] = [
        lambda tx: tx.insert(record),
        lambda tx: tx.update(1, {}),
        lambda tx: tx.delete(1),
    ]
    for work in works:
        with pytest.raises(ReadOnly):
            store.atomic(work)
    return True


def refuses_transactions(store: DataStore) -> bool:
    """False for a store that keeps several writes together; for any other, having made sure that it refuses a second.

    What such a store refuses it has not begun: the first write is not done either. There must be a record.
    """
    if store.capabilities.transactions:
        return False
    before = everything(store)
    key = store.model.pk

    def two(tx: Tx) -> None:
        assert key is not None
        tx.delete(before[0][key.name])
        tx.insert([{name: value for name, value in before[0].items() if name != key.name}])

    with pytest.raises(Unsupported):
        store.atomic(two)
    same(everything(store), before, "a part of a refused transaction was kept")
    return True


def pages_of(store: DataStore, size: int, order: tuple[Order, ...] = (), limit: int = 1000) -> list[list[Record]]:
    """All pages by offset."""
    pages = []
    for number in range(limit):
        result = store.find(Query(order=order, page=Page(size, offset=number * size)))
        pages.append(result.records)
        if not result.more:
            return pages
    raise AssertionError("`more` never ends")
