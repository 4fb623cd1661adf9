"""Counting a request in all of its windows at once, and telling the caller how many are left."""

from __future__ import annotations

from collections.abc import Sequence

from rest_kit.request import Request
from rest_kit.storage import Storage
from rest_kit.throttling.base import Throttle


def count(throttles: Sequence[Throttle], request: Request, storage: Storage) -> None:
    """Count a request, with the headers that say how many are left (Throttled where it is one too many)."""
    raise NotImplementedError
