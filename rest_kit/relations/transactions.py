"""The transactions that a guarded write is given in place of its store's: one to rehearse with, others to write with.

All remember the foreign keys of what they read, so that it is known which ones a write changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from rest_kit.errors import Conflict
from rest_kit.query import Filter, Query, Result, Where
from rest_kit.relations.deletion import BATCH, Deletion, batches, referrers_first
from rest_kit.store import DataStore, Tx, foreign_key_conflict
from rest_kit.types import Pk, Record


class Keys(msgspec.Struct, frozen=True):
    """The field that holds a record's own key, its foreign keys, and those of them that name its own kind."""

    pk: str
    foreign: tuple[str, ...]
    own: tuple[str, ...]


class LookedUp(msgspec.Struct, frozen=True):
    """By field, the keys that were looked up, and those of them that are there."""

    wanted: dict[str, set[Any]]
    existing: dict[str, set[Any]]


class KeysChange(Exception):
    """A write sets a key that was not looked up."""


class Watched(Tx):
    """A transaction that remembers the foreign keys of the records read, so that it is known which ones change."""

    def __init__(self, keys: Keys, source: DataStore | Tx) -> None:
        self.keys = keys
        self.source = source
        self.read: dict[Pk, Record] = {}

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        record = self.source.get(pk, scope)
        self._remember(record)
        return record

    def find(self, query: Query) -> Result:
        result = self.source.find(query)
        for record in result.records:
            self._remember(record)
        return result

    def claim(self, key: str, digest: bytes) -> bytes | None:
        """As the store's own transaction does; every key is new in a rehearsal."""
        return self.source.claim(key, digest) if isinstance(self.source, Tx) else None

    def keep(self, key: str, reply: bytes) -> None:
        """As the store's own transaction does; nothing is kept of a rehearsal."""
        if isinstance(self.source, Tx):
            self.source.keep(key, reply)

    def _remember(self, record: Record) -> None:
        if self.keys.pk in record:
            self.read[record[self.keys.pk]] = {name: record[name] for name in self.keys.foreign if name in record}

    def changed(self, pk: Pk | None, record: Record) -> dict[str, Any]:
        """The foreign keys that a write sets to something new."""
        before = self.read.get(pk, {}) if pk is not None else {}
        given = {name: record.get(name) for name in self.keys.foreign}
        return {name: value for name, value in given.items() if value is not None and before.get(name) != value}


class Rehearsal(Watched):
    """A transaction that reads, and notes what it would write."""

    rehearsing = True

    def __init__(self, keys: Keys, store: DataStore) -> None:
        super().__init__(keys, store)
        self.wanted: dict[str, set[Any]] = {name: set() for name in keys.foreign}
        self.inserted: set[Any] = set()
        self.leaving: dict[Pk, None] = {}

    def insert(self, records: Sequence[Record]) -> list[Record]:
        for record in records:
            self._want(None, record)
            self.inserted.add(record.get(self.keys.pk))
        return [dict(record) for record in records]

    def update(self, pk: Pk, record: Record) -> Record:
        self._want(pk, record)
        return {**record, self.keys.pk: pk}

    def delete(self, pk: Pk) -> None:
        self.leaving[pk] = None

    def _want(self, pk: Pk | None, record: Record) -> None:
        for name, value in self.changed(pk, record).items():
            self.wanted[name].add(value)


class Writing(Watched):
    """The real transaction, with what is written looked at before."""

    source: Tx

    def __init__(self, keys: Keys, tx: Tx) -> None:
        super().__init__(keys, tx)

    def check(self, pk: Pk | None, record: Record, index: int | None) -> None:
        """Raise where a record may not be written."""

    def insert(self, records: Sequence[Record]) -> list[Record]:
        for index, record in enumerate(records):
            self.check(None, record, index)
        return self.source.insert(records)

    def update(self, pk: Pk, record: Record) -> Record:
        self.check(pk, record, None)
        return self.source.update(pk, record)

    def delete(self, pk: Pk) -> None:
        self.source.delete(pk)


class Unchanged(Writing):
    """Refuses every new key (KeysChange)."""

    def check(self, pk: Pk | None, record: Record, index: int | None) -> None:
        if self.changed(pk, record):
            raise KeysChange


class Checked(Writing):
    """Refuses keys that are not there (Conflict)."""

    def __init__(self, keys: Keys, tx: Tx, looked_up: LookedUp) -> None:
        super().__init__(keys, tx)
        self.looked_up = looked_up

    def check(self, pk: Pk | None, record: Record, index: int | None) -> None:
        changed = self.changed(pk, record)
        missing = [name for name, value in changed.items() if value not in self.looked_up.existing[name]]
        if any(changed[name] not in self.looked_up.wanted[name] for name in missing):
            raise Conflict("the object has changed meanwhile: try again", code="stale", fields=missing, index=index)
        if missing:
            raise foreign_key_conflict(missing, index)


class Deleting(Writing):
    """Lets deletions wait until all is known that must go."""

    def __init__(self, keys: Keys, tx: Tx) -> None:
        super().__init__(keys, tx)
        self.leaving: dict[Pk, None] = {}

    def delete(self, pk: Pk) -> None:
        self.leaving[pk] = None

    def finish(self, further: Sequence[Pk], deletion: Deletion) -> None:
        """Delete what has waited, and what must go in the same step, each before those that it refers to."""
        for batch in batches(further, BATCH):
            for record in self.find(Query(Filter(self.keys.pk, "in", tuple(batch)))).records:
                if deletion.takes(deletion.name, record):
                    self.leaving[record[self.keys.pk]] = None
        for pk in referrers_first({pk: self._referred_by(pk) for pk in self.leaving}):
            self.source.delete(pk)

    def _referred_by(self, pk: Pk) -> set[Any]:
        """The keys of records of the same resource that one refers to, as it was read."""
        return {self.read[pk][name] for name in self.keys.own}
