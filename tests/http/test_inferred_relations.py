"""Relations that no model declares: a database's own foreign keys."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from datastores import SQLDataStore, SQLiteDataStore
from rest_kit.controllers.related import members_of
from rest_kit.errors import StoreUnavailable
from rest_kit.relations import Graph
from tests.http.support import Client, complaint, faults, make_controller, problem, serve

SCHEMA = """
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL,
    author_id INTEGER REFERENCES authors (id) ON DELETE SET NULL);
CREATE TABLE reviews (id INTEGER PRIMARY KEY, book_id INTEGER NOT NULL REFERENCES books ON DELETE CASCADE,
    by_id INTEGER NOT NULL REFERENCES authors (id) ON DELETE SET NULL, of_id INTEGER REFERENCES authors (id),
    shop TEXT REFERENCES shops (code));
CREATE TABLE shops (code TEXT PRIMARY KEY NOT NULL);
INSERT INTO authors VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO books VALUES (1, 'Notes', 1), (2, 'Anon', NULL);
INSERT INTO reviews VALUES (1, 1, 2, 1, NULL), (2, 2, 2, NULL, NULL);
"""


def served(path: Path, *tables: str, by: str = "file") -> Client:
    """Tables of a file, without models, by one of the ways to name it."""
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
    connection.close()
    ways: dict[str, dict[str, Any]] = {
        "file": {"name": str(path)},
        "url": {"url": f"sqlite:///{path}"},
        "engine": {"engine": engine_that_enforces(path)},
    }
    return serve(*(over(path, table, ways[by]) for table in tables))


def engine_that_enforces(path: Path) -> sqlalchemy.Engine:
    """An application's own engine, whose connections hold foreign keys as ours do."""
    engine = sqlalchemy.create_engine(f"sqlite:///{path}", poolclass=sqlalchemy.NullPool)
    sqlalchemy.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    return engine


def over(path: Path, table: str, way: dict[str, Any] | None = None) -> Any:
    place = {**(way or {"name": str(path)}), "table": table}
    store = SQLiteDataStore if "name" in place else SQLDataStore
    return make_controller({"resource_name": table, "resource": place, "datastore": store})


