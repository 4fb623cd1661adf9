"""Where the rows of a list are: by primary key, and by the values of indexed fields.

An index is a hint that its reader verifies, since the list's owner may change it without telling: a position is
right only if the row there has the key, a row found by value only if it still has the value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, starmap
from operator import lt
from typing import Any, Final

from datastores.python_list.code import Key, Row
from rest_kit.types import Pk

_WALK: Final = 256


class Moved(Exception):
    """The rows are not where they were left: somebody else changed the list, and it must be looked at again."""


class Positions:
    """Primary key → position in the list.

    A removal shifts all rows behind it, so that a position is found at or before where it was noted; in a list that is
    in the order of its keys, by bisection.
    """

    def __init__(self) -> None:
        self.pk_of: Key = tuple
        self.in_order = True
        self.noted: dict[Any, int] = {}
        self._shifted = 0
        self._last: Any = None

    def extend(self, pks: Sequence[Pk], start: int) -> Pk | None:
        """Note the keys of the rows from `start` on; the first key that is there twice is returned."""
        noted = self.noted
        self.in_order = self.in_order and self._ascending(pks)
        if not noted:
            self.noted = noted = dict(zip(pks, range(start, start + len(pks)), strict=True))
            return None if len(noted) == len(pks) else _first_double(pks)
        for position, pk in enumerate(pks, start):
            if noted.setdefault(pk, position) != position:
                return pk
        return None

    def add(self, pk: Pk, position: int) -> None:
        """Note the key of a row that was added behind all others."""
        self.in_order = self.in_order and (self._last is None or self._last < pk)
        self._last = pk
        self.noted[pk] = position

    def _ascending(self, pks: Sequence[Any]) -> bool:
        if not pks:
            return True
        first, self_last, self._last = pks[0], self._last, pks[-1]
        return (self_last is None or self_last < first) and all(starmap(lt, pairwise(pks)))

    def find(self, rows: Sequence[Row], pk: Pk) -> int | None:
        """Where the row with this key is; None if there is none (Moved)."""
        position = self.noted.get(pk)
        if position is None:
            return None
        if position < len(rows) and self.pk_of(rows[position]) == pk:
            return position
        found = self._look(rows, pk, position)
        if found is None:
            raise Moved
        self.noted[pk] = found
        return found

    def rows_of(self, rows: Sequence[Row], pks: Iterable[Pk]) -> list[Row] | None:
        """The rows with these keys; None where some are not where they were noted, and must be found one by one."""
        wanted = list(pks)
        try:
            found = [rows[self.noted[pk]] for pk in wanted]
        except (KeyError, IndexError):
            return None
        return found if list(map(self.pk_of, found)) == wanted else None

    def _look(self, rows: Sequence[Row], pk: Pk, noted: int) -> int | None:
        if self.in_order:
            near: Iterable[int] = (bisect_left(rows, pk, key=self.pk_of),)
        else:
            near = range(noted, max(noted - self._shifted, 0) - 1, -1)
        return next((p for p in near if p < len(rows) and self.pk_of(rows[p]) == pk), None)

    def remove(self, pk: Pk, rows: Sequence[Row]) -> None:
        """Forget the key of a row that was removed; the rows are those that are left."""
        self.noted.pop(pk, None)
        self._shifted += 1
        self._last = self.pk_of(rows[-1]) if rows else None
        if not self.in_order and self._shifted > _WALK:
            self.noted = {self.pk_of(row): position for position, row in enumerate(rows)}
            self._shifted = 0

    def restore(self, pk: Pk, position: int) -> None:
        """Note the key of a row that was removed, and is back where it was."""
        self.noted[pk] = position
        self._shifted = max(self._shifted - 1, 0)
        self._last = pk if self._last is None or self._last < pk else self._last


def _first_double(pks: Iterable[Pk]) -> Pk | None:
    seen: set[Pk] = set()
    for pk in pks:
        if pk in seen:
            return pk
        seen.add(pk)
    return None


class HashIndex:
    """Values of some fields → primary keys of the rows that had them; rows with a null among them are not in it."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.values_of: Key = tuple
        self._pks: dict[tuple[Any, ...], Any] = {}

    def clear(self) -> None:
        """Forget all."""
        self._pks.clear()

    def extend(self, rows: Sequence[Row], pks: Sequence[Pk]) -> None:
        """Note many rows."""
        values = list(map(self.values_of, rows))
        # PERF: first look at 1,000,000 rows: where all values differ, at once in a third of the time
        if not self._pks and None not in chain.from_iterable(values):
            self._pks = dict(zip(values, pks, strict=True))
            if len(self._pks) == len(values):
                return
            self._pks.clear()
        for row, pk in zip(rows, pks, strict=True):
            self.add(row, pk)

    def add(self, row: Row, pk: Pk) -> None:
        """Note a row."""
        values = self.values_of(row)
        if None in values:
            return
        there = self._pks.setdefault(values, pk)
        if type(there) is set:
            there.add(pk)
        elif there != pk:
            self._pks[values] = {there, pk}

    def discard(self, row: Row, pk: Pk) -> None:
        """Forget a row, before it changes."""
        values = self.values_of(row)
        there = self._pks.get(values)
        if type(there) is set:
            there.discard(pk)
        elif there == pk and there is not None:
            del self._pks[values]

    def count(self, values: tuple[Any, ...]) -> int:
        """How many rows may have these values."""
        there = self._pks.get(values)
        return len(there) if type(there) is set else int(there is not None)

    def find(self, values: tuple[Any, ...]) -> Iterator[Pk]:
        """The keys of the rows that may have these values."""
        there = self._pks.get(values)
        if type(there) is set:
            yield from there
        elif there is not None:
            yield there
