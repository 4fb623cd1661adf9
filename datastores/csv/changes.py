"""What one write does to a CSV file: rows added, edited and taken out, gathered until all of it is done at once.

The outcome is a list of splices in the order of the file: additions alone append to it, anything else exchanges it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from datastores.csv.entries import Entry, JournalEvent, KeptReply, Splice
from datastores.csv.files import Exchange, Stamp
from datastores.csv.mirror import Place


class Changes:
    """The changes of one write so far. `high` is the highest key that was given out."""

    def __init__(self, high: int) -> None:
        self.high = high
        self.events: list[JournalEvent] = []
        self.replies: dict[str, KeptReply] = {}
        self._edits: dict[int, Splice] = {}
        self._added: dict[int, bytes] = {}

    def __bool__(self) -> bool:
        return bool(self.events or self.replies or self._edits or self._added)

    @property
    def only_adds(self) -> bool:
        """Whether nothing that lies in the file is touched."""
        return not self._edits

    def add(self, number: int, row: bytes) -> None:
        """A new row, known to the mirror by that number."""
        self._added[number] = row

    def current(self, number: int) -> bytes | None:
        """The bytes of a row that this write has added or edited already."""
        if number in self._added:
            return self._added[number]
        return self._edits[number].data if number in self._edits else None

    def edit(self, place: Place, pk: str, row: bytes) -> None:
        """Other bytes for a row; none of them take it out."""
        if place.number not in self._added:
            at, length = self._origin(place)
            self._edits[place.number] = Splice(at, length, row.decode("latin-1"), pk)
        elif row:
            self._added[place.number] = row
        else:
            del self._added[place.number]

    def _origin(self, place: Place) -> tuple[int, int]:
        """Where the row lies in the file, whatever this write has made of it."""
        earlier = self._edits.get(place.number)
        return (place.at, place.length) if earlier is None else (earlier.at, earlier.length)

    def entry(self, before: Stamp, after: Stamp | None, splices: list[Splice]) -> Entry:
        """What the journal notes of the write."""
        return Entry(before, after, splices, self.events, self.high, tuple(self.replies.values()))

    def edits(self) -> list[Splice]:
        """The rows edited and taken out, in the order of the file."""
        return sorted(self._edits.values(), key=lambda splice: splice.at)

    def addition(self, size: int, opening: bytes) -> list[Splice]:
        """The added rows, as one splice at the end; `opening` ends a last line that has no ending."""
        if not self._added:
            return []
        data = opening + b"".join(self._added.values())
        return [Splice(size, 0, data.decode("latin-1"))]


def ending(descriptor: int, size: int, newline: bytes, bom: bytes) -> bytes:
    """What must be written first so that a new row begins a line: a line ending, or nothing."""
    if size <= len(bom):
        return b""
    last = os.pread(descriptor, 1, size - 1)
    return b"" if last in (b"\n", b"\r") else newline


def splice_into(new: Exchange, old: int, stamp: Stamp, splices: Sequence[Splice]) -> None:
    """Write the old file's bytes to the new one, with the splices made (ChangedMeanwhile, StoreError)."""
    for start, end, data in _stretches(splices, stamp.size):
        new.copy(old, start, end)
        new.write(data)


def _stretches(splices: Sequence[Splice], size: int) -> Iterator[tuple[int, int, bytes]]:
    """The stretches that stay, each with the bytes that follow it."""
    start = 0
    for splice in splices:
        yield start, splice.at, splice.data
        start = splice.at + splice.length
    yield start, size, b""
