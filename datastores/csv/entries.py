"""What stands in the lines of a CSV file's journal, and how a line is sealed with its checksum.

9f3a0c11 {"start":1700000000000000,"seq":...,"high":0,"format":1,...}    the head: what was before the first entry
51b2e7d0 {"before":[...],"after":null,"splices":[...],"events":[...]}    an entry: a write that is about to be done
0d44c7aa {"done":[inode,size,changed]}                                   … and its mark, which says that it was
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import msgspec

from datastores.csv.files import Stamp
from rest_kit.events.log import Action

MARK_LENGTH: Final = 96


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


class KeptReply(msgspec.Struct, array_like=True, frozen=True):
    """The reply to a write, the idempotency key that it is kept under, and until when (epoch seconds)."""

    key: str
    until: float
    digest: bytes
    reply: bytes


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One write: the file's stamp before it (and after it, where that is known beforehand), and what it does.

    `high` is the highest generated key that was ever given out; `replies` are those that the write has had.
    """

    before: Stamp | None
    after: Stamp | None
    splices: list[Splice]
    events: list[JournalEvent]
    high: int = 0
    replies: tuple[KeptReply, ...] = ()


class KeptKey(msgspec.Struct, array_like=True, frozen=True):
    """As much of a reply as is needed to find it again."""

    key: str
    until: float


class Glance(msgspec.Struct, frozen=True):
    """As much of an entry as is needed to pass it by."""

    before: Stamp | None
    events: list[msgspec.Raw]
    high: int = 0
    replies: tuple[KeptKey, ...] = ()


class Head(msgspec.Struct, frozen=True):
    """The first line: what the events were numbered from, the last one that is no longer kept, the highest key.

    `made` (in ns since the epoch) tells a journal from the one that it was made of, were all the rest alike.
    """

    start: int
    seq: int
    high: int
    format: int = 1
    made: int = 0


class Mark(msgspec.Struct, frozen=True):
    """The line that says an entry was done, and the file's stamp after it."""

    done: Stamp


class Done(msgspec.Struct, frozen=True):
    """An entry that was done, and the file's stamp after it (`UNKNOWN` if nobody looked in time)."""

    entry: Entry
    after: Stamp


_encode: Final = msgspec.json.Encoder().encode
decode_head: Final = msgspec.json.Decoder(Head).decode
decode_entry: Final = msgspec.json.Decoder(Entry).decode
decode_glance: Final = msgspec.json.Decoder(Glance).decode
decode_mark: Final = msgspec.json.Decoder(Mark).decode


def sealed(value: msgspec.Struct) -> bytes:
    """A value as a line with its checksum."""
    text = _encode(value)
    return b"%08x %b\n" % (zlib.crc32(text), text)


def sealed_mark(after: Stamp | None = None) -> bytes:
    """A mark, in the fixed length of all marks; without a stamp, the empty line that keeps its place."""
    line = b"" if after is None else sealed(Mark(after)).rstrip()
    return line.ljust(MARK_LENGTH - 1) + b"\n"


NEVER: Final = Stamp(0, 0, -1)
"""The stamp of a state that no file was ever in, and nobody follows from."""


def entry_of_reply(kept: KeptReply) -> bytes:
    """An entry, with its mark, that holds a reply alone, for a journal without the write that it is the reply to."""
    return sealed(Entry(NEVER, None, [], [], replies=(kept,))) + sealed_mark(NEVER)


def opened(line: bytes) -> bytes | None:
    """What a line holds; None where the checksum says that the line is not whole."""
    text = line[9:].rstrip()
    try:
        return text if text and int(line[:8], 16) == zlib.crc32(text) else None
    except ValueError:
        return None
