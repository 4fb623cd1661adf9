"""One SQLite file as this process sees it: a few connections, one writer at a time, the driver's errors in our words.

A connection is borrowed for a call and given back, so that their number is that of the calls at one time, however many
threads come and go. Within a transaction the thread keeps its connection: what it reads then is what it wrote. After a
fork the child opens connections of its own and lets the inherited ones alone, as SQLite demands.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import quote as quote_path

from datastores.sqlite import values as sql_values
from datastores.sqlite.failures import (
    DRIVER_ERRORS,
    is_missing_table,
    is_stale,
    meaning_of,
    meaning_of_read,
)
from datastores.tables.statements import Row, Run
from rest_kit.errors import StoreUnavailable
from rest_kit.forks import Shared, never_close, renew_after_fork
from rest_kit.storage.sqlite_files import Identity, identity_of, write_ahead

T = TypeVar("T")

CACHED_STATEMENTS: Final = 256
CHECK_EVERY: Final = 1.0
"""Seconds after which a read looks again whether the path still names the file that is open; a write always looks."""


class _Active(threading.local):
    """The connection with an open transaction, of each thread."""

    connection: sqlite3.Connection | None = None


class Database:
    """The connections of this process to one file; `Database.at` gives all stores over a file the same one."""

    _known: ClassVar[Shared[tuple[str, bool, float], Database]] = Shared()

    def __init__(self, path: str, read_only: bool, timeout: float) -> None:
        self.path = path
        self.name = os.path.basename(path)
        self.read_only = read_only
        self.timeout = timeout
        self.generation = 0
        """Counts how often the file was found replaced, or the connections were let go of."""
        self._identity: Identity | None = None
        self._start_afresh()
        renew_after_fork(self, Database._after_fork)

    @classmethod
    def at(cls, path: str, read_only: bool, timeout: float) -> Database:
        """The one database of that path (symbolic links resolved), mode and timeout."""
        key = (os.path.realpath(path), read_only, timeout)
        return cls._known.at(key, lambda: cls(*key))

    def _start_afresh(self) -> None:
        self._idle: list[sqlite3.Connection] = []
        self._open_ones: set[sqlite3.Connection] = set()
        self._active = _Active()
        self._writing = threading.Lock()
        self._checked = 0.0

    def _after_fork(self) -> None:
        """Forget, in a forked child, every connection without closing it: they and their locks are the parent's."""
        self._leave_to_parent()
        self._start_afresh()

    def _leave_to_parent(self) -> None:
        """Keep the inherited connections from ever being closed here."""
        never_close(*self._open_ones)

    # --- reading ------------------------------------------------------------------------------------------------------

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of one statement, which is a snapshot by itself."""
        connection = self._borrow()
        try:
            return connection.execute(sql, parameters).fetchall()
        except DRIVER_ERRORS as exc:
            self.recover(exc)
            raise meaning_of_read(exc, self.name) from exc
        finally:
            self._give_back(connection)

    def snapshot(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run several reads over one snapshot; within a transaction of this thread, over what it has written."""
        active = self._active.connection
        if active is None:
            return self.committed(work)
        try:
            return work(active)
        except DRIVER_ERRORS as exc:
            self.recover(exc)
            raise meaning_of_read(exc, self.name) from exc

    def committed(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run several reads over one snapshot of what is committed, even where this thread is writing just now."""
        connection = self._idle_one()
        try:
            connection.execute("BEGIN")
            result = work(connection)
            connection.execute("COMMIT")
            return result
        except DRIVER_ERRORS as exc:
            self.recover(exc)
            raise meaning_of_read(exc, self.name) from exc
        finally:
            self._give_back(connection)

    @property
    def exists(self) -> bool:
        """Whether the file is there."""
        return os.path.exists(self.path)

    # --- writing ------------------------------------------------------------------------------------------------------

    def atomic(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one writing transaction; within another one of the same thread, as a part of it."""
        active = self._active.connection
        if active is not None:
            return self._part(active, work)
        if not self._writing.acquire(timeout=self.timeout):
            raise StoreUnavailable(f"{self.name} is busy with another write")
        try:
            return self._transaction(work)
        finally:
            self._writing.release()

    def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._check_file()
        connection = self._borrow()
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._active.connection = connection
            result = work(connection)
            refuse_ended(connection)
            connection.execute("COMMIT")
            return result
        except DRIVER_ERRORS as exc:
            self.recover(exc)
            raise meaning_of(exc, self.name) from exc
        finally:
            self._active.connection = None
            self._give_back(connection)

    def _part(self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
        connection.execute("SAVEPOINT rest_kit")
        kept = False
        try:
            result = work(connection)
            kept = True
            return result
        finally:
            if connection.in_transaction:
                if not kept:
                    connection.execute("ROLLBACK TO rest_kit")
                connection.execute("RELEASE rest_kit")

    # --- connections --------------------------------------------------------------------------------------------------

    def _borrow(self) -> sqlite3.Connection:
        active = self._active.connection
        return self._idle_one() if active is None else active

    def _idle_one(self) -> sqlite3.Connection:
        if time.monotonic() > self._checked:
            self._check_file()
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        """End what is still open (after a snapshot, or work that raised) and keep the connection for the next call."""
        if connection is self._active.connection:
            return
        if connection.in_transaction:
            connection.rollback()
        if connection in self._open_ones:
            self._idle.append(connection)
        else:
            connection.close()

    def _check_file(self) -> None:
        """Let go of the connections if the path names another file now (StoreUnavailable if it names none)."""
        self._checked = time.monotonic() + CHECK_EVERY
        if self._identity is None:
            return
        try:
            found = identity_of(self.path)
        except OSError as exc:
            self._abandon()
            raise StoreUnavailable(f"{self.name} is not there any more") from exc
        if found != self._identity:
            self._abandon()

    def _abandon(self) -> None:
        """Leave the connections to a file that was replaced open: to close them would delete the new file's log."""
        never_close(*self._open_ones)
        self._forget()

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = self.connection("ro" if self.read_only else "rw")
            found = identity_of(self.path)
        except sqlite3.Error as exc:
            self.recover(exc)
            raise meaning_of_read(exc, self.name) from exc
        except OSError as exc:
            raise StoreUnavailable(f"{self.name} is not there any more") from exc
        self._identity = found
        self._open_ones.add(connection)
        return connection

    def connection(self, mode: str) -> sqlite3.Connection:
        """A new connection, ready for our statements: `ro`, `rw`, or `rwc` to make the file (the driver's errors)."""
        connection = sqlite3.connect(
            f"file:{quote_path(self.path)}?mode={mode}",
            uri=True,
            timeout=self.timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
        )
        try:
            sql_values.prepare(connection)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            if mode != "ro":
                write_ahead(connection, self.timeout)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def create(self) -> None:
        """Make an empty file where there is none (StoreUnavailable: no such directory, or no permission)."""
        try:
            self.connection("rwc").close()
        except sqlite3.Error as exc:
            self.recover(exc)
            raise meaning_of(exc, self.name) from exc

    def close(self) -> None:
        """Let go of the connections that nobody uses now; those in use end with their call."""
        for connection in self._forget():
            connection.close()

    def _forget(self) -> list[sqlite3.Connection]:
        """Begin anew without the connections there were; returns the idle ones."""
        self.generation += 1
        self._identity = None
        self._open_ones = set()
        idle, self._idle = self._idle, []
        return idle

    def __del__(self) -> None:
        for connection in self._open_ones:
            connection.close()

    def recover(self, exc: Exception) -> None:
        """Let go of the connections after an error which says that the file is not what it was."""
        if is_stale(exc):
            self.close()


def reader(connection: sqlite3.Connection) -> Run:
    """What runs a statement on that connection and returns all of its rows."""
    return lambda sql, parameters: connection.execute(sql, parameters).fetchall()


def rows_if_there(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[Any]:
    """The rows of a statement over a table of ours; none where nothing has made it yet."""
    try:
        return connection.execute(sql, parameters).fetchall()
    except sqlite3.OperationalError as exc:
        if not is_missing_table(exc):
            raise
        return []


def refuse_ended(connection: sqlite3.Connection) -> None:
    """Refuse to go on where SQLite has ended the transaction by itself, as it does when the disk is full."""
    if not connection.in_transaction:
        raise StoreUnavailable("the transaction is over; nothing of it was kept")
