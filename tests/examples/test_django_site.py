"""The Django project with an API over its tables: what either side writes, the other reads, finds and is held to."""

from __future__ import annotations

import datetime
import importlib
import uuid
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from django.db import transaction

from tests.http.support import Client

UTC = datetime.UTC


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The example; Django can be configured once in a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("django"))
        return importlib.import_module("examples.django_site")


@pytest.fixture
def client(module: ModuleType) -> Iterator[Client]:
    clear(module)
    yield Client(module.application)
    clear(module)


def clear(module: ModuleType) -> None:
    module.Book.objects.all().delete()
    module.Author.objects.all().delete()
    module.connection.close()


@pytest.fixture
def ada(module: ModuleType) -> Any:
    return module.Author.objects.create(name="Ada")


CODE = uuid.UUID("12345678-1234-5678-1234-567812345678")
NOON = datetime.datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def test_what_django_writes_the_api_shows(client: Client, module: ModuleType, ada: Any) -> None:
    book = module.Book.objects.create(
        code=CODE, title="Dune", binding="hard", price=Decimal("9.90"), lent=True, author=ada
    )
    module.Book.objects.update(added=NOON.replace(microsecond=123456))
    uri = f"/api/books/{book.pk}/"
    assert client.get(uri).json == {
        "id": book.pk,
        "code": str(CODE),
        "title": "Dune",
        "binding": "hard",
        "price": "9.90",
        "lent": True,
        "added": "2026-01-31T12:00:00.123456Z",
        "author_id": ada.pk,
        "resource_uri": uri,
    }


@pytest.mark.parametrize("first", ["Django", "rest_kit"])
def test_both_sides_find_what_either_has_written(client: Client, module: ModuleType, ada: Any, first: str) -> None:
    """Whichever came first: who writes into an empty column decides how its values lie."""
    theirs = {"title": "Theirs", "price": Decimal("9.90"), "lent": True, "author": ada}
    ours = {"title": "Ours", "price": "9.90", "lent": True, "author_id": ada.pk}
    for side in sorted(["Django", "rest_kit"], key=lambda side: side != first):
        if side == "Django":
            module.Book.objects.create(**theirs)
        else:
            assert client.post("/api/books/", ours).status_int == 201
    for book in module.Book.objects.all():
        moment = book.added.isoformat().replace("+", "%2B")
        for query in (f"code={book.code}", f"added={moment}", f"id={book.pk}"):
            assert [found["title"] for found in client.objects(f"/api/books/?{query}")] == [book.title], query
        assert module.Book.objects.get(code=book.code, added=book.added).title == book.title
    assert len(client.objects("/api/books/?price=9.9&lent=true")) == 2
    assert module.Book.objects.filter(price=Decimal("9.9"), lent=True).count() == 2
    by_age = list(module.Book.objects.order_by("added").values_list("title", flat=True))
    assert [book["title"] for book in client.objects("/api/books/?ordering=added")] == by_age
    assert by_age[0] == ("Theirs" if first == "Django" else "Ours")


@pytest.mark.parametrize("microsecond", [0, 1, 120000, 999999])
def test_moments_pass_both_ways_to_the_microsecond(
    client: Client, module: ModuleType, ada: Any, microsecond: int
) -> None:
    book = module.Book.objects.create(title="Dune", author=ada)
    moment = NOON.replace(microsecond=microsecond)
    module.Book.objects.update(added=moment)
    shown = client.get(f"/api/books/{book.pk}/").json["added"]
    assert datetime.datetime.fromisoformat(shown) == moment
    assert client.get(f"/api/books/?added={shown}").json["meta"]["total_count"] == 1
    made = client.post("/api/books/", {"title": "Emma", "author_id": ada.pk}).json
    kept = module.Book.objects.get(pk=made["id"]).added
    assert kept == datetime.datetime.fromisoformat(made["added"])


def test_the_rules_of_the_project_hold_for_the_api(client: Client, module: ModuleType, ada: Any) -> None:
    good = {"title": "Dune", "author_id": ada.pk, "code": str(CODE)}
    assert client.post("/api/books/", good).status_int == 201
    for change, status, code in (
        ({"binding": "wood"}, 400, "choices"),
        ({"price": "1.234"}, 400, "places"),
        ({"author_id": ada.pk + 1}, 409, "foreign_key"),
        ({"code": str(CODE)}, 409, "unique"),
    ):
        fresh = {**good, "code": str(uuid.uuid4()), **change}
        refused = client.post("/api/books/", fresh)
        assert (refused.status_int, refused.json["errors"][0]["code"]) == (status, code)
        assert refused.json["errors"][0]["pointer"] == f"#/{next(iter(change))}"
    assert client.objects("/api/books/?expand=author")[0]["author"]["name"] == "Ada"
    assert len(client.objects(f"/api/authors/{ada.pk}/books/")) == 1
    kept = client.delete(f"/api/authors/{ada.pk}/")
    assert (kept.status_int, module.Author.objects.count()) == (409, 1)


def test_ids_go_on_whoever_made_the_last_one(client: Client, module: ModuleType) -> None:
    first = client.post("/api/authors/", {"name": "Ada"}).json["id"]
    second = module.Author.objects.create(name="Grace").pk
    third = client.post("/api/authors/", {"name": "Mary"}).json["id"]
    assert (second, third) == (first + 1, first + 2)


def test_the_projects_pages_are_its_own(client: Client, module: ModuleType, ada: Any) -> None:
    assert client.get("/").text == "No books yet"
    client.post("/api/books/", {"title": "Emma", "author_id": ada.pk})
    assert client.get("/").text == "Emma, by Ada"
    for path in ("/nowhere/", "/api/nowhere/"):
        missing = client.get(path)
        assert (missing.status_int, missing.text) == (404, "<h1>No such page in this library</h1>")


def test_a_transaction_of_the_project_is_seen_once_it_is_committed(client: Client, module: ModuleType) -> None:
    with transaction.atomic():
        module.Author.objects.create(name="Ada")
        assert client.objects("/api/authors/") == []
    assert [author["name"] for author in client.objects("/api/authors/")] == ["Ada"]
