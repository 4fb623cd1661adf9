"""The suite passes the simplest store that keeps the contract, and catches each of many that break it in one place."""

from __future__ import annotations

import copy
import inspect
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from unittest import mock

import pytest

from rest_kit import rows as reference
from rest_kit.errors import Conflict, CursorGone, KeyReused, ReadOnly, RecordNotFound, Unsupported
from rest_kit.events.log import Action, Event, EventLog
from rest_kit.models import Model
from rest_kit.query import All, Filter, Not, Page, Query, Result, Where
from rest_kit.store import (
    IDEMPOTENCY_SECONDS,
    Capabilities,
    DataStore,
    KeepingTx,
    Tx,
    check_unique,
    unique_conflict,
)
from rest_kit.testing.conformance import DataStoreConformance
from rest_kit.types import Pk, Record

T = TypeVar("T")


class PlainStore(DataStore):
    """A dict of records behind one lock, and nothing else: what a store must do, without being fast."""

    capabilities = Capabilities(in_process=True, idempotency=True)

    def __init__(self, resource: Any = None, options: Any = None) -> None:
        super().__init__(resource, options)
        self.rows: dict[Any, Record] = {}
        self.highest = 0
        self.events: list[Event] = []
        self.replies: dict[str, tuple[bytes, bytes, float]] = {}
        self.lock = threading.RLock()
        self.keeps_events = self.options.get("events", True)

    @property
    def key(self) -> str:
        assert self.model.pk is not None
        return self.model.pk.name

    def infer(self) -> Model:
        raise NotImplementedError

    def ping(self) -> None:
        pass

    def close(self) -> None:
        pass

    def find(self, query: Query) -> Result:
        with self.lock:
            return reference.find(self.rows.values(), query, self.model)

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        with self.lock:
            if pk not in self.rows or not reference.matches(scope, self.rows[pk]):
                raise RecordNotFound(pk)
            return self.copy(self.rows[pk])

    def atomic(self, work: Callable[[Tx], T]) -> T:
        with self.lock:
            before = copy.deepcopy(self.rows), list(self.events), dict(self.replies)
            done = False
            try:
                result = work(PlainTx(self))
                done = True
                return result
            finally:
                if not done:
                    self.undo(*before)

    def undo(self, rows: dict[Any, Record], events: list[Event], replies: dict[str, Any]) -> None:
        self.rows, self.events, self.replies = rows, events, replies

    def changes(self) -> EventLog | None:
        return PlainLog(self) if self.keeps_events else None

    def tell(self, action: Action, pk: Pk, before: Record | None, after: Record | None) -> None:
        last = self.events[-1].seq if self.events else 0
        event = Event(last + 1, action, pk, copy.deepcopy(before), copy.deepcopy(after), time.time())
        self.events = [*self.events, event][-self.options.get("retention", 10_000) :]

    # what the broken ones break

    def copy(self, record: Record) -> Record:
        return copy.deepcopy(record)

    def new_key(self) -> Pk:
        return self.highest + 1

    def check_unique(self, tx: Tx, record: Record, pk: Pk | None, index: int | None) -> None:
        check_unique(tx, self.model, record, pk, index)

    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        digest, reply, until = self.replies.get(key, (b"", b"", 0.0))
        return (digest, reply) if until > time.time() else None


