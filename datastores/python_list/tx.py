"""A transaction on a list: typed records in, rows as their owner keeps them out, conflicts found beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from datastores.python_list.code import Row
from datastores.python_list.core import Steps
from datastores.python_list.view import ListView
from rest_kit.errors import KeysUsedUp, RecordNotFound
from rest_kit.query import Query, Result, Where
from rest_kit.store import DataStore, KeepingTx, unique_conflict
from rest_kit.types import INT64_MAX, Pk, Record


class ListTx(KeepingTx):
    """Reads and writes through one view, as steps that can be taken back."""

    def __init__(self, store: DataStore, view: ListView, steps: Steps) -> None:
        self._store = store
        self._view = view
        self._steps = steps

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        return self._store.get(pk, scope)

    def find(self, query: Query) -> Result:
        return self._store.find(query)

    def insert(self, records: Sequence[Record]) -> list[Record]:
        self._steps.begin(self._view)
        if len(records) == 1:
            return [self._insert_one(records[0], 0)]
        return self._steps.part(lambda _: [self._insert_one(record, index) for index, record in enumerate(records)])

    def _insert_one(self, record: Record, index: int) -> Record:
        view = self._view
        pk = record.get(view.pk_name)
        if pk is None:
            pk = self._new_key()
        elif pk in view.positions.noted:
            raise unique_conflict((view.pk_name,), index)
        if view.model.unique_sets:
            self._check_unique(record, None, index)
        row = view.new_row(pk, record)
        self._steps.append(pk, row)
        return view.record(row)

    def _new_key(self) -> Pk:
        highest = self._view.highest
        if highest >= INT64_MAX:
            raise KeysUsedUp(self._view.pk_name)
        return highest + 1

    def _check_unique(self, record: Record, own: Pk | None, index: int | None = None) -> None:
        for names in self._view.model.unique_sets:
            values = tuple(record.get(name) for name in names)
            if None not in values and any(pk != own for pk in self._view.holders(names, values)):
                raise unique_conflict(names, index)

    def update(self, pk: Pk, record: Record) -> Record:
        self._steps.begin(self._view)
        view = self._view
        row = self._existing(pk)
        values = {name: record[name] for name in record if name in view.columns and name != view.pk_name}
        if view.model.unique_sets:
            self._check_unique({**view.record(row), **values}, pk)
        self._steps.change(pk, row, view.kept(values, row))
        return view.record(row)

    def delete(self, pk: Pk) -> None:
        self._steps.begin(self._view)
        self._existing(pk)
        position = self._view.position(pk)
        assert position is not None
        self._steps.remove(pk, position)

    def _existing(self, pk: Pk) -> Row:
        row = self._view.row(pk)
        if row is None:
            raise RecordNotFound(pk)
        return row

    # --- replies ------------------------------------------------------------------------------------------------------

    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        return self._steps.replies.get(key)

    def put(self, key: str, digest: bytes, reply: bytes) -> None:
        self._steps.put_reply(key, digest, reply)
