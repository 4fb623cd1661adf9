"""A CHECK of somebody's table that fails is told by the fields that it is about, as far as SQLite tells the rule."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datastores import SQLiteDataStore
from rest_kit.errors import ValidationError
from rest_kit.models import IntegerField
from rest_kit.types import Record

SCHEMA = """
CREATE TABLE things (
    id INTEGER PRIMARY KEY,
    low INTEGER CHECK (low > 0),
    high INTEGER, -- CONSTRAINT ordered CHECK (nothing)
    "odd name" TEXT CHECK ("odd name" <> 'low'),
    CONSTRAINT ordered CHECK (low < high AND (high < 100)),
    CONSTRAINT "a quoted one" CHECK ([odd name] IS NULL OR high > 1),
    CONSTRAINT blind CHECK (1 > 0)
);
CREATE TABLE more (thing INTEGER PRIMARY KEY REFERENCES things ON DELETE CASCADE, code TEXT);
CREATE TABLE keyed (code TEXT PRIMARY KEY NOT NULL REFERENCES other (code));
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "things.db"
    with closing(sqlite3.connect(found)) as connection:
        connection.executescript(SCHEMA)
    return found


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ({"low": 0}, ["low"]),
        ({"low": 5, "high": 4}, ["low", "high"]),
        ({"low": 5, "high": 400}, ["low", "high"]),
        ({"odd name": "low"}, ["odd name"]),
        ({"high": 1, "odd name": "x"}, ["high", "odd name"]),
    ],
)
def test_the_fields_are_named(path: Path, record: Record, fields: list[str]) -> None:
    store = SQLiteDataStore({"name": path, "table": "things"})
    with pytest.raises(ValidationError) as refused:
        store.atomic(lambda tx: tx.insert([{"low": None, "high": None, "odd name": None, **record}]))
    assert [fault.path for fault in refused.value.faults] == [(0, name) for name in fields]
    assert {fault.code for fault in refused.value.faults} == {"invalid"}


def test_a_key_that_refers_to_another_is_brought_and_says_so(path: Path) -> None:
    things, more = (SQLiteDataStore({"name": path, "table": table}) for table in ("things", "more"))
    key = more.model.pk
    assert isinstance(key, IntegerField)
    assert (key.generated, key.references, key.on_delete) == (False, "things.id", "cascade")
    assert more.refers_to("things.id", things)
    [thing] = things.atomic(lambda tx: tx.insert([{"low": 1, "high": 2}]))
    assert more.atomic(lambda tx: tx.insert([{"thing": thing["id"], "code": "x"}]))[0]["thing"] == thing["id"]
    keyed = SQLiteDataStore({"name": path, "table": "keyed"}).model.pk
    assert keyed is not None
    assert keyed.references == "other.code"
