"""A list's rows as one model sees them: what is known of their columns, and where they are.

Rows are read once to learn their form (StoreCorrupt names the place of what fits no form); from then on each write of
ours is told to the view, and what the owner appends or removes shows in the list's length and last row. All of it
is used under the core's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from datastores.python_list.code import Compiler, Reader, Row
from datastores.python_list.columns import Column
from datastores.python_list.forms import clone
from datastores.python_list.indexes import HashIndex, Moved, Positions
from datastores.python_list.orders import Ordering, Sorted
from rest_kit.errors import StoreCorrupt
from rest_kit.models.model import Model
from rest_kit.query import Order
from rest_kit.types import Pk, Record

_BLOCK: Final = 4096
_ORDERS_KEPT: Final = 64
_FEW: Final = 64
SURPRISES: Final = (TypeError, KeyError, AttributeError, ValueError, IndexError)
"""What a fast path meets when the owner changed rows in place; the plain path then looks at everything again."""


class ListView:
    """The rows of one list, read and found through one model."""

    def __init__(self, rows: list[Row], model: Model, indexes: Sequence[str], highest: dict[str, int]) -> None:
        assert model.pk is not None
        self.rows = rows
        self.model = model
        self.pk_name: str = model.pk.name
        self.columns = {name: Column(field, number) for number, (name, field) in enumerate(model.by_name.items())}
        self.indexed = {self.pk_name, *indexes}
        sets = [*model.unique_sets, *((name,) for name in indexes)]
        self.indexes = {names: HashIndex(names) for names in dict.fromkeys(sets)}
        self.hashed = {self.pk_name, *(names[0] for names in self.indexes if len(names) == 1)}
        self._highest = highest
        self.forget_all()

    # --- what is known of the rows ------------------------------------------------------------------------------------

    def forget_all(self) -> None:
        """Know nothing, so that everything is read at the next use."""
        self.size = 0
        self.last: Row | None = None
        self.same_shape = True
        for column in self.columns.values():
            column.reset()
        for index in self.indexes.values():
            index.clear()
        self.positions = Positions()
        self._learn()

    def _learn(self) -> None:
        """Make the functions that fit what is now known of the columns."""
        self._state = self._current_state()
        self.code = Compiler(self.columns)
        self._orderings: dict[tuple[Order, ...], Ordering] = {}
        self.sorted: dict[tuple[Order, ...], Sorted] = {}
        self._readers: dict[tuple[str, ...], Reader] = {}
        names = self.model.names
        self._read_all = self.code.copier() if self.same_shape else self.code.reader(names)
        self._read_one = self.code.one_copier() if self.same_shape else self.code.one_reader(names)
        self.pk_of = itemgetter(self.pk_name) if self._plain(self.pk_name) else self.code.value(self.pk_name)
        self.positions.pk_of = self.pk_of
        for index in self.indexes.values():
            index.values_of = self.code.values(index.names)
        self.copyable = self.same_shape and all(column.plain for column in self.columns.values())
        self._known_types = [column.known_type for column in self.columns.values()]
        self._shaped = [(column.name, column.keep) for column in self.columns.values() if column.shaped]

    def _current_state(self) -> tuple[Any, ...]:
        return (self.same_shape, *(column.state() for column in self.columns.values()))

    def _plain(self, name: str) -> bool:
        column = self.code.column(name)
        return not (column.converts or column.missing or column.null)

    def settle(self) -> None:
        """Take note of what the list's owner appended or removed (StoreCorrupt)."""
        rows = self.rows
        size = len(rows)
        if size == self.size and (not size or rows[-1] is self.last):
            return
        if not (0 < self.size < size and rows[self.size - 1] is self.last):
            self.forget_all()
        self._take_in()

    def rescan(self) -> None:
        """Read everything again (StoreCorrupt)."""
        self.forget_all()
        self._take_in()

    def _take_in(self) -> None:
        """Read the rows behind those that are known."""
        start = self.size
        new = self.rows[start:]
        try:
            self._study(new, start)
            pks = self._keys(new, start)
        except StoreCorrupt:
            self.forget_all()
            raise
        double = self.positions.extend(pks, start)
        if double is not None:
            self.forget_all()
            raise StoreCorrupt(f"two rows of the list have the {self.pk_name} {double!r}")
        self._index(new, pks)
        self._witness()

    def _study(self, new: Sequence[Row], start: int) -> None:
        self._check_dicts(new, start)
        self._assign_keys(new)
        names = self.model.names
        for first in range(0, len(new), _BLOCK):
            block = new[first : first + _BLOCK]
            self.same_shape = self.same_shape and set(map(type, block)) == {dict} and set(map(tuple, block)) == {names}
            for column in self.columns.values():
                self._study_column(column, block)
        self._learn_if_new()

    def _learn_if_new(self) -> None:
        if self._state != self._current_state():
            self._learn()

    def _check_dicts(self, new: Sequence[Any], start: int) -> None:
        if set(map(type, new)) <= {dict}:
            return
        for position, row in enumerate(new, start):
            if not isinstance(row, dict):
                raise StoreCorrupt(f"row {position} of the list is not a dict but {type(row).__name__}")

    def _assign_keys(self, new: Sequence[Row]) -> None:
        """Give rows without one a generated primary key, in place, above all keys that there are."""
        assert self.model.pk is not None
        name = self.pk_name
        lacking = [row for row in new if row.get(name) is None] if self.model.pk.generated else []
        if not lacking:
            return
        self._note_highest([row[name] for row in self.rows if isinstance(row, dict) and type(row.get(name)) is int])
        for row in lacking:
            row[name] = self._highest[name] = self.highest + 1

    @property
    def highest(self) -> int:
        """The highest generated key that there ever was."""
        return self._highest.get(self.pk_name, 0)

    def _note_highest(self, pks: Sequence[int]) -> None:
        if pks and max(pks) > self.highest:
            self._highest[self.pk_name] = max(pks)

    def _study_column(self, column: Column, block: Sequence[Row]) -> None:
        name = column.name
        try:
            values = list(map(itemgetter(name), block))
        except KeyError:
            column.missing = True
            values = [row[name] for row in block if name in row]
        try:
            column.study(values)
        except ValueError:
            for row in block:
                self._value(column, row)
            raise

    def _value(self, column: Column, row: Row) -> Any:
        """A row's value for a record, whatever its form."""
        try:
            return column.convert(row.get(column.name, column.default))
        except ValueError as exc:
            where = next((position for position, other in enumerate(self.rows) if other is row), "?")
            raise StoreCorrupt(f"row {where} of the list, field {column.name!r}: {exc}") from exc

    def _keys(self, new: Sequence[Row], start: int) -> list[Any]:
        pks = list(map(self.pk_of, new))
        if None in pks:
            raise StoreCorrupt(f"row {start + pks.index(None)} of the list has no {self.pk_name}, its primary key")
        assert self.model.pk is not None
        if self.model.pk.generated:
            self._note_highest(pks)
        return pks

    def _index(self, new: Sequence[Row], pks: Sequence[Pk]) -> None:
        for index in self.indexes.values():
            for row, pk in zip(new, pks, strict=True):
                index.add(row, pk)
        if len(new) > _FEW:
            self.sorted.clear()
        for kept in self.sorted.values():
            for row in new:
                kept.add(row)

    def _witness(self) -> None:
        """Remember what the list looks like, so as to notice that somebody else changed it."""
        self.size = len(self.rows)
        self.last = self.rows[-1] if self.rows else None

    # --- our own writes -----------------------------------------------------------------------------------------------

    def leaving(self, row: Row) -> None:
        """A row is about to change or go."""
        try:
            self._leave_out(row)
        except SURPRISES:
            self.forget_all()

    def _leave_out(self, row: Row) -> None:
        pk = self.pk_of(row)
        for index in self.indexes.values():
            index.discard(row, pk)
        if self.sorted:
            self.sorted = {order: kept for order, kept in self.sorted.items() if kept.remove(row)}

    def came(self, row: Row) -> None:
        """A row has come or changed; where it fits this model in no form, the next use of the view will say so."""
        try:
            self._take_up(row)
        except SURPRISES:
            self.forget_all()

    def _take_up(self, row: Row) -> None:
        # PERF: insert: a row of exactly the known forms has nothing to teach
        if list(map(type, row.values())) != self._known_types or tuple(row) != self.model.names:
            self._note_forms(row)
        pk = self.pk_of(row)
        for index in self.indexes.values():
            index.add(row, pk)
        for kept in self.sorted.values():
            kept.add(row)

    def _note_forms(self, row: Row) -> None:
        if self.same_shape and tuple(row) != self.model.names:
            self.same_shape = False
        for name, column in self.columns.items():
            if name not in row:
                column.missing = True
            elif (value := row[name]) is None:
                column.null = True
            elif type(value) is not column.type or column.known_type is not column.type:
                column.study([value])
        self._learn_if_new()

    def appended(self, row: Row) -> None:
        """The row is new, and the last one."""
        if self.size != len(self.rows) - 1:
            return
        pk = self.pk_of(row)
        self.positions.add(pk, self.size)
        if type(pk) is int and pk > self.highest:
            self._highest[self.pk_name] = pk
        self.size += 1
        self.last = row

    def removed(self, pk: Pk) -> None:
        """The row with this key has gone."""
        if self.size == len(self.rows) + 1:
            self.positions.remove(pk, self.rows)
            self._witness()

    def restored(self, position: int) -> None:
        """A row that had gone is back where it was."""
        if self.size == len(self.rows) - 1:
            self.positions.restore(self.pk_of(self.rows[position]), position)
            self._witness()

    def new_row(self, pk: Pk, record: Record) -> Row:
        """A row of all fields in the model's order, values in the form that the column's owner keeps."""
        values = {**record, self.pk_name: pk}
        row = {name: values.get(name) for name in self.model.names}
        for name, keep in self._shaped:
            row[name] = keep(row[name])
        return row

    def kept(self, values: Record, row: Row) -> Row:
        """Of typed values those that change a row, in the form of those that they replace."""
        if self.copyable:
            return values
        columns = self.columns
        return {
            name: columns[name].replaced(value, row.get(name))
            for name, value in values.items()
            if name in row or not columns[name].reads_absent_as(value)
        }

    def holders(self, names: tuple[str, ...], values: tuple[Any, ...]) -> list[Pk]:
        """The primary keys of the rows that have these values (of a unique set, or of an indexed field)."""
        try:
            return self._holders(names, values)
        except SURPRISES:
            self.rescan()
            return self._holders(names, values)

    def _holders(self, names: tuple[str, ...], values: tuple[Any, ...]) -> list[Pk]:
        index = self.indexes[names]
        pks = list(index.find(values))
        return [pk for pk in pks if (row := self.row(pk)) is not None and index.values_of(row) == values]

    # --- reading ------------------------------------------------------------------------------------------------------

    def row(self, pk: Pk) -> Row | None:
        """The row with that primary key, the owner's own dict."""
        position = self.position(pk)
        return None if position is None else self.rows[position]

    def position(self, pk: Pk) -> int | None:
        """Where the row with that primary key is."""
        try:
            return self.positions.find(self.rows, pk)
        except (Moved, *SURPRISES):
            self.rescan()
            return self.positions.find(self.rows, pk)

    def record(self, row: Row) -> Record:
        """A row of the list as a record of all fields (StoreCorrupt)."""
        if not self.size:
            return self.plainly(row)
        try:
            return self._read_one(row)
        except SURPRISES:
            return self.plainly(row)

    def copy(self, pk: Pk) -> Record | None:
        """The record with that primary key, where its row is found at once; it says nothing of one that is not."""
        positions = self.positions
        try:
            row = self.rows[positions.noted[pk]]
            # PERF: one record: without asking whether the list has changed, as a row that has the key is the row
            return self._read_one(row) if positions.pk_of(row) == pk else None
        except SURPRISES:
            return None

    def plainly(self, row: Row) -> Record:
        """A row as a record, whatever its form (StoreCorrupt)."""
        return {name: clone(self._value(column, row)) for name, column in self.columns.items()}

    def ordering(self, order: tuple[Order, ...]) -> Ordering:
        """How to sort by these keys."""
        ordering = self._orderings.get(order)
        if ordering is None:
            if len(self._orderings) >= _ORDERS_KEPT:
                self._orderings.clear()
            full = self.model.full_order(order)
            ordering = self._orderings[order] = Ordering(full, self.pk_name, self.code, self._plain)
        return ordering

    def rows_of(self, pks: set[Any]) -> list[Row]:
        """The rows that have these primary keys, in no particular order."""
        rows = self.positions.rows_of(self.rows, pks)
        if rows is None:
            rows = [row for row in map(self.row, pks) if row is not None]
        return rows

    def read(self, rows: list[Row], names: tuple[str, ...] | None = None) -> list[Record]:
        """Rows as records of the named fields, or of all."""
        if names is None or names == self.model.names:
            return self._read_all(rows)
        reader = self._readers.get(names)
        if reader is None:
            if len(self._readers) >= _ORDERS_KEPT:
                self._readers.clear()
            reader = self._readers[names] = self.code.reader(names)
        return reader(rows)
