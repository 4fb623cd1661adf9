"""What an authentication class is: it reads one kind of credentials off a request, and says whose they are."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rest_kit.errors import AuthenticationFailed
from rest_kit.request import Request
from rest_kit.signing import LEAST_BYTES, Keys, weakness
from rest_kit.store import refuse
from rest_kit.users import User

if TYPE_CHECKING:
    from rest_kit.authentication.users import Users

INVALID_CREDENTIALS: Final = "Invalid credentials"
INVALID_TOKEN: Final = "Invalid token"
EXPIRED_TOKEN: Final = "Token expired"
MAX_CREDENTIALS: Final = 4096
"""How many characters credentials may have, before anybody looks at what they say."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_QUOTABLE: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*\Z")


class Authentication(ABC):
    """Reads one kind of credentials; several are tried in order, and the first that finds its own decides."""

    varies_by: tuple[str, ...] = ("Authorization",)
    """The request's headers that the answer depends on."""
    parameters: tuple[str, ...] = ()
    """The query parameters that it reads, which are taken out of the query before anything else sees it."""
    guessable: bool = True
    """Whether somebody who tries often enough may hit on good credentials, as passwords can be; throttles then count
    before they are looked at."""
    challenge: str = ""
    """How a caller can log in, for `WWW-Authenticate` (RFC 9110 §11.6.1)."""

    users: Users | None = None
    """Whom it looks up; None where it keeps none."""

    @abstractmethod
    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        """The user, and by what; None where no credentials of this kind were sent (AuthenticationFailed)."""

    def check(self, keys: Keys) -> list[str]:
        """A sentence for everything that makes it unfit for an application with these keys."""
        return self._mixed_up(keys)

    def refuse_mixed_up(self, request: Request | None) -> None:
        """Refuse to make what another table's users of the same label could log in by (ConfigurationError).

        The class may be used by a function alone, and then nobody has checked it before.
        """
        if request is not None:
            refuse(self._mixed_up(request.view.keys), type(self).__name__)

    def _mixed_up(self, keys: Keys) -> list[str]:
        """A sentence where users of another table have the same label."""
        users = self.users
        if users is None or keys.is_apart(users.label, users.store):
            return []
        return [
            f"{self!r} looks users up elsewhere than another class does, and both are labelled {users.label!r}: share "
            "one Users(...), or tell them apart by Users(..., label=...)"
        ]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Signing(Authentication):
    """Signs with a `secret` of its own (one, or several, newest first), or with the application's."""

    guessable = False

    def __init__(self, secret: str | Sequence[str] | None) -> None:
        several, problems = secrets_of(secret)
        refuse(problems, type(self).__name__)
        self._own = None if secret is None else Keys(several)

    def check(self, keys: Keys) -> list[str]:
        return super().check(keys) + ([] if self._own is not None else keys.problems(type(self).__name__))

    def keys(self, request: Request | None) -> Keys:
        """What it signs with: its own keys, or those of the application that a request is for."""
        if self._own is not None:
            return self._own
        if request is None:
            raise ValueError(
                f"{self!r} signs with the application's secret: give it the request, or a secret= of its own"
            )
        keys: Keys = request.view.keys
        return keys


def secrets_of(secret: str | Sequence[str] | None, least: int = LEAST_BYTES) -> tuple[list[str], list[str]]:
    """The secrets that an option holds, and a sentence for each that is unfit."""
    several = [] if secret is None else [secret] if isinstance(secret, str) else list(secret)
    if secret is not None and not several:
        return several, ["secret must not be empty; leave it out for the application's"]
    weak = [weakness(one.encode(), least) if isinstance(one, str) else "a secret must be a text" for one in several]
    return several, [problem for problem in weak if problem]


def authorization(request: Request, scheme: str) -> str | None:
    """The credentials of the `Authorization` header if they are of a scheme (RFC 9110 §11.4), else None.

    `scheme` is lower-cased. AuthenticationFailed where there are none, or more than anybody has.
    """
    given = request.environ.get("HTTP_AUTHORIZATION")
    if given is None:
        return None
    said, _, credentials = given.partition(" ")
    if said.lower() != scheme:
        return None
    credentials = credentials.strip(" ")
    if not credentials or len(credentials) > MAX_CREDENTIALS:
        raise AuthenticationFailed(INVALID_TOKEN)
    found: str = credentials
    return found


def challenge(scheme: str, realm: str, more: str = "") -> str:
    """A challenge for `WWW-Authenticate`."""
    return f'{scheme} realm="{realm}"{more}'


def misnamed(**names: Any) -> list[str]:
    """A sentence for each name that cannot stand in a header: schemes, headers and cookies are tokens, realms texts."""
    problems = []
    for option, value in names.items():
        pattern, wanted = (_QUOTABLE, "plain ASCII without quotes") if option == "realm" else (_TOKEN, "one ASCII word")
        if not isinstance(value, str) or not pattern.match(value):
            problems.append(f"{option} must be {wanted}, not {value!r}")
    return problems