class PlainTx(KeepingTx):
    def __init__(self, store: PlainStore) -> None:
        self.store = store

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        return self.store.get(pk, scope)

    def find(self, query: Query) -> Result:
        return self.store.find(query)

    def insert(self, records: Sequence[Record]) -> list[Record]:
        return [self._insert(record, index) for index, record in enumerate(records)]

    def _insert(self, record: Record, index: int) -> Record:
        store = self.store
        pk = record.get(store.key) or store.new_key()
        if pk in store.rows:
            raise unique_conflict((store.key,), index)
        store.check_unique(self, record, None, index)
        if isinstance(pk, int):
            store.highest = max(store.highest, pk)
        store.rows[pk] = {name: store.copy({**record, store.key: pk})[name] for name in store.model.names}
        store.tell("created", pk, None, store.rows[pk])
        return store.copy(store.rows[pk])

    def update(self, pk: Pk, record: Record) -> Record:
        store = self.store
        before = store.get(pk)
        after = {**before, **store.copy(record), store.key: pk}
        store.check_unique(self, after, pk, None)
        store.rows[pk] = after
        store.tell("updated", pk, before, after)
        return store.copy(after)

    def delete(self, pk: Pk) -> None:
        before = self.store.get(pk)
        del self.store.rows[pk]
        self.store.tell("deleted", pk, before, None)

    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        return self.store.kept(key)

    def put(self, key: str, digest: bytes, reply: bytes) -> None:
        self.store.replies[key] = (digest, reply, time.time() + IDEMPOTENCY_SECONDS)


class PlainLog(EventLog):
    def __init__(self, store: PlainStore) -> None:
        self.store = store

    def read(self, since: int, limit: int = 100) -> list[Event]:
        events = self.store.events
        if events and since < events[0].seq - 1:
            raise CursorGone
        return copy.deepcopy([event for event in events if event.seq > since][:limit])

    def last(self) -> int:
        return self.store.events[-1].seq if self.store.events else 0


class Conformance(DataStoreConformance):
    """The suite over one class of stores."""

    __test__ = False
    store_class: type[PlainStore] = PlainStore

    def make_store(self, model: Model, rows: Sequence[Record], **options: Any) -> DataStore:
        store = self.store_class(None, options)
        store.bind(model)
        tx = PlainTx(store)
        for row in rows:
            tx.insert([row])
        return store


class TestPlainStore(Conformance):
    __test__ = True


# --- stores that claim less -------------------------------------------------------------------------------------------


class HumbleStore(PlainStore):
    """One that only reads, counts nothing, searches nothing, and pages by offset alone."""

    capabilities = Capabilities(
        writable=False, keyset=False, search=False, total=False, events=False, why_not="it is humble"
    )

    def find(self, query: Query) -> Result:
        if query.total or query.search is not None or query.page.after is not None:
            raise Unsupported("too much to ask")
        return super().find(query)

    def atomic(self, work: Callable[[Tx], T]) -> T:
        return work(ReadOnlyTx(self))

    def changes(self) -> EventLog | None:
        return None


class ReadOnlyTx(PlainTx):
    def insert(self, records: Sequence[Record]) -> list[Record]:
        raise ReadOnly("it is humble")

    def update(self, pk: Pk, record: Record) -> Record:
        raise ReadOnly("it is humble")

    def delete(self, pk: Pk) -> None:
        raise ReadOnly("it is humble")


class TestHumbleStore(Conformance):
    __test__ = True
    store_class = HumbleStore


class SingleStore(PlainStore):
    """One that writes once at a time, and makes every key itself."""

    capabilities = Capabilities(in_process=True, transactions=False, brings_keys=False, idempotency=True)

    def atomic(self, work: Callable[[Tx], T]) -> T:
        return super().atomic(lambda tx: work(self.single()))

    def single(self) -> SingleTx:
        return SingleTx(self)


class SingleTx(PlainTx):
    def __init__(self, store: PlainStore) -> None:
        super().__init__(store)
        self.writes = 0

    def begin(self) -> None:
        self.writes += 1
        if self.writes > 1:
            raise Unsupported("one at a time")

    def insert(self, records: Sequence[Record]) -> list[Record]:
        self.begin()
        return super().insert([self.keyed(record) for record in records])

    def keyed(self, record: Record) -> Record:
        key = self.store.model.pk
        assert key is not None
        if key.generated and key.name in record:
            raise Unsupported("keys are made here")
        return {**record, key.name: uuid.uuid4()} if key.read_only and not key.generated else record

    def update(self, pk: Pk, record: Record) -> Record:
        self.begin()
        return super().update(pk, record)

    def delete(self, pk: Pk) -> None:
        self.begin()
        super().delete(pk)


