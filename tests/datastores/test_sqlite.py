"""Opening SQLite's files and tables: made, refused, inferred again; hostile names and values; read-only."""

from __future__ import annotations

import datetime
import os
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from datastores.sqlite import SQLiteDataStore, list_tables
from rest_kit import models
from rest_kit.errors import (
    ConfigurationError,
    ReadOnly,
    RecordNotFound,
    StoreCorrupt,
    StoreUnavailable,
    ValidationError,
)
from rest_kit.query import Filter, Order, Query
from tests.datastores.sqlite_samples import add, names, open_store, path, sql, store

__all__ = ["path", "store"]


def test_construction_names_every_mistake_and_does_no_io(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SQLiteDataStore({"name": "x.db", "tabel": "t"}, {"evnts": True, "retention": "much"})
    assert len(caught.value.problems) == 4
    assert "did you mean 'table'?" in caught.value.problems[0]
    open_store(tmp_path / "nowhere" / "data.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("resource", "options"),
    [
        ({"name": ":memory:", "table": "t"}, {}),
        ({"name": "", "table": "t"}, {}),
        ({"name": "x.db", "table": "sqlite_master"}, {}),
        ({"name": "x.db", "table": "_rest_kit_events"}, {}),
        ({"name": "x.db", "table": "a\0b"}, {}),
        ({"name": "x.db", "table": "t"}, {"retention": 0}),
        ({"name": "x.db", "table": "t"}, {"indexes": [1]}),
        ("x.db", {}),
    ],
)
def test_what_cannot_be_meant_is_refused(resource: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        SQLiteDataStore(resource, options)


def test_an_index_on_an_unknown_field_is_refused_when_the_model_is_known(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'name'"):
        open_store(path, indexes=["nmae"])
    assert not path.exists()


def test_file_and_table_are_made_from_the_model(path: Path, store: SQLiteDataStore) -> None:
    assert store.find(Query(total=True)).total == 0
    assert sql(path, "PRAGMA journal_mode") == [("wal",)]
    assert [row[1:4] for row in sql(path, "PRAGMA table_info(people)")] == [
        ("id", "INTEGER", 0),
        ("name", "TEXT", 1),
        ("age", "INTEGER", 0),
    ]


def test_every_kind_keeps_its_value_and_is_found_again_without_the_model(path: Path) -> None:
    class Everything(models.Model):
        fields = (
            models.PkField("id"),
            models.StringField("text"),
            models.FloatField("number"),
            models.DecimalField("price", digits=10, places=2),
            models.DecimalField("exact"),
            models.BooleanField("yes"),
            models.DateField("day"),
            models.DateTimeField("moment"),
            models.UUIDField("tag"),
            models.DictField("extra"),
        )

    given = {
        "text": "a\r\n' \" %",
        "number": 0.1,
        "price": Decimal("0.10"),
        "exact": Decimal("1.10"),
        "yes": True,
        "day": datetime.date(1, 1, 1),
        "moment": datetime.datetime(1999, 12, 31, 23, 59, 59, 1, tzinfo=datetime.UTC),
        "tag": uuid.UUID(int=1),
        "extra": {"a": [1, None, "x"]},
    }
    bound = open_store(path, "things", Everything())
    stored = bound.atomic(lambda tx: tx.insert([given, dict.fromkeys(given)]))[0]
    assert stored == {"id": 1, **given}
    assert str(stored["exact"]) == "1.10"
    inferred = SQLiteDataStore({"name": path, "table": "things"})
    assert inferred.get(1) == stored
    assert [field.kind for field in inferred.model.fields] == [field.kind for field in Everything().fields]
    assert inferred.get(2) == {"id": 2, **dict.fromkeys(given)}


def test_indexes_that_are_asked_for_are_made_once_and_used(path: Path) -> None:
    for _ in range(2):
        open_store(path, indexes=["name"]).ping()
    assert len(sql(path, "PRAGMA index_list(people)")) == 1
    store = open_store(path)
    bound = store._opened().statements.bind(Query(where=Filter("name", "eq", "Ada")))
    plan = store._database.rows("EXPLAIN QUERY PLAN " + bound.plan.reads[0], bound.parameters)
    assert "USING INDEX" in plan[0][3]


def test_missing_places_are_unavailable_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_store(tmp_path / "nowhere" / "data.db").find(Query())
    with pytest.raises(StoreUnavailable, match="no model"):
        SQLiteDataStore({"name": tmp_path / "data.db", "table": "t"}).find(Query())
    with pytest.raises(StoreUnavailable, match="read_only"):
        open_store(tmp_path / "data.db", read_only=True).find(Query())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_table_is_named_with_the_nearest(path: Path, store: SQLiteDataStore) -> None:
    store.ping()
    with pytest.raises(StoreUnavailable, match="did you mean 'people'"):
        SQLiteDataStore({"name": path, "table": "peple"}).find(Query())


def test_list_tables_leaves_out_what_is_not_the_users(path: Path, store: SQLiteDataStore) -> None:
    add(store, "Ada")
    sql(path, "CREATE VIEW elders AS SELECT * FROM people WHERE age > 80")
    assert list_tables(path) == ["elders", "people"]


def test_a_file_that_is_no_database_is_corrupt_and_left_alone(path: Path, store: SQLiteDataStore) -> None:
    path.write_bytes(b"name,age\nAda,36\n" * 100)
    for _ in range(2):
        with pytest.raises(StoreCorrupt):
            store.find(Query())
    assert path.read_bytes() == b"name,age\nAda,36\n" * 100


HOSTILE = ["'; DROP TABLE people; --", '" OR 1=1 --', "%", "_", "\\", "?1", ":name", "]", "`", "naïve 𝔸", "a\nb", ""]


def test_values_are_never_taken_for_sql(store: SQLiteDataStore) -> None:
    add(store, *HOSTILE)
    for name in HOSTILE:
        found = store.find(Query(where=Filter("name", "eq", name))).records
        assert [record["name"] for record in found] == [name]
        assert len(store.find(Query(where=Filter("name", "in", (name, "x")))).records) == 1
        expected = [other for other in HOSTILE if name in other]
        contained = store.find(Query(where=Filter("name", "contains", name))).records
        assert [record["name"] for record in contained] == expected


def test_names_are_never_taken_for_sql(path: Path) -> None:
    hostile = ["order", 'a"b', "naïve", "x' --", "select", "[z]", "t", "a b", "?1", "rowid"]
    model = models.Model.of("Odd", [models.PkField("id"), *[models.StringField(name) for name in hostile]])
    store = open_store(path, 'ta"ble; DROP', model, indexes=hostile)
    record = {name: name.upper() for name in hostile}
    assert store.atomic(lambda tx: tx.insert([record, record])[1]) == {"id": 2, **record}
    for name in hostile:
        query = Query(where=Filter(name, "eq", name.upper()), order=(Order(name, True),), fields=(name,))
        assert store.find(query).records == [{name: name.upper()}] * 2
    assert store.atomic(lambda tx: tx.update(1, {'a"b': "new"}))['a"b'] == "new"
    assert SQLiteDataStore({"name": path, "table": 'ta"ble; DROP'}).get(1)["order"] == "ORDER"


def test_a_column_that_vanished_is_not_served_as_its_own_name(path: Path, store: SQLiteDataStore) -> None:
    add(store, "Ada")
    sql(path, "ALTER TABLE people RENAME COLUMN age TO years")
    with pytest.raises(StoreUnavailable):
        store.find(Query())
    with pytest.raises(StoreCorrupt, match="no column for 'age'"):
        store.find(Query())
    sql(path, "ALTER TABLE people RENAME COLUMN years TO age")
    assert names(store) == ["Ada"]


def test_numbers_beyond_64_bits_compare_and_never_crash(store: SQLiteDataStore) -> None:
    add(store, "Ada")
    store.atomic(lambda tx: tx.update(1, {"age": 2**63 - 1}))
    for huge in (2**63, 10**400):
        assert store.find(Query(where=Filter("age", "eq", huge))).records == []
        assert len(store.find(Query(where=Filter("age", "lt", huge))).records) == 1
        assert len(store.find(Query(where=Filter("age", "gt", -huge))).records) == 1
        with pytest.raises(RecordNotFound):
            store.get(huge)
    with pytest.raises(ValidationError):
        store.atomic(lambda tx: tx.update(1, {"age": 2**63}))


def test_a_key_of_another_type_is_no_key(store: SQLiteDataStore) -> None:
    add(store, "Ada")
    for pk in ("1", True, 1.0):
        with pytest.raises(RecordNotFound):
            store.get(pk)  # type: ignore[arg-type]


def test_read_only_changes_nothing_and_refuses_before_work_begins(path: Path, store: SQLiteDataStore) -> None:
    add(store, "Ada")
    store.close()
    sql(path, "PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    reader = open_store(path, read_only=True, indexes=["age"])
    assert names(reader) == ["Ada"]
    assert not reader.capabilities.writable
    with pytest.raises(ReadOnly):
        reader.atomic(lambda tx: pytest.fail("work was begun"))
    reader.close()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
