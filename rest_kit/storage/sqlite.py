"""Counts and values in an SQLite file, for all processes of one machine.

A count is one row with the log of its hits. Every step is one transaction that begins with the lock for writing, so
that no two processes see the same log; within a process, threads queue for its one connection. Counts are not flushed
to the disk at once: what a power cut may take is the last moments' counts. Values are, before `swap` returns.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rest_kit.errors import StoreUnavailable
from rest_kit.forks import never_close, renew_after_fork
from rest_kit.storage.base import Clock, Count, Storage, Window, distinct
from rest_kit.storage.clocks import since_boot, this_boot
from rest_kit.storage.logs import NANOSECONDS, counted, length_of, take_back, trimmed
from rest_kit.storage.sqlite_files import Identity, identity_of, primary_code, trouble_of, write_ahead
from rest_kit.store import OWN_FILE_TABLES

KEPT: Final = f"{OWN_FILE_TABLES}kept"
BOOTS: Final = f"{OWN_FILE_TABLES}boots"
_TABLES: Final = (
    f"CREATE TABLE IF NOT EXISTS {KEPT} (key TEXT PRIMARY KEY, value BLOB NOT NULL, ends INTEGER NOT NULL)",
    f"CREATE INDEX IF NOT EXISTS {KEPT}_ends ON {KEPT} (ends)",
    f"CREATE TABLE IF NOT EXISTS {BOOTS} (boot TEXT PRIMARY KEY, at INTEGER NOT NULL)",
)
_FIND: Final = f"SELECT value, ends FROM {KEPT} WHERE key = ?"  # noqa: S608 - a constant
_KEEP: Final = f"INSERT OR REPLACE INTO {KEPT} (key, value, ends) VALUES (?, ?, ?)"  # noqa: S608 - a constant
_DROP: Final = f"DELETE FROM {KEPT} WHERE key = ?"  # noqa: S608 - a constant
_SWEEP: Final = f"DELETE FROM {KEPT} WHERE key IN (SELECT key FROM {KEPT} WHERE ends <= ? LIMIT 2)"  # noqa: S608 - a constant


class SQLiteStorage(Storage):
    """Keeps everything in an SQLite file, which is made at the first use.

    `path`: of the file, in a directory that is there. `timeout`: how many seconds a step waits for others. `clock`: for
    tests.
    """

    _connection: sqlite3.Connection | None = None

    def __init__(self, path: str, *, timeout: float = 2.0, clock: Clock | None = None) -> None:
        self.path = os.path.abspath(path)
        self.name = os.path.basename(path)
        self.timeout = timeout
        self._given_clock = clock
        self._start_afresh()
        renew_after_fork(self, SQLiteStorage._leave_to_parent)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._connection = None
        self._file: Identity | None = None
        self._clock: Clock = time.time_ns

    def _leave_to_parent(self) -> None:
        """In a forked child: leave the connection, and a lock that is held, to the parent."""
        self._abandon()
        self._start_afresh()

    def _abandon(self) -> None:
        if self._connection is not None:
            never_close(self._connection)
            self._connection = None

    # --- what storages do ---------------------------------------------------------------------------------------------

    def hit(self, windows: Sequence[Window], back: Sequence[Count] = ()) -> tuple[bool, list[Count]]:
        with self._writing() as connection:
            now = self._clock()
            for one in back:
                self._take_back(connection, one)
            seen = []
            admitted = True
            for window in distinct(windows):
                key, end = _key_of(window), now + length_of(window)
                log = _read(connection, key)
                is_new, newest = not log, log[-1] if log else 0
                left = trimmed(log, now, end)
                if newest > end:
                    # the clock was set back: noted at once, or they would be of this moment at every moment
                    _write(connection, key, log)
                if len(log) - left >= window.quota:
                    admitted = False
                seen.append((window, log, left, (key, end, is_new)))
            if admitted:
                for _, log, _, (key, end, is_new) in seen:
                    if is_new:
                        connection.execute(_SWEEP, (now,))
                    log.append(end)
                    _write(connection, key, log)
            return admitted, [counted(window, log, left, now) for window, log, left, _ in seen]

    def _take_back(self, connection: sqlite3.Connection, one: Count) -> None:
        key = _key_of(one.window)
        log = _read(connection, key)
        take_back(log, one.mark)
        _write(connection, key, log)

    def get(self, key: str) -> bytes | None:
        with self._using() as connection:
            return self._value(connection, key)

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        with self._writing(durably=True) as connection:
            if self._value(connection, key) != expected:
                return False
            now = self._clock()
            connection.execute(_SWEEP, (now,))
            if value is None:
                connection.execute(_DROP, (f"value {key}",))
            else:
                connection.execute(_KEEP, (f"value {key}", value, now + int(seconds * NANOSECONDS)))
            return True

    def _value(self, connection: sqlite3.Connection, key: str) -> bytes | None:
        found = connection.execute(_FIND, (f"value {key}",)).fetchone()
        return found[0] if found is not None and found[1] > self._clock() else None

    def ping(self) -> None:
        with self._using() as connection:
            connection.execute(_FIND, ("",)).fetchone()

    def close(self) -> None:
        with self._lock:
            self._let_go()

    # --- the connection -----------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self, durably: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction that nobody else writes beside (StoreUnavailable, StoreFull)."""
        with self._using() as connection:
            # flushing is a property of the connection, and cannot be changed within a transaction
            connection.execute(f"PRAGMA synchronous = {'FULL' if durably else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.rollback()

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone (StoreUnavailable)."""
        if not self._lock.acquire(timeout=self.timeout):
            raise StoreUnavailable(f"{self.name} is busy with other requests", retry_after=1)
        try:
            yield self._current()
        except sqlite3.Error as exc:
            if primary_code(exc) != sqlite3.SQLITE_BUSY:
                self._let_go()
            raise trouble_of(exc, self.name) or _unusable(exc, self.name) from exc
        except OSError as exc:
            raise StoreUnavailable(f"{self.name} is not there any more", retry_after=1) from exc
        finally:
            self._lock.release()

    def _current(self) -> sqlite3.Connection:
        """The connection to the file that lies under the path now."""
        if self._connection is not None and not (os.path.exists(self.path) and identity_of(self.path) == self._file):
            # to close it would delete the log of the file that has taken its place
            self._abandon()
        if self._connection is None:
            self._connection = self._open()
            self._file = identity_of(self.path)
        return self._connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=self.timeout, isolation_level=None, check_same_thread=False)
        try:
            write_ahead(connection, self.timeout)
            connection.execute("BEGIN IMMEDIATE")
            for statement in _TABLES:
                connection.execute(statement)
            self._clock = self._given_clock or _clock_of(connection)
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self._let_go()

    def __repr__(self) -> str:
        return f"SQLiteStorage({self.path!r})"


def _unusable(exc: sqlite3.Error, name: str) -> StoreUnavailable:
    return StoreUnavailable(f"{name} cannot be used: {getattr(exc, 'sqlite_errorname', 'an error')}", retry_after=1)


def _key_of(window: Window) -> str:
    return f"count {window.seconds:g} {window.key}"


def _read(connection: sqlite3.Connection, key: str) -> array[int]:
    """The log under a key, which may be empty."""
    found: Any = connection.execute(_FIND, (key,)).fetchone()
    return array("q", found[0] if found is not None else b"")


def _write(connection: sqlite3.Connection, key: str, log: array[int]) -> None:
    if log:
        connection.execute(_KEEP, (key, log.tobytes(), log[-1]))
    else:
        connection.execute(_DROP, (key,))


def _clock_of(connection: sqlite3.Connection) -> Clock:
    """The clock by which all processes that use this file go."""
    boot = this_boot()
    if not boot:
        return time.time_ns
    connection.execute(
        f"INSERT OR IGNORE INTO {BOOTS} (boot, at) VALUES (?, ?)",  # noqa: S608 - a constant
        (boot, time.time_ns() - since_boot()),
    )
    at: int = connection.execute(f"SELECT at FROM {BOOTS} WHERE boot = ?", (boot,)).fetchone()[0]  # noqa: S608 - a constant
    return lambda: at + since_boot()
