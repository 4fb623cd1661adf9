"""The journal beside a CSV file: what each write does, noted before it is done, and its events.

A write takes one entry and one mark (see `entries`). The room of the mark is taken with the entry, so that saying
"done" needs no space on a full disk. An entry without a mark is a write that was cut short; `pending` hands it to
whoever holds the lock next, and that one looks at the file, which is the truth, whether the write had come about. Until
then nobody counts it. Readers take no lock: they stop at the first line that is not whole.

The number of an event is that of the head plus its place among the events since. A new journal begins to count at the
microsecond in which it is made, so that a cursor of one that was removed is known to be gone.

Replies to writes lie in the entries of these, for as long as they are kept, however few events are.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO, Final, NamedTuple, TypeVar

import msgspec

from datastores.csv.entries import (
    MARK_LENGTH,
    Done,
    Entry,
    Head,
    JournalEvent,
    KeptKey,
    KeptReply,
    decode_entry,
    decode_glance,
    decode_head,
    decode_mark,
    entry_of_reply,
    opened,
    sealed,
    sealed_mark,
)
from datastores.csv.files import (
    ChangedMeanwhile,
    Exchange,
    Stamp,
    beside,
    mode_like,
    reading,
    stamp_at,
    stamp_of,
    sync_directory,
    write_all,
    writing,
)
from rest_kit.errors import CursorGone, StoreCorrupt, StoreUnavailable

T = TypeVar("T")


class _Place(NamedTuple):
    """Where the entry with a reply lies, how long it is, and until when the reply is kept."""

    at: int
    length: int
    until: float


_SLACK: Final = 1000
_MANY_BYTES: Final = 1 << 24
_DROPPED: Final = 8


class Journal:
    """One process's view of the journal: how far it has read, and where each event lies. Not thread-safe by itself."""

    def __init__(self, path: str, retention: int) -> None:
        self.file = path
        self.path = beside(path, "journal")
        self.retention = retention
        self._forget()

    def _forget(self) -> None:
        self.high = 0
        self.last = 0
        self._head = b""
        self._inode = 0
        self._start = 0
        self._gone = 0
        self._place = 0
        self._mark_place = 0
        self._firsts: list[int] = []
        self._places: list[int] = []
        self._replies: dict[str, _Place] = {}
        self._weight = 0

    # --- reading ------------------------------------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether anything was ever noted (StoreUnavailable)."""
        return stamp_at(self.path) is not None

    def poll(self, known: Stamp | None) -> list[Done]:
        """The writes done since the last poll that lead on from this state of the file (StoreError).

        Where the journal was replaced, all that it keeps are looked at.
        """
        stamp = stamp_at(self.path)
        if stamp is None:
            self._forget()
        if stamp is None or (stamp.inode == self._inode and stamp.size == self._place):
            return []
        with reading(self.path), open(self.path, "rb") as stream:
            return self._read_on(stream, known)

    def _read_on(self, stream: BinaryIO, known: Stamp | None) -> list[Done]:
        head = stream.readline()
        if head != self._head:
            self._forget()
            self._inode = os.fstat(stream.fileno()).st_ino
            if not self._take_head(head):
                return []
        stream.seek(self._place)
        chain = []
        for text, after in self._follow(stream):
            if self._decoded(decode_glance, text).before == known:
                chain.append(Done(self._decoded(decode_entry, text), after))
                known = after
        return chain

    def _take_head(self, line: bytes) -> bool:
        text = opened(line)
        if text is None:
            return False
        head = self._decoded(decode_head, text)
        self._head = line
        self._start = head.start
        self._gone = self.last = head.seq
        self.high = head.high
        self._place = len(line)
        return True

    def _follow(self, lines: Iterator[bytes]) -> Iterator[tuple[bytes, Stamp]]:
        """Take in what was done, up to the first line that is not whole; each entry's text, and the stamp after it."""
        for line in lines:
            text, mark = opened(line), opened(next(lines, b""))
            if text is None or mark is None:
                return
            glance = self._decoded(decode_glance, text)
            if glance.events:
                self._firsts.append(self.last + 1)
                self._places.append(self._place)
            self.last += len(glance.events)
            self.high = max(self.high, glance.high)
            for kept in glance.replies:
                self._note_reply(kept, len(line) + MARK_LENGTH)
            self._place += len(line) + MARK_LENGTH
            yield text, self._decoded(decode_mark, mark).done

    def _decoded(self, decode: Callable[[bytes], T], text: bytes) -> T:
        try:
            return decode(text)
        except msgspec.DecodeError as exc:
            raise self._damaged() from exc

    def _damaged(self) -> StoreCorrupt:
        return StoreCorrupt(f"{self.path}: damaged at byte {self._place}; move it away to go on without its events")

    @property
    def newest(self) -> int:
        """The number of the newest event, 0 where there was none ever."""
        return self.last if self.last > self._start else 0

    def events(self, since: int, limit: int) -> list[tuple[int, JournalEvent]]:
        """The first events behind `since` of those that were read, with their numbers (CursorGone, StoreError)."""
        gone = max(self._gone, self.last - self.retention)
        if since == 0 and gone == self._start:
            since = gone
        if not gone <= since <= self.last:
            raise CursorGone("the events behind that cursor are no longer kept")
        if since == self.last or limit <= 0:
            return []
        with reading(self.path), open(self.path, "rb") as stream:
            if stream.readline() != self._head:
                raise StoreUnavailable(f"{self.path}: replaced meanwhile", retry_after=1)
            return self._collect(stream, since, limit)

    def _collect(self, stream: BinaryIO, since: int, limit: int) -> list[tuple[int, JournalEvent]]:
        found: list[tuple[int, JournalEvent]] = []
        index = max(bisect_right(self._firsts, since + 1) - 1, 0)
        while len(found) < limit and index < len(self._firsts):
            entry = self._entry_at(stream, self._places[index])
            found += [(n, event) for n, event in enumerate(entry.events, self._firsts[index]) if n > since]
            index += 1
        return found[:limit]

    def _entry_at(self, stream: BinaryIO, place: int) -> Entry:
        stream.seek(place)
        text = opened(stream.readline())
        if text is None:
            raise self._damaged()
        return self._decoded(decode_entry, text)

    # --- replies ------------------------------------------------------------------------------------------------------

    def _note_reply(self, kept: KeptKey, length: int) -> None:
        """Remember where a reply is, and forget some whose time is up; the oldest come first."""
        now = time.time()
        over = [key for key, place in islice(self._replies.items(), _DROPPED) if place.until <= now]
        for key in {*over, kept.key} & self._replies.keys():
            self._weight -= self._replies.pop(key).length
        self._replies[kept.key] = _Place(self._place, length, kept.until)
        self._weight += length

    def reply(self, key: str) -> KeptReply | None:
        """The reply under a key; for who holds the lock, and has read everything (StoreError)."""
        place = self._replies.get(key)
        if place is None or place.until <= time.time():
            return None
        with reading(self.path), open(self.path, "rb") as stream:
            return self._reply_at(stream, place, key)

    def _reply_at(self, stream: BinaryIO, place: _Place, key: str) -> KeptReply:
        return next(kept for kept in self._entry_at(stream, place.at).replies if kept.key == key)

    def _replies_before(self, stream: BinaryIO, start: int) -> Iterator[KeptReply]:
        """The replies that are still kept, of the entries that lie before a place."""
        now = time.time()
        for key, place in self._replies.items():
            if place.at < start and place.until > now:
                yield self._reply_at(stream, place, key)

    def pending(self) -> Entry | None:
        """The write that was noted and not marked as done, once everything before it was read (StoreError).

        Only for who holds the lock: with anybody else, it may be a write that is under way.
        """
        stamp = stamp_at(self.path)
        if stamp is None or stamp.size == self._place:
            return None
        with reading(self.path), open(self.path, "rb") as stream:
            stream.seek(self._place)
            line, mark, more = stream.readline(), stream.readline(), stream.read(1)
        text = opened(line)
        if more or opened(mark) is not None:
            raise self._damaged()
        if text is None or not self._place or len(mark) != MARK_LENGTH:
            return None
        self._mark_place = self._place + len(line)
        return self._decoded(decode_entry, text)

    # --- writing: only by who holds the lock --------------------------------------------------------------------------

    def begin(self, entry: Entry) -> None:
        """Note durably what is about to be done (ChangedMeanwhile, StoreFull, ReadOnly, StoreUnavailable)."""
        head = b"" if self._place else self._new_head()
        line = sealed(entry)
        with writing(self.path):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, mode_like(self.file))
            try:
                self._write_behind(descriptor, head + line + sealed_mark())
                self._inode = os.fstat(descriptor).st_ino
            finally:
                os.close(descriptor)
            if head:
                sync_directory(self.path)
                self._take_head(head)
        self._mark_place = self._place + len(line)

    def _new_head(self) -> bytes:
        start = time.time_ns() // 1000
        return sealed(Head(start, start, self.high))

    def _write_behind(self, descriptor: int, data: bytes) -> None:
        """Write behind what is whole, in place of what is not, or else leave nothing (ChangedMeanwhile, OSError)."""
        if os.fstat(descriptor).st_size < self._place:
            raise ChangedMeanwhile
        try:
            os.ftruncate(descriptor, self._place)
            os.lseek(descriptor, self._place, os.SEEK_SET)
            write_all(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._place)
            raise

    def settle(self, after: Stamp) -> None:
        """Mark the write that was begun as done, with the file's stamp after it (StoreError)."""
        with writing(self.path):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.pwrite(descriptor, sealed_mark(after), self._mark_place)
            finally:
                os.close(descriptor)

    def cancel(self) -> None:
        """Take back the write that was begun (StoreError)."""
        with writing(self.path):
            os.truncate(self.path, self._place)

    def is_long(self) -> bool:
        """Whether so much lies in it that is no longer kept, that it pays to write it anew."""
        if self.last - self._gone > self.retention + max(self.retention, _SLACK):
            return True
        return not self._firsts and self._place - self._weight > _MANY_BYTES

    def compact(self) -> None:
        """Write the journal anew with the newest events and the replies only, all that it holds being done.

        ChangedMeanwhile if somebody took it away; StoreError.
        """
        seq, start = self._kept_from()
        with reading(self.path), open(self.path, "rb") as old, Exchange(self.path) as new:
            status = os.fstat(old.fileno())
            new.write(sealed(Head(self._start, seq, self.high, made=time.time_ns())))
            for kept in self._replies_before(old, start):
                new.write(entry_of_reply(kept))
            new.copy(old.fileno(), start, self._place)
            new.finish(status)
            new.swap(stamp_of(status))
            new.sync()

    def _kept_from(self) -> tuple[int, int]:
        """The number of the last event that is dropped, and the place of the first entry that is kept."""
        index = bisect_right(self._firsts, self.last - self.retention + 1) - 1
        if index < 0:
            return self.last, self._place
        return self._firsts[index] - 1, self._places[index]
