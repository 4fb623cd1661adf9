"""Conformance of the change log: an event exists if and only if its write does, in order, with the rows around it."""

from __future__ import annotations

import uuid

import pytest

from rest_kit.errors import CursorGone, RecordNotFound
from rest_kit.events.log import Event, EventLog
from rest_kit.models import Model
from rest_kit.store import DataStore, Tx
from rest_kit.testing.store_samples import every_model, every_rows, people, person_model, text_key_model, uuid_key_model
from rest_kit.testing.store_suite import (
    StoreSuite,
    delete,
    everything,
    insert,
    person,
    refuses_transactions,
    refuses_writes,
    same,
    update,
)
from rest_kit.testing.writing_suite import Boom
from rest_kit.types import Pk, Record


def log_of(store: DataStore) -> EventLog | None:
    """The store's log; None for a store that claims none, having made sure that it has none."""
    log = store.changes()
    assert (log is not None) is store.capabilities.events, "changes() and capabilities.events contradict each other"
    return log


def told(events: list[Event]) -> list[tuple[object, ...]]:
    """What events say, their numbers and times aside."""
    return [(event.action, event.pk, event.before, event.after) for event in events]


def write_often(store: DataStore, times: int) -> None:
    """Update the first record so many times, at once where the store can."""
    if store.capabilities.transactions:
        store.atomic(lambda tx: [tx.update(1, {"age": n}) for n in range(times)])
        return
    for age in range(times):
        update(store, 1, {"age": age})


