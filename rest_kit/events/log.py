"""The change log: every create, update and delete of a store as one event, numbered in the order of commits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import msgspec

from rest_kit.types import Pk, Record

Action = Literal["created", "updated", "deleted"]


class Event(msgspec.Struct, frozen=True):
    """One change: its place in the log, what happened to which record, the row before and after, and when (epoch s)."""

    seq: int
    action: Action
    pk: Pk
    before: Record | None
    after: Record | None
    at: float


class EventLog(ABC):
    """The events of one resource, each of which exists if and only if its write does."""

    @abstractmethod
    def read(self, since: int, limit: int = 100) -> list[Event]:
        """The first `limit` events with a `seq` greater than `since`, in order (CursorGone, StoreUnavailable)."""

    @abstractmethod
    def last(self) -> int:
        """The `seq` of the newest event, 0 where there was none ever (StoreUnavailable)."""
