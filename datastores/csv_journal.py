"""The journal beside a CSV file: what each write does, noted before it is done, and its events.

    9f3a0c11 {"start":1700000000000000,"seq":...,"high":0,"format":1}        the head: what was before the first entry
    51b2e7d0 {"before":[...],"after":null,"splices":[...],"events":[...]}    an entry: a write that is about to be done
    0d44c7aa {"done":[inode,size,changed]}                                   … and its mark, which says that it was

Every line begins with its checksum. A mark is of fixed length and its room is taken with the entry, so that saying
"done" needs no space. An entry without a mark is a write that was cut short; `pending` hands it to whoever holds the
lock next, and that one looks at the file, which is the truth, whether the write had come about. Until then nobody
counts it. Readers take no lock: they stop at the first line that is not whole.

The number of an event is that of the head plus its place among the events since. A new journal begins to count at the
microsecond in which it is made, so that a cursor of one that was removed is known to be gone.
"""

from __future__ import annotations

import os
import time
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from datastores.csv_files import (
    UNKNOWN,
    Exchange,
    Stamp,
    beside,
    mode_like,
    stamp_at,
    stamp_of,
    unavailable,
    write_all,
    writing,
)
from rest_kit.errors import StoreCorrupt, StoreUnavailable
from rest_kit.events.log import Action, CursorGone

MARK_LENGTH: Final = 96
_SLACK: Final = 1000
_MANY_BYTES: Final = 1 << 24


class Splice(msgspec.Struct, array_like=True, frozen=True):
    """One stretch of the file, of `length` bytes at offset `at` (before the write), and the bytes that replace it.

    `pk` is the key, as a cell, of the row that lay there; None where rows are appended. `text` holds the bytes, each
    as the character of that number.
    """

    at: int
    length: int
    text: str
    pk: str | None = None

    @property
    def data(self) -> bytes:
        """The bytes that replace the stretch."""
        return self.text.encode("latin-1")

    @property
    def delta(self) -> int:
        """By how much the file grows."""
        return len(self.text) - self.length


class JournalEvent(msgspec.Struct, array_like=True, frozen=True):
    """An event as it is kept: values as JSON, or where JSON has no such type as the text of a cell."""

    action: Action
    pk: Any
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: float


class Entry(msgspec.Struct, frozen=True):
    """One write: the file's stamp before it (and after it, where that is known beforehand), and what it does.

    `high` is the highest generated key that was ever given out.
    """

    before: Stamp | None
    after: Stamp | None
    splices: list[Splice]
    events: list[JournalEvent]
    high: int = 0


class _Head(msgspec.Struct, frozen=True):
    """The first line: what the events were numbered from, the last one that is no longer kept, the highest key."""

    start: int
    seq: int
    high: int
    format: int = 1


class _Mark(msgspec.Struct, frozen=True):
    done: Stamp


class Done(msgspec.Struct, frozen=True):
    """An entry that was done, and the file's stamp after it (`UNKNOWN` if nobody looked in time)."""

    entry: Entry
    after: Stamp


_encode: Final = msgspec.json.Encoder().encode
_decode_head: Final = msgspec.json.Decoder(_Head).decode
_decode_entry: Final = msgspec.json.Decoder(Entry).decode
_decode_mark: Final = msgspec.json.Decoder(_Mark).decode


def sealed(value: msgspec.Struct) -> bytes:
    """A value as a line with its checksum, the line's end left to the caller."""
    text = _encode(value)
    return b"%08x " % zlib.crc32(text) + text


def opened(line: bytes) -> bytes | None:
    """What a line holds; None where the checksum says that the line is not whole."""
    text = line[9:].rstrip()
    try:
        return text if text and int(line[:8], 16) == zlib.crc32(text) else None
    except ValueError:
        return None


