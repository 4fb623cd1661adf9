"""Files in one folder of the file system, each under a random name.

    .<32 hexadecimal digits>.part      being received, or left by a process that was killed meanwhile
    <32 hexadecimal digits>            complete, and on the disk

Nothing that a client sends becomes a part of a path, and no name ends in what another program would run or show.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from rest_kit.errors import ConfigurationError, StoreFull, StoreUnavailable
from rest_kit.uploads.storage import FileStorage, OpenedFile

_KEY: Final = re.compile(r"[0-9a-f]{32}\Z")
_UNFINISHED: Final = re.compile(r"\.[0-9a-f]{32}\.part\Z")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OLD: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class DirectoryStorage(FileStorage):
    """Keeps files in a folder, readable by this user alone; the folder is made when the first file comes.

    `path`: the folder, a str or a path; what is relative is so to the working directory at construction. It should
    hold nothing else, and lie where no web server shows it (ConfigurationError).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise ConfigurationError(f"path must be a folder, not {path!r}", owner="DirectoryStorage")
        self.path = Path(os.path.abspath(path))

    def save(self, chunks: Iterable[bytes]) -> str:
        key = secrets.token_hex(16)
        unfinished = self.path / f".{key}.part"
        try:
            self._write(unfinished, chunks)
            os.rename(unfinished, self.path / key)
            self._settle()
        except OSError as exc:
            self._take_back(unfinished, self.path / key)
            raise _failed(exc) from exc
        except BaseException:
            self._take_back(unfinished)
            raise
        return key

    def _write(self, path: Path, chunks: Iterable[bytes]) -> None:
        """A new file with what the chunks hold, on the disk when this returns."""
        with os.fdopen(self._new(path), "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def _new(self, path: Path) -> int:
        try:
            return os.open(path, _NEW, 0o600)
        except FileNotFoundError:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
            return os.open(path, _NEW, 0o600)

    def _settle(self) -> None:
        """Have the folder itself on the disk, where the system can do that."""
        if os.name == "posix":
            folder = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _take_back(self, *paths: Path) -> None:
        for path in paths:
            with suppress(OSError):
                os.unlink(path)

    def open(self, key: str) -> OpenedFile:
        if not _KEY.match(key):
            raise FileNotFoundError(key)
        try:
            stream = os.fdopen(os.open(self.path / key, _OLD), "rb")
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise _failed(exc) from exc
        found = os.fstat(stream.fileno())
        return OpenedFile(stream, found.st_size, found.st_mtime)

    def delete(self, key: str) -> None:
        if not (_KEY.match(key) or _UNFINISHED.match(key)):
            return
        try:
            os.unlink(self.path / key)
        except FileNotFoundError:
            pass
        except OSError as exc:
            raise _failed(exc) from exc

    def keys(self, older_than: float) -> Iterator[str]:
        latest = time.time() - older_than
        try:
            entries = list(os.scandir(self.path))
        except FileNotFoundError:
            return
        except OSError as exc:
            raise _failed(exc) from exc
        for entry in entries:
            if _KEY.match(entry.name) or _UNFINISHED.match(entry.name):
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < latest:
                        yield entry.name

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DirectoryStorage) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"DirectoryStorage({str(self.path)!r})"


def _failed(exc: OSError) -> StoreUnavailable:
    """What the disk's refusal is for whoever asks."""
    if exc.errno in _FULL:
        return StoreFull(f"no room for a file: {exc}")
    return StoreUnavailable(f"the folder of files cannot be used: {exc}")
