"""The contract between rest_kit and whatever keeps the bytes of files.

A storage gives each file a key of its own making, under which it can be opened and deleted. It knows nothing of
records: a file is saved before the record that names it, and deleted after nothing names it any more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple


class OpenedFile(NamedTuple):
    """A file to be read: a seekable `stream`, its `size` in bytes, when it was saved (`modified`, Unix time)."""

    stream: BinaryIO
    size: int
    modified: float


class FileStorage(ABC):
    """Keeps files under keys that it makes; instances are immutable, thread-safe, and survive a fork.

    Nothing is opened or made before the first use. A key is 1 to 200 letters, digits or `- . _ /`, and never given
    to two files.
    """

    @abstractmethod
    def save(self, chunks: Iterable[bytes]) -> str:
        """Keep what the chunks hold, for good, and return its key (StoreFull, StoreUnavailable).

        What iterating raises is raised on, and then nothing is kept.
        """

    @abstractmethod
    def open(self, key: str) -> OpenedFile:
        """The file under a key (FileNotFoundError where there is none; StoreUnavailable)."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Let go of a file; one that is not there is gone already (StoreUnavailable)."""

    @abstractmethod
    def keys(self, older_than: float) -> Iterator[str]:
        """The keys of all files, half-saved ones too, last written more than so many seconds ago."""