class TestSingleStore(Conformance):
    __test__ = True
    store_class = SingleStore


# --- stores that are broken in one place ------------------------------------------------------------------------------


class NoneLast(PlainStore):
    def find(self, query: Query) -> Result:
        with mock.patch.object(reference, "rank", lambda value: (value is None, value)):
            return super().find(query)


class FoldByLower(PlainStore):
    def find(self, query: Query) -> Result:
        with mock.patch.object(reference, "fold", str.lower):
            return super().find(query)


class FoldByCasefold(PlainStore):
    def find(self, query: Query) -> Result:
        with mock.patch.object(reference, "fold", str.casefold):
            return super().find(query)


class FoldAscii(PlainStore):
    def find(self, query: Query) -> Result:
        def lower(text: str) -> str:
            return "".join(char.lower() if char.isascii() else char for char in text)

        with mock.patch.object(reference, "fold", lower):
            return super().find(query)


class OrderByUtf16(PlainStore):
    def find(self, query: Query) -> Result:
        def rank(value: Any) -> Any:
            return (value is not None, value.encode("utf-16-be") if isinstance(value, str) else value)

        with mock.patch.object(reference, "rank", rank):
            return super().find(query)


class Wildcards(PlainStore):
    def find(self, query: Query) -> Result:
        def contains(value: str, given: str) -> bool:
            return all(part in value for part in given.split("%"))

        with mock.patch.dict(reference.COMPARISONS, {"contains": contains}):
            return super().find(query)


class ThirdTruth(PlainStore):
    def find(self, query: Query) -> Result:
        plain = reference.matches

        def matches(where: Where | None, record: Any) -> bool:
            if isinstance(where, Not) and isinstance(where.part, Filter) and where.part.op != "isnull":
                return record[where.part.field] is not None and not plain(where.part, record)
            return plain(where, record)

        with mock.patch.object(reference, "matches", matches):
            return super().find(query)


class ForgetsAFilter(PlainStore):
    def find(self, query: Query) -> Result:
        where = query.where
        if isinstance(where, All) and len(where.parts) == 2:
            where = where.parts[0]
        return super().find(Query(where, query.order, query.fields, query.search, query.page, query.total))


class EmptyInIsEverything(PlainStore):
    def find(self, query: Query) -> Result:
        def contained(value: Any, given: Any) -> bool:
            return not given or value in given

        with mock.patch.dict(reference.COMPARISONS, {"in": contained}):
            return super().find(query)


class RangeWithoutItsEnd(PlainStore):
    def find(self, query: Query) -> Result:
        def between(value: Any, given: Any) -> bool:
            return bool(given[0] <= value < given[1])

        with mock.patch.dict(reference.COMPARISONS, {"range": between}):
            return super().find(query)


class MoreWhenFull(PlainStore):
    def find(self, query: Query) -> Result:
        result = super().find(query)
        return Result(result.records, len(result.records) == query.page.limit, result.total)


class TotalOfThePage(PlainStore):
    def find(self, query: Query) -> Result:
        result = super().find(query)
        return Result(result.records, result.more, len(result.records) if query.total else None)


class TotalOfEverything(PlainStore):
    def find(self, query: Query) -> Result:
        result = super().find(query)
        return Result(result.records, result.more, len(self.rows) if query.total else None)


class PlaceIncluded(PlainStore):
    def find(self, query: Query) -> Result:
        def behind(record: Any, place: Any, order: Any) -> bool:
            return tuple(record[key.field] for key in order) == tuple(place) or plain(record, place, order)

        plain = reference.behind
        with mock.patch.object(reference, "behind", behind):
            return super().find(query)


class BackwardsFromTheFirst(PlainStore):
    def find(self, query: Query) -> Result:
        page = query.page
        if not page.before or page.limit is None:
            return super().find(query)
        endless = Page(None, 0, page.after, True)
        wide = super().find(Query(query.where, query.order, query.fields, query.search, endless))
        return Result(wide.records[: page.limit], len(wide.records) > page.limit, wide.total)


