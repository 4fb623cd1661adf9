"""Conformance in keeping replies: one is kept if and only if the step that it is the reply to is, and found again."""

from __future__ import annotations

import time

import pytest

from rest_kit.errors import KeyInUse, KeyReused, RecordNotFound, Unsupported
from rest_kit.query import Filter, Query
from rest_kit.store import IDEMPOTENCY_SECONDS, DataStore, Tx
from rest_kit.testing.store_samples import people, person_model
from rest_kit.testing.store_suite import StoreSuite, everything, insert, person, refuses_writes, same
from rest_kit.testing.threads_suite import PATIENCE, THREADS, together
from rest_kit.testing.writing_suite import Boom

KEY, DIGEST = "5f1c" * 16, b"\x00\xff digest of a request \n"
REPLY = bytes(range(256)) * 20


def ask(store: DataStore, key: str = KEY, digest: bytes = DIGEST) -> bytes | None:
    """What a step that does nothing else finds under a key."""
    return store.atomic(lambda tx: tx.claim(key, digest))


def keep(store: DataStore, reply: bytes, key: str = KEY) -> None:
    """Keep a reply in a step that does nothing else."""

    def step(tx: Tx) -> None:
        tx.claim(key, DIGEST)
        tx.keep(key, reply)

    store.atomic(step)


def insert_once(store: DataStore, name: str, key: str = KEY, digest: bytes = DIGEST) -> bytes:
    """Insert a person, and keep its key as the reply; the reply that is there already, if there is one."""

    def step(tx: Tx) -> bytes:
        kept = tx.claim(key, digest)
        if kept is not None:
            return kept
        reply = str(tx.insert([person(name)])[0]["id"]).encode()
        tx.keep(key, reply)
        return reply

    return store.atomic(step)


class IdempotencySuite(StoreSuite):
    """What a store remembers of requests that may be sent again."""

    def _keeping(self) -> DataStore | None:
        """A store with three people; None for one that keeps no replies, having made sure that it says so."""
        store = self.make_store(person_model(), people(3))
        if refuses_writes(store):
            return None
        if store.capabilities.idempotency:
            return store
        with pytest.raises(Unsupported):
            ask(store)
        with pytest.raises(Unsupported):
            store.atomic(lambda tx: tx.keep(KEY, REPLY))
        return None

    def test_a_reply_is_found_again_as_it_was(self) -> None:
        store = self._keeping()
        if store is None:
            return

        def step(tx: Tx) -> None:
            assert tx.claim(KEY, DIGEST) is None, "a key that nobody has brought yet"
            tx.insert([person("new")])
            tx.keep(KEY, REPLY)

        store.atomic(step)
        same(ask(store), REPLY)
        same(ask(store, "another key"), None)
        same(len(everything(store)), 4)
        again = self.reopen(store)
        same(ask(again), REPLY, "after the store was opened again")
        again.close()

    def test_a_reply_may_be_empty_and_is_found_all_the_same(self) -> None:
        store = self._keeping()
        if store is not None:
            keep(store, b"")
            same(ask(store), b"")

    def test_a_reply_without_a_write_is_kept_too(self) -> None:
        store = self._keeping()
        if store is None:
            return
        log = store.changes()
        since = log.last() if log is not None else 0
        keep(store, REPLY)
        same(ask(self.reopen(store)), REPLY)
        assert log is None or log.read(since) == [], "a reply is no event"

    def test_nothing_is_kept_of_a_step_that_fails(self) -> None:
        store = self._keeping()
        if store is None:
            return

        def fails(tx: Tx) -> None:
            tx.claim(KEY, DIGEST)
            tx.insert([person("gone")])
            tx.keep(KEY, REPLY)
            raise Boom

        for _ in range(2):
            with pytest.raises(Boom):
                store.atomic(fails)
        same(ask(store), None, "a reply was kept of a step that was undone")
        same(insert_once(store, "new"), insert_once(store, "new"))
        same([record["name"] for record in everything(store)[3:]], ["new"])

    def test_a_failure_leaves_the_reply_that_was_there(self) -> None:
        store = self._keeping()
        if store is None:
            return
        reply = insert_once(store, "new")

        def fails(tx: Tx) -> None:
            tx.claim(KEY, DIGEST)
            tx.keep(KEY, REPLY)
            tx.delete(1000)

        with pytest.raises(RecordNotFound):
            store.atomic(fails)
        same(ask(store), reply)

    def test_a_claim_alone_leaves_nothing(self) -> None:
        store = self._keeping()
        if store is not None:
            same([ask(store), ask(store), ask(store, digest=b"other")], [None, None, None])

    def test_a_key_stands_for_one_request(self) -> None:
        store = self._keeping()
        if store is None:
            return
        reply = insert_once(store, "new")
        with pytest.raises(KeyReused):
            insert_once(store, "other", digest=b"other")
        same(ask(store), reply)
        same(len(everything(store)), 4)

    def test_a_later_reply_takes_the_place_of_what_was_kept(self) -> None:
        store = self._keeping()
        if store is None:
            return
        for reply in (b"begun", REPLY):
            keep(store, reply)
        same(ask(store), REPLY)

    def test_a_reply_is_forgotten_when_its_time_is_up(self) -> None:
        store = self._keeping()
        if store is None:
            return
        first = insert_once(store, "first")
        with self.later(IDEMPOTENCY_SECONDS - 60):
            same(ask(store), first)
        with self.later(IDEMPOTENCY_SECONDS + 60):
            same(ask(store, digest=b"other"), None)
            second = insert_once(store, "second", digest=b"other")
            same(ask(store, digest=b"other"), second)
        assert second != first

    def test_many_keys_beside_each_other(self) -> None:
        store = self._keeping()
        if store is None:
            return
        keys = [f"key {number}" for number in range(40)]
        replies = [insert_once(store, key, key) for key in keys]
        same([ask(store, key) for key in keys], replies)
        with self.later(IDEMPOTENCY_SECONDS + 60):
            same([ask(store, key) for key in keys], [None] * 40)
            new = [insert_once(store, key, key) for key in keys]
            same([ask(store, key) for key in keys], new)

    def test_of_many_with_one_key_one_writes(self) -> None:
        store = self._keeping()
        if store is None:
            return
        ask(store)

        def work(number: int) -> list[bytes]:
            replies: list[bytes] = []
            for step in range(5):
                deadline = time.monotonic() + PATIENCE
                while len(replies) == step and time.monotonic() < deadline:
                    try:
                        replies.append(insert_once(store, f"once {step}", f"key {step}"))
                    except KeyInUse:
                        time.sleep(0.002)
            return replies

        found = together(work)
        same(found, [found[0]] * THREADS, "one key was answered in two ways")
        for step in range(5):
            same(len(store.find(Query(where=Filter("name", "eq", f"once {step}"))).records), 1)

    def test_other_keys_do_not_wait(self) -> None:
        store = self._keeping()
        if store is None:
            return
        replies = together(lambda number: insert_once(store, f"own {number}", f"own {number}"))
        assert len(set(replies)) == THREADS

    def test_keys_of_other_data_are_others(self) -> None:
        store = self._keeping()
        if store is None:
            return
        insert_once(store, "new")
        other = self.make_store(person_model(), people(3))
        same(ask(other, digest=b"other"), None)

    def test_writes_without_a_key_are_as_ever(self) -> None:
        store = self._keeping()
        if store is None:
            return
        insert_once(store, "once")
        same([insert(store, [person("twice")])[0]["name"] for _ in range(2)], ["twice", "twice"])
        same(len(everything(store)), 6)
