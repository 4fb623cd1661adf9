"""How far rows have moved since the offsets in the mirror were noted, so that no change has to renumber all of them.

A row is noted at the offset that it had when the file was read, its *mark*; a row that is appended later, at the mark
that it would have had then. Marks are in the order of the file and never change; each splice only adds a point from
which on rows lie further behind, or ahead.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import accumulate


class Shifts:
    """The sum of all splices so far, by mark."""

    def __init__(self) -> None:
        self._points: list[tuple[int, int]] = []
        self._marks: list[int] = []
        self._sums: list[int] = []
        self.total = 0

    def __len__(self) -> int:
        return len(self._points)

    def place(self, mark: int) -> int:
        """Where in the file the row with this mark begins now."""
        index = bisect_right(self._marks, mark)
        return mark + (self._sums[index - 1] if index else 0)

    def add(self, mark: int, delta: int) -> None:
        """What lies behind the row with this mark has moved by so many bytes."""
        if delta:
            insort(self._points, (mark + 1, delta))
            self.total += delta
            self._marks = [point for point, _ in self._points]
            self._sums = list(accumulate(moved for _, moved in self._points))

    def mark_at(self, offset: int) -> int:
        """The mark of a row that is appended at this offset."""
        return offset - self.total