class FieldsOfTheModel(PlainStore):
    def find(self, query: Query) -> Result:
        result = super().find(query)
        names = [name for name in self.model.names if query.fields is None or name in query.fields]
        return Result([{n: r[n] for n in names} for r in result.records], result.more, result.total)


class IntegersForBooleans(PlainStore):
    def copy(self, record: Record) -> Record:
        return {name: int(value) if value is True else value for name, value in super().copy(record).items()}


class SharesItsRecords(PlainStore):
    def copy(self, record: Record) -> Record:
        return record


class SharesNestedValues(PlainStore):
    def copy(self, record: Record) -> Record:
        return dict(record)


class IgnoresScope(PlainStore):
    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        return super().get(pk)


class KeepsWhatFailed(PlainStore):
    def undo(self, rows: dict[Any, Record], events: list[Event], replies: dict[str, Any]) -> None:
        self.events = events


class KeepsEventsOfWhatFailed(PlainStore):
    def undo(self, rows: dict[Any, Record], events: list[Event], replies: dict[str, Any]) -> None:
        self.rows = rows


class UndoesOnlyExceptions(PlainStore):
    def atomic(self, work: Callable[[Tx], T]) -> T:
        with self.lock:
            before = copy.deepcopy(self.rows), list(self.events)
            try:
                return work(PlainTx(self))
            except Exception:
                self.undo(*before)
                raise


class ReusesKeys(PlainStore):
    def new_key(self) -> Pk:
        return max(self.rows, default=0) + 1


class ReusesKeysWhenEmpty(PlainStore):
    def new_key(self) -> Pk:
        return self.highest + 1 if self.rows else 1


class NullsAreEqual(PlainStore):
    def check_unique(self, tx: Tx, record: Record, pk: Pk | None, index: int | None) -> None:
        super().check_unique(tx, record, pk, index)
        for other, row in self.rows.items():
            if other != pk and any(row[name] == record[name] for name in ("email",) if name in row):
                raise unique_conflict(("email",), index)


class ConflictsWithItself(PlainStore):
    def check_unique(self, tx: Tx, record: Record, pk: Pk | None, index: int | None) -> None:
        super().check_unique(tx, record, None, index)


class ChecksNothing(PlainStore):
    def check_unique(self, tx: Tx, record: Record, pk: Pk | None, index: int | None) -> None:
        pass


class ConflictOfUnknownPlace(PlainStore):
    def check_unique(self, tx: Tx, record: Record, pk: Pk | None, index: int | None) -> None:
        try:
            super().check_unique(tx, record, pk, index)
        except Conflict as exc:
            raise Conflict("taken", fields=exc.fields) from exc


class LosesUpdates(PlainStore):
    def atomic(self, work: Callable[[Tx], T]) -> T:
        copied = copy.copy(self)
        copied.rows = copy.deepcopy(self.rows)
        result = work(PlainTx(copied))
        time.sleep(0)
        self.rows, self.events, self.highest = copied.rows, copied.events, copied.highest
        return result


class ShowsHalfATransaction(PlainStore):
    def find(self, query: Query) -> Result:
        return reference.find(list(self.rows.values()), query, self.model)

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        time.sleep(0)
        return super().get(pk, scope)


class TellsNothingOfDeletes(PlainStore):
    def tell(self, action: Action, pk: Pk, before: Record | None, after: Record | None) -> None:
        if action != "deleted":
            super().tell(action, pk, before, after)


class TellsTheRowAfterTwice(PlainStore):
    def tell(self, action: Action, pk: Pk, before: Record | None, after: Record | None) -> None:
        super().tell(action, pk, after if action == "updated" else before, after)


class HidesWhatIsGone(PlainStore):
    def changes(self) -> EventLog | None:
        return HidingLog(self)


