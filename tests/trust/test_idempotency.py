"""Requests with idempotency keys are repeated, many at a time, while workers are killed: each is carried out once."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from trust_apps import SEED, open_store, room, seed
from trust_server import Answer, Dropped, Server, eventually

from rest_kit.query import Query

KEYS, REPEATS, CLIENTS, KILLS = 50, 20, 8, 8
PATIENCE = 60.0
LATER = (409, 503)
"""What a client answers by asking again: the request is still running, or the store is busy."""


class Tally:
    """What the clients were told: by key, every reply that was a success, and how many of all were replayed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.replies: dict[str, list[tuple[int, str, str, bytes]]] = {}
        self.replayed = 0

    def note(self, key: str, answer: Answer) -> None:
        with self.lock:
            told = (answer.status, answer.headers["location"], answer.headers["etag"], answer.body)
            self.replies.setdefault(key, []).append(told)
            self.replayed += "idempotent-replayed" in answer.headers

    @property
    def count(self) -> int:
        with self.lock:
            return sum(map(len, self.replies.values()))


def create(server: Server, tally: Tally, key: str) -> None:
    """Send one creation until it is answered, as a client without a memory of its own would."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            answer = server.request("POST", "/items/", {"name": key, "count": 0}, {"Idempotency-Key": f'"{key}"'})
        except Dropped:
            continue
        if answer.status in LATER:
            continue
        assert answer.status == 201, answer
        tally.note(key, answer)
        return
    raise AssertionError(f"{key} was never answered")


def is_due(tally: Tally, wanted: int, done: Callable[[], bool]) -> bool:
    return tally.count >= wanted or done()


def load(server: Server, tally: Tally) -> int:
    """All the requests, in an order by chance, with somebody killing workers meanwhile; how many were killed."""
    dice = random.Random(7)
    sent = [f"order {number}" for number in range(KEYS) for _ in range(REPEATS)]
    dice.shuffle(sent)
    killed = 0
    with ThreadPoolExecutor(CLIENTS) as pool:
        jobs = [pool.submit(create, server, tally, key) for key in sent]
        for wanted in range(len(sent) // (KILLS + 1), len(sent), len(sent) // (KILLS + 1)):
            due = partial(is_due, tally, wanted, lambda: all(job.done() for job in jobs))
            eventually(due, "progress", PATIENCE)
            os.kill(dice.choice(server.all_workers()), signal.SIGKILL)
            killed += 1
        for job in jobs:
            job.result()
    return killed


@pytest.mark.parametrize("kind", ["sqlite", "csv", "postgresql", "mariadb"])
def test_killed_workers_carry_out_no_request_twice(kind: str, tmp_path: Path) -> None:
    with room(kind, tmp_path):
        seed(kind, tmp_path)
        tally = Tally()
        with Server(f"trust_apps:serve_once({kind!r}, {str(tmp_path)!r})", tmp_path, workers=4, threads=2) as server:
            killed = load(server, tally)
        assert killed >= KILLS
        assert [len(replies) for replies in tally.replies.values()] == [REPEATS] * KEYS
        assert tally.replayed >= KEYS * (REPEATS - 1)
        assert [key for key, replies in tally.replies.items() if len(set(replies)) > 1] == []
        store = open_store(kind, tmp_path)
        log = store.changes()
        assert log is not None
        names = sorted(record["name"] for record in store.find(Query()).records[len(SEED) :])
        told = sorted((event.after or {})["name"] for event in log.read(0, 1000)[len(SEED) :])
        store.close()
        assert names == told == sorted(tally.replies)
