"""What a child can do although a thread of its parent's was in the midst of something when it was forked."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rest_kit.breaker import Breaker
from rest_kit.errors import StoreUnavailable
from rest_kit.forks import Shared, renew_after_fork
from rest_kit.storage import MemoryStorage, RedisStorage, SQLiteStorage, Window


def forked(work: Callable[[], bool]) -> bool:
    """Whether a child finds the work to be true, within a time that only waiting for ever is longer than."""
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        ok = False
        try:
            ok = work()
        finally:
            os._exit(0 if ok else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Thing:
    """What is renewed."""


def test_what_is_registered_is_renewed_in_the_child_alone() -> None:
    thing, renewed = Thing(), []
    renew_after_fork(thing, renewed.append)
    assert forked(lambda: renewed == [thing])
    assert renewed == []


def test_what_is_registered_lives_no_longer_for_that() -> None:
    renewed: list[Any] = []
    renew_after_fork(Thing(), renewed.append)
    gc.collect()
    assert forked(lambda: renewed == [])


def test_each_key_is_made_once() -> None:
    shared: Shared[str, Thing] = Shared()
    first = shared.at("a", Thing)
    assert shared.at("a", Thing) is first
    assert shared.at("b", Thing) is not first
    del first
    assert "a" not in shared


@pytest.mark.parametrize("held", ["shared", "breaker", "memory", "sqlite"])
def test_a_child_waits_for_no_lock_that_was_held(held: str, tmp_path: Path) -> None:
    shared: Shared[str, Thing] = Shared()
    breaker = Breaker()
    memory, sqlite = MemoryStorage(), SQLiteStorage(str(tmp_path / "kept.db"))
    window = Window("a", 1, 60)
    locks = {"shared": shared._lock, "breaker": breaker._lock, "memory": memory._lock, "sqlite": sqlite._lock}
    works: dict[str, Callable[[], bool]] = {
        "shared": lambda: isinstance(shared.at("a", Thing), Thing),
        "breaker": lambda: breaker.enter() is None,
        "memory": lambda: memory.hit([window])[0],
        "sqlite": lambda: sqlite.hit([window])[0],
    }
    with locks[held]:
        assert forked(works[held])


def test_a_child_does_not_wait_for_the_outcome_of_its_parents_probe() -> None:
    now = [0.0]
    breaker = Breaker(failures=1, reset=5, clock=lambda: now[0])
    breaker.enter()
    breaker.leave(well=False)
    now[0] = 5.0
    breaker.enter()
    with pytest.raises(StoreUnavailable):
        breaker.enter()

    def probes() -> bool:
        breaker.enter()
        breaker.leave(well=True)
        return breaker.enter() is None

    assert forked(probes)


def test_a_child_asks_redis_although_another_thread_was_about_to() -> None:
    storage = RedisStorage("redis://127.0.0.1:1/0", timeout=0.1)

    def asks() -> bool:
        with pytest.raises(StoreUnavailable, match="ConnectionError"):
            storage.ping()
        return True

    with storage._breaker._lock:
        assert forked(asks)
