"""SQLite as a store, through the standard library's driver."""

from __future__ import annotations

from datastores.sqlite.store import SQLiteDataStore, list_tables

__all__ = ["SQLiteDataStore", "list_tables"]
