"""What the tests of the SQL store on servers share: a model, a store of it, and places that are taken away again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datastores import SQLDataStore
from rest_kit import models
from rest_kit.query import Query
from rest_kit.store import Tx
from rest_kit.types import Record
from tests.servers import Place, places

ROOT = Path(__file__).parents[2]


class Person(models.Model):
    fields = (
        models.PkField("id"),
        models.StringField("name", required=True, max_length=100),
        models.IntegerField("age"),
    )


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from places(request.param)


@pytest.fixture
def store(place: Place) -> Iterator[SQLDataStore]:
    made = open_store(place.url, place.table())
    yield made
    made.close()


def open_store(url: str, table: str, **options: Any) -> SQLDataStore:
    store = SQLDataStore({"url": url, "table": table}, options)
    store.bind(Person())
    return store


def add(store: SQLDataStore, *names: str) -> list[Record]:
    return store.atomic(lambda tx: tx.insert([{"name": name, "age": None} for name in names]))


def names(store: SQLDataStore) -> list[str]:
    return [record["name"] for record in store.find(Query()).records]


def grow(tx: Tx) -> None:
    """Read, and write what follows from it: every lost update shows."""
    tx.update(1, {"age": (tx.get(1)["age"] or 0) + 1})


def run_child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python process that runs the code, with the arguments in `sys.argv`."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def finish(children: list[subprocess.Popen[str]]) -> list[str]:
    """What the processes said, all of them having ended well."""
    said = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0] * len(children)
    return said
