"""Related objects within replies, and what bounds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rest_kit import models
from rest_kit.pagination import CursorPagination
from rest_kit.views import add_resource_uri
from tests.http.relation_samples import AUTHORS, BOOKS, PAIRS, Author, Book, Counted, listed, shelf
from tests.http.support import Client, Storage, complaint, serve


@pytest.fixture(params=PAIRS)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Client:
    """Authors and books over each pair of stores."""
    return shelf(request.param, tmp_path)


ADA = {"id": 1, "name": "Ada", "mentor": None, "resource_uri": "/authors/1/"}
BOB = {"id": 2, "name": "Bob", "mentor": 1, "resource_uri": "/authors/2/"}


def test_one_object_is_shown_as_its_resource_shows_it(library: Client) -> None:
    assert library.get("/books/1/?expand=author").json == {
        "id": 1,
        "title": "Notes",
        "author_id": 1,
        "resource_uri": "/books/1/",
        "author": ADA,
    }
    assert library.get("/books/4/?expand=author").json["author"] is None
    assert library.get("/authors/2/?expand=mentor").json == {**BOB, "mentor": ADA}
    assert [book["author"] for book in library.objects("/books/?expand=author")] == [ADA, ADA, BOB, None]


def test_many_objects_come_in_the_order_of_their_keys(library: Client) -> None:
    found = library.objects("/authors/?expand=books,pupils&ordering=-id")
    assert [[book["id"] for book in author["books"]] for author in found] == [[], [3], [1, 2]]
    assert [[one["id"] for one in author["pupils"]] for author in found] == [[3], [], [2]]
    assert found[2]["books"][0] == {"id": 1, "title": "Notes", "author_id": 1, "resource_uri": "/books/1/"}


def test_levels_nest(library: Client) -> None:
    found = library.get("/authors/1/?expand=books.author.mentor,pupils").json
    assert found["books"][1]["author"] == {**ADA, "mentor": None}
    assert found["pupils"] == [BOB]
    assert library.get("/books/3/?expand=author.mentor.books").json["author"]["mentor"]["books"][1]["id"] == 2


def test_fields_and_expand_combine(library: Client) -> None:
    assert library.get("/books/1/?fields=title&expand=author").json == {
        "id": 1,
        "title": "Notes",
        "resource_uri": "/books/1/",
        "author": ADA,
    }
    assert library.objects("/books/?fields=title&expand=author&count=1")[0].keys() == {
        *("id", "title", "resource_uri", "author")
    }
    assert library.get("/authors/2/?fields=name&expand=mentor").json["mentor"] == ADA


def test_hidden_members_stay_hidden(library: Client) -> None:
    for path in ("/books/?expand=author", "/books/1/?expand=author.mentor", "/authors/?expand=pupils.books.author"):
        reply = library.get(path)
        assert reply.status_int == 200
        assert "secret" not in reply.text
        assert "hush" not in reply.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no relation"),
        ("auhtor", "did you mean 'author'"),
        ("author_id", "did you mean 'author'"),
        ("author,author", "named twice"),
        ("author,", "is no relation"),
        ("author..mentor", "is no relation"),
        ("author.books.author.books", "deeper than 3"),
        ("author.secret", "is no relation of 'authors'"),
        (",".join(f"x{n}" for n in range(21)), "more than 20"),
    ],
)
def test_what_cannot_be_expanded_is_refused(library: Client, text: str, told: str) -> None:
    for path in ("/books/", "/books/1/"):
        error = complaint(library.get(f"{path}?expand={text}"))
        assert (error["parameter"], error["code"]) == ("expand", "invalid")
        assert told in error["detail"]


def test_writes_do_not_expand(library: Client) -> None:
    new = {"title": "x"}
    for method, path in (("POST", "/books/"), ("PUT", "/books/1/"), ("PATCH", "/books/1/"), ("DELETE", "/books/1/")):
        sent = (new,) if method != "DELETE" else ()
        assert complaint(library.ask(method, f"{path}?expand=author", *sent))["code"] == "unknown"
    assert complaint(library.patch("/books/?title=Notes&expand=author", new))["code"] == "unknown"


def test_the_tag_follows_what_is_shown(library: Client) -> None:
    plain = library.get("/books/1/").headers["ETag"]
    first = library.get("/books/1/?expand=author").headers["ETag"]
    assert first.split("-")[0] == plain.rstrip('"')
    assert len({plain, first, library.get("/books/1/?expand=author.mentor").headers["ETag"]}) == 3
    assert library.get("/books/1/?expand=author&fields=title").headers["ETag"] != first
    assert library.get("/books/1/?expand=author", If_None_Match=first).status_int == 304
    assert library.patch("/authors/1/", {"name": "Ada L."}).status_int == 200
    reply = library.get("/books/1/?expand=author", If_None_Match=first)
    assert (reply.status_int, reply.json["author"]["name"]) == (200, "Ada L.")
    assert library.get("/books/1/").headers["ETag"] == plain
    assert library.patch("/books/1/", {"title": "y"}, If_Match=reply.headers["ETag"]).status_int == 200


def test_a_level_takes_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": n, "title": f"t{n}", "author_id": 1 + n % 3} for n in range(1, 91)]
    authors = Storage("list", Path()).controller(Author, AUTHORS, name="authors")
    books = Storage("list", Path()).controller(Book, rows, name="books")
    client = serve(authors, books)
    assert authors.spec_ is not None
    assert books.spec_ is not None
    asked, found = Counted(authors.spec_.store, monkeypatch), Counted(books.spec_.store, monkeypatch)
    for count in (1, 90):
        assert client.get(f"/books/?expand=author&count={count}").status_int == 200
    assert (len(asked.queries), len(found.queries)) == (2, 2)
    assert client.get("/authors/?expand=books.author.mentor").status_int == 200
    assert (len(asked.queries), len(found.queries)) == (5, 3)


def test_two_ways_to_one_resource_share_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    people = listed("people", [{"id": 1}, {"id": 2}])
    fields = [models.IntForeign(name, resource="people", related_name=f"{name}_of") for name in ("author", "editor")]
    works = listed("works", [{"id": 1, "author": 1, "editor": 2}, {"id": 2, "author": 1, "editor": 1}], *fields)
    assert people.spec_ is not None
    counted = Counted(people.spec_.store, monkeypatch)
    found = serve(people, works).objects("/works/?expand=author,editor")
    assert [(one["author"]["id"], one["editor"]["id"]) for one in found] == [(1, 2), (1, 1)]
    assert len(counted.queries) == 1


def many(count: int, **options: Any) -> Client:
    """One author of so many books."""
    author = models.IntForeign("author", resource="authors", related_name="books")
    rows = [{"id": n, "author": 1} for n in range(1, count + 1)]
    return serve(listed("authors", [{"id": 1}], controller={"options": options}), listed("books", rows, author))


def test_a_level_is_bounded() -> None:
    assert len(many(1000).get("/authors/1/?expand=books").json["books"]) == 1000
    error = complaint(many(1001).get("/authors/1/?expand=books"))
    assert (error["code"], error["parameter"]) == ("expand_max", "expand")
    assert "1000 objects" in error["detail"]
    assert "/authors/<key>/books/" in error["detail"]
    assert complaint(many(6, expand_max=5).get("/authors/?expand=books"))["code"] == "expand_max"


def test_a_bomb_does_not_go_off() -> None:
    error = complaint(many(100).get("/authors/?expand=books.author.books"))
    assert error["code"] == "expand_max"
    assert len(many(30).get("/authors/1/?expand=books.author.books").json["books"][29]["author"]["books"]) == 30


def test_the_option_narrows_what_may_be_expanded() -> None:
    author = models.IntForeign("author", resource="authors", related_name="books")
    books = listed("books", [{"id": 1, "author": 1}], author, controller={"options": {"expand_fields": []}})
    client = serve(listed("authors", [{"id": 1}]), books)
    assert complaint(client.get("/books/?expand=author"))["code"] == "invalid"
    assert complaint(client.get("/authors/?expand=books.author"))["code"] == "invalid"
    assert client.get("/authors/?expand=books").status_int == 200


def test_what_is_not_served_is_not_expanded() -> None:
    author = models.IntForeign("author", resource="authors", related_name="books")
    writers = listed("authors", [{"id": 1}], controller={"unique_verbs": ["DELETE"]})
    client = serve(writers, listed("books", [{"id": 1, "author": 1}], author, controller={"list_verbs": ["POST"]}))
    assert complaint(client.get("/books/1/?expand=author"))["code"] == "invalid"
    assert complaint(client.get("/authors/?expand=books"))["code"] == "invalid"
    assert client.get("/books/1/author/").status_int == 404
    assert client.get("/authors/1/books/").status_int == 405


def test_a_reference_that_nobody_sees_leads_nowhere() -> None:
    author = models.IntForeign("author", resource="authors", related_name="books", write_only=True)
    client = serve(listed("authors", [{"id": 1}]), listed("books", [{"id": 1, "author": 1}], author))
    for path in ("/books/?expand=author", "/authors/?expand=books"):
        assert client.get(path).status_int == 400
    assert client.get("/authors/1/books/").status_int == 404
    assert client.get("/books/1/author/").status_int == 404
    assert client.delete("/authors/1/").status_int == 409


def test_the_target_s_own_formatters_shape_it() -> None:
    def shout(response: Any, obj: dict[str, Any]) -> dict[str, Any]:
        return {**obj, "loud": obj["name"].upper()}

    rows = [{"id": 1, "name": "ada"}]
    authors = listed(
        "authors", rows, models.StringField("name"), view={"options": {"formatters": [add_resource_uri, shout]}}
    )
    books = listed("books", [{"id": 7, "author": 1}], models.IntForeign("author", resource="authors"))
    found = serve(authors, books, prefix="/api").get("/api/books/7/?expand=author").json
    assert found["author"] == {"id": 1, "name": "ada", "resource_uri": "/api/authors/1/", "loud": "ADA"}
    assert found["resource_uri"] == "/api/books/7/"


def test_pages_by_cursor_are_expanded_and_show_no_more_than_was_asked_for(storage: Storage) -> None:
    options = {"options": {"pagination": CursorPagination(2)}}
    authors = Storage("list", Path()).controller(Author, AUTHORS, name="authors")
    client = serve(authors, storage.controller(Book, BOOKS, name="books", controller=options))
    found, url = [], "/books/?fields=id&ordering=-title&expand=author"
    while url:
        page = client.get(url).json
        assert {name for obj in page["object_list"] for name in obj} == {"id", "resource_uri", "author"}
        found += [obj["author"] and obj["author"]["name"] for obj in page["object_list"]]
        url = page["meta"]["next"]
    assert found == ["Bob", "Ada", "Ada", None]
