"""PUT on an item: the whole object anew."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.samples import ACCOUNT, TAGS, Account, Tag
from tests.http.support import Client, Storage, complaint, faults, over_list, problem, serve


def test_put_replaces_the_whole_object(books: Client) -> None:
    reply = books.put("/books/1/", {"title": "The Hobbit, revised"})
    assert reply.status_int == 200
    assert reply.json == {
        "id": 1,
        "title": "The Hobbit, revised",
        "isbn": None,
        "author": None,
        "price": None,
        "published": None,
        "stock": 0,
        "lent": False,
        "tags": None,
        "resource_uri": "/books/1/",
    }
    assert books.get("/books/1/").json == reply.json


def test_put_again_changes_nothing(books: Client) -> None:
    first = books.put("/books/1/", {"title": "x", "stock": 7})
    second = books.put("/books/1/", {"title": "x", "stock": 7})
    assert first.json == second.json
    assert first.headers["ETag"] == second.headers["ETag"]


@pytest.mark.parametrize("pk", [1, 2, 3, 4, 5, 6])
def test_an_object_can_be_sent_back_as_it_was_read(books: Client, pk: int) -> None:
    got = books.get(f"/books/{pk}/")
    put = books.put(f"/books/{pk}/", body=got.body)
    assert put.status_int == 200
    assert put.json == got.json
    assert put.headers["ETag"] == got.headers["ETag"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id": 2}, ("#/id", "read_only")),
        ({"id": "1"}, ("#/id", "read_only")),
        ({"id": True}, ("#/id", "read_only")),
        ({"id": None}, ("#/id", "read_only")),
        ({"resource_uri": "/books/2/"}, ("#/resource_uri", "read_only")),
        ({"resource_uri": None}, ("#/resource_uri", "read_only")),
        ({"colour": "red"}, ("#/colour", "unknown")),
        ({"title": None}, ("#/title", "null")),
        ({"stock": "5"}, ("#/stock", "type")),
        ({"stock": 1.0}, ("#/stock", "type")),
    ],
)
def test_what_is_refused(books: Client, change: dict[str, Any], expected: tuple[str, str]) -> None:
    got = books.get("/books/1/")
    assert faults(books.put("/books/1/", {**got.json, **change})) == [expected]
    assert books.get("/books/1/").json == got.json


def test_a_required_field_may_not_be_missing(books: Client) -> None:
    assert faults(books.put("/books/1/", {"stock": 1})) == [("#/title", "required")]


def test_fixed_and_other_errors_come_at_once(books: Client) -> None:
    reply = books.put("/books/1/", {"id": 2, "resource_uri": "/x/", "stock": "5"})
    assert set(faults(reply)) == {
        ("#/id", "read_only"),
        ("#/resource_uri", "read_only"),
        ("#/stock", "type"),
        ("#/title", "required"),
    }


def test_put_on_nothing_creates_nothing(books: Client) -> None:
    problem(books.put("/books/99/", {"title": "x"}), 404, "not-found")
    assert books.get("/books/?count=0").json["meta"]["total_count"] == 6


@pytest.mark.parametrize("sent", [[], [{"title": "x"}], "x", None, 5])
def test_an_item_is_an_object(books: Client, sent: Any) -> None:
    assert faults(books.put("/books/1/", sent)) == [("#", "type")]


def test_a_taken_value_is_a_conflict_but_one_s_own_is_not(books: Client) -> None:
    assert faults(books.put("/books/2/", {"title": "x", "isbn": "111"}), 409, "conflict") == [("#/isbn", "unique")]
    assert books.put("/books/1/", {"title": "x", "isbn": "111"}).status_int == 200


def test_write_only_fields_stay_where_they_are_absent(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    got = client.get("/things/1/").json
    assert client.put("/things/1/", got).status_int == 200
    assert faults(client.put("/things/1/", {**client.get("/things/1/").json, "password": 5})) == [
        ("#/password", "type")
    ]


def test_write_only_fields_are_kept_and_replaced() -> None:
    rows = [dict(ACCOUNT)]
    client = serve(over_list(rows, model=Account))
    client.put("/things/1/", client.get("/things/1/").json)
    assert (rows[0]["password"], rows[0]["note"], rows[0]["plan"]) == ("hush", "n", "gold")
    client.put("/things/1/", {**client.get("/things/1/").json, "password": "new", "note": None})
    assert (rows[0]["password"], rows[0]["note"], rows[0]["plan"]) == ("new", None, "gold")


def test_a_stale_time_of_change_is_a_conflict(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    got = client.get("/things/1/").json
    assert client.put("/things/1/", {**got, "email": "b@x"}).status_int == 200
    assert faults(client.put("/things/1/", {**got, "email": "c@x"}), 409, "conflict") == [("#/changed", "stale")]
    assert client.get("/things/1/").json["email"] == "b@x"


def test_a_read_only_field_may_come_back_but_not_change(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    got = client.get("/things/1/").json
    assert faults(client.put("/things/1/", {**got, "plan": "free"})) == [("#/plan", "read_only")]
    assert client.put("/things/1/", {**got, "plan": "gold"}).json["plan"] == "gold"


def test_a_text_key_stays(storage: Storage) -> None:
    client = storage.client(Tag, TAGS)
    assert client.put("/things/red/", {"label": "Rot"}).json == {
        "slug": "red",
        "label": "Rot",
        "weight": None,
        "resource_uri": "/things/red/",
    }
    assert client.put("/things/red/", {"slug": "red", "label": "Rosso"}).status_int == 200
    assert faults(client.put("/things/red/", {"slug": "blue", "label": "Blau"})) == [("#/slug", "read_only")]


def test_prefer_minimal_and_fields(books: Client) -> None:
    reply = books.put("/books/1/", {"title": "x"}, Prefer="return=minimal")
    assert reply.status_int == 204
    assert reply.body == b""
    assert reply.headers["Preference-Applied"] == "return=minimal"
    assert reply.headers["ETag"] == books.get("/books/1/").headers["ETag"]
    assert list(books.put("/books/1/?fields=title", {"title": "y"}).json) == ["id", "title", "resource_uri"]
    assert complaint(books.put("/books/1/?title=y", {"title": "y"}))["parameter"] == "title"
