"""The texts that queries become: found by index, compiled once a shape, bounded in number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datastores.sqlite import SQLiteDataStore
from datastores.sqlite.database import Database
from rest_kit.query import All, Filter, Not, Order, Page, Query
from tests.datastores.sqlite_samples import add, open_store, path, store

__all__ = ["path", "store"]


def plans(store: SQLiteDataStore, query: Query) -> list[str]:
    bound = store._opened().statements.bind(query)
    rows = [store._database.rows("EXPLAIN QUERY PLAN " + text, bound.parameters) for text in bound.plan.reads]
    return [step[3] for steps in rows for step in steps]


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("after", [(30, 5), (None, 5)])
@pytest.mark.parametrize("order", [(Order("age"),), (Order("age", True),), (Order("age", True), Order("id", True))])
def test_a_keyset_page_seeks_in_the_index(path: Path, order: Any, after: Any, before: bool) -> None:
    store = open_store(path, indexes=["age"])
    query = Query(order=order, page=Page(5, after=after, before=before))
    assert all(
        step.startswith(("SEARCH t USING INDEX", "USE TEMP B-TREE FOR RIGHT PART")) for step in plans(store, query)
    )


@pytest.mark.parametrize("limit", [0, 1, 4, 5, 6, None])
@pytest.mark.parametrize("offset", [0, 1, 4, 5, 6])
@pytest.mark.parametrize("before", [False, True])
def test_the_total_is_the_same_whether_counted_or_told_by_the_page(
    store: SQLiteDataStore, limit: int | None, offset: int, before: bool
) -> None:
    add(store, *"abcde")
    for after in (None, (2,)):
        query = Query(page=Page(limit, offset, after, before), total=True)
        assert store.find(query).total == 5


def test_one_shape_is_compiled_once(store: SQLiteDataStore) -> None:
    statements = store._opened().statements
    for value in range(1000):
        where = All(Filter("age", "gte", value), Not(Filter("name", "in", (str(value), "x"))))
        store.find(Query(where=where, page=Page(value + 1)))
    assert len(statements._plans) == 1


def test_shapes_are_bounded_in_number(store: SQLiteDataStore) -> None:
    statements = store._opened().statements
    for count in range(600):
        store.find(Query(where=Filter("age", "in", tuple(range(count)))))
    assert len(statements._plans) <= 512


def test_deep_and_wide_conditions_are_answered(store: SQLiteDataStore) -> None:
    add(store, "Ada")
    wide = All(*[Filter("age", "isnull", True)] * 3000)
    assert len(store.find(Query(where=wide)).records) == 1


def test_the_database_is_forgotten_with_its_last_store(tmp_path: Path) -> None:
    store = open_store(tmp_path / "short.db")
    store.ping()
    key = (str(tmp_path / "short.db"), False, 5.0)
    assert key in Database._known
    del store
    assert key not in Database._known
