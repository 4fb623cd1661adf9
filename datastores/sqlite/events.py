"""The change log of a table: rows of `_rest_kit_events` in the same file, appended by the transaction that wrote.

Each resource's events are numbered 1, 2, 3 … without gaps, as writers come one after the other. `before` and `after`
are JSON objects of field → stored value, the very values that lie in the table's columns. Events that do not fit the
model any more are as good as dropped: their reader is told to begin anew.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from datastores.sqlite.database import Database, rows_if_there
from datastores.sqlite.failures import is_missing_table
from datastores.tables.columns import Column
from datastores.tables.storage import MISFITS
from rest_kit.errors import CursorGone
from rest_kit.events.log import Action, Event, EventLog
from rest_kit.store import OWN_FILE_TABLES
from rest_kit.types import Record

EVENTS: Final = f"{OWN_FILE_TABLES}events"
RETENTION: Final = 100_000
"""How many events of each table are kept unless the store is told otherwise."""

_CREATE: Final = (
    f"CREATE TABLE IF NOT EXISTS {EVENTS} (resource TEXT NOT NULL, seq INTEGER NOT NULL, action TEXT NOT NULL,"
    " pk NOT NULL, before TEXT, after TEXT, at REAL NOT NULL, PRIMARY KEY (resource, seq)) WITHOUT ROWID"
)
_APPEND: Final = " ".join((
    "INSERT INTO", EVENTS, "(resource, seq, action, pk, before, after, at)",
    "SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM", EVENTS, "WHERE resource = ?1",
))  # fmt: skip
_LAST: Final = " ".join(("SELECT coalesce(max(seq), 0) FROM", EVENTS, "WHERE resource = ?1"))
_PRUNE: Final = " ".join(("DELETE FROM", EVENTS, f"WHERE resource = ?1 AND seq <= ({_LAST}) - ?2"))
_READ: Final = " ".join((
    "SELECT seq, action, pk, before, after, at FROM", EVENTS, "WHERE resource = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
))  # fmt: skip

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class SQLiteEventLog(EventLog):
    """The events of one table."""

    def __init__(self, database: Database, table: str, columns: Sequence[Column], key: Column, retention: int) -> None:
        self._database = database
        self._table = table
        self._columns = columns
        self._key = key
        self._retention = retention

    def read(self, since: int, limit: int = 100) -> list[Event]:
        """The first `limit` events with a `seq` greater than `since`, in order (CursorGone, StoreUnavailable)."""
        rows, last = self._database.committed(lambda connection: self._ask_behind(connection, since, limit))
        if since > last or (rows and rows[0][0] > since + 1):
            raise CursorGone("the events behind that cursor are no longer kept")
        return [self._event(row) for row in rows]

    def _ask_behind(self, connection: sqlite3.Connection, since: int, limit: int) -> tuple[list[Any], int]:
        """The events behind `since`, and the newest number; they are contiguous, so a first one later shows a gap."""
        rows = rows_if_there(connection, _READ, (self._table, since, max(limit, 1)))
        last = rows[-1][0] if rows else _newest(rows_if_there(connection, _LAST, (self._table,)))
        return rows[:limit], last

    def last(self) -> int:
        """The `seq` of the newest event, 0 where there was none ever (StoreUnavailable)."""
        return _newest(self._database.committed(lambda connection: rows_if_there(connection, _LAST, (self._table,))))

    def _event(self, row: tuple[Any, ...]) -> Event:
        seq, action, pk, before, after, at = row
        try:
            return Event(seq, action, self._key.decode(pk), self._record(before), self._record(after), at)
        except (*MISFITS, msgspec.DecodeError) as exc:
            raise CursorGone("the events behind that cursor are of another model") from exc

    def _record(self, text: str | None) -> Record | None:
        if text is None:
            return None
        stored = _decode(text)
        return {column.field: column.decode(stored.get(column.field)) for column in self._columns}

    def append(
        self, connection: sqlite3.Connection, action: Action, pk: Any, before: Record | None, after: Record | None
    ) -> None:
        """Add one event within a writing transaction; `pk` and the rows hold stored values."""
        values = (self._table, action, pk, _text(before), _text(after), time.time())
        try:
            connection.execute(_APPEND, values)
        except sqlite3.OperationalError as exc:
            if not is_missing_table(exc):
                raise
            connection.execute(_CREATE)
            connection.execute(_APPEND, values)

    def prune(self, connection: sqlite3.Connection) -> None:
        """Drop the oldest events beyond the retention, within a writing transaction that has appended some."""
        connection.execute(_PRUNE, (self._table, self._retention))


def _text(row: Record | None) -> str | None:
    return None if row is None else _encode(row).decode()


def _newest(rows: list[Any]) -> int:
    return int(rows[0][0]) if rows else 0
