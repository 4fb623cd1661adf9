"""Fields that hold the key of an object elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datastores import SQLiteDataStore
from rest_kit import models
from tests.http.support import Client, Storage, faults, make_controller, serve


class Author(models.Model):
    """Somebody who writes."""

    fields = [models.PkField("id"), models.StringField("name", required=True)]


class Work(models.Model):
    """Something written, perhaps by nobody known."""

    fields = [
        models.PkField("id"),
        models.StringField("title", required=True),
        models.IntForeign("author", resource="authors", references="authors.id"),
    ]


@pytest.fixture
def shelf(tmp_path: Path) -> Client:
    """Authors and works in one SQLite file, so that the database can hold one to the other."""
    name = str(tmp_path / "shelf.db")

    def over(table: str, model: type[models.Model]) -> Any:
        place = {"name": name, "table": table}
        return make_controller(
            {"resource_name": table, "resource": place, "datastore": SQLiteDataStore, "model": model}
        )

    client = serve(over("authors", Author), over("works", Work))
    assert client.post("/authors/", {"name": "Ada"}).status_int == 201
    assert client.post("/works/", {"title": "Notes", "author": 1}).status_int == 201
    return client


def test_without_a_dispatcher_a_reference_is_a_plain_value(storage: Storage) -> None:
    class Loose(models.Model):
        fields = [models.PkField("id"), models.StringField("title"), models.IntForeign("author", resource="authors")]

    client = Client(storage.controller(Loose)())
    assert client.post("/", {"title": "x"}).json["author"] is None
    assert client.patch("/1/", {"author": 7}).json["author"] == 7
    assert client.values("/?author=7") == [1]
    assert client.put("/1/", {"title": "x"}).json["author"] is None
    assert faults(client.patch("/1/", {"author": "7"})) == [("#/author", "type")]
    assert faults(client.get("/?expand=author"), 400, "invalid-parameter") == [("expand", "unknown")]


def test_a_reference_that_leads_nowhere_is_a_conflict(shelf: Client) -> None:
    requests: list[tuple[str, str, Any, str]] = [
        ("POST", "/works/", {"title": "x", "author": 9}, "#/author"),
        ("PUT", "/works/1/", {"title": "x", "author": 9}, "#/author"),
        ("PATCH", "/works/1/", {"author": 9}, "#/author"),
        ("POST", "/works/", [{"title": "x"}, {"title": "y", "author": 9}], "#/1/author"),
    ]
    for method, path, sent, pointer in requests:
        assert faults(shelf.ask(method, path, sent), 409, "conflict") == [(pointer, "foreign_key")], (method, path)
    assert shelf.objects("/works/") == [{"id": 1, "title": "Notes", "author": 1, "resource_uri": "/works/1/"}]


def test_what_others_refer_to_stays(shelf: Client) -> None:
    reply = shelf.delete("/authors/1/")
    assert (reply.status_int, reply.json["type"]) == (409, "/docs/errors/conflict/")
    assert shelf.patch("/works/1/", {"author": None}).status_int == 200
    assert shelf.delete("/authors/1/").status_int == 204
