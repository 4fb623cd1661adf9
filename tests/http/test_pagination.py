"""Pages of a list: by offset, by number, by cursor."""

from __future__ import annotations

from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from rest_kit.errors import ConfigurationError
from rest_kit.pagination import BasePagination, CursorPagination, PageNumberPagination, Pagination
from tests.http.samples import BOOKS, Book, Person, people_rows
from tests.http.support import Client, Storage, complaint, over_list, problem, serve


def paged(storage: Storage, pagination: BasePagination, rows: int = 10) -> Client:
    return storage.client(Person, people_rows()[:rows], controller={"options": {"pagination": pagination}})


def links(client: Client, path: str) -> tuple[Any, Any, Any, Any]:
    """Where the four links lead, as (first, previous, next, last) offsets or None."""
    meta = client.get(path).json["meta"]
    found = [meta[name] for name in ("first", "previous", "next", "last")]
    offsets = [link and int(dict(parse_qsl(urlsplit(link).query))["offset"]) for link in found]
    return offsets[0], offsets[1], offsets[2], offsets[3]


def walk(client: Client, path: str | None, direction: str = "next") -> list[list[int]]:
    """The keys on each page, following the links."""
    pages = []
    while path is not None:
        reply = client.get(path)
        assert reply.status_int == 200, reply.text
        pages.append([obj["id"] for obj in reply.json["object_list"]])
        path = reply.json["meta"][direction]
        assert len(pages) < 50
    return pages


# By offset


@pytest.mark.parametrize(
    ("query", "pks"),
    [
        ("", range(20)),
        ("offset=0", range(20)),
        ("offset=95", range(95, 100)),
        ("offset=99&count=1", [99]),
        ("count=3", range(3)),
        ("offset=3&count=3", [3, 4, 5]),
        ("count=1000", range(20)),
        ("count=9223372036854775807", range(20)),
        ("offset=100", []),
        ("offset=9223372036854775807", []),
        ("count=0", []),
        ("offset=020&count=02", [20, 21]),
    ],
)
def test_offset_and_count(people: Client, query: str, pks: Any) -> None:
    assert people.values(f"/people/?{query}") == list(pks)


@pytest.mark.parametrize("parameter", ["offset", "count"])
@pytest.mark.parametrize(
    "value", ["", "-1", "x", "1.5", "1e3", "+5", "%205", "5%20", "٣", "0x10", "9223372036854775808", "9" * 100, "None"]
)
def test_what_is_no_count_is_refused(people: Client, parameter: str, value: str) -> None:
    sign = "%2B5" if value == "+5" else value
    said = complaint(people.get(f"/people/?{parameter}={sign}"))
    assert said["parameter"] == parameter
    assert "whole number" in said["detail"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (0, None, 20, 80)),
        ("offset=20", (0, 0, 40, 80)),
        ("offset=5", (0, 0, 25, 80)),
        ("offset=80", (0, 60, None, 80)),
        ("offset=79", (0, 59, 99, 80)),
        ("offset=90", (0, 70, None, 80)),
        ("offset=100", (0, 80, None, 80)),
        ("offset=5000", (0, 80, None, 80)),
        ("count=7", (0, None, 7, 98)),
        ("count=7&offset=100", (0, 98, None, 98)),
        ("age__lt=40", (0, None, 20, 20)),
        ("age__lt=40&offset=20", (0, 0, None, 20)),
        ("age__lt=0", (0, None, None, 0)),
        ("age__lt=0&offset=20", (0, 0, None, 0)),
        ("count=0", (None, None, None, None)),
    ],
)
def test_links(people: Client, query: str, expected: tuple[Any, Any, Any, Any]) -> None:
    assert links(people, f"/people/?{query}") == expected


def test_above_the_maximum_is_clamped_and_shown(people: Client) -> None:
    meta = people.get("/people/?count=1000").json["meta"]
    assert meta["count"] == 20
    assert meta["next"] == "/people/?offset=20&count=20"


def test_count_zero_is_the_meta_alone(people: Client) -> None:
    reply = people.get("/people/?count=0&age__gte=50")
    assert reply.json["object_list"] == []
    assert reply.json["meta"]["count"] == 0
    assert reply.json["meta"]["total_count"] == 50
    assert "Link" not in reply.headers


def test_links_that_do_not_exist_are_null_not_text(people: Client) -> None:
    assert '"previous":null' in people.get("/people/").text


def test_every_object_is_on_one_page(people: Client) -> None:
    pages = walk(people, "/people/?count=7&ordering=-age")
    assert list(chain(*pages)) == list(range(99, -1, -1))
    assert walk(people, people.get("/people/").json["meta"]["last"], "previous")[-1] == list(range(20))


def test_links_keep_every_other_parameter_as_it_was_written() -> None:
    client = serve(over_list([dict(book) for book in BOOKS], model=Book))
    query = "author__in=%22Pamuk,%20Orhan%22,Tolkien&search=a+%C4%B0&ordering=-title&fields=title"
    meta = client.get(f"/things/?count=1&{query}&offset=0").json["meta"]
    assert meta["first"] == f"/things/?{query}&offset=0&count=1"


