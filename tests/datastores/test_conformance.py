"""Each store that comes with rest_kit keeps the contract."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from datastores.python_list import PythonListDataStore
from datastores.sqlite import SQLiteDataStore
from rest_kit.models import Model
from rest_kit.store import DataStore
from rest_kit.testing.conformance import DataStoreConformance
from rest_kit.testing.store_suite import insert
from rest_kit.types import Record


class TestPythonList(DataStoreConformance):
    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        store = PythonListDataStore([dict(row) for row in rows], options)
        store.bind(model)
        return store


class TestSQLite(DataStoreConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.made = itertools.count()

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        path = self.folder / f"{next(self.made)}.db"
        store = SQLiteDataStore({"name": str(path), "table": "rows"}, options)
        store.bind(model)
        insert(store, rows)
        return store

    def reopen(self, store: DataStore) -> DataStore:
        store.close()
        again = SQLiteDataStore(store.resource, store.options)
        again.bind(store.model)
        return again
