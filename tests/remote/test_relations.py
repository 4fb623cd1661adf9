"""Relations to a resource that another API holds: in this process, and one that does not answer."""

from __future__ import annotations

from typing import Any

import pytest

from datastores import PythonListDataStore, RemoteDataStore
from datastores.remote import WSGITransport
from rest_kit import models
from rest_kit.errors import RemoteError, RemoteTimeout
from tests.http.relation_samples import listed
from tests.http.support import Client, faults, problem, serve
from tests.http.support import make_controller as made
from tests.remote.support import application

URL = {"url": "http://behind.test/authors/", "dialect": "rest_kit"}


class Author(models.Model):
    """Somebody who writes."""

    fields = [models.PkField("id"), models.StringField("name", required=True)]


class Broken:
    """A transport to an API that is not there; counts how often it is tried."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.tried = 0

    def send(self, *sent: Any) -> Any:
        self.tried += 1
        raise self.error


def over(transport: Any, model: Any = Author, **deletion: Any) -> Client:
    """Books of ours by the authors of another API."""
    resource = {"resource_name": "authors", "resource": URL, "datastore": RemoteDataStore}
    resource |= {"options": {"transport": transport}} | ({} if model is None else {"model": model})
    author = models.IntForeign("author", resource="authors", related_name="books", **deletion)
    rows = [{"id": 1, "title": "Notes", "author": 1}, {"id": 2, "title": "Anon", "author": None}]
    return serve(made(resource), listed("books", rows, models.StringField("title"), author))


def behind() -> WSGITransport:
    rows = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]
    return WSGITransport(application(PythonListDataStore, rows, Author(), name="authors"))


@pytest.mark.parametrize("model", [Author, None])
def test_relations_reach_behind(model: Any) -> None:
    client = over(behind(), model)
    assert client.get("/books/1/?expand=author").json["author"] == {
        "id": 1,
        "name": "Ada",
        "resource_uri": "/authors/1/",
    }
    assert [one["author"] and one["author"]["name"] for one in client.objects("/books/?expand=author")] == ["Ada", None]
    assert client.get("/authors/?expand=books").json["object_list"][0]["books"][0]["title"] == "Notes"
    assert client.get("/books/1/author/").headers["Content-Location"] == "/authors/1/"
    assert client.values("/authors/1/books/") == [1]
    assert client.post("/books/", {"title": "x", "author": "/authors/2/"}).status_int == 201
    assert faults(client.post("/books/", {"author": 9}), 409, "conflict") == [("#/author", "foreign_key")]
    assert problem(client.delete("/authors/1/"), 409, "conflict")["detail"].startswith("others refer to this: 1 of")


def test_a_deletion_behind_takes_what_is_here() -> None:
    client = over(behind(), on_delete="cascade")
    assert client.delete("/authors/1/").status_int == 204
    assert client.values("/books/") == [2]


@pytest.mark.parametrize("model", [Author, None])
@pytest.mark.parametrize(("error", "status"), [(RemoteError("gone"), 502), (RemoteTimeout("slow"), 504)])
def test_what_does_not_answer_takes_nothing_along(model: Any, error: Exception, status: int) -> None:
    broken = Broken(error)
    client = over(broken, model)
    assert client.values("/books/") == [1, 2]
    assert client.get("/books/1/").json["author"] == 1
    assert client.values("/books/?author=/authors/1/") == [1]
    assert client.patch("/books/1/", {"title": "New"}).status_int == 200
    assert client.put("/books/1/", client.get("/books/1/").json).status_int == 200
    assert client.post("/books/", {"title": "x"}).status_int == 201
    assert client.delete("/books/2/").status_int == 204
    assert client.get("/schema/books/").json["relations"][0]["resource"] == "authors"
    assert broken.tried == 0
    for reply in (
        client.get("/books/1/?expand=author"),
        client.get("/books/1/author/"),
        client.post("/books/", {"author": 1}),
        client.patch("/books/1/", {"author": 2}),
        client.get("/authors/1/books/"),
    ):
        assert reply.status_int in (status, 503)
    assert client.values("/books/", "author") == [1, None]
