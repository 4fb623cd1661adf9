"""Writes held to the references: what is referred to exists, and what is deleted leaves nobody behind.

A write is rehearsed first, without a transaction: so every refusal that has nothing to do with references comes first,
and it is known which keys the write brings in and which records it takes away. Keys are then looked up in the store of
the resource that they name, what refers to the deleted is dealt with, and only then the write is done; it may do what
was foreseen, and nothing else. Across stores this is checked, not atomic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rest_kit.errors import Conflict
from rest_kit.query import Filter, Page, Query, Result, Where
from rest_kit.relations.deletion import BATCH, Deletion, batches, referrers_first
from rest_kit.relations.graph import Graph, Relation
from rest_kit.store import DataStore, Tx, foreign_key_conflict
from rest_kit.types import Pk, Record

T = TypeVar("T")


class Guard:
    """The door for the writes of one resource; `relations` are the foreign keys that its model has."""

    def __init__(self, graph: Graph, name: str, store: DataStore, relations: Sequence[Relation]) -> None:
        assert store.model.pk is not None
        self.graph = graph
        self.name = name
        self.store = store
        self.pk = store.model.pk.name
        self.relations = tuple(relations)
        self.own = tuple(relation.field for relation in relations if relation.target == name)
        """The fields by which the records refer to each other."""

    def atomic(self, work: Callable[[Tx], T]) -> T:
        """What `DataStore.atomic` does, with the references checked (Conflict)."""
        foreseen = Rehearsal(self)
        work(foreseen)
        known = {relation.field: self._existing(relation, foreseen) for relation in self.relations}
        deletion = Deletion(self.graph, self.name, foreseen.deleted)
        further = deletion.run() if foreseen.deleted else []

        def step(tx: Tx) -> T:
            guarded = Guarded(self, tx, foreseen, known)
            result = work(guarded)
            guarded.finish(further, deletion)
            return result

        return self.store.atomic(step)

    def _existing(self, relation: Relation, foreseen: Rehearsal) -> set[Any]:
        """Those of the keys that a write brings in which are there, or come with it."""
        wanted = foreseen.wanted[relation.field]
        own = wanted & foreseen.inserted if relation.target == self.name else set()
        asked = tuple(wanted - own)
        if not asked:
            return own
        ready = self.graph.members[relation.target].items()
        assert ready.model.pk is not None
        pk = ready.model.pk.name
        found = ready.store.find(Query(Filter(pk, "in", asked), fields=(pk,), page=Page(len(asked))))
        return own | {record[pk] for record in found.records}


class Watched(Tx):
    """A transaction that remembers the foreign keys of the records read, so that it is known which ones change."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.read: dict[Pk, Record] = {}

    def _remember(self, record: Record) -> None:
        pk = self.guard.pk
        if pk in record:
            fields = [relation.field for relation in self.guard.relations]
            self.read[record[pk]] = {name: record[name] for name in fields if name in record}

    def changed(self, pk: Pk | None, record: Record) -> dict[str, Any]:
        """The foreign keys that a write sets to something new."""
        before = self.read.get(pk, {}) if pk is not None else {}
        given = {relation.field: record.get(relation.field) for relation in self.guard.relations}
        return {name: value for name, value in given.items() if value is not None and before.get(name) != value}


class Rehearsal(Watched):
    """A transaction that reads, and notes what it would write."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard)
        self.wanted: dict[str, set[Any]] = {relation.field: set() for relation in guard.relations}
        self.inserted: set[Any] = set()
        self.deleted: dict[Pk, None] = {}

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        record = self.guard.store.get(pk, scope)
        self._remember(record)
        return record

    def find(self, query: Query) -> Result:
        result = self.guard.store.find(query)
        for record in result.records:
            self._remember(record)
        return result

    def insert(self, records: Sequence[Record]) -> list[Record]:
        for record in records:
            self._want(None, record)
            self.inserted.add(record.get(self.guard.pk))
        return [dict(record) for record in records]

    def update(self, pk: Pk, record: Record) -> Record:
        self._want(pk, record)
        return {**record, self.guard.pk: pk}

    def delete(self, pk: Pk) -> None:
        self.deleted[pk] = None

    def _want(self, pk: Pk | None, record: Record) -> None:
        for name, value in self.changed(pk, record).items():
            self.wanted[name].add(value)


class Guarded(Watched):
    """The real transaction, which refuses keys that are not there and deletions that were not foreseen."""

    def __init__(self, guard: Guard, tx: Tx, foreseen: Rehearsal, known: dict[str, set[Any]]) -> None:
        super().__init__(guard)
        self.tx = tx
        self.foreseen = foreseen
        self.known = known
        self.leaving: dict[Pk, None] = {}

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        record = self.tx.get(pk, scope)
        self._remember(record)
        return record

    def find(self, query: Query) -> Result:
        result = self.tx.find(query)
        for record in result.records:
            self._remember(record)
        return result

    def insert(self, records: Sequence[Record]) -> list[Record]:
        for index, record in enumerate(records):
            self._check(None, record, index)
        return self.tx.insert(records)

    def update(self, pk: Pk, record: Record) -> Record:
        self._check(pk, record, None)
        return self.tx.update(pk, record)

    def delete(self, pk: Pk) -> None:
        if pk not in self.foreseen.deleted:
            raise Conflict("what is to be deleted has changed meanwhile: try again", code="stale")
        if self.guard.own:
            self.leaving[pk] = None
        else:
            self.tx.delete(pk)

    def finish(self, further: Sequence[Pk], deletion: Deletion) -> None:
        """Delete what has waited, and what must go in the same step, each before those that it refers to."""
        for batch in batches(further, BATCH):
            for record in self.find(Query(Filter(self.guard.pk, "in", tuple(batch)))).records:
                if deletion.takes(self.guard.name, record):
                    self.leaving[record[self.guard.pk]] = None
        for pk in referrers_first({pk: self._referred_by(pk) for pk in self.leaving}):
            self.tx.delete(pk)

    def _referred_by(self, pk: Pk) -> set[Any]:
        """The keys of records of the same resource that one refers to, as it was read."""
        return {self.read[pk][name] for name in self.guard.own}

    def _check(self, pk: Pk | None, record: Record, index: int | None) -> None:
        changed = self.changed(pk, record)
        missing = [name for name, value in changed.items() if value not in self.known[name]]
        if any(changed[name] not in self.foreseen.wanted[name] for name in missing):
            raise Conflict("the object has changed meanwhile: try again", code="stale", fields=missing, index=index)
        if missing:
            raise foreign_key_conflict(missing, index)
