"""Each store that comes with rest_kit keeps the contract."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from datastores.csv.store import CSVDataStore
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


class TestIndexedPythonList(DataStoreConformance):
    """The same list with every scalar field indexed, which answers along other paths."""

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        scalars = [name for name, field in model.by_name.items() if field.kind.is_scalar]
        store = PythonListDataStore([dict(row) for row in reversed(rows)], {**options, "indexes": scalars})
        store.bind(model)
        return store


class FileStore(DataStoreConformance):
    """A store whose place is a file, a new one for each test."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.made = itertools.count()

    def open(self, resource: Any, model: Model, options: Any) -> DataStore:
        raise NotImplementedError

    def place(self, name: str) -> Any:
        raise NotImplementedError

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        store = self.open(self.place(str(self.folder / f"data{next(self.made)}")), model, options)
        insert(store, rows)
        return store

    def reopen(self, store: DataStore) -> DataStore:
        store.close()
        return self.open(store.resource, store.model, store.options)


class TestSQLite(FileStore):
    def place(self, name: str) -> Any:
        return {"name": f"{name}.db", "table": "rows"}

    def open(self, resource: Any, model: Model, options: Any) -> DataStore:
        store = SQLiteDataStore(resource, options)
        store.bind(model)
        return store


class TestCSV(FileStore):
    def place(self, name: str) -> Any:
        return {"path": f"{name}.csv"}

    def open(self, resource: Any, model: Model, options: Any) -> DataStore:
        store = CSVDataStore(resource, options)
        store.bind(model)
        return store
