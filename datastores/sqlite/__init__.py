"""SQLite as a store, and the translation of queries into its SQL."""

from __future__ import annotations

from datastores.sqlite.store import SQLiteDataStore, list_tables

__all__ = ["SQLiteDataStore", "list_tables"]
