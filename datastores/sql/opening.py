"""From a resource to the store that serves it: which database, which table of it, through whose engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy
from sqlalchemy.engine import URL, Engine

from datastores.sql.catalogue import TableName
from datastores.sql.database import Database
from datastores.sql.declared import DeclaredTable, declared_table, unserved
from datastores.sql.dialect import Dialect, Timeouts
from datastores.sql.engines import POOL_SIZE, check_engine, make_engine, parse_url
from datastores.sql.lite import EngineSQLite, of_declaration, of_url
from datastores.sql.server import ServerStore
from rest_kit.errors import ConfigurationError
from rest_kit.store import OWN_TABLES, DataStore, refuse


def _postgresql(*, owned: bool) -> Dialect:
    from datastores.sql.postgresql import PostgreSQL

    return PostgreSQL(owned=owned)


def _mariadb(*, owned: bool) -> Dialect:
    from datastores.sql.mariadb import MariaDB

    return MariaDB(owned=owned)


_DIALECTS: Final = {"postgresql": _postgresql, "mysql": _mariadb, "mariadb": _mariadb}
"""What a database has to say, by SQLAlchemy's name of it; its driver is imported when it is asked for."""


def open_store(resource: Mapping[str, Any], options: Mapping[str, Any], owner: str) -> DataStore:
    """The store that serves a resource; no I/O (ConfigurationError)."""
    try:
        place = table_of(resource["table"])
        if isinstance(place, sqlalchemy.Table) and not options.get("read_only", False):
            refuse(unserved(place), owner)
        if "url" in resource:
            return _of_url(resource["url"], options, place)
        return _of_engine(resource["engine"], options, place)
    except ConfigurationError as exc:
        raise ConfigurationError(exc.problems, owner=owner) from exc


def list_tables(url: str | URL, schema: str | None = None, *, views: bool = True) -> list[str]:
    """The tables of a server's database, and its views, by name, without ours (ConfigurationError, StoreUnavailable).

    Without a schema, those that can be named without one.
    """
    parsed = parse_url(url)
    dialect = _DIALECTS[parsed.get_backend_name()](owned=True)
    database = Database(make_engine(parsed, dialect, Timeouts(), POOL_SIZE), dialect)
    try:
        return database.meet().list_names(database.rows, schema, views=views)
    finally:
        database.close()


def table_of(given: Any) -> TableName | sqlalchemy.Table:
    """The name of a table, or its declaration (ConfigurationError)."""
    if isinstance(given, TableName):
        return given
    if not isinstance(given, str):
        return declared_table(given)
    schema, _, name = given.rpartition(".")
    if not name or "\0" in given or name.startswith(OWN_TABLES):
        raise ConfigurationError(f"resource['table'] must be the name of a table of yours, not {given!r}")
    return TableName(name, schema or None)


def _of_url(given: Any, options: Mapping[str, Any], place: TableName | sqlalchemy.Table) -> DataStore:
    if not isinstance(given, str | URL):
        raise ConfigurationError("resource['url'] must be a text or a SQLAlchemy URL")
    url = parse_url(given)
    if url.get_backend_name() == "sqlite":
        if isinstance(place, TableName):
            return of_url(url, place.name, options)
        return of_declaration(url, place, options)
    timeouts = Timeouts(**options.get("timeouts", {}))
    pool_size: int = options.get("pool_size", POOL_SIZE)

    def make() -> Database:
        dialect = _DIALECTS[url.get_backend_name()](owned=True)
        return Database(make_engine(url, dialect, timeouts, pool_size), dialect)

    database = Database.at((url, timeouts, pool_size), make)
    return ServerStore(database, _declared(place, database.engine), options)


def _of_engine(engine: Any, options: Mapping[str, Any], place: TableName | sqlalchemy.Table) -> DataStore:
    if not isinstance(engine, Engine):
        raise ConfigurationError("resource['engine'] must be an Engine of SQLAlchemy's")
    name = check_engine(engine)
    if name == "sqlite":
        return EngineSQLite(engine, _declared(place, engine), options)
    database = Database.at(id(engine), lambda: Database(engine, _DIALECTS[name](owned=False)))
    return ServerStore(database, _declared(place, engine), options)


def _declared(place: TableName | sqlalchemy.Table, engine: Engine) -> TableName | DeclaredTable:
    return place if isinstance(place, TableName) else DeclaredTable(place, engine)
