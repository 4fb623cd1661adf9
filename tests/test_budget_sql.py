"""How many statements a request costs over a database: over a network, each of them is a way there and back.

They are counted where the drivers send them, commits and what opens a transaction included, once the table is known and
the connection warm.
"""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from datastores import PythonListDataStore, SQLDataStore
from datastores.sqlite import values as sqlite_values
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.pagination import Pagination
from tests.http.support import Client
from tests.servers import places
from tests.test_budget import BookModel, book, calls

# A server's transaction is a BEGIN, the write, the event and a COMMIT. What is changed is read first, once and locked:
# for If-Match, and for the event. MariaDB cannot hand out what it has written, nor number and add events in one
# statement. SQLite is asked without a way to anywhere; the total is not counted where the page tells it.
BUDGETS = {
    "one": {"postgresql": 1, "mariadb": 1, "sqlite": 1},
    "page of 20": {"postgresql": 1, "mariadb": 1, "sqlite": 4},
    "filter and order": {"postgresql": 1, "mariadb": 1, "sqlite": 3},
    "post": {"postgresql": 4, "mariadb": 6, "sqlite": 6},
    "put": {"postgresql": 5, "mariadb": 7, "sqlite": 8},
    "patch": {"postgresql": 5, "mariadb": 7, "sqlite": 8},
    "delete": {"postgresql": 5, "mariadb": 6, "sqlite": 7},
}
CALLS = 24
"""Python functions that a read of one row from SQLite may call."""


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The kind of a database, and what SQLDataStore is given for a table there."""
    kind: str = request.param
    if kind == "sqlite":
        yield {"kind": kind, "url": f"sqlite:///{tmp_path / 'books.db'}", "table": "books"}
        return
    for found in places(kind):
        yield {"kind": kind, "url": found.url, "table": found.table()}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of all statements that any driver sends."""
    found: list[str] = []
    wait, command, prepare = psycopg.Connection.wait, pymysql.Connection._execute_command, sqlite_values.prepare

    def note_wait(self: Any, waiting: Any, *arguments: Any, **options: Any) -> Any:
        # a statement's text, or the name of what else is waited for, as a commit by the driver itself
        found.append(str(waiting.gi_frame.f_locals.get("query", waiting.__name__)))
        return wait(self, waiting, *arguments, **options)

    def note_command(self: Any, number: int, sql: Any) -> None:
        found.append(str(sql))
        command(self, number, sql)

    def note_prepare(connection: sqlite3.Connection) -> None:
        prepare(connection)
        connection.set_trace_callback(found.append)

    monkeypatch.setattr(psycopg.Connection, "wait", note_wait)
    monkeypatch.setattr(pymysql.Connection, "_execute_command", note_command)
    monkeypatch.setattr(sqlite_values, "prepare", note_prepare)
    return found


def application(place: dict[str, str], *others: type[Controller], model: type[models.Model] = BookModel) -> Any:
    """An API over a table of books, with its defaults on."""

    class BookApp(Controller):
        resource = {
            "resource_name": "books",
            "resource": {"url": place["url"], "table": place["table"]},
            "datastore": SQLDataStore,
            "model": model,
        }
        controller = {"options": {"pagination": Pagination(100)}}

    app = WSGIDispatcher([BookApp, *others], secret="a secret for the budget")
    assert BookApp.spec_ is not None
    BookApp.spec_.store.atomic(lambda tx: tx.insert([stored(number) for number in range(1, 41)]))
    return app


def stored(number: int) -> dict[str, Any]:
    """A book as a store takes it; the database makes its key."""
    values = {name: value for name, value in book(number).items() if name != "id"}
    return {**values, "published": datetime.date(2020, 2, 29)}


@pytest.mark.parametrize("name", BUDGETS)
def test_a_request_takes_no_more_statements_than_it_needs(name: str, place: dict[str, str], sent: list[str]) -> None:
    app = application(place)
    for warm in ("one", "page of 20", "patch"):
        calls(app, warm)
    sent.clear()
    calls(app, name)
    assert len(sent) == BUDGETS[name][place["kind"]], "\n".join(sent)


class BookOfSeries(models.Model):
    """A book that may belong to a series."""

    fields = (*BookModel.fields, models.IntForeign("series", resource="series"))


class Note(models.Model):
    """Something said of a book."""

    fields = (models.PkField("id"), models.IntForeign("book", resource="books", on_delete="cascade"))


@pytest.mark.parametrize("name", ["post", "put", "patch", "delete"])
def test_relations_cost_statements_only_where_they_matter(name: str, place: dict[str, str], sent: list[str]) -> None:
    class SeriesApp(Controller):
        resource = {"resource_name": "series", "resource": [{"id": 1}], "datastore": PythonListDataStore}

    class NoteApp(Controller):
        resource = {
            "resource_name": "notes",
            "resource": {"url": place["url"], "table": f"{place['table']}_notes"},
            "datastore": SQLDataStore,
            "model": Note,
        }

    app = application(place, SeriesApp, NoteApp, model=BookOfSeries)
    for warm in ("one", "page of 20", "patch"):
        calls(app, warm)
    assert NoteApp.spec_ is not None
    NoteApp.spec_.store.atomic(lambda tx: None)
    if name == "delete":
        client = Client(app)
        assert client.delete("/books/6/").status_int == 204
    sent.clear()
    calls(app, name)
    # the children are looked for; a server is then asked for the row once more
    more = {"delete": {"postgresql": 2, "mariadb": 2, "sqlite": 1}}.get(name, {}).get(place["kind"], 0)
    assert len(sent) == BUDGETS[name][place["kind"]] + more, "\n".join(sent)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_reading_one_row_stays_within_its_budget(place: dict[str, str]) -> None:
    app = application(place)
    calls(app, "one")
    found = calls(app, "one")
    assert len(found) <= CALLS, "\n".join(found)
