"""PostgreSQL, through psycopg 3."""

from __future__ import annotations

from datastores.sql.postgresql.dialect import PostgreSQL

__all__ = ["PostgreSQL"]