def test_a_link_holds_nothing_that_a_url_may_not() -> None:
    client = serve(over_list([dict(book) for book in BOOKS], model=Book))
    reply = client.ask("GET", "/things/", environ={"QUERY_STRING": 'title__ne=\xc3\xa9"<>\\^`{|}'})
    assert reply.status_int == 200
    assert reply.json["meta"]["first"] == ("/things/?title__ne=%C3%A9%22%3C%3E%5C%5E%60%7B%7C%7D&offset=0&count=100")
    assert reply.headers["Link"].count("<") == 2


def test_default_page_size_and_maximum_may_differ(storage: Storage) -> None:
    client = paged(storage, Pagination(5, 2))
    assert len(client.objects("/things/")) == 2
    assert len(client.objects("/things/?count=9")) == 5


def test_pagination_left_out_is_a_hundred(storage: Storage) -> None:
    rows = [{"name": "Ada", "age": n, "id": n} for n in range(101)]
    client = storage.client(Person, rows)
    assert len(client.objects("/things/")) == 100
    assert client.get("/things/?count=500").json["meta"]["count"] == 100


def test_the_parameters_may_have_other_names(storage: Storage) -> None:
    client = paged(storage, Pagination(5, offset_key="skip", count_key="limit"))
    reply = client.get("/things/?skip=2&limit=3")
    assert [obj["id"] for obj in reply.json["object_list"]] == [2, 3, 4]
    assert reply.json["meta"]["next"] == "/things/?skip=5&limit=3"
    assert complaint(client.get("/things/?offset=2"))["code"] == "unknown"


def test_without_counting_one_more_is_read(storage: Storage) -> None:
    client = paged(storage, Pagination(5, total="none"))
    meta = client.get("/things/?count=4").json["meta"]
    assert meta["total_count"] is None
    assert meta["last"] is None
    assert meta["next"] == "/things/?offset=4&count=4"
    assert walk(client, "/things/?count=4") == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert walk(client, "/things/?count=5")[-1] == [5, 6, 7, 8, 9]


# By number


def test_pages_by_number(storage: Storage) -> None:
    client = paged(storage, PageNumberPagination(4))
    reply = client.get("/things/?page=2&fields=id")
    assert [obj["id"] for obj in reply.json["object_list"]] == [4, 5, 6, 7]
    assert reply.json["meta"] == {
        "page": 2,
        "count": 4,
        "total_count": 10,
        "filters": {},
        "first": "/things/?fields=id&page=1&page_size=4",
        "previous": "/things/?fields=id&page=1&page_size=4",
        "next": "/things/?fields=id&page=3&page_size=4",
        "last": "/things/?fields=id&page=3&page_size=4",
    }
    assert walk(client, "/things/?page_size=3") == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]


def test_page_numbers_past_the_end_lead_back(storage: Storage) -> None:
    meta = paged(storage, PageNumberPagination(4)).get("/things/?page=9").json["meta"]
    assert meta["previous"] == "/things/?page=3&page_size=4"
    assert meta["next"] is None


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=", "page=x", "page_size=x", "page=9223372036854775807"])
def test_page_numbers_that_cannot_be(query: str) -> None:
    dicts = {"controller": {"options": {"pagination": PageNumberPagination(4)}}}
    client = serve(over_list(people_rows()[:10], model=Person, **dicts))
    assert complaint(client.get(f"/things/?{query}"))["parameter"] == query.partition("=")[0]


def test_page_size_is_clamped(storage: Storage) -> None:
    assert paged(storage, PageNumberPagination(4)).get("/things/?page_size=99").json["meta"]["count"] == 4


# By cursor


def test_cursors_walk_forth_and_back(storage: Storage) -> None:
    client = paged(storage, CursorPagination(4))
    assert walk(client, "/things/") == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    last = client.get(client.get(client.get("/things/").json["meta"]["next"]).json["meta"]["next"])
    assert walk(client, last.json["meta"]["previous"], "previous") == [[4, 5, 6, 7], [0, 1, 2, 3]]


def test_a_cursor_s_meta(storage: Storage) -> None:
    meta = paged(storage, CursorPagination(4)).get("/things/").json["meta"]
    assert list(meta) == ["count", "total_count", "filters", "first", "previous", "next", "last"]
    assert meta["count"] == 4
    assert meta["total_count"] is None
    assert meta["previous"] is None
    assert meta["last"] is None
    assert meta["first"] == "/things/?count=4"


@pytest.mark.parametrize(
    "query",
    ["ordering=author", "ordering=-author", "ordering=price,-title", "ordering=-published,lent", "fields=title", ""],
)
def test_cursors_in_any_order_with_nulls(storage: Storage, query: str) -> None:
    options = {"options": {"pagination": CursorPagination(2)}}
    client = storage.client(Book, BOOKS, controller=options)
    whole = storage.client(Book, BOOKS).values(f"/things/?{query}")
    assert list(chain(*walk(client, f"/things/?{query}"))) == whole


