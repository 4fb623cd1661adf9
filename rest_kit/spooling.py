"""Temporary files without a name, for what is too long to be held in memory; they are gone when they are closed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from rest_kit.errors import StoreFull


@contextmanager
def spooled(chunks: Iterable[bytes], in_memory: int) -> Iterator[IO[bytes]]:
    """A file with what the chunks hold, to be read from its start; on the disk if it has more bytes than `in_memory`.

    StoreFull where the disk does not take them, and what iterating raises.
    """
    with tempfile.SpooledTemporaryFile(in_memory) as file:
        for chunk in chunks:
            _put(file, chunk)
        file.seek(0)
        yield file


def _put(file: IO[bytes], data: bytes) -> None:
    """Write some bytes, and have them out of Python's hands."""
    try:
        file.write(data)
        file.flush()
    except OSError as exc:
        with suppress(OSError):
            file.close()  # which tries again to write
        raise StoreFull(f"no room for a temporary file: {exc}") from exc
