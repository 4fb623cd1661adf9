"""What a throttle is: it says what to count for a request, and how much of it is allowed in how long."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rest_kit.errors import did_you_mean
from rest_kit.request import Request
from rest_kit.storage import Storage, Window

ON_FAILURE = ("closed", "open")


class Throttle(ABC):
    """Counts requests in windows of time; immutable, the counts are kept in its storage or the application's.

    `early`: it counts before anybody's credentials are looked at, so that guessing them is limited.
    """

    early: bool = False
    storage: Storage | None = None
    """Where the counts are kept; None: where the application keeps them."""
    on_failure: str = "closed"
    """What becomes of requests while the counts cannot be reached: "closed" (503), or "open" (they pass uncounted)."""

    @abstractmethod
    def windows(self, request: Request, view: Any) -> tuple[Window, ...]:
        """What this request counts in; nothing where it is not limited."""

    def guesses(self, request: Request, view: Any) -> tuple[Window, ...]:
        """What this request counts in if its credentials turn out not to be good; without room, they are not read."""
        return ()

    def check(self, view: Any, *, authenticates: bool) -> list[str]:
        """A sentence for everything that makes it unfit for a controller or an endpoint.

        `authenticates`: whether anything finds out there who is calling.
        """
        if self.on_failure in ON_FAILURE:
            return []
        hint = did_you_mean(str(self.on_failure), ON_FAILURE)
        return [f"{type(self).__name__} on_failure must be 'closed' or 'open', not {self.on_failure!r}{hint}"]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
