"""POST of one object."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest

from rest_kit import models
from rest_kit.errors import ValidationError
from tests.http.samples import ACCOUNT, BOOKS, TAGS, Account, Book, Tag
from tests.http.support import Client, Storage, faults, over_list, problem, serve


def test_create_answers_with_what_is_stored(books: Client) -> None:
    reply = books.post("/books/", {"title": "Dune", "price": "7.5", "stock": 2})
    pk = reply.json["id"]
    assert reply.status_int == 201
    assert reply.headers["Location"] == f"/books/{pk}/"
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json == {
        "id": pk,
        "title": "Dune",
        "isbn": None,
        "author": None,
        "price": "7.50",
        "published": None,
        "stock": 2,
        "lent": False,
        "tags": None,
        "resource_uri": f"/books/{pk}/",
    }
    got = books.get(reply.headers["Location"])
    assert got.json == reply.json
    assert got.headers["ETag"] == reply.headers["ETag"]


def test_create_on_the_address_without_a_slash(books: Client) -> None:
    assert books.post("/books", {"title": "Dune"}).headers["Location"] == "/books/7/"


def test_create_with_some_fields_shown(books: Client) -> None:
    assert list(books.post("/books/?fields=title", {"title": "Dune"}).json) == ["id", "title", "resource_uri"]


REFUSED: list[tuple[Any, list[tuple[str, str]]]] = [
    ({}, [("#/title", "required")]),
    ({"title": None}, [("#/title", "null")]),
    ({"title": 5}, [("#/title", "type")]),
    ({"title": "x" * 41}, [("#/title", "max_length")]),
    ({"title": "x", "stock": "5"}, [("#/stock", "type")]),
    ({"title": "x", "stock": True}, [("#/stock", "type")]),
    ({"title": "x", "stock": 1.9}, [("#/stock", "type")]),
    ({"title": "x", "stock": 1.0}, [("#/stock", "type")]),
    ({"title": "x", "stock": -1}, [("#/stock", "min")]),
    ({"title": "x", "stock": 2**63}, [("#/stock", "range")]),
    ({"title": "x", "stock": None}, [("#/stock", "null")]),
    ({"title": "x", "lent": 1}, [("#/lent", "type")]),
    ({"title": "x", "lent": "true"}, [("#/lent", "type")]),
    ({"title": "x", "price": "cheap"}, [("#/price", "type")]),
    ({"title": "x", "price": "1.234"}, [("#/price", "places")]),
    ({"title": "x", "price": 12345.67}, [("#/price", "digits")]),
    ({"title": "x", "price": True}, [("#/price", "type")]),
    ({"title": "x", "published": "2001-02-30"}, [("#/published", "type")]),
    ({"title": "x", "published": 20010203}, [("#/published", "type")]),
    ({"title": "x", "tags": "a"}, [("#/tags", "type")]),
    ({"title": "x", "colour": "red"}, [("#/colour", "unknown")]),
    ({"title": "x", "id": 9}, [("#/id", "read_only")]),
    ({"title": "x", "resource_uri": "/books/9/"}, [("#/resource_uri", "unknown")]),
    ({"title": "x", "a/b~c": 1}, [("#/a~1b~0c", "unknown")]),
    ("text", [("#", "type")]),
    (5, [("#", "type")]),
    (None, [("#", "type")]),
    (True, [("#", "type")]),
]


@pytest.mark.parametrize(("sent", "expected"), REFUSED)
def test_what_is_refused(sent: Any, expected: list[tuple[str, str]]) -> None:
    rows = [dict(book) for book in BOOKS]
    client = serve(over_list(rows, model=Book))
    assert faults(client.post("/things/", sent)) == expected
    assert rows == BOOKS


def test_all_errors_come_at_once(books: Client) -> None:
    reply = books.post("/books/", {"stock": "5", "lent": 0, "colour": "red", "price": "x", "id": 1})
    assert set(faults(reply)) == {
        ("#/title", "required"),
        ("#/stock", "type"),
        ("#/lent", "type"),
        ("#/colour", "unknown"),
        ("#/price", "type"),
        ("#/id", "read_only"),
    }
    assert books.get("/books/?count=0").json["meta"]["total_count"] == 6


def test_an_unknown_member_brings_the_nearest_name() -> None:
    client = serve(over_list([dict(book) for book in BOOKS], model=Book))
    error = problem(client.post("/things/", {"titel": "x", "title": "x"}), 400, "invalid-input")["errors"][0]
    assert "did you mean 'title'?" in error["detail"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("0.1", "0.10"), (0.1, "0.10"), (10, "10.00"), ("1e2", "100.00"), (9999.99, "9999.99"), ("-0.05", "-0.05")],
)
def test_decimals_are_exact(books: Client, sent: Any, shown: str) -> None:
    assert books.post("/books/", {"title": "x", "price": sent}).json["price"] == shown


def test_moments_are_kept_in_utc(storage: Storage) -> None:
    class Event(models.Model):
        fields = [models.PkField("id"), models.DateTimeField("at", required=True)]

    client = storage.client(Event)
    shown = [
        ("2024-01-01T12:00:00", "2024-01-01T12:00:00Z"),
        ("2024-01-01T12:00:00Z", "2024-01-01T12:00:00Z"),
        ("2024-01-01T12:00:00+02:00", "2024-01-01T10:00:00Z"),
        ("2024-01-01t12:00:00.25z", "2024-01-01T12:00:00.250000Z"),
    ]
    for sent, expected in shown:
        assert client.post("/things/", {"at": sent}).json["at"] == expected
    assert faults(client.post("/things/", {"at": "yesterday"})) == [("#/at", "type")]
    assert client.values("/things/?at=2024-01-01T12:00:00Z") == [1, 2]


def test_text_length_counts_code_points(books: Client) -> None:
    assert books.post("/books/", {"title": "😀" * 40}).status_int == 201
    assert faults(books.post("/books/", {"title": "😀" * 41})) == [("#/title", "max_length")]


def test_a_taken_value_is_a_conflict(books: Client) -> None:
    reply = books.post("/books/", {"title": "x", "isbn": "111"})
    assert faults(reply, 409, "conflict") == [("#/isbn", "unique")]
    assert "must be unique" in reply.json["detail"]
    assert books.get("/books/?count=0").json["meta"]["total_count"] == 6


def test_nulls_are_never_taken(books: Client) -> None:
    for _ in range(2):
        assert books.post("/books/", {"title": "x", "isbn": None}).status_int == 201


def test_unique_together(storage: Storage) -> None:
    class Name(models.Model):
        fields = [models.PkField("id"), models.StringField("first"), models.StringField("last")]
        validators = [models.UniqueTogether("first", "last")]

    client = storage.client(Name, [{"id": 1, "first": "Ada", "last": "Lovelace"}])
    reply = client.post("/things/", {"first": "Ada", "last": "Lovelace"})
    assert faults(reply, 409, "conflict") == [("#/first", "unique"), ("#/last", "unique")]
    assert "must be unique together" in reply.json["detail"]
    assert client.post("/things/", {"first": "Ada", "last": "Byron"}).status_int == 201
    assert client.put("/things/1/", {"first": "Ada", "last": "Lovelace"}).status_int == 200


def test_a_text_key_comes_from_the_client(storage: Storage) -> None:
    client = storage.client(Tag, TAGS)
    reply = client.post("/things/", {"slug": "x/y z", "label": "L"})
    assert reply.status_int == 201
    assert reply.headers["Location"] == "/things/x%2Fy%20z/"
    assert faults(client.post("/things/", {"slug": "red", "label": "L"}), 409, "conflict") == [("#/slug", "unique")]
    assert faults(client.post("/things/", {"label": "L"})) == [("#/slug", "required")]


@pytest.mark.parametrize(
    ("slug", "code"),
    [("events", "reserved"), ("stream", "reserved"), ("", "min_length"), (".", "invalid"), ("..", "invalid")],
)
def test_keys_that_no_address_could_name(storage: Storage, slug: str, code: str) -> None:
    client = storage.client(Tag)
    assert faults(client.post("/things/", {"slug": slug, "label": "L"})) == [("#/slug", code)]
    assert faults(client.post("/things/", [{"slug": slug, "label": "L"}])) == [("#/0/slug", code)]


def test_a_uuid_key_is_made(storage: Storage) -> None:
    class Token(models.Model):
        fields = [models.UUIDPkField("id"), models.StringField("name")]

    client = storage.client(Token)
    reply = client.post("/things/", {"name": "n"})
    assert uuid.UUID(reply.json["id"]).version == 4
    assert client.get(reply.headers["Location"]).json == reply.json
    assert faults(client.post("/things/", {"id": reply.json["id"]})) == [("#/id", "read_only")]


def test_read_only_fields_have_their_default_and_write_only_ones_are_not_shown(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    reply = client.post("/things/", {"email": "b@x", "password": "p"})
    assert reply.json["plan"] == "free"
    assert not {"password", "note"} & set(reply.json)
    assert faults(client.post("/things/", {"email": "c@x", "password": "p", "plan": "gold"})) == [
        ("#/plan", "read_only")
    ]


def test_times_set_themselves(storage: Storage) -> None:
    before = datetime.datetime.now(datetime.UTC)
    shown = storage.client(Account).post("/things/", {"email": "b@x", "password": "p"}).json["changed"]
    assert shown.endswith("Z")
    assert before <= datetime.datetime.fromisoformat(shown) <= datetime.datetime.now(datetime.UTC)


def test_prefer_minimal_empties_the_reply(books: Client) -> None:
    reply = books.post("/books/", {"title": "x"}, Prefer="return=minimal")
    assert reply.status_int == 201
    assert reply.body == b""
    assert reply.headers["Location"] == "/books/7/"
    assert reply.headers["Preference-Applied"] == "return=minimal"
    assert reply.headers["ETag"] == books.get("/books/7/").headers["ETag"]


def test_prefer_representation_is_what_happens_anyway(books: Client) -> None:
    assert books.post("/books/", {"title": "x"}, Prefer="return=representation").json["title"] == "x"


def test_users_validators_and_messages(storage: Storage) -> None:
    def positive(price: float) -> None:
        if price <= 0:
            raise ValueError("Price must be positive")

    def sensible(record: dict[str, Any]) -> None:
        if record["name"] == record["nick"]:
            raise ValidationError("the nick is no other name")

    class Product(models.Model):
        fields = [
            models.PkField("id"),
            models.FloatField("price", required=True, validate=positive),
            models.StringField("name", required=True, messages={"required": "Title is required"}),
            models.StringField("nick", validate=[lambda text: text.islower()]),
        ]
        validators = [sensible]

    client = storage.client(Product)
    reply = client.post("/things/", {"price": 0, "nick": "A"})
    assert {(one["pointer"], one["detail"]) for one in reply.json["errors"]} == {
        ("#/price", "Price must be positive"),
        ("#/name", "Title is required"),
        ("#/nick", "is not valid"),
    }
    reply = client.post("/things/", {"price": 1, "name": "a", "nick": "a"})
    assert faults(reply) == [("#", "invalid")]
    assert reply.json["detail"] == "the nick is no other name"
    assert client.post("/things/", {"price": 3, "name": "a"}).json["price"] == 3.0


def test_input_formatters_shape_what_comes_in() -> None:
    def title_case(controller: Any, data: Any) -> Any:
        assert controller.spec.name == "things"
        return {**data, "title": data["title"].title()}

    client = serve(over_list([], model=Book, controller={"options": {"formatters": [title_case]}}))
    assert client.post("/things/", {"title": "the hobbit"}).json["title"] == "The Hobbit"
    assert client.patch("/things/1/", {"title": "the silmarillion"}).json["title"] == "The Silmarillion"


def test_the_list_s_owner_finds_the_new_row() -> None:
    rows: list[dict[str, Any]] = []
    serve(over_list(rows, model=Tag)).post("/things/", {"slug": "s", "label": "L"})
    assert rows == [{"slug": "s", "label": "L", "weight": None}]


@pytest.mark.parametrize("sent", [{"name": "Ada", "age": 5}, {"name": "Ada", "age": 5, "id": None}])
def test_a_required_generated_key_is_not_asked_for(storage: Storage, sent: dict[str, Any]) -> None:
    class Person(models.Model):
        fields = [
            models.IntegerField(name="age", required=True),
            models.StringField(name="name", required=True),
            models.PkField(name="id"),
        ]

    reply = storage.client(Person).post("/things/", sent)
    if "id" in sent:
        assert faults(reply) == [("#/id", "read_only")]
    else:
        assert reply.status_int == 201


def test_an_empty_text_that_a_file_cannot_tell_from_null(storage: Storage) -> None:
    reply = storage.client(Book).post("/things/", {"title": "x", "author": ""})
    if storage.kind == "csv":
        assert faults(reply) == [("#/author", "invalid")]
    else:
        assert reply.json["author"] == ""


def test_a_whole_number_is_a_number(storage: Storage) -> None:
    class Measure(models.Model):
        fields = [models.PkField("id"), models.FloatField("value", required=True)]

    client = storage.client(Measure)
    assert client.post("/things/", {"value": 3}).json["value"] == 3.0
    assert client.values("/things/?value=3") == [1]
    assert faults(client.post("/things/", {"value": "3"})) == [("#/value", "type")]
    assert faults(client.post("/things/", {"value": True})) == [("#/value", "type")]
