"""What the errors of SQLite's driver mean, in rest_kit's words: the driver's own text goes into no message.

An error is the caller's (a value), the world's (a lock, a disk, a damaged file), another program's (tables that are not
what they were), or else a mistake of ours, which has no words here and is raised as what nobody expects.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Final

from rest_kit.errors import (
    Conflict,
    Fault,
    InvalidQuery,
    ReadOnly,
    RestKitError,
    StoreCorrupt,
    StoreUnavailable,
    ValidationError,
)
from rest_kit.storage.sqlite_files import primary_code, trouble_of

DRIVER_ERRORS: Final = (sqlite3.Error, OverflowError, UnicodeEncodeError)
"""What the driver raises for what it was given or what it found."""


def meaning_of(exc: Exception, name: str) -> Exception:
    """The error to raise for one of `DRIVER_ERRORS`; `name` is that of the file."""
    if isinstance(exc, OverflowError):
        return ValidationError(Fault("range", "a number is beyond 64 bits"))
    if isinstance(exc, UnicodeEncodeError):
        return InvalidQuery(Fault("text", "a text holds a lone surrogate"))
    if undecodable := _UNDECODABLE.match(str(exc)):
        return StoreCorrupt(f"{name}: {undecodable[1] or 'a column'} holds text that is not UTF-8")
    code = primary_code(exc)
    if code == sqlite3.SQLITE_ERROR:
        return _meaning_of_text(str(exc), name) or _mistake(name)
    if code in _MEANINGS:
        return _MEANINGS[code](name)
    return trouble_of(exc, name) or _mistake(name)


def meaning_of_read(exc: Exception, name: str) -> Exception:
    """The same for what only reads: there a refusal to write means that SQLite cannot even read without."""
    if primary_code(exc) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return StoreUnavailable(f"{name} cannot be opened for reading; {_REMEDY}")
    return meaning_of(exc, name)


def is_stale(exc: Exception) -> bool:
    """Whether the error says that file or tables are no more what they were, so that connections are better renewed."""
    code = primary_code(exc)
    if code == sqlite3.SQLITE_ERROR:
        return _CHANGED.search(str(exc)) is not None
    return code not in _PASSING and trouble_of(exc, "") is not None


def is_constraint(exc: sqlite3.Error) -> bool:
    """Whether the statement broke a rule of the table."""
    return primary_code(exc) == sqlite3.SQLITE_CONSTRAINT


def is_missing_table(exc: sqlite3.Error) -> bool:
    """Whether the statement names a table that is not there."""
    return primary_code(exc) == sqlite3.SQLITE_ERROR and str(exc).startswith("no such table")


def _meaning_of_text(text: str, name: str) -> RestKitError | None:
    """What the commonest code stands for, which the text alone tells."""
    if changed := _CHANGED.search(text):
        return StoreUnavailable(f"{name} has no {changed[1]} {changed[2]!r} now; its tables are read again")
    if lacking := _LACKING.match(text):
        return StoreCorrupt(f"{name} can be used only with the {lacking[1]} {lacking[2]!r} of the program that made it")
    return None


def _mistake(name: str) -> RuntimeError:
    return RuntimeError(f"SQLite refuses a statement that rest_kit made for {name}")


_UNDECODABLE: Final = re.compile(r"Could not decode to UTF-8 (column '.*?') with text|user-defined function raised")
"""What the driver says of a stored text that it cannot hand out, to us or to the function that folds case."""

_CHANGED: Final = re.compile(r"(?:^no such |has no )(table|column)(?:: | named )(.+)", re.DOTALL)
_LACKING: Final = re.compile(r"no such (module|function|collation sequence): (.+)", re.DOTALL)

_REMEDY: Final = (
    "if it is in WAL mode, SQLite must be able to write -wal and -shm beside it: "
    "run PRAGMA journal_mode = DELETE on it once, where it can be written"
)

_PASSING: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Troubles that leave file and connections as they are."""

_MEANINGS: Final[dict[int, Callable[[str], RestKitError]]] = {
    sqlite3.SQLITE_READONLY: lambda name: ReadOnly(f"{name} may not be written"),
    sqlite3.SQLITE_PERM: lambda name: ReadOnly(f"{name} may not be written"),
    sqlite3.SQLITE_TOOBIG: lambda _: ValidationError(Fault("max_length", "a value is larger than SQLite can keep")),
    # at the commit: whatever the records themselves refer to was looked up as they were written
    sqlite3.SQLITE_CONSTRAINT: lambda _: Conflict("other records refer to this one", code="restricted"),
}
