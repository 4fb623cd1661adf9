"""The change log of a list, read from its ring of events."""

from __future__ import annotations

from collections.abc import Callable

from datastores.python_list.core import ListCore
from datastores.python_list.events import Change
from datastores.python_list.view import ListView
from rest_kit.events.log import Event, EventLog


class ListLog(EventLog):
    """The list's ring of events, read as the records of one view."""

    def __init__(self, core: ListCore, view: Callable[[], ListView]) -> None:
        self._core = core
        self._view = view

    def read(self, since: int, limit: int = 100) -> list[Event]:
        view = self._view()
        with self._core.lock:
            return [_event(view, seq, change) for seq, change in self._core.ring.read(since, limit)]

    def last(self) -> int:
        return self._core.ring.newest


def _event(view: ListView, seq: int, change: Change) -> Event:
    """A change with its rows typed: plainly, as they may be in a form that the list holds no longer."""
    before = None if change.before is None else view.plainly(change.before)
    after = None if change.after is None else view.plainly(change.after)
    record = after or before
    assert record is not None
    return Event(seq, change.action, record[view.pk_name], before, after, change.at)
