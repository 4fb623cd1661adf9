"""Writes on the list: many objects, all of them or none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.samples import BOOKS, TAGS, Book, Tag
from tests.http.support import Client, Storage, complaint, faults, over_list, serve


def totals(client: Client) -> int:
    total: int = client.get("/books/?count=0").json["meta"]["total_count"]
    return total


# POST


def test_post_of_an_array(books: Client) -> None:
    reply = books.post("/books/", [{"title": "A"}, {"title": "B", "stock": 2}])
    assert reply.status_int == 201
    assert "Location" not in reply.headers
    assert [(obj["id"], obj["title"], obj["resource_uri"]) for obj in reply.json] == [
        (7, "A", "/books/7/"),
        (8, "B", "/books/8/"),
    ]
    assert totals(books) == 8


def test_post_of_an_array_is_all_or_nothing(books: Client) -> None:
    reply = books.post("/books/", [{"title": "A"}, {"stock": "5"}, {"title": "B", "x": 1}, 5])
    assert set(faults(reply)) == {
        ("#/1/title", "required"),
        ("#/1/stock", "type"),
        ("#/2/x", "unknown"),
        ("#/3", "type"),
    }
    assert totals(books) == 6


@pytest.mark.parametrize(
    "sent",
    [
        [{"title": "A"}, {"title": "B", "isbn": "111"}],
        [{"title": "A", "isbn": "9"}, {"title": "B", "isbn": "9"}],
    ],
)
def test_a_conflict_names_the_place_in_the_array(books: Client, sent: Any) -> None:
    assert faults(books.post("/books/", sent), 409, "conflict") == [("#/1/isbn", "unique")]
    assert totals(books) == 6


def test_an_empty_array_is_fine(books: Client) -> None:
    reply = books.post("/books/", [])
    assert (reply.status_int, reply.json) == (201, [])


def test_no_more_than_bulk_max(storage: Storage) -> None:
    client = storage.client(Book, BOOKS, name="books", controller={"options": {"bulk_max": 2}})
    assert client.post("/books/", [{"title": "A"}] * 2).status_int == 201
    assert faults(client.post("/books/", [{"title": "A"}] * 3)) == [("#", "bulk_max")]
    assert faults(client.put("/books/", [{"id": n, "title": "A"} for n in (1, 2, 3)])) == [("#", "bulk_max")]
    assert complaint(client.patch("/books/?id__gte=1", {"stock": 1}))["code"] == "bulk_max"
    assert complaint(client.delete("/books/?id__gte=1"))["code"] == "bulk_max"
    assert totals(client) == 8


def test_bulk_max_is_a_thousand(storage: Storage) -> None:
    client = storage.client(Book)
    assert client.post("/things/", [{"title": "A"}] * 1000).status_int == 201
    assert faults(client.post("/things/", [{"title": "A"}] * 1001)) == [("#", "bulk_max")]


def test_an_array_is_explained_no_further_than_a_hundred_faults(books: Client) -> None:
    reply = books.post("/books/", [{f"unknown{n}": 1 for n in range(30)}] * 1000)
    assert reply.status_int == 400
    assert 100 <= len(faults(reply)) < 130


def test_post_of_an_array_with_prefer_minimal_and_fields(books: Client) -> None:
    reply = books.post("/books/", [{"title": "A"}], Prefer="return=minimal")
    assert (reply.status_int, reply.body) == (201, b"")
    assert books.post("/books/?fields=title", [{"title": "B"}]).json == [
        {"id": 8, "title": "B", "resource_uri": "/books/8/"}
    ]


# PUT


def test_put_on_the_list_updates_by_key(books: Client) -> None:
    objects = books.objects("/books/?id__in=1,2")
    reply = books.put("/books/", [{**objects[1], "stock": 5}, {**objects[0], "title": "T"}])
    assert reply.status_int == 200
    assert [(obj["id"], obj["title"], obj["stock"]) for obj in reply.json] == [(2, "Mythos", 5), (1, "T", 3)]
    assert books.get("/books/1/").json["title"] == "T"
    assert books.get("/books/3/").json["title"] == "100% Cotton"


def test_put_on_the_list_is_all_or_nothing(books: Client) -> None:
    before = books.objects("/books/")
    sent = [{"id": 1, "title": "T"}, {"id": 2, "stock": 1}, {"title": "no key"}, {"id": "3", "title": "T"}, 5]
    reply = books.put("/books/", sent)
    assert set(faults(reply)) == {("#/2/id", "required"), ("#/3/id", "type"), ("#/4", "type")}
    assert set(faults(books.put("/books/", sent[:2]))) == {("#/1/title", "required")}
    assert books.objects("/books/") == before


def test_put_on_the_list_names_those_that_are_not_there(books: Client) -> None:
    reply = books.put("/books/", [{"id": 1, "title": "T"}, {"id": 98, "title": "T"}, {"id": 99, "title": "T"}])
    assert faults(reply) == [("#/1/id", "not_found"), ("#/2/id", "not_found")]
    assert books.get("/books/1/").json["title"] == "The Hobbit"


def test_put_on_the_list_names_each_once(books: Client) -> None:
    reply = books.put("/books/", [{"id": 1, "title": "T"}, {"id": 1, "title": "U"}])
    assert faults(reply) == [("#/1/id", "twice")]


def test_a_conflict_of_a_put_names_the_place(books: Client) -> None:
    reply = books.put("/books/", [{"id": 3, "title": "T"}, {"id": 4, "title": "U", "isbn": "111"}])
    assert faults(reply, 409, "conflict") == [("#/1/isbn", "unique")]
    assert books.get("/books/3/").json["title"] == "100% Cotton"


def test_values_can_be_swapped_back_and_forth(books: Client) -> None:
    objects = books.objects("/books/?id__in=1,2")
    assert (
        books.put("/books/", [{**objects[0], "title": "Mythos"}, {**objects[1], "title": "The Hobbit"}]).status_int
        == 200
    )


@pytest.mark.parametrize("sent", [{"id": 1, "title": "T"}, "x", None])
def test_put_on_the_list_takes_an_array(books: Client, sent: Any) -> None:
    assert faults(books.put("/books/", sent)) == [("#", "type")]


def test_put_on_a_list_with_text_keys(storage: Storage) -> None:
    client = storage.client(Tag, TAGS)
    reply = client.put("/things/", [{"slug": "a/b", "label": "X"}])
    assert reply.json == [{"slug": "a/b", "label": "X", "weight": None, "resource_uri": "/things/a%2Fb/"}]


def test_put_on_the_list_with_prefer_minimal_and_fields(books: Client) -> None:
    assert books.put("/books/", [{"id": 1, "title": "T"}], Prefer="return=minimal").status_int == 204
    reply = books.put("/books/?fields=title", [{"id": 1, "title": "T"}])
    assert reply.json == [{"id": 1, "title": "T", "resource_uri": "/books/1/"}]
    assert complaint(books.put("/books/?id=1", [{"id": 1, "title": "T"}]))["parameter"] == "id"


# PATCH


def test_patch_on_the_list_changes_what_the_filter_finds(books: Client) -> None:
    reply = books.patch("/books/?stock=3", {"stock": 30})
    assert reply.status_int == 200
    assert [(obj["id"], obj["stock"]) for obj in reply.json] == [(1, 30), (3, 30)]
    assert books.values("/books/", "stock") == [30, 0, 30, 9, 1, 0]


def test_patch_on_the_list_by_search_and_with_a_json_patch(books: Client) -> None:
    patch = [{"op": "replace", "path": "/stock", "value": 7}]
    reply = books.patch("/books/?search=tolkien", patch, type="application/json-patch+json")
    assert [(obj["id"], obj["stock"]) for obj in reply.json] == [(1, 7), (3, 7)]


def test_patch_on_the_list_is_all_or_nothing(books: Client) -> None:
    reply = books.patch("/books/?id__in=3,4", {"isbn": "same"})
    assert reply.status_int == 409
    assert books.values("/books/?id__in=3,4", "isbn") == [None, None]
    assert faults(books.patch("/books/?id__in=3,4", {"stock": "x"})) == [("#/stock", "type")]


def test_a_patch_that_finds_nothing_changes_nothing(books: Client) -> None:
    assert books.patch("/books/?id=99", {"stock": 1}).json == []


def test_patch_on_the_list_with_prefer_minimal_and_fields(books: Client) -> None:
    assert books.patch("/books/?id=1", {"stock": 1}, Prefer="return=minimal").status_int == 204
    reply = books.patch("/books/?id=1&fields=stock", {"stock": 2})
    assert reply.json == [{"id": 1, "stock": 2, "resource_uri": "/books/1/"}]


# DELETE


def test_delete_on_the_list_removes_what_the_filter_finds(books: Client) -> None:
    reply = books.delete("/books/?stock=3")
    assert (reply.status_int, reply.body) == (204, b"")
    assert books.values("/books/") == [2, 4, 5, 6]
    assert books.delete("/books/?search=hobb").status_int == 204
    assert books.values("/books/") == [2, 4, 5]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("query", ["", "?", "?search=", "?ordering=id", "?search=+"])
def test_without_a_filter_nothing_is_changed(books: Client, method: str, query: str) -> None:
    said = complaint(books.ask(method, f"/books/{query}", {"stock": 1} if method == "PATCH" else None))
    assert said["code"] == "filter_required"
    assert books.values("/books/", "stock") == [3, 0, 3, 9, 1, 0]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("query", ["?count=1", "?id=1&offset=0", "?titel=x", "?id=x"])
def test_a_filter_that_is_wrong_changes_nothing(books: Client, method: str, query: str) -> None:
    complaint(books.ask(method, f"/books/{query}", {"stock": 1} if method == "PATCH" else None))
    assert books.values("/books/", "stock") == [3, 0, 3, 9, 1, 0]


def test_delete_on_the_list_shows_nothing_and_so_takes_no_fields(books: Client) -> None:
    assert complaint(books.delete("/books/?id=1&fields=title"))["parameter"] == "fields"
    assert totals(books) == 6


def test_lenient_handling_does_not_loosen_the_need_for_a_filter(books: Client) -> None:
    assert complaint(books.delete("/books/?titel=x", Prefer="handling=lenient"))["code"] == "filter_required"
    assert totals(books) == 6


def test_bulk_writes_can_be_left_out() -> None:
    client = serve(over_list([dict(book) for book in BOOKS], model=Book, controller={"list_verbs": ["GET", "POST"]}))
    for method in ("PUT", "PATCH", "DELETE"):
        assert client.ask(method, "/things/?id=1").status_int == 405
