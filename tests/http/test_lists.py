"""GET on a list: the envelope, the bare array, the objects' shape."""

from __future__ import annotations

import datetime
import uuid

from rest_kit import models
from tests.http.samples import ACCOUNT, BOOKS, Account, Book, Person, people_rows
from tests.http.support import Client, Storage, problem


def test_the_example_of_the_contract(people: Client) -> None:
    reply = people.get("/people/?age__gte=30&search=ada&ordering=-age,name&fields=name&offset=20&count=20")
    kept = "/people/?age__gte=30&search=ada&ordering=-age,name&fields=name&"
    assert reply.status_int == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert list(reply.json) == ["meta", "object_list"]
    assert reply.json["meta"] == {
        "offset": 20,
        "count": 20,
        "total_count": 70,
        "filters": {"age__gte": 30},
        "first": kept + "offset=0&count=20",
        "previous": kept + "offset=0&count=20",
        "next": kept + "offset=40&count=20",
        "last": kept + "offset=60&count=20",
    }
    assert reply.json["object_list"][0] == {"id": 79, "name": "Ada", "resource_uri": "/people/79/"}
    assert [obj["id"] for obj in reply.json["object_list"]] == list(range(79, 59, -1))


def test_objects_have_every_field_in_the_model_s_order_and_their_address(library: Client) -> None:
    reply = library.get("/books/?id=1")
    assert list(reply.json["object_list"][0].items()) == [
        ("id", 1),
        ("title", "The Hobbit"),
        ("isbn", "111"),
        ("author", "Tolkien"),
        ("price", "9.90"),
        ("published", "1937-09-21"),
        ("stock", 3),
        ("lent", False),
        ("tags", None),
        ("resource_uri", "/books/1/"),
    ]


def test_a_list_of_nothing(storage: Storage) -> None:
    reply = storage.client(Person).get("/things/")
    assert reply.json["object_list"] == []
    assert reply.json["meta"]["total_count"] == 0
    assert reply.json["meta"]["previous"] is None
    assert reply.json["meta"]["next"] is None


def test_without_an_ordering_the_primary_key_orders(storage: Storage) -> None:
    client = storage.client(Person, people_rows()[:5][::-1])
    assert client.values("/things/") == [0, 1, 2, 3, 4]


def test_link_header_names_the_pages_that_there_are(people: Client) -> None:
    assert people.get("/people/?offset=20&count=20").headers["Link"] == (
        '</people/?offset=0&count=20>; rel="first", '
        '</people/?offset=0&count=20>; rel="prev", '
        '</people/?offset=40&count=20>; rel="next", '
        '</people/?offset=80&count=20>; rel="last"'
    )


def test_link_header_leaves_out_what_is_not_there(people: Client) -> None:
    link = people.get("/people/").headers["Link"]
    assert 'rel="prev"' not in link
    assert 'rel="next"' in link


def test_without_envelope_the_array_is_bare(storage: Storage) -> None:
    client = storage.client(Person, people_rows()[:3], view={"options": {"envelope": False}})
    reply = client.get("/things/?count=2&fields=id")
    assert reply.json == [{"id": 0, "resource_uri": "/things/0/"}, {"id": 1, "resource_uri": "/things/1/"}]
    assert reply.headers["X-Total-Count"] == "3"
    assert '</things/?fields=id&offset=2&count=2>; rel="next"' in reply.headers["Link"]


def test_a_write_only_field_is_in_no_list(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    assert set(client.objects("/things/")[0]) == {"id", "email", "plan", "changed", "resource_uri"}


def test_a_write_only_field_cannot_be_asked_after(storage: Storage) -> None:
    client = storage.client(Account, [ACCOUNT])
    for query in ("password=hush", "password__isnull=false", "ordering=password", "fields=password"):
        problem(client.get(f"/things/?{query}"), 400, "invalid-parameter")
    assert client.objects("/things/?search=hush") == []


def test_head_is_get_without_the_body(library: Client) -> None:
    get, head = library.get("/books/?count=2"), library.head("/books/?count=2")
    assert head.status_int == 200
    assert head.body == b""
    for name in ("Content-Type", "Content-Length", "Link"):
        assert head.headers[name] == get.headers[name]


def test_what_one_client_does_to_a_reply_leaves_the_data_alone(storage: Storage) -> None:
    client = storage.client(Book, BOOKS, name="books")
    first = client.objects("/books/?id=3")
    first[0]["tags"].append("mine")
    assert client.objects("/books/?id=3")[0]["tags"] == ["a", "b"]


def test_values_in_json(storage: Storage) -> None:
    class Value(models.Model):
        fields = [
            models.PkField("id"),
            models.IntegerField("whole"),
            models.FloatField("real"),
            models.DateTimeField("moment"),
            models.TimestampField("stamp"),
            models.UUIDField("uuid"),
            models.DictField("object"),
        ]

    key = uuid.UUID("12345678-1234-4678-8234-567812345678")
    moment = datetime.datetime(2024, 2, 29, 23, 59, 59, 500000, tzinfo=datetime.UTC)
    row = {"id": 1, "whole": 2**63 - 1, "real": 0.1, "moment": moment, "stamp": 1.5, "uuid": key, "object": {"a": [1]}}
    assert storage.client(Value, [row]).get("/things/1/").json == {
        "id": 1,
        "whole": 9223372036854775807,
        "real": 0.1,
        "moment": "2024-02-29T23:59:59.500000Z",
        "stamp": 1.5,
        "uuid": "12345678-1234-4678-8234-567812345678",
        "object": {"a": [1]},
        "resource_uri": "/things/1/",
    }
