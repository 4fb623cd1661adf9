"""What became of a write that was noted and never marked as done: the file is asked, which is the truth.

Whoever finds such a note while holding the lock knows that its writer is dead. An exchange has come about if the file
is the very one that was to be renamed onto it. An addition has come about if all of its bytes stand behind the old end;
if only some do, these are taken off again.
"""

from __future__ import annotations

import enum
import os

from datastores.csv.entries import Entry
from datastores.csv.files import open_for_reading, reading, stamp_at, writing


class Fate(enum.Enum):
    """What the file shows of a write: all of it, a part of an addition, or nothing."""

    DONE = "done"
    TORN = "torn"
    ABSENT = "absent"


def fate_of(path: str, entry: Entry) -> Fate:
    """What became of the write (StoreUnavailable)."""
    now, before = stamp_at(path), entry.before
    if now is None or before is None:
        return Fate.ABSENT
    if entry.after is not None:
        done = now.inode == entry.after.inode and now.changed >= entry.after.changed
    elif not entry.splices:
        done = now == before
    elif now.inode != before.inode or now.size <= before.size:
        done = False
    else:
        return _fate_of_addition(path, before.size, now.size, entry.splices[0].data)
    return Fate.DONE if done else Fate.ABSENT


def _fate_of_addition(path: str, old_size: int, size: int, data: bytes) -> Fate:
    descriptor = open_for_reading(path)
    try:
        with reading(path):
            found = os.pread(descriptor, len(data), old_size)
    finally:
        os.close(descriptor)
    if found == data:
        return Fate.DONE
    # Anything that is not the beginning of what was to be written, somebody else has put there: it stays.
    return Fate.TORN if data.startswith(found) and size == old_size + len(found) else Fate.ABSENT


def keep(path: str) -> None:
    """Make durable what stands in the file (StoreError)."""
    _changed(path, None)


def cut(path: str, size: int) -> None:
    """Take off the file what lies behind this size, durably (StoreError)."""
    _changed(path, size)


def _changed(path: str, size: int | None) -> None:
    with writing(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            if size is not None:
                os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
