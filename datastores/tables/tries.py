"""Tries at something that may take its time to fail, such as reaching a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rest_kit.errors import StoreUnavailable


class Tries:
    """Who waits for another's try shares its failure: trying in turn, the last of many would wait many times as long.

    seen = tries.failures
    with lock:
        tries.share(seen)
        with tries.noted():
            ...
    """

    def __init__(self) -> None:
        self.failures = 0
        self._last = ("", 0)

    def share(self, seen: int) -> None:
        """Fail as the last try did, if that was since so many had been seen (StoreUnavailable)."""
        if self.failures != seen:
            told, retry_after = self._last
            raise StoreUnavailable(told, retry_after=retry_after)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note whether the try within fails."""
        try:
            yield
        except StoreUnavailable as exc:
            # what is found wrong with the data is found soon
            if type(exc) is StoreUnavailable:
                self._last = (str(exc), exc.retry_after)
                self.failures += 1
            raise
