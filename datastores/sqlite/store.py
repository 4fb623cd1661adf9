"""Tables and views of an SQLite file as datastores, through the standard library's driver.

A query becomes text once per shape, runs on a borrowed connection, and its rows become records by generated code. The
table is opened at first use: created from the model, checked against it, or the model inferred from it. A write, its
event and its check are one `BEGIN IMMEDIATE` transaction.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar, TypeVar

from datastores.sqlite.catalogue import TableInfo, list_names, read_table
from datastores.sqlite.database import Database, reader
from datastores.sqlite.events import RETENTION, SQLiteEventLog
from datastores.sqlite.infer import infer_model, key_field
from datastores.sqlite.replies import SQLiteReplies
from datastores.sqlite.schema import bound_columns, create_statements, index_statement
from datastores.sqlite.table import Table
from datastores.sqlite.tx import SQLiteTx
from datastores.tables.columns import Column
from datastores.tables.statements import Bound
from datastores.tables.store import TableStore, with_pk
from rest_kit.errors import StoreUnavailable, did_you_mean
from rest_kit.models.model import Model
from rest_kit.query import Query, Result
from rest_kit.store import OWN_FILE_TABLES, DataStore, Tx, check_keys, check_options, refuse

T = TypeVar("T")

TIMEOUT = 5.0
"""Seconds to wait for another program's write, unless the store is told otherwise."""


