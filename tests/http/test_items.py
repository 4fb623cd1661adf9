"""GET, HEAD and DELETE on an item, and how primary keys are spelled."""

from __future__ import annotations

import uuid
from urllib.parse import quote
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.problems import Reply
from rest_kit.request import Request
from rest_kit.types import Pk
from tests.http.samples import ACCOUNT, BOOKS, TAGS, Account, Book, Tag
from tests.http.support import Client, Storage, complaint, over_list, problem, serve


def test_an_item(library: Client) -> None:
    reply = library.get("/books/3/")
    assert reply.status_int == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json == {
        "id": 3,
        "title": "100% Cotton",
        "isbn": None,
        "author": "tolkien",
        "price": "100.00",
        "published": "2001-01-01",
        "stock": 3,
        "lent": False,
        "tags": ["a", "b"],
        "resource_uri": "/books/3/",
    }


def test_an_item_with_some_of_its_fields(library: Client) -> None:
    assert list(library.get("/books/3/?fields=stock,title").json) == ["id", "stock", "title", "resource_uri"]


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("field=title", "field", "unknown"),
        ("fields=titel", "fields", "invalid"),
        ("fields=", "fields", "invalid"),
        ("fields=id&fields=title", "fields", "twice"),
        ("title=x", "title", "unknown"),
        ("count=1", "count", "unknown"),
        ("fields=%FF", "fields", "utf8"),
    ],
)
def test_parameters_that_an_item_refuses(query: str, parameter: str, code: str) -> None:
    said = complaint(serve(over_list(BOOKS, model=Book)).get(f"/things/1/?{query}"))
    assert (said["parameter"], said["code"]) == (parameter, code)


def test_lenient_handling_ignores_unknown_parameters_of_an_item() -> None:
    client = serve(over_list(BOOKS, model=Book))
    assert client.get("/things/1/?x=1&fields=title", Prefer="handling=lenient").json["title"] == "The Hobbit"


