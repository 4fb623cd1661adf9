"""Counts in an SQLite file: what it takes from the machine, and what it does to the file."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from datastores import SQLiteDataStore
from rest_kit.errors import StoreCorrupt, StoreUnavailable
from rest_kit.storage import SQLiteStorage, clocks
from rest_kit.storage import sqlite as module
from rest_kit.testing.storage_suite import MINUTE, Hand, admitted, window


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "counts.db"


def test_the_file_is_made_at_the_first_use(path: Path) -> None:
    storage = SQLiteStorage(str(path))
    assert not path.exists()
    assert admitted(storage, window(1)) == 1
    assert path.exists()
    storage.close()


def test_everybody_who_opens_the_file_counts_together(path: Path) -> None:
    one = window(3)
    storages = [SQLiteStorage(str(path)) for _ in range(3)]
    assert [admitted(storage, one, times=2) for storage in storages] == [2, 1, 0]
    for storage in storages:
        storage.close()


def test_a_directory_that_is_not_there_yet_is_no_reason_to_start_again(tmp_path: Path) -> None:
    storage = SQLiteStorage(str(tmp_path / "later" / "counts.db"))
    with pytest.raises(StoreUnavailable):
        storage.hit([window(1)])
    (tmp_path / "later").mkdir()
    assert admitted(storage, window(1)) == 1
    storage.close()


def test_a_file_that_was_taken_away_or_replaced_is_made_again(path: Path, tmp_path: Path) -> None:
    one, storage = window(2), SQLiteStorage(str(path))
    assert admitted(storage, one) == 1
    for file in tmp_path.glob("counts.db*"):
        file.unlink()
    assert admitted(storage, one, times=3) == 2
    other = SQLiteStorage(str(path))
    assert admitted(other, one) == 0, "both see the new file"
    other.close()
    storage.close()


def test_what_is_no_database_is_said_to_be_none(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    storage = SQLiteStorage(str(path))
    with pytest.raises(StoreCorrupt):
        storage.hit([window(1)])
    path.unlink()
    assert admitted(storage, window(1)) == 1
    storage.close()


def test_a_file_that_somebody_else_keeps_locked_is_not_waited_for_long(path: Path) -> None:
    storage = SQLiteStorage(str(path), timeout=0.05)
    storage.ping()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable) as caught:
            storage.hit([window(1)])
        assert caught.value.retry_after == 1
        other.execute("COMMIT")
    assert admitted(storage, window(1)) == 1
    storage.close()


def test_what_is_over_leaves_the_file(path: Path) -> None:
    clock = Hand()
    storage = SQLiteStorage(str(path), clock=clock)
    for number in range(200):
        clock.now += MINUTE
        storage.hit([window(1)])
        storage.swap(f"key {number}", None, b"value", 60)
    storage.close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute(f"SELECT count(*) FROM {module.KEPT}").fetchone()[0] <= 4


def test_the_data_beside_which_it_lies_do_not_show_it(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    storage = SQLiteStorage(str(path))
    storage.hit([window(1)])
    storage.close()
    store = SQLiteDataStore({"name": str(path), "table": "orders"})
    assert [field.name for field in store.infer().fields] == ["id"]
    with closing(sqlite3.connect(path)) as file:
        names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert sorted(names) == ["_rest_kit_boots", "_rest_kit_kept", "orders"]


def test_the_clock_of_the_file_stands_above_the_calendar(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not clocks.this_boot():
        pytest.skip("this system has no clock that cannot be set")
    one, first = window(2), SQLiteStorage(str(path))
    assert admitted(first, one) == 1
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 3600 * MINUTE)
    second = SQLiteStorage(str(path))
    assert admitted(second, one, times=2) == 1, "a calendar that is set forward lets nobody in"
    monkeypatch.setattr(module, "this_boot", lambda: "another boot")
    third = SQLiteStorage(str(path))
    assert admitted(third, one, times=2) == 2, "after a start of the machine the calendar is asked once"
    for storage in (first, second, third):
        storage.close()


def test_without_such_a_clock_the_calendar_is_the_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "_BOOT_ID", path / "nothing")
    storage = SQLiteStorage(str(path))
    one = window(1)
    assert admitted(storage, one, times=2) == 1
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 2 * MINUTE)
    storage.close()
    assert admitted(storage, one) == 1
    storage.close()