class EventsSuite(StoreSuite):
    """What a store tells of its writes."""

    def _followed_people(self, count: int = 4) -> tuple[DataStore, EventLog | None, list[Record]]:
        rows = people(count)
        store = self.make_store(person_model(), rows)
        return store, None if refuses_writes(store) else log_of(store), rows

    def test_one_event_for_each_write(self) -> None:
        store, log, rows = self._followed_people()
        if log is None:
            return
        since = log.last()
        [new] = insert(store, [person("new")])
        update(store, 1, {"age": 50})
        delete(store, 2)
        events = log.read(since)
        expected = [
            ("created", new["id"], None, new),
            ("updated", 1, rows[0], {**rows[0], "age": 50}),
            ("deleted", 2, rows[1], None),
        ]
        same(told(events), expected)
        assert since < events[0].seq < events[1].seq < events[2].seq == log.last()
        assert events[0].at <= events[1].at <= events[2].at
        assert 1.7e9 < events[0].at < 1e11, "`at` is in seconds since the epoch"

    def test_an_event_tells_what_was_stored_whatever_becomes_of_the_record(self) -> None:
        store, log, rows = self._followed_people(1)
        if log is None or refuses_transactions(store):
            return
        since = log.last()

        def work(tx: Tx) -> int:
            before = tx.get(1)
            changed = tx.update(1, {"age": 50})
            [new] = tx.insert([person("new")])
            pk: int = new["id"]
            for record in (before, changed, new):
                record.update(name="somebody else", more="a link")
            return pk

        pk = store.atomic(work)
        told_after = [event.after for event in log.read(since)]
        same(told_after, [{**rows[0], "age": 50}, {"id": pk, **person("new")}])

    def test_reading_on_from_any_event(self) -> None:
        store, log, _ = self._followed_people(1)
        if log is None:
            return
        since = log.last()
        for age in range(10):
            update(store, 1, {"age": age})
        events = log.read(since)
        assert len(events) == 10
        for number, event in enumerate(events):
            assert log.read(event.seq) == events[number + 1 :]
            assert log.read(event.seq, 3) == events[number + 1 : number + 4]
        assert log.read(log.last()) == []

    def test_events_of_one_transaction_come_together_in_order(self) -> None:
        store, log, _ = self._followed_people()
        if log is None or refuses_transactions(store):
            return
        since = log.last()

        def work(tx: Tx) -> list[int]:
            new = tx.insert([person("a"), person("b")])
            tx.update(new[0]["id"], {"name": "c"})
            tx.delete(new[1]["id"])
            return [record["id"] for record in new]

        first, second = store.atomic(work)
        actions = [(event.action, event.pk) for event in log.read(since)]
        same(actions, [("created", first), ("created", second), ("updated", first), ("deleted", second)])

    def test_no_event_of_what_was_undone(self) -> None:
        store, log, _ = self._followed_people()
        if log is None:
            return
        since = log.last()

        def work(tx: Tx) -> None:
            tx.insert([person("gone")])
            if store.capabilities.transactions:
                tx.update(1, {"age": 1})
                tx.delete(2)
            raise Boom

        with pytest.raises(Boom):
            store.atomic(work)
        same(log.read(since), [])
        same(log.last(), since)
        update(store, 1, {"age": 2})
        same([event.action for event in log.read(since)], ["updated"])

    def test_a_step_within_a_step_is_a_part_of_it(self) -> None:
        store, log, rows = self._followed_people()
        if refuses_writes(store) or not store.shares_transactions(store):
            return
        since = log.last() if log is not None else 0

        def work(tx: Tx) -> None:
            tx.delete(1)
            with pytest.raises(RecordNotFound):
                store.atomic(lambda part: (part.delete(3), part.get(1)))
            store.atomic(lambda part: part.delete(2))
            same(everything(store), rows[2:])

        def failing(tx: Tx) -> None:
            work(tx)
            raise Boom

        with pytest.raises(Boom):
            store.atomic(failing)
        same(everything(store), rows)
        store.atomic(work)
        same(everything(store), rows[2:])
        if log is not None:
            same([(event.action, event.pk) for event in log.read(since)], [("deleted", 1), ("deleted", 2)])

    def test_reading_leaves_no_event(self) -> None:
        store, log, _ = self._followed_people()
        if log is None:
            return
        since = log.last()
        store.get(1)
        store.atomic(lambda tx: tx.get(1))
        same(log.read(since), [])

    def test_rows_of_every_kind_come_back_exactly(self) -> None:
        rows = every_rows(12)
        store = self.make_store(every_model(), rows)
        log = None if refuses_writes(store) else log_of(store)
        if log is None:
            return
        since = log.last()
        for row in rows:
            update(store, row["id"], {"title": "new"})
        same([event.before for event in log.read(since)], rows)
        same([event.after for event in log.read(since)], [{**row, "title": "new"} for row in rows])

    def test_events_do_not_change_with_their_rows(self) -> None:
        store = self.make_store(every_model(), every_rows(1))
        log = None if refuses_writes(store) else log_of(store)
        if log is None:
            return
        since = log.last()
        update(store, 1, {"list": [[1]], "dict": {"a": []}})
        update(store, 1, {"list": [], "dict": {}})
        for event in log.read(since):
            for row in (event.before, event.after):
                assert row is not None
                row["dict"] = row["list"] = "spoilt"
        first = log.read(since)[0].after
        assert first is not None
        same((first["list"], first["dict"]), ([[1]], {"a": []}))

    def test_keys_of_every_kind_come_back_exactly(self) -> None:
        given: list[tuple[Model, Pk]] = [(text_key_model(), "ä/1"), (uuid_key_model(), uuid.UUID(int=77 << 64))]
        for model, pk in given:
            record: Record = dict(zip(model.names, (pk, 1), strict=True))
            store = self.make_store(model, [])
            log = None if refuses_writes(store) else log_of(store)
            if log is None:
                continue
            since = log.last()
            # a store that brings no keys has made another one
            [record] = insert(store, [record])
            pk = record[model.names[0]]
            delete(store, pk)
            same(told(log.read(since)), [("created", pk, None, record), ("deleted", pk, record, None)])

    def test_the_log_outlives_reopening(self) -> None:
        store, log, _ = self._followed_people()
        if log is None:
            return
        since = log.last()
        update(store, 1, {"age": 33})
        told_before = told(log.read(since))
        again = log_of(self.reopen(store))
        assert again is not None
        same(told(again.read(since)), told_before)

    def test_a_follower_whose_events_are_gone_is_told_so(self) -> None:
        if log_of(self.make_store(person_model(), people(1))) is None:
            return
        store = self.make_store(person_model(), people(1), retention=10)
        log = None if refuses_writes(store) else log_of(store)
        if log is None:
            return
        update(store, 1, {"age": 0})
        since = log.last()
        for _ in range(60):
            write_often(store, 50)
            try:
                events = log.read(since, 10_000)
            except CursorGone:
                break
            assert len(events) % 50 == 0, "events are missing and nobody was told"
        else:
            raise AssertionError("with a retention of 10, the events of 3000 writes are still there")
        last = log.last()
        update(store, 1, {"age": 1})
        same([event.action for event in log.read(last)], ["updated"])

    def test_events_can_be_turned_off(self) -> None:
        store = self.make_store(person_model(), people(1), events=False)
        if refuses_writes(store):
            return
        assert store.changes() is None
        update(store, 1, {"age": 33})
        assert store.get(1)["age"] == 33
