"""MariaDB, through PyMySQL."""

from __future__ import annotations

from datastores.sql.mariadb.dialect import MariaDB

__all__ = ["MariaDB"]