def _chained(done: Iterable[Done], known: Stamp | None) -> Iterator[Done]:
    """Those of the writes that lead on from a state of the file, one after the other."""
    for each in done:
        if each.entry.before == known:
            known = each.after
            yield each


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
        self._inode = 0
        self._start = 0
        self._gone = 0
        self._place = 0
        self._size = 0
        self._firsts: list[int] = []
        self._places: list[int] = []

    # --- reading ------------------------------------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether anything was ever noted (StoreUnavailable)."""
        return stamp_at(self.path) is not None

    def poll(self, known: Stamp | None) -> list[Done]:
        """The writes done since the last poll that lead on from this state of the file (StoreError).

        Where the journal was replaced, all that it keeps are looked at.
        """
        stamp = stamp_at(self.path)
        if stamp is None or stamp.inode != self._inode or stamp.size < self._place:
            self._forget()
        if stamp is None or stamp.size == self._place:
            return []
        try:
            with open(self.path, "rb") as stream:
                self._inode = os.fstat(stream.fileno()).st_ino
                stream.seek(self._place)
                return list(_chained(self._follow(iter(stream)), known))
        except OSError as exc:
            raise unavailable(self.path, exc) from exc

    def _follow(self, lines: Iterator[bytes]) -> Iterator[Done]:
        """Take in what was done, up to the first line that is not whole."""
        if self._place == 0 and not self._take_head(next(lines, b"")):
            return
        for line in lines:
            text, mark = opened(line), opened(next(lines, b""))
            if text is None or mark is None:
                return
            entry = self._decoded(_decode_entry, text)
            if entry.events:
                self._firsts.append(self.last + 1)
                self._places.append(self._place)
            self.last += len(entry.events)
            self.high = max(self.high, entry.high)
            self._place += len(line) + MARK_LENGTH
            yield Done(entry, self._decoded(_decode_mark, mark).done)

    def _take_head(self, line: bytes) -> bool:
        text = opened(line)
        if text is None:
            return False
        head = self._decoded(_decode_head, text)
        self._start = head.start
        self._gone = self.last = head.seq
        self.high = head.high
        self._place = len(line)
        return True

    def _decoded(self, decode: Any, text: bytes) -> Any:
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
        found: list[tuple[int, JournalEvent]] = []
        index = max(bisect_right(self._firsts, since + 1) - 1, 0)
        for number, entry in self._entries_from(index):
            for seq, event in enumerate(entry.events, number):
                if seq > since:
                    found.append((seq, event))
                if len(found) == limit:
                    return found
        return found

    def _entries_from(self, index: int) -> Iterator[tuple[int, Entry]]:
        """The entries with events from this place in the index on, with the number of their first event."""
        try:
            with open(self.path, "rb") as stream:
                if os.fstat(stream.fileno()).st_ino != self._inode:
                    raise StoreUnavailable(f"{self.path}: replaced meanwhile", retry_after=1)
                for number, place in zip(self._firsts[index:], self._places[index:], strict=True):
                    stream.seek(place)
                    text = opened(stream.readline())
                    if text is None:
                        raise self._damaged()
                    yield number, self._decoded(_decode_entry, text)
        except OSError as exc:
            raise unavailable(self.path, exc) from exc

    # --- writing: only by who holds the lock --------------------------------------------------------------------------

    def pending(self) -> Entry | None:
        """The write that was noted and not marked as done, once everything before it was read (StoreError)."""
        stamp = stamp_at(self.path)
        if stamp is None or stamp.size == self._place:
            return None
        with open(self.path, "rb") as stream:
            stream.seek(self._place)
            line, mark, more = stream.readline(), stream.readline(), stream.read(1)
        if more:
            raise self._damaged()
        text = opened(line)
        if opened(mark) is not None:
            raise self._damaged()
        if text is None or self._place == 0 or len(mark) != MARK_LENGTH:
            self.cancel()
            return None
        entry: Entry = self._decoded(_decode_entry, text)
        self._size = self._place + len(line)
        return entry

    def begin(self, entry: Entry) -> None:
        """Note durably what is about to be done (StoreFull, ReadOnly, StoreUnavailable)."""
        line = sealed(entry) + b"\n"
        head = b"" if self._place else self._new_head()
        with writing(self.path):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, mode_like(self.file))
            try:
                self._write_at(descriptor, head + line + b" " * (MARK_LENGTH - 1) + b"\n")
            finally:
                os.close(descriptor)
        if head:
            self._take_head(head)
        self._size = self._place + len(line)

    def _new_head(self) -> bytes:
        start = time.time_ns() // 1000
        return sealed(_Head(start, start, self.high)) + b"\n"

    def _write_at(self, descriptor: int, data: bytes) -> None:
        """Write at the end of what is whole, or else leave the journal as it was (OSError)."""
        try:
            os.lseek(descriptor, self._place, os.SEEK_SET)
            write_all(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._place)
            raise
        self._inode = os.fstat(descriptor).st_ino

    def settle(self, after: Stamp) -> None:
        """Mark the write that was begun as done, with the file's stamp after it (StoreError)."""
        mark = sealed(_Mark(after)).ljust(MARK_LENGTH - 1) + b"\n"
        with writing(self.path):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.pwrite(descriptor, mark, self._size)
            finally:
                os.close(descriptor)

    def cancel(self) -> None:
        """Take back the write that was begun, or a line that is not whole (StoreError)."""
        with writing(self.path):
            os.truncate(self.path, self._place)

    def is_long(self) -> bool:
        """Whether so much lies in it that is no longer kept, that it pays to write it anew."""
        if self.last - self._gone > self.retention + max(self.retention, _SLACK):
            return True
        return not self._firsts and self._place > _MANY_BYTES

    def compact(self) -> None:
        """Write the journal anew with the newest events only, all of it being done (StoreError)."""
        keep = bisect_right(self._firsts, max(self.last - self.retention + 1, 1)) - 1 if self._firsts else 0
        start = self._places[keep] if self._firsts else self._place
        seq = self._firsts[keep] - 1 if self._firsts else self.last
        with Exchange(self.path) as new, open(self.path, "rb") as old:
            stamp = stamp_of(os.fstat(old.fileno()))
            new.write(sealed(_Head(self._start, seq, self.high)) + b"\n")
            new.copy(old.fileno(), start, self._place)
            new.finish(os.fstat(old.fileno()))
            new.swap(stamp)
        self._forget()
        self.poll(None)


__all__ = ["UNKNOWN", "Done", "Entry", "Journal", "JournalEvent", "Splice"]
