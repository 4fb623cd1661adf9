"""Writing to a target without transactions: each write is a step of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rest_kit.errors import Conflict, ValidationError
from rest_kit.query import Query, Result, Where
from rest_kit.store import DataStore, Tx
from rest_kit.types import Pk, Record

T = TypeVar("T")


class Alone(Tx):
    """What looks like one step, and is one for each write."""

    def __init__(self, store: DataStore) -> None:
        self._store = store

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        return self._store.get(pk, scope)

    def find(self, query: Query) -> Result:
        return self._store.find(query)

    def insert(self, records: Sequence[Record]) -> list[Record]:
        return [self._insert(record, index) for index, record in enumerate(records)]

    def _insert(self, record: Record, index: int) -> Record:
        try:
            return self._store.atomic(lambda tx: tx.insert([record]))[0]
        except Conflict as exc:
            raise Conflict(exc.detail, code=exc.code, fields=exc.fields, index=index) from exc
        except ValidationError as exc:
            at = [fault.under(index) if fault.path[:1] != (0,) else fault for fault in exc.faults]
            raise ValidationError(at) from exc

    def update(self, pk: Pk, record: Record) -> Record:
        return self._store.atomic(lambda tx: tx.update(pk, record))

    def delete(self, pk: Pk) -> None:
        self._store.atomic(lambda tx: tx.delete(pk))
