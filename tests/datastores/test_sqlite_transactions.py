"""Transactions over SQLite: locks, parts, failures, and what happens to the file meanwhile."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from datastores.sqlite import SQLiteDataStore
from rest_kit.errors import (
    RecordNotFound,
    StoreFull,
    StoreUnavailable,
)
from rest_kit.store import Tx
from tests.datastores.sqlite_samples import add, names, open_store, path, sql, store

__all__ = ["path", "store"]


def test_a_lock_of_another_program_ends_in_unavailable_and_then_heals(path: Path) -> None:
    store = open_store(path, timeout=0.05)
    add(store, "Ada")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        add(store, "Bob")
    assert time.monotonic() - began < 2
    assert names(store) == ["Ada"]
    other.execute("COMMIT")
    other.close()
    add(store, "Bob")
    assert names(store) == ["Ada", "Bob"]


def test_a_reader_sees_nothing_of_a_transaction_that_is_under_way(store: SQLiteDataStore) -> None:
    add(store, "Ada")
    seen: list[list[str]] = []

    def work(tx: Tx) -> None:
        tx.insert([{"name": "Bob", "age": 1}])
        reader = threading.Thread(target=lambda: seen.append(names(store)))
        reader.start()
        reader.join()
        assert names(store) == ["Ada", "Bob"], "the writer's own thread sees what it wrote"

    store.atomic(work)
    assert seen == [["Ada"]]


def test_atomic_within_atomic_is_a_part_that_can_fail_alone(store: SQLiteDataStore) -> None:
    def work(tx: Tx) -> None:
        tx.insert([{"name": "Ada", "age": None}])
        with pytest.raises(RecordNotFound):
            store.atomic(lambda inner: (inner.insert([{"name": "Bob", "age": None}]), inner.delete(99)))

    store.atomic(work)
    assert names(store) == ["Ada"]
    log = store.changes()
    assert log is not None
    assert [event.action for event in log.read(0)] == ["created"]


def test_work_that_fails_leaves_nothing_and_frees_the_lock(store: SQLiteDataStore) -> None:
    def work(tx: Tx) -> None:
        tx.insert([{"name": "Ada", "age": None}])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.atomic(work)
    assert names(store) == []
    assert [record["id"] for record in add(store, "Bob")] == [1]


def test_stores_over_one_file_share_its_connections(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    first, second = open_store(path), open_store(path, "others")
    first.ping()
    link.symlink_to(path)
    third = open_store(link)
    third.ping()
    assert first._database is second._database is third._database
    add(third, "Ada")
    assert names(first) == ["Ada"]


def test_a_replaced_file_is_noticed_by_the_next_write(path: Path, tmp_path: Path, store: SQLiteDataStore) -> None:
    add(store, "old")
    newer = open_store(tmp_path / "newer.db")
    add(newer, "new")
    newer.close()
    sql(tmp_path / "newer.db", "PRAGMA journal_mode = DELETE")
    for leftover in ("data.db-wal", "data.db-shm"):
        (tmp_path / leftover).unlink(missing_ok=True)
    os.replace(tmp_path / "newer.db", path)
    add(store, "newest")
    assert names(store) == ["new", "newest"]


def test_a_file_that_vanished_is_not_made_again_in_silence(path: Path, store: SQLiteDataStore) -> None:
    add(store, "Ada")
    os.rename(path, path.with_suffix(".away"))
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            add(store, "Bob")
    assert not path.exists()
    os.rename(path.with_suffix(".away"), path)
    assert names(store) == ["Ada"]


def test_a_full_disk_keeps_nothing_of_the_transaction(path: Path, store: SQLiteDataStore) -> None:
    add(store, "Ada")
    pages = sql(path, "PRAGMA page_count")[0][0]
    connection = store._database._idle[-1]
    connection.execute(f"PRAGMA max_page_count = {pages}")

    def work(tx: Tx) -> None:
        with pytest.raises(StoreFull):
            tx.insert([{"name": "x" * 1_000_000, "age": None}])
        tx.insert([{"name": "after", "age": None}])

    with pytest.raises(StoreUnavailable):
        store.atomic(work)
    connection.execute("PRAGMA max_page_count = 1000000")
    assert names(store) == ["Ada"]
    add(store, "Bob")
    assert names(store) == ["Ada", "Bob"]


def test_connections_are_few_however_many_threads_come_and_go(store: SQLiteDataStore) -> None:
    add(store, "Ada")
    for _ in range(20):
        thread = threading.Thread(target=names, args=(store,))
        thread.start()
        thread.join()
    assert len(store._database._open_ones) == 1
