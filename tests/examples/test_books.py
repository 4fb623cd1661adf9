"""The books over each database behind several workers, begun with nothing but an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.support import ask
from tests.examples.support import under_gunicorn
from tests.servers import empty_database


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without tables; empty for the one that the example takes by itself."""
    if request.param == "sqlite":
        yield ""
        return
    with empty_database(request.param) as url:
        yield url


@pytest.fixture
def api(url: str, tmp_path: Path) -> Iterator[str]:
    environment = {"DATABASE_URL": url} if url else {}
    with under_gunicorn("examples.books:app", tmp_path, "--workers", "2", **environment) as served:
        yield served
    assert (tmp_path / "books.db").exists() is not bool(url)


def test_the_tables_are_made_whichever_is_asked_first(api: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: ask(f"{api}/{('books', 'authors')[n % 2]}/"), range(16)))
    assert [(reply.status, reply.data["meta"]["total_count"]) for reply in replies] == [(200, 0)] * 16


def test_books_belong_to_authors(api: str) -> None:
    herbert = ask(f"{api}/authors/", "POST", {"name": "Frank Herbert", "born": 1920})
    assert (herbert.status, herbert.data["name"]) == (201, "Frank Herbert")
    dune = {"title": "Dune", "isbn": "0441172717", "price": "9.5", "author_id": herbert.data["id"]}
    made = ask(f"{api}/books/", "POST", dune)
    assert (made.status, made.data["price"], made.data["added"][-1]) == (201, "9.50", "Z")
    found = ask(f"{api}/books/?author_id={herbert.data['id']}&search=dUNE&fields=title")
    assert found.data["object_list"] == [
        {"id": made.data["id"], "title": "Dune", "resource_uri": f"/books/{made.data['id']}/"}
    ]
    expanded = ask(f"{api}/authors/{herbert.data['id']}/?expand=books&fields=name").data
    assert [book["title"] for book in expanded["books"]] == ["Dune"]
    assert ask(f"{api}/books/?expand=author").data["object_list"][0]["author"]["born"] == 1920
    nested = ask(f"{api}/authors/{herbert.data['id']}/books/").data
    assert [book["title"] for book in nested["object_list"]] == ["Dune"]
    kept = ask(f"{api}/authors/{herbert.data['id']}/", "DELETE")
    assert (kept.status, "1 of 'books'" in kept.data["detail"]) == (409, True), kept.data
    for change, code in (({"author_id": 999}, "foreign_key"), ({"isbn": "0441172717", "title": "Dune II"}, "unique")):
        refused = ask(f"{api}/books/", "POST", {**dune, "isbn": "0441172718", **change})
        assert (refused.status, refused.data["errors"][0]["code"]) == (409, code)
    twice = ask(f"{api}/books/", "POST", {**dune, "isbn": None})
    assert {fault["pointer"] for fault in twice.data["errors"]} == {"#/title", "#/author_id"}
    assert ask(f"{api}/books/{made.data['id']}/", "DELETE").status == 204
    assert ask(f"{api}/authors/{herbert.data['id']}/", "DELETE").status == 204