def test_a_cursor_page_shows_only_the_fields_asked_for(storage: Storage) -> None:
    options = {"options": {"pagination": CursorPagination(2)}}
    client = storage.client(Book, BOOKS, controller=options)
    first = client.objects("/things/?ordering=price&fields=title")[0]
    assert list(first) == ["id", "title", "resource_uri"]


def test_cursors_stay_in_place_while_objects_come_and_go(storage: Storage) -> None:
    client = paged(storage, CursorPagination(3))
    first = client.get("/things/?ordering=-age")
    assert [obj["id"] for obj in first.json["object_list"]] == [9, 8, 7]
    assert client.post("/things/", {"name": "New", "age": 1000}).status_int == 201
    assert client.delete("/things/7/").status_int == 204
    assert client.delete("/things/5/").status_int == 204
    assert client.values(first.json["meta"]["next"]) == [6, 4, 3]


def test_previous_of_an_emptied_page_leads_back(storage: Storage) -> None:
    client = paged(storage, CursorPagination(3), rows=5)
    second = client.get("/things/").json["meta"]["next"]
    for pk in (3, 4):
        client.delete(f"/things/{pk}/")
    meta = client.get(second).json["meta"]
    assert meta["next"] is None
    assert client.values(meta["previous"]) == [0, 1, 2]
    assert client.get(meta["previous"]).json["meta"]["next"] is None


def forged(client: Client) -> list[str]:
    cursor = dict(parse_qsl(urlsplit(client.get("/things/").json["meta"]["next"]).query))["cursor"]
    return ["", "x", cursor[:-1], cursor + "A", "A" + cursor, cursor.swapcase(), "." + cursor, "%00", "e30.e30"]


def test_forged_cursors_are_refused_and_show_nothing(storage: Storage) -> None:
    client = paged(storage, CursorPagination(4))
    for cursor in forged(client):
        said = complaint(client.get(f"/things/?cursor={cursor}"))
        assert (said["parameter"], said["code"]) == ("cursor", "cursor")


@pytest.mark.parametrize("query", ["ordering=-id", "age__gte=1", "search=ada", "ordering=age"])
def test_a_cursor_belongs_to_its_ordering_and_filters(storage: Storage, query: str) -> None:
    client = paged(storage, CursorPagination(4))
    link = client.get("/things/").json["meta"]["next"]
    assert complaint(client.get(f"{link}&{query}"))["parameter"] == "cursor"


def test_a_cursor_of_another_resource_is_refused(storage: Storage) -> None:
    options = {"options": {"pagination": CursorPagination(4)}}
    one = storage.controller(Person, people_rows()[:9], name="one", controller=options)
    other = storage.controller(Person, people_rows()[:9], name="other", controller=options)
    client = serve(one, other)
    link = client.get("/one/").json["meta"]["next"]
    assert complaint(client.get(link.replace("/one/", "/other/")))["parameter"] == "cursor"


def test_cursors_survive_the_rotation_of_the_secret(storage: Storage) -> None:
    cls = storage.controller(Person, people_rows()[:9], controller={"options": {"pagination": CursorPagination(4)}})
    link = serve(cls, secret="old" * 10).get("/things/").json["meta"]["next"]
    assert serve(cls, secret=["new" * 10, "old" * 10]).values(link) == [4, 5, 6, 7]
    assert complaint(serve(cls, secret="new" * 10).get(link))["parameter"] == "cursor"


def test_a_cursor_may_come_with_a_total(storage: Storage) -> None:
    client = paged(storage, CursorPagination(4, total="exact"))
    assert client.get("/things/").json["meta"]["total_count"] == 10
    assert client.get(client.get("/things/").json["meta"]["next"]).json["meta"]["total_count"] == 10


# At construction


@pytest.mark.parametrize("policy", [Pagination, PageNumberPagination, CursorPagination])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0,), "max_count must be a positive integer"),
        ((True,), "max_count must be a positive integer"),
        (("20",), "max_count must be a positive integer"),
        ((20, 21), "default must be an integer from 1 to max_count"),
        ((20, 0), "default must be an integer from 1 to max_count"),
        ((20, 10, "x", "x"), "different non-empty strings"),
    ],
)
def test_policies_that_cannot_work(policy: type[BasePagination], arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        policy(*arguments)


def test_paging_parameters_are_refused_where_nothing_is_paged(storage: Storage) -> None:
    client = paged(storage, Pagination(5))
    reply = client.delete("/things/?age=1&offset=0")
    assert complaint(reply)["parameter"] == "offset"
    assert "did you mean 'offset'" not in complaint(reply)["detail"]
    problem(client.get("/things/1/?offset=0"), 400, "invalid-parameter")
