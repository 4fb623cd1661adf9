"""What a write to SQLite may contradict, which ids it gives, and which events it leaves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from datastores.sqlite import SQLiteDataStore
from rest_kit import models
from rest_kit.errors import Conflict, CursorGone, KeysUsedUp, StoreUnavailable
from rest_kit.query import Query
from rest_kit.store import Tx
from rest_kit.types import INT64_MAX, Record
from tests.datastores.sqlite_samples import add, names, open_store, path, sql, store

__all__ = ["path", "store"]


class Child(models.Model):
    fields = (
        models.PkField("id"),
        models.IntForeign("parent", references="people.id"),
        models.StringField("code", unique=True, nullable=False, default="x"),
        models.DecimalField("exact", unique=True),
    )


def child(**fields: Any) -> Record:
    return {"parent": None, "code": "a", "exact": None, **fields}


def test_a_reference_is_held_to_by_the_database(path: Path, store: SQLiteDataStore) -> None:
    children = open_store(path, "children", Child())
    with pytest.raises(StoreUnavailable, match="'people'"):
        children.atomic(lambda tx: tx.insert([child()]))
    add(store, "Ada")
    children.atomic(lambda tx: tx.insert([child(parent=1)]))
    with pytest.raises(Conflict) as caught:
        children.atomic(lambda tx: tx.insert([child(code="b"), child(code="c", parent=7)]))
    assert (caught.value.code, caught.value.fields, caught.value.index) == ("foreign_key", ("parent",), 1)
    with pytest.raises(Conflict) as caught:
        children.atomic(lambda tx: tx.update(1, {"parent": 7}))
    assert caught.value.fields == ("parent",)
    with pytest.raises(Conflict) as caught:
        store.atomic(lambda tx: tx.delete(1))
    assert caught.value.code == "restricted"


def test_decimals_of_one_value_are_not_unique_however_they_are_written(path: Path, store: SQLiteDataStore) -> None:
    add(store, "Ada")
    children = open_store(path, "children", Child())
    children.atomic(lambda tx: tx.insert([child(exact=Decimal("1.10"))]))
    with pytest.raises(Conflict) as caught:
        children.atomic(lambda tx: tx.insert([child(code="b", exact=Decimal("1.1"))]))
    assert (caught.value.fields, caught.value.index) == (("exact",), 0)
    children.atomic(lambda tx: tx.update(1, {"exact": Decimal("1.1")}))


def test_ids_are_not_used_again_in_a_table_of_somebody_elses(path: Path) -> None:
    sql(path, "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER)")
    store = open_store(path)
    assert [record["id"] for record in add(store, "a", "b", "c")] == [1, 2, 3]
    store.atomic(lambda tx: (tx.delete(3), tx.delete(2)))
    store.close()
    again = open_store(path)
    assert [record["id"] for record in add(again, "d")] == [4]
    again.atomic(lambda tx: [tx.delete(pk) for pk in (1, 4)])
    assert [record["id"] for record in add(SQLiteDataStore({"name": path, "table": "people"}), "e")] == [5]


def test_events_lie_in_the_same_file_each_table_numbered_by_itself(path: Path, store: SQLiteDataStore) -> None:
    other = open_store(path, "others")
    add(store, "Ada")
    add(other, "Bob", "Cy")
    add(store, "Dan")
    log, others = store.changes(), other.changes()
    assert log is not None
    assert others is not None
    assert [(event.seq, event.pk) for event in log.read(0)] == [(1, 1), (2, 2)]
    assert [(event.seq, event.after and event.after["name"]) for event in others.read(1)] == [(2, "Cy")]
    assert (log.last(), others.last()) == (2, 2)
    rows = sql(path, "SELECT resource, seq, action, pk, after FROM _rest_kit_events WHERE resource = 'people'")
    assert rows[0] == ("people", 1, "created", 1, '{"id":1,"name":"Ada","age":null}')


def test_the_oldest_events_go_and_a_cursor_behind_them_is_gone(path: Path) -> None:
    store = open_store(path, retention=3)
    add(store, *"abcde")
    log = store.changes()
    assert log is not None
    assert [event.seq for event in log.read(2)] == [3, 4, 5]
    assert log.read(5) == []
    for cursor in (0, 1, 6):
        with pytest.raises(CursorGone):
            log.read(cursor)


def test_no_events_means_no_table(path: Path) -> None:
    store = open_store(path, events=False)
    add(store, "Ada")
    assert store.changes() is None
    assert sql(path, "SELECT name FROM sqlite_master WHERE name LIKE '%rest_kit%'") == []


def test_a_log_in_which_nothing_was_written_is_empty(store: SQLiteDataStore) -> None:
    log = store.changes()
    assert log is not None
    assert (log.read(0), log.last()) == ([], 0)


# --- rules of the database's own --------------------------------------------------------------------------------------


WRITES: dict[str, Callable[[Tx], Any]] = {
    "INSERT": lambda tx: tx.insert([{"name": "Bob", "age": None}]),
    "UPDATE": lambda tx: tx.update(1, {"age": 7}),
    "DELETE": lambda tx: tx.delete(1),
}


@pytest.mark.parametrize("action", ["ABORT, 'secret'", "FAIL, 'secret'", "ROLLBACK, 'secret'", "IGNORE"])
@pytest.mark.parametrize("verb", WRITES)
def test_a_trigger_refuses_a_change(path: Path, store: SQLiteDataStore, verb: str, action: str) -> None:
    before = add(store, "Ada")
    sql(path, f"CREATE TRIGGER no BEFORE {verb} ON people BEGIN SELECT RAISE({action}); END")
    with pytest.raises(Conflict) as caught:
        store.atomic(WRITES[verb])
    assert (caught.value.code, caught.value.fields) == ("refused", ())
    assert "secret" not in str(caught.value)
    assert store.find(Query()).records == before
    log = store.changes()
    assert log is not None
    assert log.last() == 1


@pytest.mark.parametrize("rule", ["", "ON DELETE RESTRICT", "ON DELETE SET NULL"])
def test_whatever_a_reference_does_the_record_that_others_refer_to_stays(
    path: Path, store: SQLiteDataStore, rule: str
) -> None:
    add(store, "Ada")
    sql(path, f"CREATE TABLE c (p INTEGER NOT NULL REFERENCES people (id) {rule})", "INSERT INTO c VALUES (1)")
    with pytest.raises(Conflict) as caught:
        store.atomic(lambda tx: tx.delete(1))
    assert caught.value.code == "restricted"


@pytest.mark.parametrize("create", ["INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"])
def test_the_last_key_is_given_only_once(path: Path, create: str) -> None:
    sql(path, f"CREATE TABLE people (id {create}, name TEXT NOT NULL, age INTEGER)")
    store = open_store(path)
    store.atomic(lambda tx: tx.insert([{"id": INT64_MAX, "name": "last", "age": None}]))
    for _ in range(2):
        with pytest.raises(KeysUsedUp, match="'id'"):
            add(store, "more")
    assert names(store) == ["last"]
