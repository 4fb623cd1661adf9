"""One table being filled: references to rows that have not come yet are null meanwhile, or their rows wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rest_kit.copying.table import NotCopied, Table
from rest_kit.errors import Conflict, ValidationError
from rest_kit.store import Tx
from rest_kit.types import Pk, Record


class Filling:
    """What came of filling one table: how many rows, and by key what is still to be filled in.

    `own` holds references to rows of the same table, `ahead` those to tables that come later. `waiting` are rows that
    cannot be without such a reference.
    """

    def __init__(self, table: Table, progress: Callable[[int], None]) -> None:
        self.table = table
        self.progress = progress
        self.count = 0
        self.own: dict[Pk, Record] = {}
        self.ahead: dict[Pk, Record] = {}
        self.waiting: dict[Pk, Record] = {}

    def run(self, tx: Tx) -> Filling:
        """Insert every row, and fill in what they refer to among themselves (NotCopied)."""
        for batch in self.table.batches():
            self._insert(tx, [record for record in batch if self._is_ready(record)])
        self._insert_waiting(tx)
        _fill_in(self.table, tx, self.own)
        return self

    def complete(self, tx: Tx) -> None:
        """Fill in what rows refer to in tables that came later."""
        _fill_in(self.table, tx, self.ahead)

    def _is_ready(self, record: Record) -> bool:
        """Whether the row can be inserted now; what it refers to too early is taken out of it."""
        key: Any = record.get(self.table.key)
        for field in self.table.ahead:
            _put_off(record, field.name, self.ahead, key)
        for field in self.table.own:
            if self._is_early(key, record.get(field.name)):
                if not field.nullable:
                    self.waiting[key] = record
                    return False
                _put_off(record, field.name, self.own, key)
        return True

    def _is_early(self, key: Any, value: Any) -> bool:
        """Whether a reference leads to a row of the same table that is not there yet."""
        if value is None or value == key:
            return False
        return value in self.waiting or not self.table.keeps_order or bool(value > key)

    def _insert_waiting(self, tx: Tx) -> None:
        """Insert the rows that have waited, each behind those that it refers to (NotCopied)."""
        while self.waiting:
            ready = [key for key, record in self.waiting.items() if not self._waits_for(key, record)]
            if not ready:
                told = ", ".join(repr(key) for key in list(self.waiting)[:5])
                raise NotCopied(f"{self.table.name}: rows refer to each other in a circle: {told}")
            self._insert(tx, [self.waiting.pop(key) for key in ready])

    def _waits_for(self, key: Pk, record: Record) -> bool:
        values = [record.get(field.name) for field in self.table.own]
        return any(value in self.waiting and value != key for value in values)

    def _insert(self, tx: Tx, records: Sequence[Record]) -> None:
        try:
            tx.insert(records)
        except Conflict as exc:
            raise NotCopied(f"{self._row(records, exc.index)}: {exc.detail}{self._kept(exc.index)}") from exc
        except ValidationError as exc:
            raise NotCopied(self._told(records, exc)) from exc
        self.count += len(records)
        self.progress(self.count)

    def _told(self, records: Sequence[Record], exc: ValidationError) -> str:
        """Every fault of the first row that has some."""
        index = next((fault.path[0] for fault in exc.faults if fault.path), None)
        place = index if isinstance(index, int) else None
        faults = [fault for fault in exc.faults if fault.path[:1] == (index,)] or exc.faults
        told = ", ".join(": ".join([*map(repr, fault.path[1:]), fault.detail]) for fault in faults)
        return f"{self._row(records, place)}: {told}{self._kept(place)}"

    def _row(self, records: Sequence[Record], index: int | None) -> str:
        return self.table.row(None if index is None else records[index].get(self.table.key))

    def _kept(self, index: int | None) -> str:
        """What is there all the same, where the target has no transactions."""
        if self.table.target.capabilities.transactions:
            return ""
        return f"; {self.count + (index or 0)} rows before it are written, and stay"


def _put_off(record: Record, name: str, late: dict[Pk, Record], key: Pk) -> None:
    if record.get(name) is not None:
        late.setdefault(key, {})[name] = record[name]
        record[name] = None


def _fill_in(table: Table, tx: Tx, late: dict[Pk, Record]) -> None:
    for key, values in late.items():
        try:
            tx.update(key, values)
        except Conflict as exc:
            raise NotCopied(f"{table.row(key)}: {exc.detail}") from exc