class HidingLog(PlainLog):
    def read(self, since: int, limit: int = 100) -> list[Event]:
        return [event for event in self.store.events if event.seq > since][:limit]


class WritesAllTheSame(HumbleStore):
    def atomic(self, work: Callable[[Tx], T]) -> T:
        return work(PlainTx(self))


class SearchesAllTheSame(HumbleStore):
    def find(self, query: Query) -> Result:
        return super().find(Query(query.where, query.order, query.fields, None, query.page))


class KeepsTheFirstOfTwo(SingleStore):
    def undo(self, rows: dict[Any, Record], events: list[Event], replies: dict[str, Any]) -> None:
        pass


class WritesTwice(SingleStore):
    def single(self) -> SingleTx:
        tx = SingleTx(self)
        tx.writes = -9
        return tx


class TakesKeysAllTheSame(SingleStore):
    def single(self) -> SingleTx:
        return TakingTx(self)


class TakingTx(SingleTx):
    def keyed(self, record: Record) -> Record:
        return record


class KeepsRepliesOfWhatFailed(PlainStore):
    def undo(self, rows: dict[Any, Record], events: list[Event], replies: dict[str, Any]) -> None:
        self.rows, self.events = rows, events


class NeverForgetsAReply(PlainStore):
    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        return self.replies[key][:2] if key in self.replies else None


class TakesAnyRequestForTheSame(PlainStore):
    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        found = super().kept(key)
        return None if found is None else (AnyDigest(found[0]), found[1])


class AnyDigest(bytes):
    __hash__ = bytes.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class KeepsAClaim(PlainStore):
    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        found = super().kept(key)
        self.replies.setdefault(key, (b"", b"", time.time() + 60))
        return found


class LosesEmptyReplies(PlainStore):
    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        found = super().kept(key)
        return found if found is not None and found[1] else None


class LetsAnotherClaimTheSame(PlainStore):
    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        found = super().kept(key)
        self.lock.release()
        time.sleep(0.005)
        self.lock.acquire()
        return found


class TellsWhatBecameOfTheRecord(PlainStore):
    def copy(self, record: Record) -> Record:
        return record

    def tell(self, action: Action, pk: Pk, before: Record | None, after: Record | None) -> None:
        last = self.events[-1].seq if self.events else 0
        self.events = [*self.events, Event(last + 1, action, pk, before, after, time.time())]


