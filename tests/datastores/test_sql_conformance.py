"""The SQL store keeps the contract on real servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from datastores import SQLDataStore
from rest_kit.models import Model
from rest_kit.store import DataStore
from rest_kit.testing.conformance import DataStoreConformance
from rest_kit.testing.store_suite import insert
from rest_kit.types import Record
from tests.servers import Place, places


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


class TestPostgreSQL(OnServer):
    kind = "postgresql"
