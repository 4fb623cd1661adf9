"""Relations between tables of a database server, with and without foreign keys that the server enforces."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from datastores import SQLDataStore
from rest_kit import models
from rest_kit.controllers import Controller
from tests.http.support import Client, faults, make_controller, problem, serve
from tests.servers import Place, places


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from places(request.param)


def over(place: Place, name: str, table: str, *fields: models.Field) -> type[Controller]:
    """A controller over a table that is made for it."""
    model = type("Row", (models.Model,), {"fields": [models.PkField("id"), *fields]})
    where = {"url": place.url, "table": table}
    return make_controller({"resource_name": name, "resource": where, "datastore": SQLDataStore, "model": model})


def shelf(place: Place, rule: Any, *, enforced: bool) -> Client:
    """Authors and their books, and the pupils of authors."""
    authors, books = place.table(), place.table()

    def key(name: str, called: str, rule: Any) -> models.Field:
        held = f"{authors}.id" if enforced else None
        return models.IntForeign(name, resource="authors", related_name=called, on_delete=rule, references=held)

    client = serve(
        over(place, "authors", authors, models.StringField("name"), key("mentor", "pupils", "cascade")),
        over(place, "books", books, key("author_id", "books", rule)),
    )
    for path, sent in (
        ("authors", {"name": "Ada"}),
        ("authors", {"name": "Bob", "mentor": "/authors/1/"}),
        ("authors", {"name": "Cy", "mentor": 2}),
        ("books", [{"author_id": 1}, {"author_id": 3}, {}]),
    ):
        assert client.post(f"/{path}/", sent).status_int == 201
    return client


@pytest.mark.parametrize("enforced", [False, True])
def test_they_are_checked_and_followed(place: Place, enforced: bool) -> None:
    client = shelf(place, "restrict", enforced=enforced)
    assert faults(client.post("/books/", {"author_id": 9}), 409, "conflict") == [("#/author_id", "foreign_key")]
    assert client.values("/authors/1/books/") == client.values("/books/?author_id=/authors/1/") == [1]
    assert client.get("/books/2/?expand=author.mentor.books").json["author"]["mentor"]["books"] == []
    assert [len(one["pupils"]) for one in client.objects("/authors/?expand=pupils")] == [1, 1, 0]


@pytest.mark.parametrize("enforced", [False, True])
def test_deletions_follow_the_rule(place: Place, enforced: bool) -> None:
    client = shelf(place, "restrict", enforced=enforced)
    detail = problem(client.delete("/authors/1/"), 409, "conflict")["detail"]
    assert detail == "others refer to this: 2 of 'books' by 'author_id'"
    client = shelf(place, "set_null", enforced=enforced)
    assert client.delete("/authors/?id__in=1,3").status_int == 204
    assert (client.values("/authors/"), client.values("/books/", "author_id")) == ([], [None, None, None])
    client = shelf(place, "cascade", enforced=enforced)
    assert client.delete("/authors/?id__gte=1").status_int == 204
    assert (client.values("/authors/"), client.values("/books/")) == ([], [3])


def test_a_deletion_that_the_database_refuses_in_the_end_has_changed_nothing(place: Place) -> None:
    parents, children, losers, others = (place.table() for _ in range(4))
    cascade = models.IntForeign("parent", resource="parents", on_delete="cascade")
    set_null = models.IntForeign("parent", resource="parents", on_delete="set_null")
    client = serve(
        over(place, "parents", parents),
        over(place, "children", children, cascade),
        over(place, "losers", losers, set_null),
    )
    assert client.post("/parents/", [{}, {}]).status_int == 201
    for path in ("/children/", "/losers/"):
        assert client.post(path, [{"parent": 1}, {"parent": 2}]).status_int == 201
    held = "bigint" if place.kind == "postgresql" else "bigint, FOREIGN KEY (parent)"
    place.sql(
        f"CREATE TABLE {others} (id integer PRIMARY KEY, parent {held} REFERENCES {parents} (id))",
        f"INSERT INTO {others} VALUES (1, 2)",
    )
    before = place.sql(f"SELECT count(*) FROM rest_kit_events WHERE resource LIKE '{place.prefix}%'")
    assert problem(client.delete("/parents/?id__gte=1"), 409, "conflict")["detail"]
    assert client.values("/parents/") == client.values("/children/", "parent") == client.values("/losers/", "parent")
    assert place.sql(f"SELECT count(*) FROM rest_kit_events WHERE resource LIKE '{place.prefix}%'") == before
    assert client.delete("/parents/1/").status_int == 204
    assert (client.values("/children/", "parent"), client.values("/losers/", "parent")) == ([2], [None, 2])


def test_a_key_of_any_type_may_be_a_uri(place: Place) -> None:
    tags, books = place.table(), place.table()
    place.sql(
        f"CREATE TABLE {tags} (id uuid PRIMARY KEY, word varchar(20))",
        f"CREATE TABLE {books} (id integer PRIMARY KEY, tag uuid, FOREIGN KEY (tag) REFERENCES {tags} (id))",
        f"INSERT INTO {tags} VALUES ('{uuid.UUID(int=7)}', 'old'), ('{uuid.UUID(int=8)}', 'new')",
    )

    def found(name: str, table: str) -> type[Controller]:
        where = {"url": place.url, "table": table}
        resource = {"resource_name": name, "resource": where, "datastore": SQLDataStore}
        return make_controller(resource, view={"options": {"foreign_keys": "uri"}})

    client = serve(found("tags", tags), found("books", books))
    old, new = (f"/tags/{uuid.UUID(int=number)}/" for number in (7, 8))
    shown = {"id": 1, "tag": old, "resource_uri": "/books/1/"}
    assert client.post("/books/", {"id": 1, "tag": old}).json == client.put("/books/1/", shown).json == shown
    patch = [{"op": "test", "path": "/tag", "value": old}, {"op": "replace", "path": "/tag", "value": new}]
    assert client.patch("/books/1/", patch, type="application/json-patch+json").json["tag"] == new
    assert client.values(f"{new}books/") == client.values(f"/books/?tag={new}") == [1]
    for wrong in ("/books/1/", {"id": 7}):
        assert faults(client.patch("/books/1/", {"tag": wrong})) == [("#/tag", "reference")]
