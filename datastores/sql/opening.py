"""From a resource to the store that serves it: which database, which table of it, through whose engine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from sqlalchemy.engine import URL, Engine

from datastores.sql.catalogue import PRIVATE, TableName
from datastores.sql.database import Database
from datastores.sql.dialect import Dialect, Timeouts
from datastores.sql.engines import POOL_SIZE, check_engine, make_engine, parse_url
from datastores.sql.lite import EngineSQLite, of_url
from datastores.sql.server import ServerStore
from rest_kit.errors import ConfigurationError
from rest_kit.store import DataStore

_DIALECTS: Final = {
    "postgresql": ("datastores.sql.postgresql", "PostgreSQL"),
    "mysql": ("datastores.sql.mariadb", "MariaDB"),
    "mariadb": ("datastores.sql.mariadb", "MariaDB"),
}


def open_store(resource: Mapping[str, Any], options: Mapping[str, Any], owner: str) -> DataStore:
    """The store that serves a resource; no I/O (ConfigurationError)."""
    try:
        place = table_name(resource["table"])
        if "url" in resource:
            return _of_url(resource, options, place)
        return _of_engine(resource, options, place)
    except ConfigurationError as exc:
        raise ConfigurationError(exc.problems, owner=owner) from exc


def table_name(table: Any) -> TableName:
    """The name that a resource gives its table (ConfigurationError)."""
    if not isinstance(table, str):
        raise ConfigurationError(f"resource['table'] must be a name, a Table, or a mapped class, not {table!r}")
    schema, _, name = table.rpartition(".")
    if not name or "\0" in table or name.startswith(PRIVATE):
        raise ConfigurationError(f"resource['table'] must be the name of a table of yours, not {table!r}")
    return TableName(name, schema or None)


def _of_url(resource: Mapping[str, Any], options: Mapping[str, Any], place: TableName) -> DataStore:
    if not isinstance(resource["url"], str | URL):
        raise ConfigurationError("resource['url'] must be a text or a SQLAlchemy URL")
    url = parse_url(resource["url"])
    if url.get_backend_name() == "sqlite":
        return of_url(url, place.name, options)
    timeouts = Timeouts(**options.get("timeouts", {}))
    pool_size: int = options.get("pool_size", POOL_SIZE)

    def make() -> Database:
        dialect = _dialect(url.get_backend_name(), owned=True)
        return Database(make_engine(url, dialect, timeouts, pool_size), dialect)

    return ServerStore(Database.at((url, timeouts, pool_size), make), place, resource, options)


def _of_engine(resource: Mapping[str, Any], options: Mapping[str, Any], place: TableName) -> DataStore:
    engine = resource["engine"]
    if not isinstance(engine, Engine):
        raise ConfigurationError("resource['engine'] must be an Engine of SQLAlchemy's")
    name = check_engine(engine)
    if name == "sqlite":
        return EngineSQLite(engine, place.name, resource, options)
    database = Database.at(id(engine), lambda: Database(engine, _dialect(name, owned=False)))
    return ServerStore(database, place, resource, options)


def _dialect(name: str, *, owned: bool) -> Dialect:
    """What the database of that name has to say; its driver is imported here."""
    module, made = _DIALECTS[name]
    dialect: Dialect = getattr(import_module(module), made)(owned=owned)
    return dialect
