"""rest_kit with its defaults on: strict parameters, validation, links, entity tags, the change log, request ids."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.workload import AUTHOR_LENGTH, MAX_PAGE, TITLE_LENGTH, Book
from datastores import PythonListDataStore, SQLiteDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Model
from rest_kit.options import ControllerDict, ResourceDict
from rest_kit.pagination import BasePagination, Pagination
from rest_kit.query import Filter, Query
from rest_kit.store import DataStore, Tx


class BookModel(Model):
    """A book, as every contender checks it."""

    fields = (
        models.PkField(name="id"),
        models.StringField(name="title", required=True, min_length=1, max_length=TITLE_LENGTH),
        models.StringField(name="author", required=True, min_length=1, max_length=AUTHOR_LENGTH),
        models.FloatField(name="price", required=True, min=0.01),
        models.DateField(name="published", required=True),
        models.BooleanField(name="in_stock", required=True),
    )


def controller(
    name: str,
    data: Any,
    store: type[DataStore],
    pagination: BasePagination | None = None,
    options: Mapping[str, Any] | None = None,
) -> type[Controller]:
    """The books at this place as a controller."""
    found: ResourceDict = {
        "resource_name": name,
        "resource": data,
        "model": BookModel,
        "datastore": store,
        "options": options or {},
    }
    asked: ControllerDict = {"options": {"pagination": pagination or Pagination(MAX_PAGE)}}
    return type(f"{name.title()}App", (Controller,), {"resource": found, "controller": asked})


def make(books: list[Book], path: Path) -> Contender:
    """rest_kit over both collections."""
    length = len(books)
    listed = controller("books", books, PythonListDataStore)
    stored = controller("stored", {"name": str(path), "table": "books"}, SQLiteDataStore)
    app = WSGIDispatcher([listed, stored], secret="a secret for the benchmark alone")

    def forget() -> None:
        def work(tx: Tx) -> None:
            for record in tx.find(Query(Filter("id", "gt", length), fields=("id",))).records:
                tx.delete(record["id"])

        assert listed.spec_ is not None
        if len(books) > length:
            listed.spec_.store.atomic(work)

    return Contender(app, forget)
