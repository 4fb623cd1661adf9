"""One list in this process, whoever serves it: its locks, views, events and replies, and the transaction under way.

Every store over the same list shares its core. Writers take `writing` for a whole transaction, and `lock` from their
first write to its end; readers take `lock` alone, so that they wait for no hook and never see half a transaction.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from datastores.python_list.code import Row
from datastores.python_list.events import Change, Ring
from datastores.python_list.forms import clone
from datastores.python_list.replies import Replies
from datastores.python_list.view import ListView
from rest_kit.errors import StoreCorrupt
from rest_kit.events.log import Action
from rest_kit.forks import Shared, renew_after_fork
from rest_kit.models.model import Model
from rest_kit.types import Pk

T = TypeVar("T")
_cores: Final[Shared[int, ListCore]] = Shared()


def core_of(rows: list[Row]) -> ListCore:
    """The one core of this very list."""
    return _cores.at(id(rows), lambda: ListCore(rows))


class ListCore:
    """What all stores over one list have in common."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.ring = Ring()
        self.replies = Replies()
        self.steps: Steps | None = None
        self._highest: dict[str, int] = {}
        self._views: list[weakref.ref[ListView]] = []
        self._make_locks()
        renew_after_fork(self, ListCore._after_fork)

    def _make_locks(self) -> None:
        self.writing = threading.RLock()
        self.lock = threading.RLock()

    def view(self, model: Model, indexes: Sequence[str]) -> ListView:
        """The list as seen through a model."""
        with self.lock:
            for view in self.views():
                if view.model is model and view.indexed == {view.pk_name, *indexes}:
                    return view
            view = ListView(self.rows, model, indexes, self._highest)
            self._views = [weakref.ref(there) for there in (*self.views(), view)]
            return view

    def views(self) -> list[ListView]:
        """Every view that is in use."""
        return [view for reference in self._views if (view := reference()) is not None]

    def run(self, work: Callable[[Steps], T], *, log: bool) -> T:
        """Run `work` with the list to itself: all its steps are kept, or none; within another run, as a part of it."""
        with self.writing:
            if self.steps is not None:
                return self.steps.part(work)
            self.steps = steps = Steps(self, log=log)
            try:
                result = steps.part(work)
                steps.commit()
                return result
            finally:
                self.steps = None
                steps.close()

    def _after_fork(self) -> None:
        """Start with locks of one's own in a forked child, without what another thread was in the middle of."""
        steps = self.steps
        if steps is not None and steps.thread == threading.get_ident():
            return
        self._make_locks()
        self.steps = None
        if steps is not None:
            steps.undo()
        for view in self.views():
            view.forget_all()


class Steps:
    """The writes of one transaction, each done at once and noted so that it can be undone."""

    def __init__(self, core: ListCore, *, log: bool) -> None:
        self.thread = threading.get_ident()
        self._core = core
        self._views: list[ListView] = []
        self._log = log
        self._open = True
        self._held = False
        self._undo: list[Callable[[], None]] = []
        self._changes: list[Change] = []

    def part(self, work: Callable[[Steps], T]) -> T:
        """Run `work`; when it raises, take back what it has done."""
        writes, changes = len(self._undo), len(self._changes)
        done = False
        try:
            result = work(self)
            done = True
            return result
        finally:
            if not done:
                self._take_back(writes, changes)

    def begin(self, own: ListView) -> None:
        """Keep readers out from now on, with every view up to date with the list (StoreCorrupt for one's own)."""
        if not self._open:
            raise RuntimeError("a transaction was used after its end")
        if not self._held:
            self._core.lock.acquire()
            self._held = True
        self._views = self._core.views()
        for view in self._views:
            try:
                view.settle()
            except StoreCorrupt:
                # a view that cannot read the list says so to its own users, and holds up nobody else
                if view is own:
                    raise

    def close(self) -> None:
        """Let readers in; nothing can be written any more."""
        self._open = False
        if self._held:
            self._held = False
            self._core.lock.release()

    def undo(self) -> None:
        """Take back everything."""
        self._take_back(0, 0)

    def _take_back(self, writes: int, changes: int) -> None:
        if len(self._undo) == writes:
            return
        while len(self._undo) > writes:
            self._undo.pop()()
        del self._changes[changes:]
        for view in self._core.views():
            if view not in self._views:
                view.forget_all()

    def commit(self) -> None:
        """Put what was done into the ring."""
        if self._changes:
            self._core.ring.extend(self._changes)

    def _note(self, action: Action, pk: Pk, before: Row | None, after: Row | None) -> None:
        if self._log:
            self._changes.append(Change(action, pk, before, None if after is None else _copy(after), time.time()))

    @property
    def replies(self) -> Replies:
        """The replies that are kept beside the list."""
        return self._core.replies

    def put_reply(self, key: str, digest: bytes, reply: bytes) -> None:
        """Keep a reply."""
        self._undo.append(self._core.replies.put(key, digest, reply))

    # --- the writes ---------------------------------------------------------------------------------------------------

    def append(self, pk: Pk, row: Row) -> None:
        """Add a row at the end."""
        self._core.rows.append(row)
        for view in self._views:
            view.came(row)
            view.appended(row)
        self._undo.append(lambda: self._take_out(row))
        self._note("created", pk, None, row)

    def change(self, pk: Pk, row: Row, values: Row) -> None:
        """Replace some of a row's values in place."""
        before = _copy(row)
        self._replace(row, values)
        self._undo.append(lambda: self._restore(row, before))
        self._note("updated", pk, before, row)

    def remove(self, pk: Pk, position: int) -> None:
        """Take out the row at a position."""
        row = self._core.rows[position]
        self._take_out(row, position)
        self._undo.append(lambda: self._put_back(row, position))
        self._note("deleted", pk, _copy(row), None)

    def _replace(self, row: Row, values: Row) -> None:
        for view in self._views:
            view.leaving(row)
        row.update(values)
        for view in self._views:
            view.came(row)

    def _restore(self, row: Row, before: Row) -> None:
        for view in self._views:
            view.leaving(row)
        for name in row.keys() - before.keys():
            del row[name]
        row.update(before)
        for view in self._views:
            view.came(row)

    def _take_out(self, row: Row, position: int | None = None) -> None:
        rows, views = self._core.rows, self._views
        if position is None:
            position = next(p for p in range(len(rows) - 1, -1, -1) if rows[p] is row)
        pks = [view.pk_of(row) for view in views]
        for view in views:
            view.leaving(row)
        del rows[position]
        for view, pk in zip(views, pks, strict=True):
            view.removed(pk)

    def _put_back(self, row: Row, position: int) -> None:
        self._core.rows.insert(position, row)
        for view in self._views:
            view.came(row)
            view.restored(position)


_CHANGEABLE: Final = frozenset({list, dict})


def _copy(row: Row) -> Row:
    """A copy that shares nothing which may change."""
    # PERF: insert: a row of scalars is copied in a fifth of the time
    if _CHANGEABLE.isdisjoint(map(type, row.values())):
        return row.copy()
    return {name: clone(value) for name, value in row.items()}
