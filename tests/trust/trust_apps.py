"""The applications that the trust tests put behind real servers: one resource, `items`, in any of the stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datastores import CSVDataStore, PythonListDataStore, SQLDataStore, SQLiteDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Model
from rest_kit.pagination import BasePagination, Pagination
from rest_kit.store import DataStore
from rest_kit.throttling import AnonRateThrottle
from tests.servers import SERVERS, Place, places, url_of

SECRET = "known to every worker of these tests"
SEED = [{"id": 1, "name": "first", "count": 0}, {"id": 2, "name": "second", "count": 0}]


class ItemModel(Model):
    """Something with a name that counts."""

    fields = (
        models.PkField(name="id"),
        models.StringField(name="name", required=True, min_length=1, max_length=50),
        models.IntegerField(name="count", required=True),
    )


def place(kind: str, folder: Path) -> tuple[type[DataStore], Any]:
    """The store class of a kind, and where in the folder its data lie."""
    if kind == "csv":
        return CSVDataStore, {"path": str(folder / "items.csv")}
    if kind == "sqlite":
        return SQLiteDataStore, {"name": str(folder / "items.db"), "table": "items"}
    if kind in SERVERS:
        return SQLDataStore, {"url": url_of(kind), "table": (folder / "table").read_text()}
    return PythonListDataStore, [dict(row) for row in SEED]


@contextmanager
def room(kind: str, folder: Path) -> Iterator[Place | None]:
    """Room for a store of that kind: on a server a table, whose name goes into the folder."""
    if kind not in SERVERS:
        yield None
        return
    with contextmanager(places)(kind) as place:
        (folder / "table").write_text(place.table())
        yield place


def open_store(kind: str, folder: Path) -> DataStore:
    """The store itself, as another process sees it."""
    cls, data = place(kind, folder)
    store = cls(data, {})
    store.bind(ItemModel())
    return store


def seed(kind: str, folder: Path) -> None:
    """Write the first items."""
    store = open_store(kind, folder)
    try:
        store.atomic(lambda tx: tx.insert([dict(row) for row in SEED]))
    finally:
        store.close()


def controller(
    store: type[DataStore], data: Any, model: type[Model] | Model, pagination: BasePagination, name: str = "items"
) -> type[Controller]:
    """A controller with everything but the data at its defaults."""
    return type(
        "App",
        (Controller,),
        {
            "resource": {"resource_name": name, "resource": data, "model": model, "datastore": store},
            "controller": {"options": {"pagination": pagination}},
        },
    )


def serve(kind: str, folder: str) -> WSGIDispatcher:
    """What gunicorn runs."""
    cls, data = place(kind, Path(folder))
    return WSGIDispatcher([controller(cls, data, ItemModel, Pagination(100))], secret=SECRET)


def serve_once(kind: str, folder: str) -> WSGIDispatcher:
    """The same with idempotency keys."""
    cls, data = place(kind, Path(folder))
    app = controller(cls, data, ItemModel, Pagination(100))
    app = type("App", (app,), {"controller": {"options": {"idempotency": True}}})
    return WSGIDispatcher([app], secret=SECRET)


def serve_table(url: str, table: str) -> WSGIDispatcher:
    """The same over a table of a database server, without much patience."""
    resource = {"resource_name": "items", "resource": {"url": url, "table": table}, "model": ItemModel}
    options = {"timeouts": {"connect": 2, "statement": 5, "pool": 2}}
    app = type("App", (Controller,), {"resource": {**resource, "datastore": SQLDataStore, "options": options}})
    return WSGIDispatcher([app], secret=SECRET)


def serve_throttled(storage: str) -> WSGIDispatcher:
    """A list of two, of which everybody may read a hundred times a minute."""
    cls, data = place("list", Path())
    app = controller(cls, data, ItemModel, Pagination(100))
    return WSGIDispatcher([app], secret=SECRET, storage=storage, throttle=AnonRateThrottle("100/min"))
