"""Workers are killed while they write: what was acknowledged is there once, and the change log tells exactly what is.

The strongest question that can be asked of the log is whether the whole history can be played back from it: every
event must fit the state that the events before it have led to, and the end must be what the store holds.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from trust_apps import SEED, open_store, room, seed
from trust_server import Dropped, Server, eventually

from rest_kit.events.log import Event
from rest_kit.query import Query
from rest_kit.store import DataStore
from rest_kit.types import Record
from tests.servers import Place

WRITERS, WRITES, KILLS = 6, 40, 10


class Ledger:
    """What the clients know: what was tried, and what was acknowledged."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.created: dict[str, int] = {}
        """Name → id, of items whose creation was acknowledged."""
        self.tried: set[str] = set()
        self.counted: dict[int, list[int]] = {}
        """Id → the counts that writes asked for in turn, from the last acknowledged one on."""
        self.acknowledged = 0

    def acknowledge(self) -> None:
        with self.lock:
            self.acknowledged += 1


def write(server: Server, ledger: Ledger, number: int) -> None:
    """Create items under names of one's own, and count up those that came back."""
    for turn in range(WRITES):
        name = f"{number}-{turn}"
        ledger.tried.add(name)
        try:
            answer = server.request("POST", "/items/", {"name": name, "count": 0})
        except Dropped:
            continue
        assert answer.status == 201, answer
        pk = answer.data["id"]
        ledger.created[name] = pk
        ledger.counted[pk] = [0]
        ledger.acknowledge()
        if turn % 2:
            count_up(server, ledger, pk)


def count_up(server: Server, ledger: Ledger, pk: int) -> None:
    """One PATCH; if its answer is lost, both the old and the new count may be there."""
    wanted = ledger.counted[pk][-1] + 1
    ledger.counted[pk].append(wanted)
    try:
        answer = server.request("PATCH", f"/items/{pk}/", {"count": wanted})
    except Dropped:
        return
    assert answer.status == 200, answer
    ledger.counted[pk] = [wanted]
    ledger.acknowledge()


def is_due(ledger: Ledger, wanted: int, done: Callable[[], bool]) -> bool:
    """Whether so many writes were acknowledged, or no more will come."""
    return ledger.acknowledged >= wanted or done()


def kill_now_and_then(server: Server, ledger: Ledger, done: Callable[[], bool]) -> int:
    """Kill a random worker after every few acknowledged writes; returns how many were killed."""
    dice = random.Random(5)
    killed = 0
    while killed < KILLS:
        wanted = (killed + 1) * WRITERS * WRITES // (KILLS + 1)
        eventually(partial(is_due, ledger, wanted, done), "progress", 60)
        if done():
            break
        os.kill(dice.choice(server.all_workers()), signal.SIGKILL)
        killed += 1
    return killed


def load(server: Server, ledger: Ledger) -> int:
    """All the writers at once, with somebody killing workers meanwhile."""
    with ThreadPoolExecutor(WRITERS) as pool:
        jobs = [pool.submit(write, server, ledger, number) for number in range(WRITERS)]
        killed = kill_now_and_then(server, ledger, lambda: all(job.done() for job in jobs))
        for job in jobs:
            job.result()
    return killed


def played_back(events: list[Event]) -> dict[int, Record]:
    """The records that a history leads to; an event that does not fit what went before it fails."""
    state: dict[int, Record] = {}
    for event in events:
        assert isinstance(event.pk, int)
        pk = event.pk
        assert event.before == state.get(pk), event
        if event.action == "created":
            assert pk not in state
        if event.after is None:
            del state[pk]
        else:
            state[pk] = event.after
    return state


def every_event(store: DataStore) -> list[Event]:
    """The whole log."""
    log = store.changes()
    assert log is not None
    events: list[Event] = []
    while more := log.read(events[-1].seq if events else 0, 500):
        events += more
    return events


@pytest.mark.parametrize("kind", ["sqlite", "csv", "postgresql", "mariadb"])
def test_killed_workers_lose_and_double_nothing(kind: str, tmp_path: Path) -> None:
    with room(kind, tmp_path) as place:
        seed(kind, tmp_path)
        ledger = Ledger()
        with Server(f"trust_apps:serve({kind!r}, {str(tmp_path)!r})", tmp_path, workers=4, threads=2) as server:
            killed = load(server, ledger)
            server.kill()
        assert killed >= KILLS // 2
        if place is not None:
            wait_for_the_last_writer(place, (tmp_path / "table").read_text())
        check(open_store(kind, tmp_path), ledger)


def wait_for_the_last_writer(place: Place, table: str) -> None:
    """A server may still be at the last statement of a client that is dead: this lock waits for it."""
    if place.kind == "postgresql":
        place.sql("BEGIN", f"LOCK TABLE {table} IN EXCLUSIVE MODE", "COMMIT")
    else:
        place.sql(f"LOCK TABLES {table} WRITE", "UNLOCK TABLES")


def check(store: DataStore, ledger: Ledger) -> None:
    """What the store holds is what the clients know of."""
    try:
        records = {record["id"]: record for record in store.find(Query()).records}
        events = every_event(store)
    finally:
        store.close()
    check_records(records, ledger)
    check_events(events, records)


def check_records(records: dict[int, Record], ledger: Ledger) -> None:
    """What was acknowledged is there once, with a count that was written; nothing is there that nobody wrote."""
    names = Counter(record["name"] for record in records.values())
    assert [name for name, times in names.items() if times > 1] == []
    for name, pk in ledger.created.items():
        assert records[pk]["name"] == name
        assert records[pk]["count"] in ledger.counted[pk]
    assert set(names) - {row["name"] for row in SEED} <= ledger.tried


def check_events(events: list[Event], records: dict[int, Record]) -> None:
    """The log is in order and, played back, gives the very records."""
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert played_back(events) == records
