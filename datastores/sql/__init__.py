"""PostgreSQL, MariaDB and SQLite through SQLAlchemy, as one store."""

from __future__ import annotations

from datastores.sql.store import SQLDataStore

__all__ = ["SQLDataStore"]
