"""The store over another rest_kit application keeps the contract, in this process and over a socket."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from datastores import PythonListDataStore, RemoteDataStore, SQLiteDataStore
from datastores.remote import WSGITransport
from rest_kit.models import Model
from rest_kit.pagination import CursorPagination, PageNumberPagination, Pagination
from rest_kit.store import DataStore
from rest_kit.testing.conformance import DataStoreConformance
from rest_kit.testing.queries_suite import QueriesSuite
from rest_kit.testing.reading_suite import ReadingSuite
from rest_kit.testing.store_suite import StoreSuite
from rest_kit.types import Record
from tests.remote.support import Mounts, application, copied, served


def remote(url: str, model: Model, options: dict[str, Any]) -> DataStore:
    store = RemoteDataStore({"url": url, "dialect": "rest_kit"}, {"timeout": 30, "concurrency": 16, **options})
    store.bind(model)
    return store


class InProcess(StoreSuite):
    """Over an application that is called, not reached."""

    pagination: Any = None

    def app(self, model: Model, rows: Sequence[Record]) -> Any:
        return application(PythonListDataStore, copied(rows), model, self.pagination)

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        transport = WSGITransport(self.app(model, rows))
        return remote("http://test/things/", model, {**options, "transport": transport})


class TestOverAList(InProcess, DataStoreConformance):
    pass


class Reading(InProcess, ReadingSuite, QueriesSuite):
    """What depends on how the other side pages its lists."""


class TestOverSmallPages(Reading):
    """Pages much smaller than what is asked for, so that everything is read in several."""

    pagination = Pagination(7)


class TestOverUncountedPages(Reading):
    pagination = Pagination(50, total="none")


class TestOverNumberedPages(Reading):
    pagination = PageNumberPagination(20)


class TestOverCursors(Reading):
    pagination = CursorPagination(20)


class TestOverSQLite(InProcess, DataStoreConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.made = itertools.count()

    def app(self, model: Model, rows: Sequence[Record]) -> Any:
        place = {"name": str(self.folder / f"{next(self.made)}.db"), "table": "things"}
        store = SQLiteDataStore(place)
        store.bind(model)
        store.atomic(lambda tx: tx.insert(rows))
        store.close()
        return application(SQLiteDataStore, place, model)


@pytest.fixture(scope="module")
def mounts() -> Iterator[tuple[Mounts, str]]:
    mounts = Mounts()
    with served(mounts) as url:
        yield mounts, url


class TestOverASocket(DataStoreConformance):
    @pytest.fixture(autouse=True)
    def _served(self, mounts: tuple[Mounts, str]) -> None:
        self.mounts, self.url = mounts

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        name = self.mounts.add(application(PythonListDataStore, copied(rows), model))
        return remote(f"{self.url}/{name}/things/", model, options)
