"""Entity tags, and what requests may demand of them (RFC 9110 §13)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from rest_kit import models
from rest_kit.store import Capabilities
from tests.http.samples import BOOKS, TAGS, Book, Tag
from tests.http.support import Client, Storage, over_list, problem, serve

STALE = '"000000000000000000000000"'


def tag_of(client: Client, path: str = "/books/1/") -> str:
    tag: str = client.get(path).headers["ETag"]
    return tag


def test_a_tag_is_strong_and_stays_while_the_item_does(library: Client) -> None:
    tag = tag_of(library)
    assert tag.startswith('"')
    assert tag.endswith('"')
    assert tag_of(library) == tag
    assert len({tag_of(library, f"/books/{pk}/") for pk in range(1, 7)}) == 6


@pytest.mark.parametrize("change", [{"stock": 4}, {"author": None}, {"tags": []}, {"price": "9.91"}, {"lent": True}])
def test_a_tag_changes_whenever_the_item_does(books: Client, change: dict[str, Any]) -> None:
    before = tag_of(books)
    after = books.patch("/books/1/", change).headers["ETag"]
    assert after != before
    assert tag_of(books) == after


class Login(models.Model):
    fields = (models.PkField("id"), models.StringField("name"), models.StringField("pin", write_only=True))


class Inner(models.Model):
    fields = Login.fields[1:]


class Holder(models.Model):
    fields = (
        models.PkField("id"),
        models.NestedField("login", Inner),
        models.ListField("others", models.NestedField("other", Inner)),
    )


def test_a_tag_tells_nothing_of_what_is_hidden(storage: Storage) -> None:
    client = storage.client(Login, [{"id": 1, "name": "ada", "pin": "123"}])
    before = tag_of(client, "/things/1/")
    assert client.patch("/things/1/", {"pin": "456"}).headers["ETag"] == before
    assert client.patch("/things/1/", {"name": "eve"}).headers["ETag"] != before


def test_a_tag_tells_nothing_of_what_is_hidden_within_objects(storage: Storage) -> None:
    client = storage.client(Holder, [])
    login = {"name": "ada", "pin": "123"}
    before = client.post("/things/", {"login": login, "others": [login]}).headers["ETag"]
    other = {"name": "ada", "pin": "456"}
    assert client.patch("/things/1/", {"login": other, "others": [other]}).headers["ETag"] == before
    assert client.patch("/things/1/", {"login": {**login, "name": "eve"}}).headers["ETag"] != before


def test_a_tag_is_keyed() -> None:
    rows = [dict(book) for book in BOOKS]
    cls = over_list(rows, model=Book)
    assert tag_of(serve(cls, secret="a" * 32), "/things/1/") != tag_of(serve(cls, secret="b" * 32), "/things/1/")


def test_a_tag_tells_variants_apart(library: Client) -> None:
    whole, some, others = (tag_of(library, f"/books/1/{query}") for query in ("", "?fields=title", "?fields=stock"))
    assert len({whole, some, others}) == 3


# Reading


def test_none_match_answers_304(library: Client) -> None:
    tag = tag_of(library)
    for sent in (tag, f"W/{tag}", f"{STALE}, {tag}", "*"):
        for method in ("GET", "HEAD"):
            reply = library.ask(method, "/books/1/", If_None_Match=sent)
            assert reply.status_int == 304
            assert reply.body == b""
            assert reply.headers["ETag"] == tag
            assert "Content-Type" not in reply.headers


def test_none_match_of_another_version_or_variant_answers_200(library: Client) -> None:
    for sent in (STALE, "", tag_of(library, "/books/1/?fields=title"), tag_of(library, "/books/2/")):
        assert library.get("/books/1/", If_None_Match=sent).status_int == 200


def test_a_304_of_a_variant(library: Client) -> None:
    path = "/books/1/?fields=title"
    assert library.get(path, If_None_Match=tag_of(library, path)).status_int == 304


def test_match_on_a_read(library: Client) -> None:
    assert library.get("/books/1/", If_Match=tag_of(library)).status_int == 200
    assert library.get("/books/1/", If_Match="*").status_int == 200
    problem(library.get("/books/1/", If_Match=STALE), 412, "precondition-failed")


def test_match_comes_before_none_match(library: Client) -> None:
    tag = tag_of(library)
    problem(library.get("/books/1/", If_Match=STALE, If_None_Match=tag), 412, "precondition-failed")
    assert library.get("/books/1/", If_Match=tag, If_None_Match=tag).status_int == 304


def test_an_item_that_is_not_there_is_404_whatever_the_condition(library: Client) -> None:
    problem(library.get("/books/99/", If_None_Match="*"), 404, "not-found")
    problem(library.get("/books/99/", If_Match=STALE), 404, "not-found")


# Writing


WRITES: list[tuple[str, Any, int]] = [
    ("PUT", {"title": "New"}, 200),
    ("PATCH", {"title": "New"}, 200),
    ("DELETE", None, 204),
]


def write(client: Client, method: str, body: Any, path: str = "/books/1/", **headers: str) -> Any:
    return client.ask(method, path, **({"json": body} if body is not None else {}), **headers)


@pytest.mark.parametrize(("method", "body", "status"), WRITES)
def test_a_write_that_matches(books: Client, method: str, body: Any, status: int) -> None:
    assert write(books, method, body, If_Match=tag_of(books)).status_int == status


@pytest.mark.parametrize(("method", "body", "status"), WRITES)
def test_any_variant_matches(books: Client, method: str, body: Any, status: int) -> None:
    tag = tag_of(books, "/books/1/?fields=title")
    assert write(books, method, body, If_Match=f"{STALE}, {tag}").status_int == status


@pytest.mark.parametrize(("method", "body", "status"), WRITES)
def test_a_star_matches(books: Client, method: str, body: Any, status: int) -> None:
    assert write(books, method, body, If_Match="*").status_int == status


@pytest.mark.parametrize(("method", "body", "status"), WRITES)
def test_a_write_that_does_not_match_changes_nothing(books: Client, method: str, body: Any, status: int) -> None:
    tag = tag_of(books)
    for sent in (STALE, f"W/{tag}", tag_of(books, "/books/2/"), "", '""', tag[:-2] + '"'):
        problem(write(books, method, body, If_Match=sent), 412, "precondition-failed")
    assert tag_of(books) == tag


@pytest.mark.parametrize(("method", "body", "status"), WRITES)
def test_none_match_on_a_write(books: Client, method: str, body: Any, status: int) -> None:
    tag = tag_of(books)
    for sent in ("*", tag, f"W/{tag}"):
        problem(write(books, method, body, If_None_Match=sent), 412, "precondition-failed")
    assert tag_of(books) == tag
    assert write(books, method, body, If_None_Match=STALE).status_int == status


@pytest.mark.parametrize(("method", "body", "status"), WRITES)
def test_a_write_to_nothing_is_404(books: Client, method: str, body: Any, status: int) -> None:
    problem(write(books, method, body, "/books/99/", If_Match=STALE), 404, "not-found")


@pytest.mark.parametrize(("method", "body", "status"), WRITES)
def test_a_resource_may_require_the_condition(storage: Storage, method: str, body: Any, status: int) -> None:
    client = storage.client(Book, BOOKS, name="books", controller={"options": {"require_if_match": True}})
    tag = tag_of(client)
    problem(write(client, method, body), 428, "precondition-required")
    problem(write(client, method, body, If_None_Match=STALE), 428, "precondition-required")
    assert tag_of(client) == tag
    assert write(client, method, body, If_Match=tag).status_int == status


def test_a_required_condition_is_not_asked_of_a_create(storage: Storage) -> None:
    client = storage.client(Book, controller={"options": {"require_if_match": True}})
    assert client.post("/things/", {"title": "T"}).status_int == 201


def test_a_required_condition_on_the_list_can_only_be_a_star(storage: Storage) -> None:
    client = storage.client(Book, BOOKS, name="books", controller={"options": {"require_if_match": True}})
    problem(client.delete("/books/?id=1"), 428, "precondition-required")
    problem(client.delete("/books/?id=1", If_Match=tag_of(client)), 412, "precondition-failed")
    assert client.delete("/books/?id=1", If_Match="*").status_int == 204


def test_a_list_has_no_tag(books: Client) -> None:
    assert "ETag" not in books.get("/books/").headers
    problem(books.get("/books/", If_Match=STALE), 412, "precondition-failed")
    problem(books.post("/books/", {"title": "T"}, If_Match=STALE), 412, "precondition-failed")
    problem(books.post("/books/", {"title": "T"}, If_None_Match="*"), 412, "precondition-failed")
    assert books.post("/books/", {"title": "T"}, If_Match="*").status_int == 201


def test_writing_and_reading_agree_about_the_tag(books: Client) -> None:
    tag = books.post("/books/", {"title": "T", "price": 1}).headers["ETag"]
    tag = books.put("/books/7/", {"title": "U"}, If_Match=tag).headers["ETag"]
    tag = books.patch("/books/7/", {"stock": 2}, If_Match=tag).headers["ETag"]
    assert books.delete("/books/7/", If_Match=tag).status_int == 204


def test_text_keys_are_tagged_alike(storage: Storage) -> None:
    client = storage.client(Tag, TAGS)
    tag = tag_of(client, "/things/red/")
    assert client.patch("/things/red/", {"weight": 3}, If_Match=tag).status_int == 200
    problem(client.patch("/things/red/", {"weight": 4}, If_Match=tag), 412, "precondition-failed")


def test_of_two_writers_with_one_version_one_fails(books: Client) -> None:
    tag = tag_of(books)
    start = threading.Barrier(2)
    statuses = []

    def writer(stock: int) -> None:
        client = Client(books.application)
        start.wait()
        statuses.append(client.patch("/books/1/", {"stock": stock}, If_Match=tag).status_int)

    threads = [threading.Thread(target=writer, args=(n,)) for n in (100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412]


def test_increments_with_conditions_are_never_lost(books: Client) -> None:
    def worker() -> None:
        client = Client(books.application)
        for _ in range(5):
            while True:
                got = client.get("/books/2/")
                change = {"stock": got.json["stock"] + 1}
                if client.patch("/books/2/", change, If_Match=got.headers["ETag"]).status_int == 200:
                    break

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert books.get("/books/2/").json["stock"] == 15


def test_a_store_that_cannot_promise_it_refuses_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    cls = over_list([dict(book) for book in BOOKS], model=Book)
    assert cls.spec_ is not None
    weak = property(lambda self: Capabilities(conditional=False))
    monkeypatch.setattr(type(cls.spec_.store), "capabilities", weak)
    client = serve(cls)
    problem(client.patch("/things/1/", {"stock": 1}, If_Match="*"), 501, "unsupported")
    assert client.patch("/things/1/", {"stock": 1}).status_int == 200


def test_an_if_match_that_is_no_list_of_tags_holds_nothing(library: Client) -> None:
    tag = library.get("/books/4/").headers["ETag"].strip('"')
    for form in ('"{0}""{0}"', '*,"{0}"', '"{0}" x', "{0}"):
        assert library.put("/books/4/", {}, If_Match=form.format(tag)).status_int == 412
    assert library.patch("/books/4/", {}, If_Match=f' , "x" , "{tag}",').status_int == 200
