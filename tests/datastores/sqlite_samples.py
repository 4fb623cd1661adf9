"""What the tests of the SQLite store share: a model, a store of it, and another program over the same file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datastores.sqlite import SQLiteDataStore
from rest_kit import models
from rest_kit.query import Query
from rest_kit.types import Record


class Person(models.Model):
    fields = (
        models.PkField("id"),
        models.StringField("name", required=True),
        models.IntegerField("age"),
    )


def open_store(path: Path, table: str = "people", model: models.Model | None = None, **options: Any) -> SQLiteDataStore:
    store = SQLiteDataStore({"name": path, "table": table}, options)
    store.bind(model or Person())
    return store


def add(store: SQLiteDataStore, *names: str) -> list[Record]:
    return store.atomic(lambda tx: tx.insert([{"name": name, "age": None} for name in names]))


def names(store: SQLiteDataStore) -> list[str]:
    return [record["name"] for record in store.find(Query()).records]


def sql(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements as another program would, and return the rows of the last one."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        return rows
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteDataStore]:
    made = open_store(path)
    yield made
    made.close()
