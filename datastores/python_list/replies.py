"""The replies that a list's writes have had, by idempotency key: in memory beside the list, the oldest first."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from typing import Final

from rest_kit.store import IDEMPOTENCY_SECONDS

DROPPED: Final = 8
"""How many replies whose time is up one new reply takes away at most."""


class Replies:
    """The replies of one list, each for `IDEMPOTENCY_SECONDS`; who calls holds the list's lock for writers."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, bytes, float]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> tuple[bytes, bytes] | None:
        """The digest and the reply under a key."""
        found = self._kept.get(key)
        return None if found is None or found[2] <= time.time() else found[:2]

    def put(self, key: str, digest: bytes, reply: bytes) -> Callable[[], None]:
        """Keep a reply, and let go of some whose time is up; what takes that back."""
        now = time.time()
        for old in [old for old, (_, _, until) in islice(self._kept.items(), DROPPED) if until <= now]:
            del self._kept[old]
        before = self._kept.pop(key, None)
        self._kept[key] = (digest, reply, now + IDEMPOTENCY_SECONDS)

        def undo() -> None:
            del self._kept[key]
            if before is not None:
                self._kept[key] = before

        return undo
