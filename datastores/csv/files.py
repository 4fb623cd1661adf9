"""The file system as the CSV store uses it: stamps, a lock between processes, an append, an exchange of the whole file.

Every change of the file is one of two steps. An append writes behind the old end, and takes it back where it fails. An
exchange renames a finished, synchronised copy onto the file. What the operating system refuses becomes a StoreError:
StoreFull for no room, ReadOnly for what may not be written, StoreUnavailable for the rest.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import random
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from rest_kit.errors import ReadOnly, StoreFull, StoreUnavailable

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BLOCK: Final = 1 << 20
_NOT_ALLOWED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Stamp(NamedTuple):
    """What tells one state of a file from another: inode, size, and time of change in ns (strictly later each time)."""

    inode: int
    size: int
    changed: int


UNKNOWN: Final = Stamp(0, 0, 0)
"""The stamp that no file has."""


class ChangedMeanwhile(Exception):
    """Another program changed the file while a write was on its way; nothing was written, and it can be tried again."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp in what `os.stat` says."""
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def stamp_at(path: str) -> Stamp | None:
    """The stamp of the file at the path, None where there is none (StoreUnavailable)."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise unavailable(path, exc) from exc
    if not stat.S_ISREG(status.st_mode):
        raise StoreUnavailable(f"{path} is not a file")
    return stamp_of(status)


def unavailable(path: str, exc: OSError) -> StoreUnavailable:
    """What an error of the operating system means for the store."""
    reason = os.strerror(exc.errno) if exc.errno else str(exc)
    if exc.errno in _NO_ROOM:
        return StoreFull(f"{path}: {reason}")
    return StoreUnavailable(f"{path}: {reason}")


@contextlib.contextmanager
def writing(path: str) -> Iterator[None]:
    """Turns the operating system's refusals to write into store errors (ReadOnly, StoreFull, StoreUnavailable)."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _NOT_ALLOWED:
            # what is refused for good is told to clients, who have no business with our directories
            raise ReadOnly(f"{os.path.basename(path)} cannot be written: {os.strerror(exc.errno or 0)}") from exc
        raise unavailable(path, exc) from exc


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """Turns the operating system's refusals to read into store errors (StoreUnavailable)."""
    try:
        yield
    except OSError as exc:
        raise unavailable(path, exc) from exc


def open_for_reading(path: str) -> int:
    """A descriptor (StoreUnavailable)."""
    with reading(path):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything, in as few steps as the system takes (OSError)."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def append(path: str, known: Stamp, data: bytes) -> Stamp:
    """Write data behind the end of the file that has this stamp, durably; its new stamp.

    All or nothing as far as the process lives (ChangedMeanwhile, StoreFull, ReadOnly, StoreUnavailable).
    """
    with writing(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            if stamp_of(os.fstat(descriptor)) != known:
                raise ChangedMeanwhile
            try:
                write_all(descriptor, data)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, known.size)
                raise
            after = stamp_of(os.fstat(descriptor))
        finally:
            os.close(descriptor)
    return after if after.size == known.size + len(data) else UNKNOWN


