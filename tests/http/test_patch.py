"""PATCH on an item: merge patches (RFC 7396) and JSON patches (RFC 6902)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rest_kit import models
from tests.http.samples import ACCOUNT, TAGS, Account, Tag
from tests.http.support import Client, Storage, complaint, faults, over_list, problem, serve

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@pytest.mark.parametrize("media_type", ["application/json", MERGE, "application/json; charset=utf-8", MERGE.upper()])
def test_a_merge_patch_changes_what_it_names(books: Client, media_type: str) -> None:
    before = books.get("/books/1/").json
    reply = books.patch("/books/1/", {"stock": 8, "author": None}, type=media_type)
    assert reply.status_int == 200
    assert reply.json == {**before, "stock": 8, "author": None}
    assert books.get("/books/1/").json == reply.json
    assert books.get("/books/1/").headers["ETag"] == reply.headers["ETag"]


def test_an_empty_patch_changes_nothing(books: Client) -> None:
    before = books.get("/books/1/")
    reply = books.patch("/books/1/", {})
    assert reply.json == before.json
    assert reply.headers["ETag"] == before.headers["ETag"]


def test_a_whole_object_is_a_patch_too(books: Client) -> None:
    before = books.get("/books/3/")
    assert books.patch("/books/3/", body=before.body).json == before.json


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"title": None}, [("#/title", "null")]),
        ({"stock": None}, [("#/stock", "null")]),
        ({"stock": "5"}, [("#/stock", "type")]),
        ({"stock": 1.9, "lent": 0}, [("#/stock", "type"), ("#/lent", "type")]),
        ({"colour": 1}, [("#/colour", "unknown")]),
        ({"colour": None}, [("#/colour", "unknown")]),
        ({"id": 2}, [("#/id", "read_only")]),
        ({"id": None}, [("#/id", "read_only")]),
        ({"resource_uri": "/x/"}, [("#/resource_uri", "read_only")]),
        ({"id": 2, "stock": "5"}, [("#/id", "read_only"), ("#/stock", "type")]),
    ],
)
def test_what_a_merge_patch_may_not_do(books: Client, sent: Any, expected: list[tuple[str, str]]) -> None:
    before = books.get("/books/1/").json
    assert sorted(faults(books.patch("/books/1/", sent))) == sorted(expected)
    assert books.get("/books/1/").json == before


@pytest.mark.parametrize("sent", [[], "x", 5, None])
def test_a_merge_patch_for_an_object_is_an_object(books: Client, sent: Any) -> None:
    assert faults(books.patch("/books/1/", sent), 400, "malformed-body") == [("#", "type")]


class Place(models.Model):
    """An object within an object, and a free one."""

    fields = [models.StringField("city"), models.StringField("zip")]


class Shop(models.Model):
    """A shop at a place."""

    fields = [
        models.PkField("id"),
        models.NestedField("place", Place),
        models.DictField("extra"),
        models.FloatField("rate"),
        models.DecimalField("sum", places=2),
    ]


SHOP: dict[str, Any] = {
    "id": 1,
    "place": {"city": "Rome", "zip": "00100"},
    "extra": {"a": {"b": 1, "c": 2}},
    "rate": 0.1,
    "sum": None,
}


def test_merge_patches_reach_into_objects(storage: Storage) -> None:
    client = storage.client(Shop, [SHOP])
    reply = client.patch("/things/1/", {"place": {"zip": None}, "extra": {"a": {"b": None, "d": 3}, "e": [None]}})
    assert reply.json["place"] == {"city": "Rome", "zip": None}
    assert reply.json["extra"] == {"a": {"c": 2, "d": 3}, "e": [None]}


def test_a_merge_patch_leaves_no_nulls_where_there_was_nothing(storage: Storage) -> None:
    client = storage.client(Shop, [{**SHOP, "extra": None}])
    assert client.patch("/things/1/", {"extra": {"a": None, "b": {"c": None}}}).json["extra"] == {"b": {}}


def test_a_json_patch(books: Client) -> None:
    patch = [
        {"op": "test", "path": "/stock", "value": 3},
        {"op": "replace", "path": "/stock", "value": 4},
        {"op": "remove", "path": "/author"},
        {"op": "add", "path": "/tags", "value": ["a"]},
        {"op": "add", "path": "/tags/-", "value": "b"},
        {"op": "copy", "from": "/title", "path": "/author"},
        {"op": "move", "from": "/tags/0", "path": "/tags/1"},
    ]
    before = books.get("/books/1/").json
    reply = books.patch("/books/1/", patch, type=JSON_PATCH)
    assert reply.status_int == 200
    assert reply.json == {**before, "stock": 4, "author": "The Hobbit", "tags": ["b", "a"]}


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ([{"op": "test", "path": "/stock", "value": 4}, {"op": "replace", "path": "/stock", "value": 9}], 409),
        ([{"op": "test", "path": "/stock", "value": True}], 409),
        ([{"op": "replace", "path": "/stock", "value": 9}, {"op": "remove", "path": "/nothing"}], 409),
        ([{"op": "add", "path": "/tags/0", "value": "x"}], 409),
        ([{"op": "replace", "path": "/stock", "value": "9"}], 400),
        ([{"op": "remove", "path": "/title"}], 400),
        ([{"op": "replace", "path": "/id", "value": 9}], 400),
        ([{"op": "remove", "path": "/id"}], 400),
        ([{"op": "add", "path": "/colour", "value": "red"}], 400),
        ([{"op": "replace", "path": "", "value": [1]}], 400),
        ([{"op": "frobnicate", "path": "/stock"}], 400),
        ([{"op": "replace", "path": "stock", "value": 1}], 400),
        ([{"op": "replace", "path": "/stock"}], 400),
        ([5], 400),
        ({"stock": 9}, 400),
        ("x", 400),
    ],
)
def test_a_json_patch_applies_whole_or_not_at_all(books: Client, patch: Any, status: int) -> None:
    before = books.get("/books/1/").json
    reply = books.patch("/books/1/", patch, type=JSON_PATCH)
    assert reply.status_int == status
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert books.get("/books/1/").json == before


def test_an_operation_s_place_is_named(books: Client) -> None:
    patch = [{"op": "test", "path": "/id", "value": 1}, {"op": "replace", "path": "/stock"}, 5]
    reply = books.patch("/books/1/", patch, type=JSON_PATCH)
    assert faults(reply, 400, "malformed-body") == [("#/1", "json_patch"), ("#/2", "json_patch")]
    conflict = problem(books.patch("/books/1/", [{"op": "remove", "path": "/x"}], type=JSON_PATCH), 409, "conflict")
    assert "operation 0" in conflict["detail"]


def test_numbers_in_a_json_patch_are_compared_by_value(storage: Storage) -> None:
    client = storage.client(Shop, [SHOP])
    for value, status in (
        (0.1, 200),
        (0.10000000000000001, 200),
        (0.2, 409),
        (10**399, 409),
        ("0.1", 409),
        (True, 409),
    ):
        test = {"op": "test", "path": "/rate", "value": value}
        assert client.ask("PATCH", "/things/1/", body=json.dumps([test]).encode(), type=JSON_PATCH).status_int == status


def test_a_json_patch_within_an_object(storage: Storage) -> None:
    client = storage.client(Shop, [SHOP])
    patch = [{"op": "remove", "path": "/extra/a/b"}, {"op": "replace", "path": "/place/city", "value": "Oslo"}]
    reply = client.patch("/things/1/", patch, type=JSON_PATCH)
    assert reply.json["extra"] == {"a": {"c": 2}}
    assert reply.json["place"] == {"city": "Oslo", "zip": "00100"}


def test_no_patch_sees_what_clients_do_not(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    copy = [{"op": "copy", "from": "/password", "path": "/email"}]
    assert client.patch("/things/1/", copy, type=JSON_PATCH).status_int == 409
    assert (
        client.patch("/things/1/", [{"op": "test", "path": "/password", "value": "hush"}], type=JSON_PATCH).status_int
        == 409
    )
    assert client.get("/things/1/").json["email"] == "a@x"


def test_write_only_fields_can_be_patched() -> None:
    rows = [dict(ACCOUNT)]
    client = serve(over_list(rows, model=Account))
    assert client.patch("/things/1/", {"password": "new"}).status_int == 200
    assert rows[0]["password"] == "new"
    assert rows[0]["note"] == "n"


def test_a_change_is_seen_in_the_time_of_change(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    before = client.get("/things/1/").json["changed"]
    after = client.patch("/things/1/", {"email": "b@x"}).json["changed"]
    assert after > before
    stale = client.patch("/things/1/", {"email": "c@x", "changed": before})
    assert faults(stale, 409, "conflict") == [("#/changed", "stale")]


def test_any_other_type_is_refused_and_the_right_ones_are_named(books: Client) -> None:
    reply = books.patch("/books/1/", {"stock": 1}, type="application/x-www-form-urlencoded")
    detail = problem(reply, 415, "unsupported-media-type")["detail"]
    assert MERGE in detail
    assert JSON_PATCH in detail
    assert reply.headers["Accept-Patch"] == f"{MERGE}, {JSON_PATCH}, application/json"


def test_a_patch_on_nothing(books: Client) -> None:
    problem(books.patch("/books/99/", {"stock": 1}), 404, "not-found")


def test_a_taken_value_is_a_conflict(books: Client) -> None:
    assert faults(books.patch("/books/2/", {"isbn": "111"}), 409, "conflict") == [("#/isbn", "unique")]
    assert books.patch("/books/1/", {"isbn": "111"}).status_int == 200


def test_rules_over_the_whole_object_hold_for_patches(storage: Storage) -> None:
    class Span(models.Model):
        fields = [models.PkField("id"), models.IntegerField("low"), models.IntegerField("high")]
        validators = [lambda record: record["low"] <= record["high"]]

    client = storage.client(Span, [{"id": 1, "low": 1, "high": 2}])
    assert faults(client.patch("/things/1/", {"low": 3})) == [("#", "invalid")]
    assert client.patch("/things/1/", {"low": 3, "high": 3}).status_int == 200


def test_prefer_minimal_and_fields(books: Client) -> None:
    reply = books.patch("/books/1/", {"stock": 1}, Prefer="return=minimal")
    assert (reply.status_int, reply.body) == (204, b"")
    assert reply.headers["ETag"] == books.get("/books/1/").headers["ETag"]
    assert list(books.patch("/books/1/?fields=stock", {"stock": 2}).json) == ["id", "stock", "resource_uri"]
    assert complaint(books.patch("/books/1/?stock=1", {"stock": 2}))["parameter"] == "stock"


def test_a_text_key_stays(storage: Storage) -> None:
    client = storage.client(Tag, TAGS)
    assert client.patch("/things/red/", {"slug": "red", "weight": 9}).json["weight"] == 9
    assert faults(client.patch("/things/red/", {"slug": "blue"})) == [("#/slug", "read_only")]


def test_a_key_comes_back_as_the_integer_that_it_is(library: Client) -> None:
    assert library.patch("/books/1/", {"id": 1, "stock": 7}).status_int == 200
    assert faults(library.patch("/books/1/", body=b'{"id": 1.0}')) == [("#/id", "read_only")]
