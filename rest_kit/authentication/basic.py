"""HTTP Basic authentication (RFC 7617): name and password with every request."""

from __future__ import annotations

import base64
import binascii
import warnings
from collections.abc import Sequence
from typing import Any

from rest_kit.authentication.base import (
    INVALID_CREDENTIALS,
    Authentication,
    authorization,
    challenge,
    misnamed,
)
from rest_kit.authentication.origins import origin_problems, refuse_foreign_writes
from rest_kit.authentication.users import Users
from rest_kit.errors import AuthenticationFailed
from rest_kit.request import Request
from rest_kit.store import refuse
from rest_kit.users import User


class DiscouragedWarning(UserWarning):
    """Something is configured that works, and that there is a better way for."""


class BasicAuthentication(Authentication):
    """`Authorization: Basic`, held against the hashed passwords of `users`.

    Discouraged, and says so by a DiscouragedWarning when it is made: the password travels with every request, and a
    slow hash is computed each time. Browsers send it whichever page asks: what pages of other sites send is refused
    where it writes, unless they are of `trusted_origins`.
    """

    users: Users

    def __init__(self, users: Users, *, realm: str = "api", trusted_origins: Sequence[str] = ()) -> None:
        problems = misnamed(realm=realm) + origin_problems(trusted_origins)
        problems += users.check() if isinstance(users, Users) else [f"takes Users(...), not {users!r}"]
        refuse(problems, type(self).__name__)
        self.users = users
        self._trusted = frozenset(trusted_origins)
        self.challenge = challenge("Basic", realm, ', charset="UTF-8"')
        warnings.warn(
            "BasicAuthentication sends the password with every request: serve it over TLS alone, or use tokens",
            DiscouragedWarning,
            stacklevel=2,
        )

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        sent = authorization(request, "basic")
        if sent is None:
            return None
        refuse_foreign_writes(request, self._trusted)
        return self.users.verify(*user_and_password(sent)), self


def user_and_password(credentials: str) -> tuple[str, str]:
    """The two parts of Basic credentials; the password may hold colons (AuthenticationFailed)."""
    try:
        text = base64.b64decode(credentials.encode("ascii"), validate=True).decode()
    except (binascii.Error, UnicodeError) as exc:
        raise AuthenticationFailed(INVALID_CREDENTIALS) from exc
    name, colon, password = text.partition(":")
    if not colon or any(one < " " or one == "\x7f" for one in text):
        raise AuthenticationFailed(INVALID_CREDENTIALS)
    return name, password