class Exchange:
    """A new version of a file, written beside it and then renamed onto it; used as a context, which tidies up."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.temporary = beside(path, "temp")
        self._descriptor = -1

    def __enter__(self) -> Exchange:
        with writing(self.path):
            # One that was left behind may belong to somebody else.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.temporary)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self.temporary, flags, 0o600)
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.temporary)

    def write(self, data: bytes) -> None:
        """Add to the new version (StoreFull, StoreUnavailable)."""
        with writing(self.path):
            write_all(self._descriptor, data)

    def copy(self, source: int, start: int, end: int) -> None:
        """Add a stretch of another file, unchanged (StoreFull, StoreUnavailable)."""
        with writing(self.path):
            while start < end:
                block = os.pread(source, min(_BLOCK, end - start), start)
                if not block:
                    raise ChangedMeanwhile
                write_all(self._descriptor, block)
                start += len(block)

    def ends_with_break(self) -> bool:
        """Whether the last byte so far ends a line; of nothing, true."""
        size = os.fstat(self._descriptor).st_size
        return size == 0 or os.pread(self._descriptor, 1, size - 1) in (b"\n", b"\r")

    def finish(self, like: os.stat_result | None) -> Stamp:
        """Make the new version durable, with the other's mode and owner and a later time; its stamp (StoreError)."""
        with writing(self.path):
            if like is not None:
                self._own(like)
                # A clock of the file system that ticks every few ms must not give two versions one time.
                now = max(time.time_ns(), like.st_mtime_ns + 1)
                os.utime(self._descriptor, ns=(now, now))
            else:
                os.fchmod(self._descriptor, 0o666 & ~_umask())
            os.fsync(self._descriptor)
            return stamp_of(os.fstat(self._descriptor))

    def _own(self, like: os.stat_result) -> None:
        """Take on mode, owner and group, the latter two as far as the process may give them away."""
        for owner, group in ((-1, like.st_gid), (like.st_uid, -1)):
            with contextlib.suppress(PermissionError):
                os.fchown(self._descriptor, owner, group)
        os.fchmod(self._descriptor, stat.S_IMODE(like.st_mode))

    def swap(self, known: Stamp | None) -> None:
        """Rename the new version onto the file if that still has this stamp (ChangedMeanwhile, StoreError)."""
        if stamp_at(self.path) != known:
            raise ChangedMeanwhile
        with writing(self.path):
            try:
                os.replace(self.temporary, self.path)
            except OSError as exc:
                if exc.errno == errno.EBUSY:
                    what = "is a mount of its own and cannot be exchanged; mount its directory to change rows"
                    raise ReadOnly(f"{os.path.basename(self.path)} {what}") from exc
                raise

    def sync(self) -> None:
        """Make the new name durable; until then a crash may bring the old version back (StoreUnavailable)."""
        with writing(self.path):
            sync_directory(self.path)


def _umask() -> int:
    """The process's umask, read where the system shows it without setting it (which other threads would notice)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0o022
    return next((int(line.split()[1], 8) for line in status.splitlines() if line.startswith("Umask:")), 0o022)


def sync_directory(path: str) -> None:
    """Make the names in the file's directory durable (OSError)."""
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def beside(path: str, what: str) -> str:
    """The path of a companion of the file: `.<name>.rest_kit-<what>`, in the same directory."""
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.rest_kit-{what}")


def mode_like(path: str) -> int:
    """The mode of a companion: whoever may read or write the file may do so with its companions."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode) & 0o666
    except FileNotFoundError:
        return 0o666


class FileLock:
    """A lock that all processes respect, on a companion of the file, since the file itself gets exchanged."""

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.companion = beside(path, "lock")
        self.timeout = timeout

    @contextlib.contextmanager
    def held(self, *, to_write: bool) -> Iterator[bool]:
        """Hold the lock; yields False, holding nothing, where a mere reader finds none and may not make one.

        ReadOnly for a writer that may not; StoreUnavailable if another process keeps it beyond the timeout.
        """
        descriptor = self._open(to_write)
        if descriptor is None:
            yield False
            return
        try:
            self._wait(descriptor)
            try:
                yield True
            finally:
                # Said aloud: a child forked meanwhile keeps the descriptor, and with it an unreleased lock.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)

    def _open(self, to_write: bool) -> int | None:
        try:
            if not to_write:
                return os.open(self.companion, os.O_RDONLY | os.O_CLOEXEC)
            with writing(self.path):
                return os.open(self.companion, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode_like(self.path))
        except (FileNotFoundError, PermissionError):
            return None

    def _wait(self, descriptor: int) -> None:
        deadline = time.monotonic() + self.timeout
        pause = 0.0002
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as exc:
                if time.monotonic() > deadline:
                    raise StoreUnavailable(f"{self.path} is locked by another process") from exc
            time.sleep(pause * random.random())
            pause = min(pause * 1.3, 0.003)
