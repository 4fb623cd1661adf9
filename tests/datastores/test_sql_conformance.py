"""The SQL store keeps the contract on real servers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from datastores import SQLDataStore
from rest_kit.models import Model
from rest_kit.store import DataStore
from rest_kit.testing.conformance import DataStoreConformance
from rest_kit.testing.store_suite import insert
from rest_kit.types import Record
from tests.servers import DRIVERS, Place, places, url_of


class OnServer(DataStoreConformance):
    """A store whose place is a table of a server, a new one for each test."""

    kind: str

    @pytest.fixture(autouse=True)
    def _place(self) -> Iterator[None]:
        for place in places(self.kind):
            self.place: Place = place
            yield

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        store = self.open({"url": self.place.url, "table": self.place.table()}, model, options)
        insert(store, rows)
        return store

    def open(self, resource: Any, model: Model, options: Any) -> DataStore:
        store = SQLDataStore(resource, options)
        store.bind(model)
        return store

    def reopen(self, store: DataStore) -> DataStore:
        store.close()
        return self.open(store.resource, store.model, store.options)


class OnServerByEngine(OnServer):
    """The same over an engine that is an application's own, with SQLAlchemy's defaults."""

    @pytest.fixture(autouse=True)
    def _engine(self) -> Iterator[None]:
        url = sqlalchemy.make_url(url_of(self.kind))
        self.engine = sqlalchemy.create_engine(url.set(drivername=DRIVERS[url.get_backend_name()]))
        yield
        self.engine.dispose()

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        store = self.open({"engine": self.engine, "table": self.place.table()}, model, options)
        insert(store, rows)
        return store


class TestPostgreSQL(OnServer):
    kind = "postgresql"


class TestMariaDB(OnServer):
    kind = "mariadb"


class TestPostgreSQLByEngine(OnServerByEngine):
    kind = "postgresql"


class TestMariaDBByEngine(OnServerByEngine):
    kind = "mariadb"


class OnSQLite(DataStoreConformance):
    """A store over a file of SQLite, a new one for each test."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> Iterator[None]:
        self.urls = (f"sqlite:///{tmp_path}/data{number}.db" for number in itertools.count())
        self.engines: list[sqlalchemy.Engine] = []
        yield
        for engine in self.engines:
            engine.dispose()

    def where(self) -> Any:
        return {"url": next(self.urls)}

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        store = SQLDataStore({**self.where(), "table": "rows"}, options)
        store.bind(model)
        insert(store, rows)
        return store


class TestSQLite(OnSQLite):
    pass


class TestSQLiteByEngine(OnSQLite):
    def where(self) -> Any:
        self.engines.append(sqlalchemy.create_engine(next(self.urls)))
        return {"engine": self.engines[-1]}
