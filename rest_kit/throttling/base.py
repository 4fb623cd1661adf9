"""What a throttle is: it says what to count for a request, and how much of it is allowed in how long."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rest_kit.request import Request
from rest_kit.storage import Storage, Window


class Throttle(ABC):
    """Counts requests in windows of time; immutable, the counts are kept in its storage or the application's.

    `early`: it counts before anybody's credentials are looked at, so that guessing them is limited.
    """

    early: bool = False
    storage: Storage | None = None
    """Where the counts are kept; None: where the application keeps them."""

    @abstractmethod
    def windows(self, request: Request, view: Any) -> tuple[Window, ...]:
        """What this request counts in; nothing where it is not limited."""
