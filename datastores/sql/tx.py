"""Writing to one table within one transaction, each write with its event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from datastores.sql.entries import Entry
from datastores.sql.events import SQLEventLog
from datastores.sql.refusals import refused
from datastores.sql.replies import SQLReplies
from datastores.sql.rules import broken_rule, deleting
from datastores.sql.table import MOST_ROWS, Table
from datastores.sql.transaction import Transaction
from datastores.tables.statements import Row
from datastores.tables.table import Writing
from datastores.tables.tx import TableTx
from rest_kit.errors import Conflict, RecordNotFound, Unsupported, ValidationError
from rest_kit.events.log import Action
from rest_kit.query import Filter, Query, Result
from rest_kit.store import check_unique
from rest_kit.types import Pk, Record


class _Locked(NamedTuple):
    """A row as the last statement of a transaction read it, and how many statements that had then run."""

    key: Any
    row: Row
    at: int


_NOTHING: Final = _Locked(None, (), -1)


class SQLTx(TableTx[Table]):
    """One transaction over one table."""

    def __init__(self, table: Table, transaction: Transaction, log: SQLEventLog | None, replies: SQLReplies) -> None:
        super().__init__(table)
        self._transaction = transaction
        self._log = log
        self._replies = replies
        self._last = _NOTHING

    # --- reading ------------------------------------------------------------------------------------------------------

    def find(self, query: Query) -> Result:
        """What `DataStore.find` finds, as seen within this step; the records stay as they are until its end."""
        bound = self._table.statements.bind(query, locked=True)
        return self._table.page(self._transaction.rows, bound, query)

    def _row(self, pk: Pk) -> Row:
        """The stored row, locked (RecordNotFound)."""
        key = self._table.key_value(pk)
        last = self._last
        if last.at == self._transaction.count and last.key == key:
            return last.row
        rows = [] if key is None else self._transaction.rows(self._table.locked, (key,))
        if not rows:
            raise RecordNotFound(pk)
        if self._table.is_frozen:
            # PERF: tests/test_budget_sql.py: what a write checks beforehand is not read a second time
            self._last = _Locked(key, rows[0], self._transaction.count)
        return rows[0]

    # --- writing ------------------------------------------------------------------------------------------------------

    def insert(self, records: Sequence[Record]) -> list[Record]:
        """Add records (without a pk where the database makes it); they return as stored (Conflict, StoreFull)."""
        self._claim_keys(records)
        if len(records) > 1 and self._can_go_together(records):
            try:
                return self._transaction.part(lambda _: self._insert_together(records))
            except (Conflict, ValidationError):
                pass  # one by one, the first that is refused is known by its place
        return [self._insert(record, index) for index, record in enumerate(records)]

    def _can_go_together(self, records: Sequence[Record]) -> bool:
        """Whether one statement may insert many: the rows that it hands out are told apart by the keys brought."""
        return not self._table.unique_sets and all(record.get(self._table.key.field) is not None for record in records)

    def _insert_together(self, records: Sequence[Record]) -> list[Record]:
        """Add records that bring their keys, many with each statement."""
        table = self._table
        stored: dict[Pk, Record] = {}
        for writing, given in table.insertions(records):
            try:
                rows = self._transaction.run(writing.text, [value for row in given for value in row])
            except table.database.errors as exc:
                raise broken_rule(table, self._transaction, exc, None) from exc
            stored.update((record[table.key.field], record) for record in map(table.record, rows))
        if not table.returns:
            stored = self._found([record[table.key.field] for record in records])
        # a column may keep a key in another form than it was brought in
        added = [stored.get(record[table.key.field]) or self.get(record[table.key.field]) for record in records]
        for record in added:
            self._note("created", record, None, record)
        return added

    def _found(self, keys: Sequence[Pk]) -> dict[Pk, Record]:
        """Records by their keys."""
        name = self._table.key.field
        found: dict[Pk, Record] = {}
        for start in range(0, len(keys), MOST_ROWS):
            some = Filter(name, "in", tuple(keys[start : start + MOST_ROWS]))
            found.update((record[name], record) for record in self.find(Query(where=some)).records)
        return found

    def _claim_keys(self, records: Sequence[Record]) -> None:
        """See to it that the database never makes a key that is brought here."""
        table = self._table
        brought = [record[table.key.field] for record in records if record.get(table.key.field) is not None]
        if brought and table.key_is_made:
            claim = table.database.dialect.claim_key
            claim(self._transaction, table.info.name, table.key.field, max(brought))

    def _insert(self, record: Record, index: int) -> Record:
        table = self._table
        given = record.get(table.key.field)
        if given is None and table.model.pk is not None and table.model.pk.generated and not table.key_is_made:
            raise Unsupported(f"{table.name} has a key that the database does not make: bring it")
        self._check_unique(record, None, index)
        rows = self._write(table.insertion(record), record, (), index)
        pk = given if given is not None else self._transaction.last_id
        stored = table.record(rows[0]) if rows else table.record(self._row(pk or 0))
        self._note("created", stored, None, stored)
        return stored

    def update(self, pk: Pk, record: Record) -> Record:
        """Replace those fields of the record, its pk aside; it returns as stored (RecordNotFound, Conflict)."""
        table = self._table
        before = table.record(self._row(pk))
        writing = table.change(record)
        self._check_unique({**before, **record}, pk, None)
        if not writing.fields:
            after = before
        else:
            rows = self._write(writing, record, (table.key_value(pk),), None)
            after = table.record(rows[0]) if rows else table.record(self._row(pk))
        self._note("updated", after, before, after)
        return after

    def delete(self, pk: Pk) -> None:
        """Remove the record (RecordNotFound, Conflict where others refer to it)."""
        table = self._table
        before = table.record(self._row(pk))
        try:
            self._transaction.run(table.delete, (table.key_value(pk),))
        except table.database.errors as exc:
            raise deleting(table, self._transaction, exc) from exc
        self._refuse_ignored(None)
        self._note("deleted", before, before, None)

    def _write(self, writing: Writing, record: Record, more: tuple[Any, ...], index: int | None) -> list[Row]:
        try:
            values = writing.encode(record)
        except ValidationError as exc:
            raise ValidationError([fault.under(*(() if index is None else (index,))) for fault in exc.faults]) from exc
        try:
            rows = self._transaction.run(writing.text, [*values, *more])
        except self._table.database.errors as exc:
            raise broken_rule(self._table, self._transaction, exc, index) from exc
        if self._table.returns:
            # elsewhere a row that is written as it was counts as none
            self._refuse_ignored(index)
        return rows

    def _refuse_ignored(self, index: int | None) -> None:
        """Refuse to take for done what a trigger has left undone (Conflict)."""
        if self._transaction.touched == 0:
            raise refused(index)

    def _check_unique(self, record: Record, pk: Pk | None, index: int | None) -> None:
        """Hold the record to what must be unique by the model alone; nobody else writes the table meanwhile."""
        if self._table.unique_sets:
            check_unique(self, self._table.model, record, pk, index)

    def _note(self, action: Action, keyed: Record, before: Record | None, after: Record | None) -> None:
        if self._log is not None:
            # appended at the end: until then, whoever is given the record may have made something else of it
            rows = [None if row is None else dict(row) for row in (before, after)]
            self._transaction.note(self._log, Entry(action, keyed[self._table.key.field], *rows))

    # --- replies ------------------------------------------------------------------------------------------------------

    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        return self._replies.read(self._transaction, key)

    def put(self, key: str, digest: bytes, reply: bytes) -> None:
        self._replies.put(self._transaction, key, digest, reply)