@pytest.fixture(params=["file", "url", "engine"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Client:
    """Authors, books and reviews; the shops are not served."""
    return served(tmp_path / "library.db", "reviews", "books", "authors", by=request.param)


def test_they_are_followed_both_ways(library: Client) -> None:
    assert library.get("/books/1/?expand=author,reviews.by").json == {
        "id": 1,
        "title": "Notes",
        "author_id": 1,
        "resource_uri": "/books/1/",
        "author": {"id": 1, "name": "Ada", "resource_uri": "/authors/1/"},
        "reviews": [
            {
                "id": 1,
                "book_id": 1,
                "by_id": 2,
                "of_id": 1,
                "shop": None,
                "resource_uri": "/reviews/1/",
                "by": {"id": 2, "name": "Bob", "resource_uri": "/authors/2/"},
            }
        ],
    }
    assert library.values("/authors/2/reviews_by_by/") == [1, 2]
    assert library.values("/authors/1/reviews_by_of/") == [1]
    assert library.get("/reviews/1/of/").json["name"] == "Ada"


def test_what_is_not_served_is_no_relation(library: Client) -> None:
    assert "of_id" in library.get("/reviews/").json["object_list"][0]
    assert complaint(library.get("/reviews/?expand=shop"))["code"] == "invalid"
    assert faults(library.post("/reviews/", {"book_id": 1, "by_id": 1, "shop": "x"}), 409, "conflict") == [
        ("#/shop", "foreign_key")
    ]


def test_the_first_request_may_be_for_the_other_side(tmp_path: Path) -> None:
    client = served(tmp_path / "library.db", "authors", "books")
    assert client.get("/authors/1/?expand=books").json["books"][0]["title"] == "Notes"


def test_the_schema_tells_what_the_catalogue_says(library: Client) -> None:
    found = library.get("/schema/reviews/").json["relations"]
    told = {one["name"]: (one["resource"], one["related_name"], one["on_delete"]) for one in found}
    assert told == {
        "book": ("books", "reviews", "cascade"),
        "by": ("authors", "reviews_by_by", "restrict"),
        "of": ("authors", "reviews_by_of", "restrict"),
    }


def test_deletions_follow_it(library: Client) -> None:
    assert "2 of 'reviews' by 'by_id'" in problem(library.delete("/authors/2/"), 409, "conflict")["detail"]
    assert library.delete("/books/1/").status_int == 204
    assert library.values("/reviews/") == [2]
    assert library.delete("/authors/1/").status_int == 204


def test_uris_are_taken(library: Client) -> None:
    assert library.patch("/books/2/", {"author_id": "/authors/2/"}).json["author_id"] == 2
    assert faults(library.patch("/books/2/", {"author_id": "/books/2/"})) == [("#/author_id", "reference")]


def test_a_file_that_is_away_takes_no_other_along(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "there.db") as connection:
        connection.executescript(SCHEMA + "DELETE FROM reviews;")
    connection.close()
    gone = over(tmp_path / "gone.db", "things")
    client = serve(over(tmp_path / "there.db", "authors"), over(tmp_path / "there.db", "books"), gone)
    assert client.get("/things/").status_int == 503
    assert client.get("/books/1/?expand=author").json["author"]["name"] == "Ada"
    assert client.delete("/authors/1/").status_int == 204
    assert client.get("/books/1/").json["author_id"] is None


def test_two_databases_in_memory_are_not_one() -> None:
    def memory() -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.QueuePool, pool_size=1)
        with engine.begin() as connection:
            for statement in SCHEMA.split(";")[:3]:
                connection.exec_driver_sql(statement)
        return engine

    one, other = memory(), memory()
    client = serve(over(Path(), "authors", {"engine": one}), over(Path(), "books", {"engine": other}))
    assert client.get("/schema/books/").json.get("relations", []) == []
    one.dispose()
    other.dispose()


def test_nobody_waits_while_what_was_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(over(Path("away.db"), "far"))
    asked: list[bool] = []

    def away(store: Any) -> Any:
        if asked:
            other = threading.Thread(target=graph.of, args=["far"], daemon=True)
            other.start()
            other.join(10)
            asked.append(other.is_alive())
        asked.append(False)
        raise StoreUnavailable("away", retry_after=0)

    monkeypatch.setattr(SQLiteDataStore, "model", property(away))
    graph.of("far")
    graph.of("far")
    assert asked == [False, False, False]


def graph_of(*classes: Any) -> Graph:
    """The relations of an application that serves these controllers."""
    return Graph(members_of([cls(mount=f"/{cls.spec_.name}/") for cls in classes]))


def test_a_server_that_says_nothing_holds_up_nobody_else(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "there.db") as connection:
        connection.executescript(SCHEMA)
    connection.close()
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        url = f"postgresql://nobody@127.0.0.1:{listener.getsockname()[1]}/none"
        far = [
            make_controller({
                "resource_name": name,
                "resource": {"url": url, "table": name},
                "datastore": SQLDataStore,
                "options": {"timeouts": {"connect": 2}},
            })
            for name in ("as", "bs", "cs")
        ]  # fmt: skip
        client = serve(*(over(tmp_path / "there.db", table) for table in ("authors", "books", "reviews")), *far)
        listener.setblocking(False)
        assert client.get("/books/1/?expand=author").json["author"]["name"] == "Ada"
        assert client.delete("/authors/2/").status_int == 409
        with pytest.raises(BlockingIOError):
            listener.accept()
        problem(client.get("/as/1/"), 503, "store-unavailable")
        listener.accept()[0].close()
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_what_cannot_be_read_keeps_nothing_else_of_its_database_from_being_known(tmp_path: Path) -> None:
    client = served(tmp_path / "library.db", "nothing", "authors", "books")
    assert client.get("/authors/1/?expand=books").json["books"][0]["title"] == "Notes"
    assert client.get("/nothing/").status_int == 503


def test_a_forked_child_waits_for_no_thread_of_its_parent(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "library.db") as connection:
        connection.executescript(SCHEMA)
    connection.close()
    graph = graph_of(over(tmp_path / "library.db", "authors"), over(tmp_path / "library.db", "books"))
    with contextlib.ExitStack() as held:
        for lock in (graph._lock, *(one._lock for one in graph.catalogues.values())):
            held.enter_context(lock)
        child = multiprocessing.get_context("fork").Process(target=graph.of, args=["books"])
        child.start()
        child.join(20)
        if child.is_alive():
            child.kill()
        child.join()
    assert child.exitcode == 0
