"""Publishers, authors and books over several pairs of stores, for the tests of relations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller
from rest_kit.store import DataStore
from tests.http.support import Client, Storage, make_controller, serve

PAIRS = ("list+list", "csv+list", "list+csv", "sqlite+list", "list+sqlite", "sqlite+sqlite")
"""Where the authors are, and where the books are."""


class Author(models.Model):
    """Somebody who writes, with a member that clients never see."""

    fields = [
        models.PkField("id"),
        models.StringField("name", required=True, max_length=40),
        models.StringField("secret", write_only=True),
        models.IntForeign("mentor", resource="authors", related_name="pupils", on_delete="set_null"),
    ]


class Book(models.Model):
    """Something written, perhaps by nobody known."""

    fields = [
        models.PkField("id"),
        models.StringField("title", required=True, max_length=40),
        models.IntForeign("author_id", resource="authors", related_name="books"),
    ]


AUTHORS: list[dict[str, Any]] = [
    {"id": 1, "name": "Ada", "secret": "hush", "mentor": None},
    {"id": 2, "name": "Bob", "secret": None, "mentor": 1},
    {"id": 3, "name": "Cy", "secret": None, "mentor": 3},
]
BOOKS: list[dict[str, Any]] = [
    {"id": 1, "title": "Notes", "author_id": 1},
    {"id": 2, "title": "More", "author_id": 1},
    {"id": 3, "title": "Zen", "author_id": 2},
    {"id": 4, "title": "Anon", "author_id": None},
]


class Counted:
    """Counts how often a store is asked to find something."""

    def __init__(self, store: DataStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queries: list[Any] = []
        find = store.find

        def counting(query: Any) -> Any:
            self.queries.append(query)
            return find(query)

        monkeypatch.setattr(store, "find", counting)


def over(storage: Storage, name: str, model: type[models.Model], rows: Any, **dicts: Any) -> type[Controller]:
    """A controller of that name over rows."""
    return storage.controller(model, rows, name=name, **dicts)


def shelf(pair: str, folder: Path, *, deletion: str = "restrict", **arguments: Any) -> Client:
    """Authors and books over a pair of stores."""
    first, second = pair.split("+")
    book = Book if deletion == "restrict" else book_with(deletion)
    authors = over(Storage(first, folder), "authors", Author, AUTHORS)
    books = over(Storage(second, folder), "books", book, BOOKS)
    return serve(authors, books, **arguments)


def book_with(deletion: Any) -> type[models.Model]:
    """The model of books, with another rule for deletions."""

    class Other(models.Model):
        fields = [
            *Book.fields[:2],
            models.IntForeign("author_id", resource="authors", related_name="books", on_delete=deletion),
        ]

    return Other


def listed(name: str, rows: list[dict[str, Any]], *fields: models.Field, **dicts: Any) -> type[Controller]:
    """A controller over a list, with an integer key and these fields."""
    model = type("Listed", (models.Model,), {"fields": [models.PkField("id"), *fields]})
    resource = {"resource_name": name, "resource": rows, "datastore": PythonListDataStore, "model": model}
    return make_controller(resource, **dicts)
