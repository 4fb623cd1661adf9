"""What an authentication class is: it reads one kind of credentials off a request, and says whose they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from rest_kit.request import Request
from rest_kit.signing import Keys
from rest_kit.users import User


class Authentication(ABC):
    """Reads one kind of credentials; several are tried in order, and the first that finds its own decides."""

    varies_by: ClassVar[tuple[str, ...]] = ("Authorization",)
    """The request's headers that the answer depends on."""
    challenge: str = ""
    """How a caller can log in, for `WWW-Authenticate` (RFC 9110 §11.6.1)."""

    @abstractmethod
    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        """The user, and by what; None where no credentials of this kind were sent (AuthenticationFailed)."""

    def check(self, keys: Keys) -> list[str]:
        """A sentence for everything that makes it unfit for an application with these keys."""
        return []

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