BROKEN: list[tuple[type[PlainStore], str]] = [
    (NoneLast, "test_order_by_each_kind"),
    (NoneLast, "test_generated_queries_equal_the_reference"),
    (FoldByLower, "test_text_operator_takes_every_text_literally"),
    (FoldByLower, "test_search"),
    (FoldByCasefold, "test_text_operator_takes_every_text_literally"),
    (FoldAscii, "test_search"),
    (OrderByUtf16, "test_order_by_each_kind"),
    (Wildcards, "test_text_operator_takes_every_text_literally"),
    (ThirdTruth, "test_not_knows_no_third_truth"),
    (ThirdTruth, "test_operator"),
    (ForgetsAFilter, "test_filters_commute"),
    (EmptyInIsEverything, "test_an_empty_set_holds_nothing"),
    (RangeWithoutItsEnd, "test_operator"),
    (MoreWhenFull, "test_pages_by_offset"),
    (MoreWhenFull, "test_pages_behind_and_ahead_of_a_place"),
    (TotalOfThePage, "test_total_counts_what_matches_and_not_the_page"),
    (TotalOfEverything, "test_total_counts_what_matches_and_not_the_page"),
    (PlaceIncluded, "test_a_walk_by_cursor_sees_each_record_once"),
    (BackwardsFromTheFirst, "test_pages_behind_and_ahead_of_a_place"),
    (FieldsOfTheModel, "test_fields_come_in_the_order_asked"),
    (IntegersForBooleans, "test_everything_comes_back_in_the_order_of_the_key"),
    (SharesItsRecords, "test_a_record_is_the_callers_to_change"),
    (SharesNestedValues, "test_what_goes_in_stays_the_callers"),
    (IgnoresScope, "test_get_within_a_scope"),
    (KeepsWhatFailed, "test_a_transaction_that_fails_leaves_nothing"),
    (KeepsEventsOfWhatFailed, "test_no_event_of_what_was_undone"),
    (UndoesOnlyExceptions, "test_a_transaction_that_is_broken_off_leaves_nothing"),
    (ReusesKeys, "test_generated_keys_are_never_used_again"),
    (ReusesKeysWhenEmpty, "test_generated_keys_are_never_used_again_after_everything_went"),
    (NullsAreEqual, "test_unique_fields"),
    (ConflictsWithItself, "test_unique_fields"),
    (ChecksNothing, "test_unique_within_one_insert"),
    (ChecksNothing, "test_only_one_of_equal_values_gets_in"),
    (ConflictOfUnknownPlace, "test_unique_fields"),
    (LosesUpdates, "test_no_update_is_lost"),
    (ShowsHalfATransaction, "test_nobody_sees_half_a_transaction"),
    (TellsNothingOfDeletes, "test_one_event_for_each_write"),
    (TellsTheRowAfterTwice, "test_one_event_for_each_write"),
    (HidesWhatIsGone, "test_a_follower_whose_events_are_gone_is_told_so"),
    (TellsWhatBecameOfTheRecord, "test_an_event_tells_what_was_stored_whatever_becomes_of_the_record"),
    (KeepsRepliesOfWhatFailed, "test_nothing_is_kept_of_a_step_that_fails"),
    (KeepsRepliesOfWhatFailed, "test_a_failure_leaves_the_reply_that_was_there"),
    (NeverForgetsAReply, "test_a_reply_is_forgotten_when_its_time_is_up"),
    (TakesAnyRequestForTheSame, "test_a_key_stands_for_one_request"),
    (KeepsAClaim, "test_a_claim_alone_leaves_nothing"),
    (LosesEmptyReplies, "test_a_reply_may_be_empty_and_is_found_all_the_same"),
    (LetsAnotherClaimTheSame, "test_of_many_with_one_key_one_writes"),
    (WritesAllTheSame, "test_a_store_that_is_read_only_refuses_every_write"),
    (SearchesAllTheSame, "test_search"),
    (KeepsTheFirstOfTwo, "test_a_transaction_sees_its_own_writes"),
    (KeepsTheFirstOfTwo, "test_a_single_write_that_fails_leaves_nothing"),
    (WritesTwice, "test_a_transaction_that_fails_leaves_nothing"),
    (TakesKeysAllTheSame, "test_insert_honours_a_key_that_is_brought"),
    (TakesKeysAllTheSame, "test_a_uuid_key"),
]


def runs(name: str) -> Iterator[dict[str, Any]]:
    """Every set of arguments that pytest would call a test of the suite with."""
    marks = [m for m in getattr(getattr(Conformance, name), "pytestmark", []) if m.name == "parametrize"]
    axes = [[(mark.args[0], value) for value in mark.args[1]] for mark in marks]
    return (dict(combination) for combination in itertools.product(*axes))


def run_all(test: Callable[..., None]) -> None:
    for arguments in runs(test.__name__):
        test(**arguments)


@pytest.mark.parametrize(("store_class", "name"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_store_is_caught(store_class: type[PlainStore], name: str) -> None:
    suite = type("Suite", (Conformance,), {"store_class": store_class})()
    with pytest.raises((AssertionError, pytest.fail.Exception, Conflict, KeyReused, KeyError)):
        run_all(getattr(suite, name))


def test_every_broken_store_is_in_the_table() -> None:
    parents = (PlainStore, HumbleStore, SingleStore)
    made = [c for c in globals().values() if inspect.isclass(c) and issubclass(c, parents) and c not in parents]
    assert {store_class for store_class, _ in BROKEN} == set(made)
