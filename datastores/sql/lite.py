"""SQLite: a URL is served by the standard library's driver, an application's engine by connections of its pool."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from datastores.sql.catalogue import TableName
from datastores.sql.declared import DeclaredTable
from datastores.sqlite import SQLiteDataStore
from datastores.sqlite import values as sqlite_values
from datastores.sqlite.catalogue import TableInfo
from datastores.sqlite.database import Database
from datastores.sqlite.failures import meaning_of_read
from datastores.sqlite.schema import column_of
from datastores.sqlite.store import TIMEOUT
from datastores.sqlite.table import Table
from datastores.tables.columns import Column
from datastores.tables.store import TableStore
from rest_kit.errors import ConfigurationError, StoreUnavailable
from rest_kit.forks import never_close
from rest_kit.models.field import Field
from rest_kit.models.model import Model
from rest_kit.store import refuse

PATIENCE = 30.0
"""Seconds that a write waits for another one of the same process."""
PREPARED = "rest_kit"
"""The mark on a pooled connection that knows our functions and collations."""


def of_url(url: URL, table: str, options: Mapping[str, Any]) -> SQLiteDataStore:
    """The store over the file that a URL names (ConfigurationError for one that names none, or more than a file)."""
    refuse(_meaningless(url, options), "")
    kept = {name: value for name, value in options.items() if name in SQLiteDataStore.option_keys}
    return SQLiteDataStore({"name": url.database or "", "table": table}, {**kept, "timeout": _patience(options)})


def of_declaration(url: URL, table: sqlalchemy.Table, options: Mapping[str, Any]) -> EngineSQLite:
    """The store over a declared table in the file that a URL names, through an engine of our own."""
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise ConfigurationError("resource['url'] must name a file; for data in memory, use PythonListDataStore")
    refuse(_meaningless(url, options), "")
    read_only = options.get("read_only", False)
    database = Database.at(os.path.abspath(url.database), read_only, _patience(options))
    engine = sqlalchemy.create_engine(url, creator=lambda: database.connection("ro" if read_only else "rwc"))
    store = EngineSQLite(engine, DeclaredTable(table, engine), options)
    weakref.finalize(store, engine.dispose)
    return store


def _meaningless(url: URL, options: Mapping[str, Any]) -> list[str]:
    """A sentence for everything that is said of a file and means something for servers, or for other drivers, only."""
    problems = []
    if url.query:
        told = ", ".join(repr(name) for name in url.query)
        problems.append(
            f"resource['url'] has {told} behind its '?', which a file is not opened with here: say it by options, such "
            "as 'read_only': True or 'timeouts': {'statement': 5}"
        )
    if "pool_size" in options:
        problems.append("options['pool_size'] is for servers: an SQLite file is opened as often as is needed")
    for name in options.get("timeouts", {}):
        if name != "statement":
            problems.append(f"options['timeouts'][{name!r}] is for servers; a file takes 'statement' alone")
    return problems


def _patience(options: Mapping[str, Any]) -> float:
    return float(options.get("timeouts", {}).get("statement", TIMEOUT))


class EngineDatabase(Database):
    """The connections of an engine's pool: nothing that they are set to is changed, and they go back as they came.

    They only learn functions and collations of ours, whose names begin with `rest_kit`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        super().__init__(os.path.abspath(engine.url.database or "memory"), False, PATIENCE)

    @classmethod
    def of(cls, engine: Engine) -> EngineDatabase:
        """The one database of that engine."""
        key = (f"engine {id(engine)}", False, PATIENCE)
        found = cls._known.at(key, lambda: cls(engine))
        assert isinstance(found, EngineDatabase)
        return found

    @property
    def exists(self) -> bool:
        """Whether there is a file, which SQLite makes when it is opened."""
        return True

    def _leave_to_parent(self) -> None:
        never_close(self._engine.pool)
        self._engine.dispose(close=False)

    def _check_file(self) -> None:
        """Nothing to look at: which file it is, is the engine's affair."""

    def _idle_one(self) -> sqlite3.Connection:
        try:
            borrowed = self._engine.raw_connection()
        except PoolTimeout as exc:
            raise StoreUnavailable(f"all connections to {self.name} are busy", retry_after=1) from exc
        except (sqlite3.Error, SQLAlchemyError) as exc:
            raise meaning_of_read(getattr(exc, "orig", None) or exc, self.name) from exc
        # what the pool lends does what the connection does, but that to close it is to give it back
        connection = cast(sqlite3.Connection, borrowed)
        if PREPARED not in borrowed.info:
            sqlite_values.prepare(connection)
            borrowed.info[PREPARED] = True
        if connection.in_transaction:
            connection.execute("ROLLBACK")  # a driver that is never out of a transaction has begun one
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection is self._active.connection:
            return
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()

    def close(self) -> None:
        """Begin anew; the connections are the engine's to close."""
        self._forget()


class EngineSQLite(SQLiteDataStore):
    """One table or view of the SQLite database that an engine opens."""

    def __init__(self, engine: Engine, table: TableName | DeclaredTable, options: Mapping[str, Any]) -> None:
        self._declaration = table if isinstance(table, DeclaredTable) else None
        place = table.name if isinstance(table, DeclaredTable) else table
        TableStore.__init__(self, None, options, place.name)
        file = engine.url.database
        self._path = os.path.abspath(file) if file and file != ":memory:" else f"the memory of engine {id(engine)}"
        self._database_ = EngineDatabase.of(engine)

    def infer(self) -> Model:
        """A model read off the catalogue, the rows and the declaration (StoreUnavailable, StoreCorrupt)."""
        model = super().infer()
        return model if self._declaration is None else self._declaration.refine(model)

    def _open(self) -> Table:
        declared = self._declaration
        if declared is not None and not self._read_only:
            declared.create()
        if declared is not None and self._model is None:
            self._model = self.infer()
        return super()._open()

    def _columns(self, connection: sqlite3.Connection, info: TableInfo, model: Model) -> list[Column]:
        columns = super()._columns(connection, info, model)
        if self._declaration is None:
            return columns
        return [self._column(connection, info, model.by_name[column.field]) for column in columns]

    def _column(self, connection: sqlite3.Connection, info: TableInfo, field: Field) -> Column:
        lying = info.column(field.name)
        stored = "" if lying is None else lying.declared
        assert self._declaration is not None
        found = self._declaration.column(field, stored, lambda plain: column_of(connection, info, plain))
        assert found is not None
        return found