def test_a_write_only_field_is_not_shown(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    assert set(client.get("/things/1/").json) == {"id", "email", "plan", "changed", "resource_uri"}
    assert complaint(client.get("/things/1/?fields=password"))["parameter"] == "fields"


def test_head_is_get_without_the_body(library: Client) -> None:
    get, head = library.get("/books/1/"), library.head("/books/1/")
    assert head.status_int == 200
    assert head.body == b""
    for name in ("Content-Type", "Content-Length", "ETag"):
        assert head.headers[name] == get.headers[name]
    assert library.head("/books/99/").status_int == 404


def test_an_item_that_is_not_there(library: Client) -> None:
    assert problem(library.get("/books/7/"), 404, "not-found")["detail"] == "there is nothing at this address"


@pytest.mark.parametrize(
    "pk",
    [
        "007",
        "01",
        "+1",
        "-0",
        "-01",
        "1.0",
        "1e0",
        "0x1",
        "%201",
        "1%20",
        "1_0",
        "٣",
        "１",
        "true",
        "one",
        "",
        "9" * 30,
    ],
)
def test_an_integer_key_has_one_spelling(library: Client, pk: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        if pk:
            problem(
                library.ask(method, f"/books/{pk}/", {"title": "x"} if method[0] == "P" else None), 404, "not-found"
            )


def test_negative_and_zero_keys(storage: Storage) -> None:
    rows = [{**BOOKS[0], "id": 0, "isbn": None}, {**BOOKS[0], "id": -5, "isbn": None}]
    client = storage.client(Book, rows)
    assert client.get("/things/0/").json["id"] == 0
    assert client.get("/things/-5/").json["resource_uri"] == "/things/-5/"


def test_text_keys_are_one_encoded_segment(storage: Storage) -> None:
    client = storage.client(Tag, TAGS)
    addresses = client.values("/things/", "resource_uri")
    assert addresses == ["/things/a%2Fb/", "/things/red/", "/things/%C3%BCber%20uns%3F/"]
    for address in addresses:
        reply = client.get(address, environ={"REQUEST_URI": address})
        assert reply.json["resource_uri"] == address


@pytest.mark.parametrize("variable", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize("form", ["{0}", "{0}?fields=label", "http://localhost{0}"])
def test_an_encoded_slash_belongs_to_the_key(storage: Storage, variable: str, form: str) -> None:
    client = storage.client(Tag, TAGS)
    for address in ("/things/a%2Fb/", "/things/a%2fb", "/things/%61%2Fb/"):
        reply = client.get(address, environ={variable: form.format(address)})
        assert reply.json["slug"] == "a/b"


def test_without_the_raw_target_a_slash_is_a_slash(storage: Storage) -> None:
    problem(storage.client(Tag, TAGS).get("/things/a%2Fb/"), 404, "not-found")


def test_a_raw_target_that_somebody_rewrote_does_not_count(storage: Storage) -> None:
    client = storage.client(Tag, TAGS)
    reply = client.get("/things/red/", environ={"RAW_URI": "/things/a%2Fb/"})
    assert reply.json["slug"] == "red"


def test_uuid_keys_are_found_in_their_own_spelling() -> None:
    class Token(models.Model):
        fields = [models.UUIDPkField("id"), models.StringField("name")]

    key = uuid.UUID("12345678-1234-4678-8234-56781234567a")
    client = serve(over_list([{"id": key, "name": "n"}], model=Token))
    assert client.get(f"/things/{key}/").json["id"] == str(key)
    for spelling in (str(key).upper(), key.hex, "{" + str(key) + "}", f"urn:uuid:{key}"):
        problem(client.get(f"/things/{spelling}/"), 404, "not-found")


def test_a_path_that_is_not_utf8(storage: Storage) -> None:
    problem(storage.client(Tag, TAGS).get("/things/%FF/"), 404, "not-found")


def test_delete(books: Client) -> None:
    reply = books.delete("/books/3/")
    assert reply.status_int == 204
    assert reply.body == b""
    assert "Content-Type" not in reply.headers
    problem(books.get("/books/3/"), 404, "not-found")
    problem(books.delete("/books/3/"), 404, "not-found")
    assert books.values("/books/") == [1, 2, 4, 5, 6]


def test_delete_takes_no_parameters(books: Client) -> None:
    assert complaint(books.delete("/books/3/?force=true"))["parameter"] == "force"
    assert complaint(books.delete("/books/3/?fields=id"))["parameter"] == "fields"
    assert books.get("/books/3/").status_int == 200


def test_a_key_is_never_used_twice(books: Client) -> None:
    books.delete("/books/6/")
    created = books.post("/books/", {"title": "New"}).json["id"]
    assert created > 6
    books.delete(f"/books/{created}/")
    assert books.post("/books/", {"title": "Newer"}).json["id"] > created


@pytest.mark.parametrize("key", ["1 OR 1=1", "1; DROP TABLE things", "' OR '1'='1", "red' --", "%", "_ed", "*"])
def test_a_key_is_never_a_statement(storage: Storage, key: str) -> None:
    client = storage.client(Tag, TAGS)
    address = f"/things/{quote(key, safe='')}/"
    for method, sent in (("GET", None), ("PUT", {"label": "x"}), ("PATCH", {"label": "x"}), ("DELETE", None)):
        problem(client.ask(method, address, sent), 404, "not-found")
    assert len(client.objects("/things/")) == 3


def test_a_verb_can_be_overridden_and_nothing_else_is_taken_for_one() -> None:
    class Shouting(Controller):
        resource = {"resource_name": "words", "resource": [{"id": 1, "word": "a"}], "datastore": PythonListDataStore}

        def get_item(self, request: Request, pk: Pk) -> Reply:
            status, headers, body = super().get_item(request, pk)
            return status, [*headers, ("X-Asked-For", str(pk))], body

        def delete(self, pk: int) -> None:
            raise AssertionError("a method of the user's own is no verb")

    app = TestApp(validator(WSGIDispatcher([Shouting])))
    reply = app.get("/words/1/")
    assert reply.json == {"id": 1, "word": "a", "resource_uri": "/words/1/"}
    assert reply.headers["X-Asked-For"] == "1"
    assert app.head("/words/1/").headers["X-Asked-For"] == "1"
    app.delete("/words/1/", status=204)
