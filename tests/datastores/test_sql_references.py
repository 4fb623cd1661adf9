"""What a server's catalogue says of foreign keys, and how they join resources that have no models."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy

from datastores import SQLDataStore, SQLiteDataStore
from datastores.sql.catalogue import TableName
from rest_kit import models
from rest_kit.types import Kind
from tests.http.support import Client, make_controller, problem, serve
from tests.servers import Place, engine_of, places


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from places(request.param)


@pytest.fixture
def library(place: Place) -> dict[str, SQLDataStore]:
    """Authors, and books that refer to them, to tags by a UUID, to their own kind, and to two columns at once."""
    authors, tags, pairs, books = (place.table() for _ in range(4))
    engine = " ENGINE=InnoDB" if place.kind == "mariadb" else ""
    place.sql(
        f"CREATE TABLE {authors} (id integer PRIMARY KEY, name varchar(20) UNIQUE){engine}",
        f"CREATE TABLE {tags} (id uuid PRIMARY KEY, word varchar(20)){engine}",
        f"CREATE TABLE {pairs} (id integer PRIMARY KEY, a integer, b integer, UNIQUE (a, b)){engine}",
        f"CREATE TABLE {books} (id integer PRIMARY KEY, author integer, name varchar(20), tag uuid, above integer,"
        f" a integer, b integer,"
        f" FOREIGN KEY (author) REFERENCES {authors} (id) ON DELETE CASCADE,"
        f" FOREIGN KEY (name) REFERENCES {authors} (name),"
        f" FOREIGN KEY (tag) REFERENCES {tags} (id) ON DELETE SET NULL,"
        f" FOREIGN KEY (above) REFERENCES {books} (id) ON DELETE RESTRICT,"
        f" FOREIGN KEY (a, b) REFERENCES {pairs} (a, b)){engine}",
        f"INSERT INTO {authors} VALUES (1, 'Ende')",
        f"INSERT INTO {tags} VALUES ('{uuid.UUID(int=7)}', 'old')",
        f"INSERT INTO {books} VALUES (1, 1, 'Ende', '{uuid.UUID(int=7)}', 1, NULL, NULL)",
    )
    names = {"authors": authors, "tags": tags, "pairs": pairs, "books": books}
    return {name: SQLDataStore({"url": place.url, "table": table}) for name, table in names.items()}


def test_the_fields_say_what_they_refer_to(library: dict[str, SQLDataStore]) -> None:
    authors, tags, books = (library[name].model.name for name in ("authors", "tags", "books"))
    fields = library["books"].model.by_name
    assert isinstance(fields["author"], models.IntForeign)
    assert isinstance(fields["name"], models.StringForeign)
    assert fields["tag"].kind is Kind.UUID
    assert {name: (field.references, field.on_delete) for name, field in fields.items() if field.references} == {
        "author": (f"{authors}.id", "cascade"),
        "name": (f"{authors}.name", "restrict"),
        "tag": (f"{tags}.id", "set_null"),
        "above": (f"{books}.id", "restrict"),
    }


def test_a_store_knows_which_other_one_it_refers_to(place: Place, library: dict[str, SQLDataStore]) -> None:
    books, authors, tags = library["books"], library["authors"], library["tags"]
    fields = books.model.by_name
    assert books.refers_to(str(fields["author"].references), authors)
    assert books.refers_to(str(fields["tag"].references), tags)
    assert books.refers_to(str(fields["above"].references), books)
    assert not books.refers_to(str(fields["author"].references), tags)
    assert not books.refers_to(str(fields["name"].references), authors), "that is not its key"
    elsewhere = SQLDataStore({"engine": engine_of(place.kind), "table": authors.model.name})
    assert not books.refers_to(str(fields["author"].references), elsewhere)
    assert not books.refers_to(str(fields["author"].references), SQLiteDataStore({"name": "x.db", "table": "t"}))


def client_of(library: dict[str, SQLDataStore]) -> Client:
    """The tables as resources, each through a store of its own."""
    return serve(
        *(
            make_controller({"resource_name": name, "resource": store.resource, "datastore": SQLDataStore})
            for name, store in library.items()
        )
    )


def test_they_are_followed_and_kept(library: dict[str, SQLDataStore]) -> None:
    client = client_of(library)
    shown = client.get("/books/1/?expand=author,tag,above").json
    assert (shown["author"]["name"], shown["tag"]["word"], shown["above"]["id"]) == ("Ende", "old", 1)
    assert client.values("/authors/1/books/") == [1]
    assert problem(client.post("/books/", {"id": 2, "author": 9}), 409, "conflict")["errors"] == [
        {"pointer": "#/author", "code": "foreign_key", "detail": "author names a record that does not exist"}
    ]


def test_a_table_that_is_not_there_has_no_say(place: Place, library: dict[str, SQLDataStore]) -> None:
    nothing = SQLDataStore({"url": place.url, "table": place.table()})
    client = client_of({"nothing": nothing, **library})
    assert client.get("/books/1/?expand=author").json["author"]["name"] == "Ende"


def test_a_table_in_another_schema_is_named_with_it() -> None:
    for place in places("postgresql"):
        schema, table = place.prefix, place.table()
        try:
            place.sql(
                f"CREATE SCHEMA {schema}",
                f"CREATE TABLE {schema}.authors (id integer PRIMARY KEY)",
                f"CREATE TABLE {schema}.books (id integer PRIMARY KEY, author integer REFERENCES {schema}.authors)",
                f"CREATE TABLE {table} (id integer PRIMARY KEY, author integer REFERENCES {schema}.authors)",
            )
            authors = SQLDataStore({"url": place.url, "table": TableName("authors", schema)})
            inner = SQLDataStore({"url": place.url, "table": f"{schema}.books"})
            outer = SQLDataStore({"url": sqlalchemy.make_url(place.url), "table": table})
            assert inner.model.by_name["author"].references == "authors.id"
            assert inner.refers_to("authors.id", authors)
            assert outer.model.by_name["author"].references == f"{schema}.authors.id"
            assert outer.refers_to(f"{schema}.authors.id", authors)
            assert not outer.refers_to("authors.id", authors)
        finally:
            place.sql(f"DROP SCHEMA {schema} CASCADE")
