"""The events of a list: a ring in memory of the rows before and after each change, numbered as they were committed.

Numbers begin at the microsecond in which the ring was made, so that a cursor from before a restart is behind all of
them, and its holder is told that history is gone instead of waiting for a number that never comes.
"""

from __future__ import annotations

import time
from collections import deque
from itertools import islice
from typing import Final

import msgspec

from datastores.python_list.code import Row
from rest_kit.errors import CursorGone
from rest_kit.events.log import Action
from rest_kit.types import Pk

RETENTION: Final = 10_000


class Change(msgspec.Struct, frozen=True):
    """One write: what it did to which row, the row before and after as the list keeps it, and when (epoch seconds)."""

    action: Action
    pk: Pk
    before: Row | None
    after: Row | None
    at: float


class Ring:
    """The newest changes of one list."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque(maxlen=0)
        self._start = self.last = time.time_ns() // 1000

    def keep(self, retention: int) -> None:
        """Keep at least so many from now on, as one of the stores over the list wants it."""
        if retention > (self._changes.maxlen or 0):
            self._changes = deque(self._changes, maxlen=retention)

    def extend(self, changes: list[Change]) -> None:
        """Number and add what one transaction did."""
        self._changes.extend(changes)
        self.last += len(changes)

    @property
    def newest(self) -> int:
        """The number of the newest change, 0 where there was none ever."""
        return self.last if self.last > self._start else 0

    def read(self, since: int, limit: int) -> list[tuple[int, Change]]:
        """The first changes behind `since`, numbered (CursorGone)."""
        gone = self.last - len(self._changes)
        if since == 0 and gone == self._start:
            since = gone
        if not gone <= since <= self.last:
            raise CursorGone("the events behind that cursor are no longer kept")
        return list(enumerate(islice(self._changes, since - gone, since - gone + limit), since + 1))
