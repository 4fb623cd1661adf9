"""The rows of one CSV file in a private, temporary SQLite database, which answers every question about them.

It lies on disk, unnamed, in this process alone, and vanishes with it; only a small page cache is held in memory. It
follows the file: all of it is loaded once, and each later write comes as splices. A write under way tries its rows out
between `try_out` and `forget`, and whatever came of it comes back as splices, like everybody's.
"""

# ruff: noqa: S608 - the names in the SQL are ours or go through `quote`, and every value is bound

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from datastores.csv.columns import Layout, Misfit
from datastores.csv.entries import Splice
from datastores.csv.records import Reader, Row, corrupt
from datastores.csv.shifts import Shifts
from datastores.sqlite.grammar import GRAMMAR
from datastores.sqlite.values import prepare, storage_of
from datastores.tables.columns import Column
from datastores.tables.statements import Statements
from rest_kit.errors import Fault, InvalidQuery, RecordNotFound, StoreCorrupt, StoreFull, StoreUnavailable
from rest_kit.query import Query, Result
from rest_kit.types import Pk, Record

BATCH: Final = 2000
CACHE_KIB: Final = 8192
MAX_SHIFTS: Final = 2000


class Place(NamedTuple):
    """Where a row is: its number in the mirror, the offset of its first byte in the file, its length in bytes."""

    number: int
    at: int
    length: int


