"""Conformance under contention: nothing is lost, doubled, or seen half done, whoever else is writing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rest_kit.errors import Conflict
from rest_kit.query import Filter, Query
from rest_kit.store import Tx
from rest_kit.testing.store_samples import people, person_model, unique_model
from rest_kit.testing.store_suite import (
    StoreSuite,
    everything,
    insert,
    person,
    refuses_transactions,
    refuses_writes,
    same,
)
from rest_kit.testing.writing_suite import Boom, unique

THREADS = 8
PATIENCE = 60.0


def together(work: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """Run `work(number)` in so many threads that start at once; what each returned."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait(PATIENCE)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [future.result(PATIENCE) for future in [pool.submit(run, number) for number in range(count)]]


class ThreadsSuite(StoreSuite):
    """What a store keeps when eight threads write."""

    def test_concurrent_inserts_all_stay(self) -> None:
        store = self.make_store(person_model(), people(3))
        if refuses_writes(store):
            return
        log = store.changes()
        since = log.last() if log is not None else 0

        def work(number: int) -> list[int]:
            return [insert(store, [person(f"{number}-{step}")])[0]["id"] for step in range(10)]

        keys = [pk for some in together(work) for pk in some]
        assert len(set(keys)) == len(keys) == THREADS * 10, "two inserts were given one key"
        names = [f"{number}-{step}" for number in range(THREADS) for step in range(10)]
        same(sorted(record["name"] for record in everything(store)[3:]), names)
        if log is not None:
            same(sorted(event.pk for event in log.read(since, 1000)), sorted(keys))

    def test_no_update_is_lost(self) -> None:
        store = self.make_store(person_model(), [{"id": 1, **person("counter", age=0)}])
        if refuses_writes(store) or not store.capabilities.conditional:
            return
        log = store.changes()
        since = log.last() if log is not None else 0

        def increment(tx: Tx) -> None:
            tx.update(1, {"age": tx.get(1)["age"] + 1})

        together(lambda _: [store.atomic(increment) for _ in range(10)])
        same(store.get(1)["age"], THREADS * 10, "increments were lost")
        if log is not None:
            steps = [(event.before or {})["age"] for event in log.read(since, 1000)]
            same(steps, list(range(THREADS * 10)), "events are not in the order of their commits")

    def test_only_one_of_equal_values_gets_in(self) -> None:
        store = self.make_store(unique_model(), [])
        if refuses_writes(store):
            return

        def work(_: int) -> int:
            won = 0
            for step in range(5):
                try:
                    insert(store, [unique(f"mail {step}")])
                    won += 1
                except Conflict:
                    continue
            return won

        assert sum(together(work)) == 5
        same(sorted(r["email"] for r in everything(store)), [f"mail {step}" for step in range(5)])

    def test_nobody_sees_half_a_transaction(self) -> None:
        store = self.make_store(person_model(), [{"id": n, **person("purse", age=100)} for n in (1, 2, 3)])
        if refuses_writes(store) or refuses_transactions(store):
            return
        done = threading.Event()

        def move(tx: Tx) -> None:
            tx.update(1, {"age": tx.get(1)["age"] - 1})
            tx.update(3, {"age": tx.get(3)["age"] + 1})

        def work(number: int) -> set[int]:
            sums = set()
            try:
                for _ in range(15 if number == 0 else 100_000):
                    if number == 0:
                        store.atomic(move)
                    else:
                        sums.add(sum(r["age"] for r in store.find(Query(where=Filter("name", "eq", "purse"))).records))
                        if done.is_set():
                            break
            finally:
                if number == 0:
                    done.set()
            return sums

        same(set().union(*together(work, 3)), {300}, "a reader saw a transfer half done")

    def test_failures_beside_successes_leave_only_the_successes(self) -> None:
        store = self.make_store(person_model(), [{"id": 1, **person("counter", age=0)}])
        if refuses_writes(store) or refuses_transactions(store):
            return

        def work(number: int) -> int:
            done = 0
            for step in range(6):
                try:
                    store.atomic(lambda tx, fail=(number + step) % 2: self._step(tx, bool(fail)))  # type: ignore[misc]
                    done += 1
                except Boom:
                    continue
            return done

        done = sum(together(work))
        same(store.get(1)["age"], done)
        same(len(everything(store)), 1 + done)

    def _step(self, tx: Tx, fail: bool) -> None:
        tx.update(1, {"age": tx.get(1)["age"] + 1})
        tx.insert([person("step")])
        if fail:
            raise Boom
