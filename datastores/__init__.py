"""The stores that come with rest_kit; each is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datastores.csv import CSVDataStore
    from datastores.python_list import PythonListDataStore
    from datastores.remote import RemoteDataStore
    from datastores.sql import SQLDataStore
    from datastores.sqlite import SQLiteDataStore

__all__ = ["CSVDataStore", "PythonListDataStore", "RemoteDataStore", "SQLDataStore", "SQLiteDataStore"]

_ROOMS = {
    "CSVDataStore": "datastores.csv",
    "PythonListDataStore": "datastores.python_list",
    "RemoteDataStore": "datastores.remote",
    "SQLDataStore": "datastores.sql",
    "SQLiteDataStore": "datastores.sqlite",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'datastores' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
