"""What SQLite's errors mean, and which of them cost the connections."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from datastores.sqlite import SQLiteDataStore
from datastores.sqlite.failures import meaning_of, meaning_of_read
from rest_kit.errors import ReadOnly, RestKitError, StoreCorrupt, StoreUnavailable
from rest_kit.query import Query
from rest_kit.store import Tx
from tests.datastores.sqlite_samples import add, names, open_store, path, sql, store

__all__ = ["path", "store"]


def raised(text: str, code: int = sqlite3.SQLITE_ERROR) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("text", ["no such table: t", "no such column: t.age", "table t has no column named age"])
def test_a_name_that_is_gone_means_that_the_tables_have_changed(text: str) -> None:
    meaning = meaning_of(raised(text), "data.db")
    assert type(meaning) is StoreUnavailable
    assert "tables are read again" in str(meaning)


@pytest.mark.parametrize("text", ["no such module: fts9", "no such function: f", "no such collation sequence: c"])
def test_what_a_table_needs_of_its_own_program_is_named(text: str) -> None:
    meaning = meaning_of(raised(text), "data.db")
    assert type(meaning) is StoreCorrupt
    assert text.rpartition(" ")[2] in str(meaning)


@pytest.mark.parametrize(
    "error",
    [
        raised('near "secret": syntax error'),
        raised("too many columns in result set"),
        raised("bad parameter", sqlite3.SQLITE_MISUSE),
        sqlite3.ProgrammingError("Error binding parameter 1: type 'object' is not supported"),
    ],
)
def test_a_mistake_of_ours_is_no_error_that_anybody_expects(error: sqlite3.Error) -> None:
    meaning = meaning_of(error, "data.db")
    assert not isinstance(meaning, RestKitError)
    assert "secret" not in str(meaning)


def test_a_mistake_costs_no_connection(store: SQLiteDataStore) -> None:
    add(store, "Ada")
    database = store._database
    before = (database.generation, set(database._open_ones))
    with pytest.raises(RuntimeError) as caught:
        database.rows("SELECT FROM WHERE")
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert (database.generation, set(database._open_ones)) == before


def test_a_transaction_that_sqlite_has_ended_is_not_taken_for_kept(path: Path, store: SQLiteDataStore) -> None:
    add(store, "Ada")
    sql(path, "CREATE TRIGGER no BEFORE INSERT ON people WHEN new.name = 'x' BEGIN SELECT RAISE(ROLLBACK, 'no'); END")

    def work(tx: Tx) -> None:
        tx.insert([{"name": "Bob", "age": None}])
        with pytest.raises(RestKitError):
            tx.insert([{"name": "x", "age": None}])

    with pytest.raises(StoreUnavailable, match="nothing of it was kept"):
        store.atomic(work)
    assert names(store) == ["Ada"]


# --- files that cannot be written -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY_DIRECTORY])
def test_a_file_that_cannot_even_be_read_without_writing_names_the_remedy(code: int) -> None:
    meaning = meaning_of_read(raised("attempt to write a readonly database", code), "data.db")
    assert type(meaning) is StoreUnavailable
    assert "PRAGMA journal_mode = DELETE" in str(meaning)
    assert isinstance(meaning_of(raised("", sqlite3.SQLITE_READONLY_DIRECTORY), "data.db"), ReadOnly)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_in_wal_mode_where_nothing_can_be_written(path: Path, store: SQLiteDataStore, read_only: bool) -> None:
    add(store, "Ada")
    store.close()
    path.chmod(stat.S_IRUSR)
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(StoreUnavailable, match="journal_mode = DELETE"):
            open_store(path, read_only=read_only).find(Query())
    finally:
        path.parent.chmod(stat.S_IRWXU)