class SQLiteDataStore(TableStore[Table]):
    """One table or view of an SQLite file: `{"name": path, "table": name}`.

    Options: `read_only` (the file is opened so, and nothing is created), `events` (False: none are kept), `retention`
    (how many events are kept), `timeout` (seconds to wait for a lock), `indexes` (fields to make an index for).

    A file that is not opened read-only is switched to write-ahead logging, for good. Without a model the table is
    scanned once, at first use; one without a key is served by its rowids, which SQLite's VACUUM may change.
    """

    resource_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {"name": (str, os.PathLike), "table": str}
    option_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {
        "read_only": bool,
        "events": bool,
        "retention": int,
        "timeout": (int, float),
        "indexes": (list, tuple),
    }

    def __init__(self, resource: Any, options: Mapping[str, Any] | None = None) -> None:
        refuse(_problems(resource, dict(options or {})), type(self).__name__)
        super().__init__(resource, options, resource["table"])
        self._path: str = os.path.abspath(os.fspath(resource["name"]))
        self._database_: Database | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r}, {self._name!r})"

    # --- opening ------------------------------------------------------------------------------------------------------

    def infer(self) -> Model:
        """A model read off the catalogue and checked against the rows (StoreUnavailable, StoreCorrupt)."""
        return self._database.snapshot(lambda connection: infer_model(connection, self._found(connection)))

    @property
    def _database(self) -> Database:
        if self._database_ is None:
            timeout = float(self.options.get("timeout", TIMEOUT))
            self._database_ = Database.at(self._path, self._read_only, timeout)
        return self._database_

    def _open(self) -> Table:
        database = self._database
        if not database.exists:
            self._create_file(database)
        info = database.snapshot(lambda connection: read_table(connection, self._name))
        if info is None or self._lacking_indexes(info):
            database.atomic(self._create)
        return database.snapshot(self._read)

    def _create_file(self, database: Database) -> None:
        if self._read_only:
            raise StoreUnavailable(f"there is no file {database.name!r}, and read_only forbids to make it")
        if self._declared is None:
            raise StoreUnavailable(f"there is no file {database.name!r}, and no model to make it from")
        if self._table is not None:
            raise StoreUnavailable(f"{database.name} is not there any more")
        database.create()

    def _create(self, connection: sqlite3.Connection) -> None:
        """Make the table from the model, or the indexes that it lacks."""
        info = read_table(connection, self._name)
        if info is not None:
            statements = [index_statement(info.name, name) for name in self._lacking_indexes(info)]
        elif self._declared is None or self._read_only:
            raise StoreUnavailable(self._no_table(connection))
        else:
            statements = create_statements(self._name, with_pk(self._declared), self._indexes)
        for statement in statements:
            connection.execute(statement)

    def _lacking_indexes(self, info: TableInfo) -> list[str]:
        """The fields for which an index is asked for but not there; none where nothing may be made."""
        self._refuse_unknown_indexes([column.name for column in info.columns])
        if self._read_only or info.is_view:
            return []
        return [name for name in self._indexes if name not in info.indexed]

    def _no_table(self, connection: sqlite3.Connection) -> str:
        return f"{self._database.name} has no table {self._name!r}{did_you_mean(self._name, list_names(connection))}"

    def _found(self, connection: sqlite3.Connection) -> TableInfo:
        info = read_table(connection, self._name)
        if info is None:
            raise StoreUnavailable(self._no_table(connection))
        return info

    def _read(self, connection: sqlite3.Connection) -> Table:
        """The table as the catalogue has it now, with the model that it is served as."""
        info = self._found(connection)
        model = self._model if self._model is not None else infer_model(connection, info)
        if model.pk is None:
            model = model.with_pk(key_field(connection, info))
        return Table(self._database, info, model, self._columns(connection, info, model))

    def _columns(self, connection: sqlite3.Connection, info: TableInfo, model: Model) -> list[Column]:
        """Where the model's fields lie."""
        return bound_columns(connection, info, model)

    def _take(self, table: Table) -> None:
        self._replies = SQLiteReplies(table.name)
        super()._take(table)

    def _open_log(self, table: Table) -> SQLiteEventLog:
        retention = self.options.get("retention", RETENTION)
        return SQLiteEventLog(table.database, table.name, table.columns, table.key, retention)

    @property
    def database(self) -> Hashable:
        """The file."""
        return self._path

    def refers_to(self, references: str, other: DataStore) -> bool:
        """Whether `table.column` is the key of the table that the other store holds, in the same file."""
        if not isinstance(other, SQLiteDataStore) or other._path != self._path:
            return False
        table, _, column = references.rpartition(".")
        if table.lower() != other._name.lower():
            return False
        key = other.model.pk
        return key is not None and key.name.lower() == column.lower()

    def shares_transactions(self, other: DataStore) -> bool:
        """Whether the other store's table is written through the same connections."""
        return isinstance(other, SQLiteDataStore) and other._database is self._database

    # --- the contract -------------------------------------------------------------------------------------------------

    def ping(self) -> None:
        """Return if the table can be read now (StoreUnavailable)."""
        self._opened()
        self._database.rows("SELECT 1 FROM sqlite_master LIMIT 1")

    def _page(self, table: Table, bound: Bound, query: Query) -> Result:
        if not query.total and len(bound.plan.reads) == 1:
            return table.page(table.run, bound, query)
        return table.database.snapshot(lambda connection: table.page(reader(connection), bound, query))

    def _transaction(self, table: Table, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction that began with the right to write."""
        log = self._log
        assert log is None or isinstance(log, SQLiteEventLog)

        replies = self._replies

        def run(connection: sqlite3.Connection) -> T:
            tx = SQLiteTx(table, connection, log, replies)
            result = work(tx)
            tx.finish()
            return result

        return table.database.atomic(run)

    def close(self) -> None:
        """Close the connections that are idle; the next use opens them again."""
        if self._database_ is not None:
            self._database_.close()


def list_tables(path: str | os.PathLike[str], *, views: bool = True) -> list[str]:
    """The tables of a file, and its views, by name, without SQLite's own and ours (StoreUnavailable, StoreCorrupt)."""
    database = Database.at(os.path.abspath(os.fspath(path)), True, TIMEOUT)
    try:
        return database.snapshot(lambda connection: list_names(connection, views=views))
    finally:
        database.close()


def _problems(resource: Any, options: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the shapes of a resource and its options."""
    if not isinstance(resource, Mapping):
        return [f'the resource must be {{"name": path, "table": name}}, not {resource!r}']
    problems = check_keys(resource, SQLiteDataStore.resource_keys, "resource")
    problems += [f"resource lacks {key!r}" for key in SQLiteDataStore.resource_keys if key not in resource]
    problems += check_options(options, SQLiteDataStore.option_keys)
    return problems or _bad_names(resource)


def _bad_names(resource: Mapping[str, Any]) -> list[str]:
    name, table = os.fspath(resource["name"]), resource["table"]
    problems = []
    if not name or str(name).startswith((":memory:", "file:")):
        problems.append("'name' must be the path of a file; for data in memory, use PythonListDataStore")
    if not table or "\0" in table or table.lower().startswith(("sqlite_", OWN_FILE_TABLES)):
        problems.append(f"'table' must be the name of a table of yours, not {table!r}")
    return problems
