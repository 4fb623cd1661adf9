"""The change log of a table: rows of `rest_kit_events` in the same database, appended by the transaction that wrote.

A transaction appends its events at its end, under the lock of its table's row in `rest_kit_counters`, which it holds
until it has committed. So the events of each table are numbered 1, 2, 3 … in the order of commits, without gaps, and a
reader misses none; what it costs is that the ends of transactions over one table come one after another. `before` and
`after` are JSON objects of field → value. Events that do not fit the model any more are as good as dropped: their
reader is told to begin anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from datastores.sql.catalogue import PRIVATE, TableName
from datastores.sql.database import Database
from datastores.sql.dialect import Ask, EventRow, EventTables, parameter
from datastores.sql.transaction import Transaction
from datastores.tables.json import write_json
from datastores.tables.statements import Row
from datastores.tables.storage import MISFITS
from rest_kit.errors import CursorGone, StoreUnavailable
from rest_kit.events.log import Action, Event, EventLog
from rest_kit.models.model import Model
from rest_kit.types import Pk, Record

RETENTION: Final = 100_000
"""How many events of each table are kept unless the store is told otherwise."""
BATCH: Final = 500
"""How many events one statement appends."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_decode_any = msgspec.json.Decoder().decode


class Entry(NamedTuple):
    """One event before it has a number."""

    action: Action
    pk: Pk
    before: Record | None
    after: Record | None


class SQLEventLog(EventLog):
    """The events of one table, which lie in its schema."""

    def __init__(self, database: Database, table: TableName, model: Model, retention: int) -> None:
        assert model.pk is not None
        self._database = database
        self._resource = table.name
        self._model = model
        self._pk = model.pk
        self._retention = retention
        self._tables = event_tables(database, table.schema)
        self._fields = list(model.by_name.items())
        self._structured = [(name, field) for name, field in self._fields if not field.kind.is_scalar]
        self._making = threading.Lock()
        self._made = False

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self, since: int, limit: int = 100) -> list[Event]:
        """The first `limit` events with a `seq` greater than `since`, in order (CursorGone, StoreUnavailable)."""
        rows = self._ask(self._tables.read, (self._resource, since, max(limit, 1)))
        if (rows and rows[0][0] > since + 1) or (not rows and since > self.last()):
            raise CursorGone("the events behind that cursor are no longer kept")
        return [self._event(row) for row in rows[:limit]]

    def last(self) -> int:
        """The `seq` of the newest event, 0 where there was none ever (StoreUnavailable)."""
        rows = self._ask(self._tables.last, (self._resource,))
        return int(rows[0][0]) if rows else 0

    def _ask(self, text: str, values: Sequence[Any]) -> list[Row]:
        """The rows, none from a database in which nothing was ever written through rest_kit."""
        if not self._made and not self._there(self._database.committed):
            return []
        return self._database.committed(text, values)

    def _there(self, ask: Ask) -> bool:
        return self._database.dialect.read_table(ask, self._tables.counters) is not None

    def _event(self, row: Row) -> Event:
        seq, action, pk, before, after, at = row
        try:
            return Event(seq, action, self._pk.coerce(_decode_any(pk)), self._record(before), self._record(after), at)
        except (*MISFITS, msgspec.DecodeError) as exc:
            raise CursorGone("the events behind that cursor are of another model") from exc

    def _record(self, text: str | None) -> Record | None:
        if text is None:
            return None
        stored = _decode(text)
        return {name: field.coerce(stored.get(name)) for name, field in self._fields}

    # --- writing ------------------------------------------------------------------------------------------------------

    def make(self) -> None:
        """Make the tables, and the row of this one's counter, where they are not there."""
        if not self._made:
            with self._making:
                self._made = self._made or self._make()

    def _make(self) -> bool:
        # within a transaction by its own connection: a second one need not be free if there is nothing to make
        ask = self._database.rows
        if self._there(ask) and ask(self._tables.last, (self._resource,)):
            return True

        def work(transaction: Transaction) -> bool:
            self._database.dialect.guard_creation(transaction.rows)
            for text in self._tables.create:
                transaction.rows(text)
            transaction.rows(self._tables.start, (self._resource,))
            return True

        return self._database.define(work)

    def append(self, transaction: Transaction, entries: Sequence[Entry]) -> None:
        """Add events at the end of a transaction, and drop the oldest beyond the retention now and then."""
        now = time.time()
        rows = [
            EventRow(one.action, write_json(one.pk), self._text(one.before), self._text(one.after)) for one in entries
        ]
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            last = self._append(transaction, some, now)
            self._prune(transaction, last, len(some))

    def _append(self, transaction: Transaction, rows: Sequence[EventRow], at: float) -> int:
        """Number events and add them; the last number. The counter is made anew where somebody has removed it."""
        append = self._database.dialect.append_events
        last = append(transaction, self._tables, self._resource, rows, at)
        if last is None:
            transaction.rows(self._tables.start, (self._resource,))
            last = append(transaction, self._tables, self._resource, rows, at)
        if last is None:
            raise StoreUnavailable(f"the counter of {self._resource} is removed as soon as it is made", retry_after=1)
        return last

    def _prune(self, transaction: Transaction, last: int, count: int) -> None:
        step = max(1, self._retention // 10)
        if last // step != (last - count) // step:
            transaction.rows(self._tables.prune, (self._resource, last - self._retention))

    def _text(self, record: Record | None) -> str | None:
        if record is None:
            return None
        if self._structured:
            record = dict(record)
            for name, field in self._structured:
                if record[name] is not None:
                    record[name] = field.to_stored(record[name])
        return write_json(record)


def event_tables(database: Database, schema: str | None) -> EventTables:
    """The names and the texts of the tables that keep a schema's events."""
    dialect = database.dialect
    names = TableName(f"{PRIVATE}events", schema), TableName(f"{PRIVATE}counters", schema)
    events, counters = map(dialect.quoted, names)
    first = f"resource = {parameter(1)}"
    columns = ", ".join(map(dialect.quote, ("seq", "action", "pk", "before", "after", "at")))
    newest = ("SELECT", parameter(1), ", coalesce(max(seq), 0) FROM", events, "WHERE", first)
    behind = ("WHERE", first, "AND seq >", parameter(2), "ORDER BY seq LIMIT", parameter(3))
    return EventTables(
        events=events,
        counters=names[1],
        counting=counters,
        columns=columns,
        create=dialect.create_events(events, counters),
        start=" ".join(("INSERT INTO", counters, "(resource, last)", *newest, dialect.unless_there)),
        read=" ".join(("SELECT", columns, "FROM", events, *behind)),
        last=" ".join(("SELECT last FROM", counters, "WHERE", first)),
        prune=" ".join(("DELETE FROM", events, "WHERE", first, "AND seq <=", parameter(2))),
    )
