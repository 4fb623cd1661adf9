"""Writing to one table within one transaction, each write with its event."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from datastores.sqlite.database import reader, refuse_ended, rows_if_there
from datastores.sqlite.events import SQLiteEventLog
from datastores.sqlite.failures import DRIVER_ERRORS, meaning_of
from datastores.sqlite.grammar import quote
from datastores.sqlite.replies import SQLiteReplies
from datastores.sqlite.rules import broken_by_deletion, broken_rule, refuse_dangling, refused
from datastores.sqlite.table import Table
from datastores.tables.statements import Row
from datastores.tables.table import Writing
from datastores.tables.tx import TableTx
from rest_kit.errors import Fault, KeysUsedUp, RecordNotFound, ValidationError
from rest_kit.events.log import Action
from rest_kit.query import Query, Result
from rest_kit.store import OWN_FILE_TABLES, check_unique, unique_conflict
from rest_kit.types import INT64_MAX, Pk, Record

IDS: Final = f"{OWN_FILE_TABLES}ids"
"""Our table of the highest id that each table ever had, for those in which SQLite would hand it out again."""

_CREATE_IDS: Final = f"CREATE TABLE IF NOT EXISTS {IDS} (resource TEXT PRIMARY KEY NOT NULL, last INTEGER NOT NULL)"
_KEEP_ID: Final = " ".join((
    "INSERT INTO", IDS, "(resource, last) VALUES (?1, ?2)",
    "ON CONFLICT (resource) DO UPDATE SET last = max(last, excluded.last)",
))  # fmt: skip
_KEPT_ID: Final = " ".join(("SELECT last FROM", IDS, "WHERE resource = ?1"))


class SQLiteTx(TableTx[Table]):
    """One transaction over one table."""

    def __init__(
        self, table: Table, connection: sqlite3.Connection, log: SQLiteEventLog | None, replies: SQLiteReplies
    ) -> None:
        super().__init__(table)
        self._connection = connection
        self._log = log
        self._replies = replies
        self._wrote = False

    # --- reading ------------------------------------------------------------------------------------------------------

    def find(self, query: Query) -> Result:
        """What `DataStore.find` finds, as seen within this step."""
        refuse_ended(self._connection)
        bound = self._table.statements.bind(query)
        try:
            return self._table.page(reader(self._connection), bound, query)
        except DRIVER_ERRORS as exc:
            raise self._meaning(exc) from exc

    def _row(self, pk: Pk) -> Row:
        """The stored row (RecordNotFound)."""
        key = self._table.key_value(pk)
        rows = [] if key is None else self._run(self._table.select, (key,)).fetchall()
        if not rows:
            raise RecordNotFound(pk)
        row: Row = rows[0]
        return row

    # --- writing ------------------------------------------------------------------------------------------------------

    def insert(self, records: Sequence[Record]) -> list[Record]:
        """Add records (without a pk where the store generates it); they return as stored (Conflict, StoreFull)."""
        return [self._insert(record, index) for index, record in enumerate(records)]

    def _insert(self, record: Record, index: int) -> Record:
        table = self._table
        if table.unique_sets:
            check_unique(self, table.model, record, None, index)
        if table.key_may_repeat and record.get(table.key.field) is not None:
            self._refuse_taken(record[table.key.field], index)
        if table.makes_ids and record.get(table.key.field) is None:
            record = {**record, table.key.field: self._next_id()}
        writing = table.insertion(record)
        cursor = self._write(writing, record, (), index)
        given = record.get(table.key.field)
        row = self._row(cursor.lastrowid or 0 if given is None else given)
        self._append("created", row, None, row)
        return table.record(row)

    def _refuse_taken(self, pk: Pk, index: int) -> None:
        if self._run(self._table.select, (self._table.key_value(pk),)).fetchall():
            raise unique_conflict((self._table.key.field,), index)

    def update(self, pk: Pk, record: Record) -> Record:
        """Replace those fields of the record, its pk aside; it returns as stored (RecordNotFound, Conflict)."""
        table = self._table
        before = self._row(pk)
        writing = table.change(record)
        if table.unique_sets:
            check_unique(self, table.model, {**table.record(before), **record}, pk)
        if writing.fields:
            self._write(writing, record, (table.key_value(pk),), None)
        after = self._row(pk)
        self._append("updated", after, before, after)
        return table.record(after)

    def delete(self, pk: Pk) -> None:
        """Remove the record (RecordNotFound, Conflict where others refer to it)."""
        table = self._table
        before = self._row(pk)
        key = table.key_value(pk)
        if table.makes_ids and key == self._highest():
            self._keep_id(key)
        try:
            cursor = self._run(table.delete, (key,))
        except sqlite3.IntegrityError as exc:
            raise broken_by_deletion(exc) from exc
        _refuse_ignored(cursor)
        self._append("deleted", before, before, None)

    def _write(self, writing: Writing, record: Record, more: tuple[Any, ...], index: int | None) -> sqlite3.Cursor:
        refuse_ended(self._connection)
        if self._table.info.deferred:
            refuse_dangling(self._table, self._connection, record, index)
        try:
            cursor = self._connection.execute(writing.text, [*writing.encode(record), *more])
        except sqlite3.Error as exc:
            raise broken_rule(self._table, self._connection, exc, record, index) from exc
        except (OverflowError, UnicodeEncodeError) as exc:
            raise ValidationError(Fault("range", "a value cannot be stored")) from exc
        _refuse_ignored(cursor, index)
        return cursor

    def _run(self, text: str, values: Sequence[Any]) -> sqlite3.Cursor:
        refuse_ended(self._connection)
        try:
            return self._connection.execute(text, values)
        except sqlite3.IntegrityError:
            raise
        except DRIVER_ERRORS as exc:
            raise self._meaning(exc) from exc

    def _meaning(self, exc: Exception) -> Exception:
        """What a driver's error means, the connections let go of where it says that the file is not what it was."""
        database = self._table.database
        database.recover(exc)
        return meaning_of(exc, database.name)

    # --- replies ------------------------------------------------------------------------------------------------------

    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        refuse_ended(self._connection)
        return self._replies.read(self._connection, key)

    def put(self, key: str, digest: bytes, reply: bytes) -> None:
        refuse_ended(self._connection)
        self._replies.put(self._connection, key, digest, reply)

    # --- events and ids -----------------------------------------------------------------------------------------------

    def _append(self, action: Action, keyed: Row, before: Row | None, after: Row | None) -> None:
        if self._log is None:
            return
        names = self._table.model.names
        pk = keyed[names.index(self._table.key.field)]
        rows = [None if row is None else dict(zip(names, row, strict=True)) for row in (before, after)]
        self._log.append(self._connection, action, pk, *rows)
        self._wrote = True

    def finish(self) -> None:
        """What is done once at the end: drop the events that are too many."""
        if self._log is not None and self._wrote:
            self._log.prune(self._connection)

    def _next_id(self) -> int:
        """The next id: above every id that is, and that was."""
        number = max(self._highest() or 0, self._kept_id(), 0) + 1
        if number > INT64_MAX:
            raise KeysUsedUp(self._table.key.field)
        return number

    def _highest(self) -> int | None:
        table = self._table
        select = " ".join((f"SELECT max({table.key_sql}) FROM", quote(table.name)))
        found: int | None = self._run(select, ()).fetchone()[0]
        return found

    def _kept_id(self) -> int:
        rows = rows_if_there(self._connection, _KEPT_ID, (self._table.name,))
        return rows[0][0] if rows else 0

    def _keep_id(self, number: int) -> None:
        self._run(_CREATE_IDS, ())
        self._run(_KEEP_ID, (self._table.name, number))


def _refuse_ignored(cursor: sqlite3.Cursor, index: int | None = None) -> None:
    """Refuse to take for done what a trigger with RAISE(IGNORE) has left undone (Conflict)."""
    if cursor.rowcount == 0:
        raise refused(index)
