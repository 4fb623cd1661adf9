"""What all who open SQLite files do alike: know a file again, switch it to write-ahead logging, say what is wrong.

The driver's own text goes into no message, as it may hold a path or a statement.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from typing import Final

from rest_kit.errors import StoreCorrupt, StoreFull, StoreUnavailable

Identity = tuple[int, int]


def identity_of(path: str) -> Identity:
    """What tells a file from another that takes its place under its path (OSError)."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def primary_code(exc: BaseException) -> int:
    """SQLite's primary result code; 0 for an error that the driver found by itself."""
    return int(getattr(exc, "sqlite_errorcode", 0) or 0) & 0xFF


def write_ahead(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch a file to write-ahead logging, which needs it alone for a moment and does not wait by itself.

    A file that may only be read stays as it is. Waits for `timeout` seconds (the driver's errors).
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if primary_code(exc) == sqlite3.SQLITE_READONLY:
                return
            if primary_code(exc) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def trouble_of(exc: BaseException, name: str) -> StoreUnavailable | None:
    """The error to raise where the disk, a lock or the file itself is to blame; `name` is that of the file."""
    meaning = _TROUBLES.get(primary_code(exc))
    return None if meaning is None else meaning(name)


def _damaged(name: str) -> StoreUnavailable:
    return StoreCorrupt(f"{name} is damaged, or not an SQLite database")


def _locked(name: str) -> StoreUnavailable:
    return StoreUnavailable(f"{name} is locked by another program", retry_after=1)


def _unreachable(why: str) -> Callable[[str], StoreUnavailable]:
    return lambda name: StoreUnavailable(f"{name} {why}")


_TROUBLES: Final[dict[int, Callable[[str], StoreUnavailable]]] = {
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_NOTADB: _damaged,
    sqlite3.SQLITE_FULL: lambda name: StoreFull(f"there is no room left for {name}"),
    sqlite3.SQLITE_BUSY: _locked,
    sqlite3.SQLITE_LOCKED: _locked,
    sqlite3.SQLITE_CANTOPEN: _unreachable("cannot be opened"),
    sqlite3.SQLITE_IOERR: _unreachable("cannot be read or written: an error of the disk"),
    sqlite3.SQLITE_SCHEMA: _unreachable("has changed its tables; they are read again"),
    sqlite3.SQLITE_PROTOCOL: _unreachable("cannot be locked"),
    sqlite3.SQLITE_NOLFS: _unreachable("is too large for this system"),
    sqlite3.SQLITE_AUTH: _unreachable("may not be used"),
}
