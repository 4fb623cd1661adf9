"""A table or view of a database server as a datastore."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from datastores.sql.catalogue import ColumnInfo, TableInfo, TableName
from datastores.sql.database import Database
from datastores.sql.declared import DeclaredTable
from datastores.sql.events import RETENTION, SQLEventLog
from datastores.sql.infer import infer_model, key_field
from datastores.sql.replies import NoReplies, SQLReplies
from datastores.sql.schema import Making, bound_columns, index_statement, target_of
from datastores.sql.table import Table
from datastores.sql.transaction import Transaction
from datastores.sql.tx import SQLTx
from datastores.tables.statements import Bound
from datastores.tables.store import TableStore, with_pk
from rest_kit.errors import StoreUnavailable, did_you_mean
from rest_kit.models.model import Model
from rest_kit.query import Query, Result
from rest_kit.store import DataStore, Tx

T = TypeVar("T")


class ServerStore(TableStore[Table]):
    """One table or view of PostgreSQL or MariaDB."""

    def __init__(self, database: Database, table: TableName | DeclaredTable, options: Mapping[str, Any]) -> None:
        self._declaration = table if isinstance(table, DeclaredTable) else None
        self._place = table.name if isinstance(table, DeclaredTable) else table
        self._database = database
        super().__init__(None, options, self._place.name)
        database.stores[self._place] = self

    def __repr__(self) -> str:
        return f"SQLDataStore({str(self._place)!r} in {self._database.name})"

    # --- opening ------------------------------------------------------------------------------------------------------

    @property
    def database(self) -> Hashable:
        """The database, as this process sees it through one URL and options, or one engine."""
        return self._database

    def refers_to(self, references: str, other: DataStore) -> bool:
        """Whether `table.column` is the key of the table that the other store holds, in the same database."""
        if not isinstance(other, ServerStore) or other._database is not self._database:
            return False
        table, column = target_of(references, self._opened().info.name)
        if other._place.name.lower() != table.name.lower():
            return False  # whether that one can be read does not matter
        held = other._opened()
        return held.info.name == table and held.key.field == column

    def infer(self) -> Model:
        """A model read off the catalogue (StoreUnavailable, StoreCorrupt)."""
        self._database.meet()
        return self._inferred(self._found())

    def _inferred(self, info: TableInfo) -> Model:
        model = infer_model(self._database.dialect, info)
        return model if self._declaration is None else self._declaration.refine(model)

    def _open(self) -> Table:
        database = self._database
        dialect = database.meet()
        info = dialect.read_table(database.rows, self._place)
        if info is None and self._declaration is not None and not self._read_only:
            database.refuse_to_wait()
            self._declaration.create()
            info = self._found()
        if info is None:
            self._make(set())
            info = self._found()
        elif self._lacking_indexes(info):
            database.define(self._create)
            info = self._found()
        model = self._model if self._model is not None else self._inferred(info)
        if model.pk is None:
            model = model.with_pk(key_field(dialect, info))
        return Table(database, info, model, bound_columns(dialect, info, model, self._declaration))

    def _make(self, above: set[TableName]) -> None:
        """Make the table from the model, and before it those that it refers to, where a store of ours knows how."""
        model = self._declared
        references = [] if model is None else [one.references for one in model.by_name.values() if one.references]
        for table in {target_of(told, self._place)[0] for told in references} - above - {self._place}:
            parent: ServerStore | None = self._database.stores.get(table)
            if parent is not None and parent._makes_table:
                parent._make(above | {self._place})
        self._database.define(self._create)

    @property
    def _makes_table(self) -> bool:
        return self._declared is not None and self._declaration is None and not self._read_only

    def _create(self, transaction: Transaction) -> None:
        """Make the table from the model, or the indexes that it lacks."""
        dialect = self._database.dialect
        dialect.guard_creation(transaction.rows)
        info = dialect.read_table(transaction.rows, self._place)
        if info is not None:
            statements = self._index_statements(info)
        elif self._declared is None or self._read_only:
            raise StoreUnavailable(self._no_table())
        else:
            model = with_pk(self._declared)
            referred = self._referred(transaction, model)
            statements = Making(dialect, self._place, model, self._indexes, referred).statements()
        for statement in statements:
            transaction.rows(statement)

    def _index_statements(self, info: TableInfo) -> list[str]:
        model = self._model if self._model is not None else self._inferred(info)
        lacking = self._lacking_indexes(info)
        return [
            index_statement(self._database.dialect, self._place, model.by_name[name], info.column(name))
            for name in lacking
        ]

    def _referred(self, transaction: Transaction, model: Model) -> dict[str, ColumnInfo]:
        """The columns of other tables that fields refer to (StoreUnavailable where one is not there)."""
        found = {}
        for field in model.by_name.values():
            if field.references:
                table, column = target_of(field.references, self._place)
                info = None if table == self._place else self._column_of(transaction, table, column)
                if info is not None:
                    found[field.name] = info
        return found

    def _column_of(self, transaction: Transaction, table: TableName, column: str) -> ColumnInfo:
        info = self._database.dialect.read_table(transaction.rows, table)
        found = None if info is None else info.column(column)
        if found is None:
            raise StoreUnavailable(f"{self._place} refers to {table}.{column}, which has to be there first")
        return found

    def _lacking_indexes(self, info: TableInfo) -> list[str]:
        """The fields for which an index is asked for but not there; none where nothing may be made."""
        self._refuse_unknown_indexes([column.name for column in info.columns])
        if self._read_only or info.is_view:
            return []
        return [name for name in self._indexes if name not in info.indexed]

    def _found(self) -> TableInfo:
        info = self._database.meet().read_table(self._database.rows, self._place)
        if info is None:
            raise StoreUnavailable(self._no_table())
        return info

    def _no_table(self) -> str:
        names = self._database.dialect.list_names(self._database.rows, self._place.schema)
        return f"{self._database.name} has no table {str(self._place)!r}{did_you_mean(self._place.name, names)}"

    def _take(self, table: Table) -> None:
        self._replies = SQLReplies(table.database, table.info.name)
        super()._take(table)

    def _open_log(self, table: Table) -> SQLEventLog:
        return SQLEventLog(table.database, table.info.name, table.model, self.options.get("retention", RETENTION))

    def shares_transactions(self, other: DataStore) -> bool:
        """Whether the other store's table is written through the same connections."""
        return isinstance(other, ServerStore) and other._database is self._database

    # --- the contract -------------------------------------------------------------------------------------------------

    def ping(self) -> None:
        """Return if the table can be read now (StoreUnavailable)."""
        self._opened()
        self._database.rows("SELECT 1")

    def _page(self, table: Table, bound: Bound, query: Query) -> Result:
        return table.page(table.run, bound, query)

    def _transaction(self, table: Table, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction that locks what it reads."""
        database, log = table.database, self._log
        replies = self._replies
        assert log is None or isinstance(log, SQLEventLog)
        if log is not None:
            log.make()

        def run(transaction: Transaction) -> T:
            if table.info.deferred:
                # a rule that is broken is told best by the statement that breaks it
                transaction.rows("SET CONSTRAINTS ALL IMMEDIATE")
            if table.unique_sets:
                # before any row is locked: who has one would wait for who has the table, who may wait for the row
                database.dialect.lock_table(transaction, table.quoted)
            return work(SQLTx(table, transaction, log, replies))

        try:
            return database.atomic(run)
        except NoReplies:
            replies.make()
            return database.atomic(run)

    def close(self) -> None:
        """Close the connections that are idle, if they are ours; the next use opens them again."""
        self._database.close()