class Mirror:
    """One file's rows, as of some moment. Not thread-safe by itself; SQLite's own troubles are StoreUnavailable."""

    def __init__(self, layout: Layout, reader: Reader, indexes: Sequence[tuple[str, ...]]) -> None:
        self.layout = layout
        self.reader = reader
        self.model = layout.model
        self.shifts = Shifts()
        self.pk = self._pk_column()
        columns = {column.name: column.stored for column in layout.columns} | {self.pk.field: self.pk}
        self._indexes = [[columns[name] for name in names] for names in indexes]
        self.statements = Statements(
            "mirrored AS t", [columns[n] for n in self.model.names], self.model.full_order, GRAMMAR
        )
        self._fields = [column.name for column in layout.columns]
        self._encode = self.statements.encoder(self._fields)
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        # By the process that opened it alone: closing, a forked child might undo on the file what its parent does.
        self._closing = weakref.finalize(self, _close, self._connection, os.getpid())
        prepare(self._connection)
        with _sqlite():
            self._create()

    def _pk_column(self) -> Column:
        """The key's column; the row's number where the file has no key."""
        if self.layout.key is not None:
            return self.layout.key.stored
        assert self.model.pk is not None
        return Column(self.model.pk.name, "t.n", storage_of(self.model.pk), nullable=False)

    def _create(self) -> None:
        for pragma in (f"cache_size = -{CACHE_KIB}", "journal_mode = MEMORY", "synchronous = OFF"):
            self._connection.execute(f"PRAGMA {pragma}")
        columns = "".join(f", {_bare(c.stored)} {c.stored.storage.declared}" for c in self.layout.columns)
        self._connection.execute(
            f"CREATE TABLE mirrored (n INTEGER PRIMARY KEY, mark INTEGER, length INTEGER{columns})"
        )
        marks = ", ".join("?" * (2 + len(self.layout.columns)))
        names = "".join(f", {_bare(c.stored)}" for c in self.layout.columns)
        self._insert = f"INSERT INTO mirrored (mark, length{names}) VALUES ({marks})"
        changes = "".join(f", {_bare(c.stored)} = ?" for c in self.layout.columns)
        self._update = f"UPDATE mirrored SET length = ?{changes} WHERE n = ?"
        self._find_place = f"SELECT n, mark, length FROM mirrored AS t WHERE {self.pk.term} = ?"
        read = self.statements.selected(self.model.names)
        self._get = f"SELECT {read} FROM mirrored AS t WHERE {self.pk.term} = ?"
        self._pk_type = self.model.by_name[self.pk.field].kind.python_type
        self._probe = self.pk.storage.probe("eq")

    # --- filling ------------------------------------------------------------------------------------------------------

    def load(self, rows: Iterator[Row]) -> None:
        """Take in the whole file (StoreCorrupt, StoreUnavailable)."""
        with _sqlite():
            self._connection.execute("BEGIN")
            first = True
            for batch in _batches(rows, BATCH):
                if first:
                    self._notice(batch)
                    first = False
                self._add(batch)
            self._index()
            self._connection.execute("COMMIT")

    def _notice(self, batch: Sequence[Row]) -> None:
        for column in self.layout.columns:
            column.notice_truth([row[0][column.index] for row in batch])

    def _add(self, batch: Sequence[Row]) -> None:
        self._connection.executemany(
            self._insert,
            [
                (self.shifts.mark_at(row[1]), row[2], *values)
                for row, values in zip(batch, self._values(batch), strict=True)
            ],
        )

    def _values(self, batch: Sequence[Row]) -> Iterable[tuple[Any, ...]]:
        """The rows' values as they are kept (StoreCorrupt naming line and field)."""
        try:
            return list(self.layout.load([row[0] for row in batch]))
        except Misfit as exc:
            raise corrupt(self.reader.path, batch[exc.index][3], f"{exc.field}: {exc.why}") from exc

    def _index(self) -> None:
        """Index what must be unique, once the rows are there, which is faster than row by row."""
        if self.layout.key is not None:
            key = _bare(self.pk)
            try:
                self._connection.execute(f"CREATE UNIQUE INDEX key ON mirrored ({key})")
            except sqlite3.IntegrityError as exc:
                raise self._doubled(key) from exc
            self._refuse_empty_key(key)
        for number, columns in enumerate(self._indexes):
            listed = ", ".join(_bare(column) for column in columns)
            self._connection.execute(f"CREATE INDEX own{number} ON mirrored ({listed})")

    def _doubled(self, key: str) -> StoreCorrupt:
        text = f"SELECT {key}, min(mark), max(mark) FROM mirrored GROUP BY {key} HAVING count(*) > 1 ORDER BY 2 LIMIT 1"
        value, first, second = self._connection.execute(text).fetchone()
        return KeyTrouble(f"the key {self.pk.field} is {value!r} here", first, second)

    def _refuse_empty_key(self, key: str) -> None:
        text = f"SELECT mark FROM mirrored WHERE {key} IS NULL OR {key} = '' LIMIT 1"
        found = self._connection.execute(text).fetchone()
        if found is not None:
            raise KeyTrouble(f"the key {self.pk.field} is empty", found[0], None)

    def apply(self, splices: Sequence[Splice]) -> None:
        """Follow one write to the file (StoreCorrupt, StoreUnavailable)."""
        with _sqlite():
            self._connection.execute("BEGIN")
            try:
                self._apply(splices)
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _apply(self, splices: Sequence[Splice]) -> None:
        moved = 0
        for splice in splices:
            if splice.pk is None:
                self._append(splice.data, splice.at + moved)
            else:
                self._replace(splice)
            moved += splice.delta
        if len(self.shifts) > MAX_SHIFTS:
            self._settle_shifts()

    def _append(self, data: bytes, at: int) -> None:
        ending = len(data) - len(data.lstrip(b"\r\n"))
        if ending:
            self._lengthen_last(at, ending)
        for batch in _batches(self.reader.within(data, at), BATCH):
            self._add(batch)

    def _lengthen_last(self, end: int, ending: int) -> None:
        """The last row, if it reaches up to the end of the file, has been given the line ending that it lacked."""
        last = self._connection.execute("SELECT n, mark, length FROM mirrored ORDER BY n DESC LIMIT 1").fetchone()
        if last is not None and self.shifts.place(last[1]) + last[2] == end:
            self._connection.execute("UPDATE mirrored SET length = length + ? WHERE n = ?", (ending, last[0]))

    def _replace(self, splice: Splice) -> None:
        assert self.layout.key is not None
        pk = self.layout.key.value(splice.pk or "")
        number, mark, _ = self._row_of(pk)
        if not splice.text:
            self._connection.execute("DELETE FROM mirrored WHERE n = ?", (number,))
        else:
            row = next(self.reader.within(splice.data, splice.at))
            (values,) = self._values([row])
            self._connection.execute(self._update, (row[2], *values, number))
        self.shifts.add(mark, splice.delta)

    def _settle_shifts(self) -> None:
        """Note every row anew where it lies now."""
        self._connection.create_function("place", 1, self.shifts.place)
        self._connection.execute("UPDATE mirrored SET mark = place(mark)")
        self.shifts = Shifts()

    # --- asking -------------------------------------------------------------------------------------------------------

    def _rows_by_key(self, text: str, pk: Pk) -> list[Any]:
        """What a statement finds for a key; nothing for what cannot be one."""
        if type(pk) is not self._pk_type:
            return []
        try:
            return self._connection.execute(text, (pk if self._probe is None else self._probe(pk),)).fetchall()
        except UnicodeEncodeError:
            return []
        except sqlite3.Error as exc:
            raise _trouble(exc) from exc

    def _row_of(self, pk: Pk) -> tuple[int, Any, int]:
        rows: list[tuple[int, Any, int]] = self._rows_by_key(self._find_place, pk)
        if not rows:
            raise RecordNotFound(pk)
        return rows[0]

    def place(self, pk: Pk) -> Place:
        """Where the row with this key is; at -1 if it is being tried out (RecordNotFound)."""
        number, mark, length = self._row_of(pk)
        return Place(number, -1 if mark is None else self.shifts.place(mark), length)

    def has(self, pk: Pk) -> bool:
        """Whether there is a row with this key."""
        return bool(self._rows_by_key(self._find_place, pk))

    def get(self, pk: Pk) -> Record:
        """The record with this key (RecordNotFound)."""
        rows = self._rows_by_key(self._get, pk)
        if not rows:
            raise RecordNotFound(pk)
        return self.statements.builder(self.model.names)(rows)[0]

    def find(self, query: Query) -> Result:
        """What the query finds (InvalidQuery)."""
        try:
            return self._find(query)
        except UnicodeEncodeError as exc:
            raise InvalidQuery(Fault("text", "a text holds a lone surrogate")) from exc
        except sqlite3.Error as exc:
            raise _trouble(exc) from exc

    def _find(self, query: Query) -> Result:
        bound = self.statements.bind(query)
        rows, more = bound.rows(self._run, query.page.limit)
        total = bound.total(self._run, query.page, len(rows), more) if query.total else None
        records = bound.plan.build(rows)
        if query.page.before:
            records.reverse()
        return Result(records, more, total)

    def _run(self, text: str, parameters: Sequence[Any]) -> list[Any]:
        return self._connection.execute(text, parameters).fetchall()

    def highest(self) -> int:
        """The highest key, of integer keys; 0 for no rows."""
        (found,) = self._connection.execute(f"SELECT max({_bare(self.pk)}) FROM mirrored").fetchone()
        return int(found or 0)

    # --- trying out ---------------------------------------------------------------------------------------------------

    def try_out(self) -> None:
        """Begin to change rows for as long as a write is under way."""
        with _sqlite():
            self._connection.execute("BEGIN")

    def forget(self) -> None:
        """Be again as before `try_out`."""
        with _sqlite():
            self._connection.execute("ROLLBACK")

    def insert(self, record: Record) -> int:
        """Add a row that does not lie in the file yet; its number."""
        with _sqlite():
            cursor = self._connection.execute(self._insert, (None, 0, *self._encode(record)))
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def change(self, number: int, record: Record, length: int) -> None:
        """Replace a row's values."""
        with _sqlite():
            self._connection.execute(self._update, (length, *self._encode(record), number))

    def remove(self, number: int) -> None:
        """Take a row out."""
        with _sqlite():
            self._connection.execute("DELETE FROM mirrored WHERE n = ?", (number,))

    def close(self) -> None:
        """Let go of the database."""
        self._closing()


class KeyTrouble(StoreCorrupt):
    """The key is no key; the rows at these offsets show it."""

    def __init__(self, what: str, first: int, second: int | None) -> None:
        self.first = first
        self.second = second
        super().__init__(what)


def _close(connection: sqlite3.Connection, owner: int) -> None:
    if os.getpid() == owner:
        connection.close()


def _bare(column: Column) -> str:
    """The column's name without that of the table."""
    return column.sql.removeprefix("t.")


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while batch := list(itertools.islice(rows, size)):
        yield batch


@contextlib.contextmanager
def _sqlite() -> Iterator[None]:
    """Turns SQLite's errors into the store's."""
    try:
        yield
    except sqlite3.Error as exc:
        raise _trouble(exc) from exc


def _trouble(exc: sqlite3.Error) -> StoreUnavailable:
    """What SQLite's trouble with the temporary database means for the store."""
    if "full" in str(exc):
        return StoreFull("no room for the temporary mirror of a CSV file (see TMPDIR)")
    return StoreUnavailable(f"the temporary mirror of a CSV file cannot be used: {exc}")
