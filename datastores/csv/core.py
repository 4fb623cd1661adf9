"""One CSV file as this process knows it: the mirror of its rows, kept up with the file, and the one way of writing.

Reading compares the file's stamp with the one that the mirror is of. Where they differ, the journal says what other
processes of ours have written, and the mirror follows that; anything else is another program's edit, and the whole
file is read again. Writing holds the lock that all processes respect: note it in the journal, do it, mark it as done.
The file is the truth: a write that was cut short counts if the file shows it, and otherwise never happened.

A program that does not respect the lock can still change the file in the very moment in which an exchanged version is
renamed onto it; such an edit is lost, as between any two editors. Until that moment it is noticed, and the write is
done again upon the edited file.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from datastores.csv.changes import Changes, ending, splice_into
from datastores.csv.dialect import for_new_file
from datastores.csv.entries import Done, Entry, JournalEvent
from datastores.csv.files import (
    UNKNOWN,
    ChangedMeanwhile,
    Exchange,
    FileLock,
    Stamp,
    append,
    open_for_reading,
    stamp_at,
    stamp_of,
    unavailable,
)
from datastores.csv.journal import Journal
from datastores.csv.mirror import Mirror
from datastores.csv.opening import Opening
from datastores.csv.recovery import Fate, cut, fate_of, keep
from rest_kit.errors import ReadOnly, StoreCorrupt, StoreError, StoreUnavailable
from rest_kit.models.model import Model

T = TypeVar("T")

ATTEMPTS: Final = 5
_TICK_NS: Final = 12_000_000
"""Within how many ns a file system may give two changes one time."""


class Core:
    """The one object for a file, a model and a set of options in a process; stores share it."""

    def __init__(self, path: str, options: Mapping[str, Any], model: Model | None) -> None:
        self.path = path
        self.options = options
        self.pid = os.getpid()
        self.lock = threading.RLock()
        self.opening = Opening(path, options, model)
        self.journal = Journal(path, options.get("retention", 100_000))
        self.file_lock = FileLock(path, options.get("timeout", 5))
        self._mirror: Mirror | None = None
        self._known: Stamp | None = None
        self._queue: list[Done] = []
        self._failed: tuple[Stamp, str] | None = None
        self._writing = False

    # --- reading ------------------------------------------------------------------------------------------------------

    def mirror(self) -> Mirror:
        """The rows as the file has them now; the caller holds `lock` (StoreUnavailable, StoreCorrupt)."""
        mirror = self._mirror
        if mirror is not None and (self._writing or stamp_at(self.path) == self._known):
            return mirror
        return self._refresh()

    def _refresh(self) -> Mirror:
        for _ in range(ATTEMPTS):
            stamp = self._existing()
            if self._follow(stamp):
                break
            with self.file_lock.held(to_write=False) as held:
                size = self._recover() if held else None
                if self._follow(stamp_at(self.path)):
                    break
                snapshot = self._snapshot()
            if self._load(*snapshot, size):
                break
        else:
            raise StoreUnavailable(f"{self.path} changes faster than it can be read", retry_after=1)
        assert self._mirror is not None
        return self._mirror

    def _existing(self) -> Stamp:
        """The file's stamp; the file is made from the model if it never existed (StoreUnavailable, StoreCorrupt)."""
        stamp = stamp_at(self.path)
        if stamp is None:
            self._create()
            stamp = stamp_at(self.path)
        return self._readable(stamp)

    def _readable(self, stamp: Stamp | None) -> Stamp:
        """The stamp, if there is such a file and it was not found unreadable (StoreUnavailable, StoreCorrupt)."""
        if stamp is None:
            raise StoreUnavailable(f"{self.path}: no such file")
        if self._failed is not None and self._failed[0] == stamp:
            raise StoreCorrupt(self._failed[1])
        return stamp

    def _create(self) -> None:
        if self.options.get("read_only") or self.opening.bound is None:
            raise StoreUnavailable(f"{self.path}: no such file")
        if self._mirror is not None or self.journal.exists():
            remedy = f"put it back, or remove {self.journal.path} to begin anew"
            raise StoreUnavailable(f"{self.path} is gone; {remedy}")
        header = self.opening.header_line(for_new_file(self.options, os.path.splitext(self.path)[1]))
        with self.file_lock.held(to_write=True), contextlib.suppress(ChangedMeanwhile), Exchange(self.path) as new:
            new.write(header)
            new.finish(None)
            new.swap(None)
            new.sync()

    def _poll(self) -> None:
        self._queue += self.journal.poll(self._queue[-1].after if self._queue else self._known)

    def _follow(self, stamp: Stamp | None) -> bool:
        """Bring the mirror to the file's present state by what the journal says; False if that does not lead there."""
        if self._mirror is None or self._known is None:
            return False
        self._poll()
        steps = next((n for n in range(len(self._queue), 0, -1) if self._queue[n - 1].after == stamp), 0)
        if not steps:
            return stamp == self._known
        # Until all of it is followed, the mirror is of no state that the file ever had.
        self._known = None
        try:
            for done in self._queue[:steps]:
                self._mirror.apply(done.entry.splices)
        except StoreError:
            self._drop()
            return False
        self._known = stamp
        del self._queue[:steps]
        return True

    def _drop(self) -> None:
        if self._mirror is not None:
            self._mirror.close()
        self._mirror = self._known = None
        self._queue.clear()

    def _snapshot(self) -> tuple[int, Stamp]:
        """A descriptor of the file and its stamp, old enough for the next change to have another time."""
        stamp = stamp_at(self.path) or UNKNOWN
        age = time.time_ns() - stamp.changed
        if 0 <= age < _TICK_NS:
            time.sleep((_TICK_NS - age) / 1e9)
        descriptor = open_for_reading(self.path)
        return descriptor, stamp_of(os.fstat(descriptor))

    def _load(self, descriptor: int, stamp: Stamp, size: int | None = None) -> bool:
        """Read the file, up to `size` at most; False if it changed meanwhile so that what was read makes no sense.

        No lock is held: what our own writers do meanwhile, they do behind these bytes or in another file.
        """
        self._drop()
        try:
            self._mirror = self.opening.load(descriptor, stamp.size if size is None else size)
        except StoreCorrupt as exc:
            if stamp_at(self.path) != stamp:
                return False
            self._failed = (stamp, str(exc))
            raise
        except OSError as exc:
            raise unavailable(self.path, exc) from exc
        finally:
            os.close(descriptor)
        self._known, self._failed = stamp, None
        return True

    def _recover(self) -> int | None:
        """Decide about a write that was cut short; the caller holds the file lock (StoreError).

        Where nothing may be written to set things right, the size up to which the file counts.
        """
        self._poll()
        entry = self.journal.pending()
        if entry is None:
            return None
        fate = fate_of(self.path, entry)
        try:
            self._set_right(entry, fate)
        except ReadOnly:
            return entry.before.size if fate is Fate.TORN and entry.before is not None else None
        self._poll()
        return None

    def _set_right(self, entry: Entry, fate: Fate) -> None:
        if self.options.get("read_only"):
            raise ReadOnly(f"{os.path.basename(self.path)} is served read-only")
        if fate is Fate.DONE:
            keep(self.path)
            # Nobody knows what happened between the crash and now: no follower may take this as a known state.
            self.journal.settle(UNKNOWN)
            return
        if fate is Fate.TORN and entry.before is not None:
            cut(self.path, entry.before.size)
        self.journal.cancel()

    # --- events -------------------------------------------------------------------------------------------------------

    def events(self, since: int, limit: int) -> list[tuple[int, JournalEvent]]:
        """The first events behind `since`, numbered (CursorGone, StoreUnavailable)."""
        with self.lock:
            self._look_for_events()
            return self.journal.events(since, limit)

    def last_event(self) -> int:
        """The number of the newest event, 0 for none (StoreUnavailable)."""
        with self.lock:
            self._look_for_events()
            return self.journal.newest

    def _look_for_events(self) -> None:
        self.mirror()
        # A write that changed nothing has an event, too, and leaves the file's stamp as it was.
        self._follow(self._known)

    # --- writing ------------------------------------------------------------------------------------------------------

    def atomic(self, work: Callable[[Mirror, Changes], T]) -> T:
        """Run `work` on rows that nobody else changes, then do what it gathered, all or nothing (StoreError)."""
        with self.lock:
            if self._writing:
                raise RuntimeError("atomic was called within atomic: pass the Tx on instead")
            for _ in range(ATTEMPTS):
                # Before the lock, where loading takes long; under it, only what changed meanwhile is followed.
                self.mirror()
                with contextlib.suppress(ChangedMeanwhile), self.file_lock.held(to_write=True):
                    return self._attempt(work)
        raise StoreUnavailable(f"{self.path} is being changed by another program", retry_after=1)

    def _attempt(self, work: Callable[[Mirror, Changes], T]) -> T:
        self._recover()
        mirror = self._under_lock()
        changes = Changes(self.journal.high)
        with self._trying_out(mirror):
            result = work(mirror, changes)
        if changes:
            self._commit(changes)
        return result

    def _under_lock(self) -> Mirror:
        """The rows as the file has them now, for who holds the lock already (ChangedMeanwhile, StoreError)."""
        stamp = self._readable(stamp_at(self.path))
        if not self._follow(stamp) and not self._load(*self._snapshot()):
            raise ChangedMeanwhile
        assert self._mirror is not None
        return self._mirror

    @contextlib.contextmanager
    def _trying_out(self, mirror: Mirror) -> Iterator[None]:
        mirror.try_out()
        self._writing = True
        try:
            yield
        finally:
            mirror.forget()
            self._writing = False

    def _commit(self, changes: Changes) -> None:
        if changes.only_adds:
            self._append(changes)
        else:
            self._exchange(changes)
        self._poll()
        if self.journal.is_long():
            # The write is done: whatever keeps the journal from being shortened must not make anybody do it again.
            with contextlib.suppress(StoreError, ChangedMeanwhile):
                self.journal.compact()
                self._queue.clear()

    def _append(self, changes: Changes) -> None:
        known = self._require_known()
        with self.reading(known) as descriptor:
            opening = ending(descriptor, known.size, self.dialect_newline, self.opening.dialect.bom)
        splices = changes.addition(known.size, opening)
        self.journal.begin(changes.entry(known, None, splices))
        with self._cancelling():
            after = append(self.path, known, splices[0].data) if splices else known
        self.journal.settle(after)

    def _exchange(self, changes: Changes) -> None:
        known = self._require_known()
        edits = changes.edits()
        with self.reading(known) as old, Exchange(self.path) as new:
            splice_into(new, old, known, edits)
            opening = b"" if new.ends_with_break() else self.dialect_newline
            added = changes.addition(known.size, opening)
            for splice in added:
                new.write(splice.data)
            after = new.finish(os.fstat(old))
            self.journal.begin(changes.entry(known, after, edits + added))
            with self._cancelling():
                new.swap(known)
            # From here on the file shows the write: if this fails, whoever comes next finds it done, not cancelled.
            new.sync()
        self.journal.settle(after)

    @contextlib.contextmanager
    def _cancelling(self) -> Iterator[None]:
        """Take the journal's note back if the write fails."""
        try:
            yield
        except (StoreError, ChangedMeanwhile):
            self.journal.cancel()
            raise

    def _require_known(self) -> Stamp:
        assert self._known is not None
        return self._known

    @property
    def dialect_newline(self) -> bytes:
        """The line ending of new rows, as bytes."""
        return self.opening.dialect.newline.encode()

    @contextlib.contextmanager
    def reading(self, known: Stamp | None) -> Iterator[int]:
        """A descriptor of the file in the state that has this stamp (ChangedMeanwhile, StoreUnavailable)."""
        descriptor = open_for_reading(self.path)
        try:
            if stamp_of(os.fstat(descriptor)) != known:
                raise ChangedMeanwhile
            yield descriptor
        finally:
            os.close(descriptor)

    def stretch(self, at: int, length: int) -> bytes:
        """Bytes of the file in the state that the mirror is of (ChangedMeanwhile, StoreUnavailable)."""
        with self.reading(self._known) as descriptor:
            return os.pread(descriptor, length, at)

    def close(self) -> None:
        """Let go of the mirror; it is made again at the next use."""
        with self.lock:
            self._drop()
