"""One step of writing to a CSV file: each row is tried out in the mirror at once, and its bytes kept for the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from datastores.csv.changes import Changes
from datastores.csv.columns import event_record
from datastores.csv.core import Core
from datastores.csv.entries import JournalEvent, KeptReply
from datastores.csv.mirror import Mirror
from rest_kit.errors import KeysUsedUp, ValidationError
from rest_kit.events.log import Action
from rest_kit.query import Query, Result, Where
from rest_kit.rows import within
from rest_kit.store import IDEMPOTENCY_SECONDS, KeepingTx, check_unique, unique_conflict
from rest_kit.types import INT64_MAX, Pk, Record


class CSVTx(KeepingTx):
    """A write under way: rows are tried out in the mirror, and their bytes gathered."""

    def __init__(self, core: Core, mirror: Mirror, changes: Changes, *, events: bool) -> None:
        self._core = core
        self._mirror = mirror
        self._changes = changes
        self._model = mirror.model
        self._events = events
        assert self._model.pk is not None
        self._pk = self._model.pk

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        return within(scope, self._mirror.get(pk), pk)

    def find(self, query: Query) -> Result:
        return self._mirror.find(query)

    def insert(self, records: Sequence[Record]) -> list[Record]:
        return [self._insert_at(index, record) for index, record in enumerate(records)]

    def _insert_at(self, index: int, record: Record) -> Record:
        try:
            return self._insert(record, index)
        except ValidationError as exc:
            raise ValidationError(fault.under(index) for fault in exc.faults) from exc

    def _insert(self, record: Record, index: int) -> Record:
        complete: dict[str, Any] = {name: record.get(name) for name in self._model.names}
        self._settle_key(complete, index)
        row = self._mirror.layout.row(complete)
        check_unique(self, self._model, complete, None, index)
        self._changes.add(self._mirror.insert(complete), row)
        pk: Pk = complete[self._pk.name]
        stored = self._mirror.get(pk)
        self._note("created", pk, None, stored)
        return stored

    def _settle_key(self, record: Record, index: int) -> None:
        """Give the record the next key where the store makes it, and refuse one that is taken (Conflict)."""
        name = self._pk.name
        if self._pk.generated:
            if record[name] is None:
                record[name] = self._next_key()
            self._changes.high = max(self._changes.high, record[name])
        if self._mirror.has(record[name]):
            raise unique_conflict((name,), index)

    def _next_key(self) -> int:
        highest = max(self._changes.high, self._mirror.highest())
        if highest == INT64_MAX:
            raise KeysUsedUp(self._pk.name)
        return highest + 1

    def update(self, pk: Pk, record: Record) -> Record:
        before = self._mirror.get(pk)
        layout = self._mirror.layout
        changed = [n for n, value in record.items() if n != self._pk.name and layout.differ(n, before[n], value)]
        after = before | {name: record[name] for name in changed}
        check_unique(self, self._model, after, pk)
        if changed:
            self._edit(pk, after, changed)
        stored = self._mirror.get(pk)
        self._note("updated", pk, before, stored)
        return stored

    def _edit(self, pk: Pk, record: Record, names: Sequence[str]) -> None:
        place = self._mirror.place(pk)
        raw = self._changes.current(place.number)
        if raw is None:
            raw = self._core.stretch(place.at, place.length)
        edited = self._mirror.layout.edited(raw, record, names)
        self._changes.edit(place, self._pk.format(pk), edited)
        self._mirror.change(place.number, record, place.length)

    def delete(self, pk: Pk) -> None:
        before = self._mirror.get(pk)
        if self._pk.generated:
            self._changes.high = max(self._changes.high, self._mirror.highest())
        place = self._mirror.place(pk)
        self._changes.edit(place, self._pk.format(pk), b"")
        self._mirror.remove(place.number)
        self._note("deleted", pk, before, None)

    def _note(self, action: Action, pk: Pk, before: Record | None, after: Record | None) -> None:
        if self._events:
            rows = event_record(before, self._model), event_record(after, self._model)
            self._changes.events.append(JournalEvent(action, self._pk.to_stored(pk), *rows, time.time()))

    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        found = self._changes.replies.get(key) or self._core.journal.reply(key)
        return None if found is None else (found.digest, found.reply)

    def put(self, key: str, digest: bytes, reply: bytes) -> None:
        self._changes.replies[key] = KeptReply(key, time.time() + IDEMPOTENCY_SECONDS, digest, reply)
