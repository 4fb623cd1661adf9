"""Replies under idempotency keys, as each store keeps them: what becomes of old ones, and of writers that die."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import pytest

from datastores import CSVDataStore, PythonListDataStore, SQLDataStore, SQLiteDataStore
from datastores.python_list.core import core_of
from rest_kit.errors import KeyInUse, StoreUnavailable
from rest_kit.store import IDEMPOTENCY_SECONDS, DataStore, Tx
from tests.datastores import csv_samples
from tests.datastores.csv_samples import DEAD, dying_at, events_of, everything, in_child, people_at, replayed
from tests.datastores.sql_samples import open_store, place, store
from tests.servers import Place

__all__ = ["place", "store"]

MANY = 60


def once(store: DataStore, key: str, name: str = "new") -> str:
    """Insert somebody under a key, or find that it was done."""

    def step(tx: Tx) -> bytes:
        kept = tx.claim(key, b"digest")
        if kept is not None:
            return kept
        reply = str(tx.insert([{"name": name}])[0]["id"]).encode()
        tx.keep(key, reply)
        return reply

    return store.atomic(step).decode()


def ask(store: DataStore, key: str) -> bytes | None:
    return store.atomic(lambda tx: tx.claim(key, b"digest"))


def tomorrow() -> AbstractContextManager[object]:
    return mock.patch("time.time", lambda now=time.time: now() + IDEMPOTENCY_SECONDS + 1)


def check_that_it_lets_go(store: DataStore, kept: Callable[[], int]) -> None:
    """A store of which `kept` says how many replies it has keeps no more of old ones than it makes new ones."""
    for number in range(MANY):
        once(store, f"{number}")
    assert kept() == MANY
    with tomorrow():
        for number in range(MANY):
            once(store, f"new {number}")
        assert kept() <= MANY + 16


# --- in memory --------------------------------------------------------------------------------------------------------


def test_a_list_lets_go_of_replies_whose_time_is_up() -> None:
    rows = [{"id": 1, "name": "first"}]
    store = PythonListDataStore(rows)
    for number in range(MANY):
        once(store, f"{number}")
    assert len(core_of(rows).replies) == MANY
    with tomorrow():
        for number in range(MANY):
            once(store, f"new {number}")
        assert len(core_of(rows).replies) == MANY


# --- SQLite -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> SQLiteDataStore:
    store = SQLiteDataStore({"name": str(tmp_path / "x.db"), "table": "people"})
    store.bind(csv_samples.Person())
    return store


def kept_in(store: SQLiteDataStore) -> int:
    with sqlite3.connect(store.resource["name"]) as connection:
        count: int = connection.execute("SELECT count(*) FROM _rest_kit_replies").fetchone()[0]
    connection.close()
    return count


def test_a_file_without_keys_has_no_table_for_them(file: SQLiteDataStore) -> None:
    csv_samples.insert(file, {"name": "a"})
    assert ask(file, "key") is None
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        kept_in(file)


def test_a_file_lets_go_of_replies_whose_time_is_up(file: SQLiteDataStore) -> None:
    check_that_it_lets_go(file, lambda: kept_in(file))


# --- servers ----------------------------------------------------------------------------------------------------------


def kept_at(place: Place) -> int:
    [[count]] = place.sql(f"SELECT count(*) FROM rest_kit_replies WHERE resource LIKE '{place.prefix}%'")
    assert isinstance(count, int)
    return count


def test_a_server_lets_go_of_replies_whose_time_is_up(place: Place, store: SQLDataStore) -> None:
    check_that_it_lets_go(store, lambda: kept_at(place))


def test_one_connection_is_enough(place: Place) -> None:
    store = open_store(place.url, place.table(), pool_size=1, timeouts={"pool": 0.2})
    assert once(store, "key") == once(store, "key") == "1"
    store.close()


def test_a_first_key_within_a_transaction_of_another_table(place: Place) -> None:
    outer, inner = (open_store(place.url, place.table()) for _ in range(2))
    for one in (outer, inner):
        one.ping()
        csv_samples.insert(one, {"name": "there"})

    def work(tx: Tx) -> str:
        tx.insert([{"name": "outer"}])
        return once(inner, "key")

    assert outer.atomic(work) == once(inner, "key")
    assert [record["name"] for record in everything(outer)] == ["there", "outer"]
    assert [record["name"] for record in everything(inner)] == ["there", "new"]
    outer.close()


def test_a_key_is_free_again_when_its_transaction_has_failed(store: SQLDataStore) -> None:
    def fails(tx: Tx) -> None:
        tx.claim("key", b"digest")
        raise StoreUnavailable("not now")

    with pytest.raises(StoreUnavailable):
        store.atomic(fails)
    with ThreadPoolExecutor(1) as pool:  # by another connection
        assert pool.submit(once, store, "key").result(30) == "1"


def test_who_comes_meanwhile_does_not_wait(store: SQLDataStore) -> None:
    ask(store, "warm")
    begun, over = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        assert tx.claim("key", b"digest") is None
        begun.set()
        assert over.wait(30)
        tx.keep("key", b"done")

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(store.atomic, slow)
        assert begun.wait(30)
        try:
            with pytest.raises(KeyInUse):
                ask(store, "key")
            assert ask(store, "other") is None
        finally:
            over.set()
        job.result(30)
    assert ask(store, "key") == b"done"


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_death_at_every_step_leaves_the_row_with_its_reply_or_neither(tmp_path: Path) -> None:
    csv_samples.insert(people_at(tmp_path / "before.csv"), {"name": "one", "age": 1})
    outcomes = set()
    for step in range(1, 100):
        path = tmp_path / str(step) / "before.csv"
        path.parent.mkdir()
        for name in ("before.csv", ".before.csv.rest_kit-journal"):
            shutil.copy2(tmp_path / name, path.parent / name)

        def work(path: Path = path, step: int = step) -> None:
            store = people_at(path)
            everything(store)
            with dying_at(step):
                once(store, "key")

        status = in_child(work)
        store = people_at(path)
        row = len(everything(store)) == 2
        assert (ask(store, "key") == b"2") is row
        assert replayed(events_of(store)) == everything(store)
        assert once(store, "key") == "2"
        assert len(everything(store)) == 2
        outcomes.add(row)
        if status == 0:
            break
        assert status == DEAD
    assert outcomes == {True, False}


@pytest.mark.parametrize("options", [{"retention": 10}, {"events": False}], ids=["events", "no events"])
def test_a_journal_that_is_shortened_keeps_its_replies(
    tmp_path: Path, options: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datastores.csv.journal._SLACK", 20)
    monkeypatch.setattr("datastores.csv.journal._MANY_BYTES", 4000)
    path = tmp_path / "t.csv"
    store, follower = people_at(path, **options), people_at(path, **options, timeout=1)
    replies = [once(store, f"{number}") for number in range(5)]
    everything(follower)
    sizes = []
    for age in range(100):
        csv_samples.update(store, 1, {"age": age})
        sizes.append(path.with_name(".t.csv.rest_kit-journal").stat().st_size)
    assert max(sizes) < 40 * 400
    assert any(later < earlier for earlier, later in itertools.pairwise(sizes))
    for reader in (store, follower, people_at(path, **options, timeout=2)):
        assert [once(reader, f"{number}") for number in range(5)] == replies
        assert reader.get(1)["age"] == 99
    assert len(everything(CSVDataStore({"path": path}))) == 5
    with tomorrow():
        for age in range(100):
            csv_samples.update(store, 1, {"age": age})
        assert ask(store, "1") is None
