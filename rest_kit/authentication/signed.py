"""Tokens that carry what they say, signed by itsdangerous, and that end by time: nothing is kept for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from itsdangerous import BadData, SignatureExpired

from rest_kit.authentication.base import (
    EXPIRED_TOKEN,
    INVALID_TOKEN,
    Signing,
    authorization,
    challenge,
    misnamed,
)
from rest_kit.authentication.users import Users
from rest_kit.errors import AuthenticationFailed, MalformedBody
from rest_kit.request import Request
from rest_kit.store import refuse
from rest_kit.types import Pk
from rest_kit.users import User


class SignedTokenAuthentication(Signing):
    """`Authorization: Bearer <token>`, of tokens that `create` has signed; they hold for `max_age` seconds.

    Signed with `secret` (a list for rotation, newest first), or the application's own. A token of one `purpose` is
    nothing to another. A user who is disabled, or has another password since, is out at once.
    """

    users: Users

    def __init__(
        self,
        users: Users,
        *,
        secret: str | Sequence[str] | None = None,
        max_age: int = 3600,
        purpose: str = "login",
        keyword: str = "Bearer",
        realm: str = "api",
    ) -> None:
        problems = misnamed(purpose=purpose, keyword=keyword, realm=realm)
        if not isinstance(users, Users):
            problems.append(f"takes Users(...), not {users!r}")
        if type(max_age) is not int or max_age <= 0:
            problems.append(f"max_age must be a number of seconds, not {max_age!r}: no token holds for ever")
        refuse(problems, type(self).__name__)
        super().__init__(secret)
        self.users = users
        self.max_age = max_age
        self._salt = f"rest_kit.token.{purpose}"
        self._scheme = keyword.lower()
        self.challenge = challenge(keyword, realm)

    def create(self, user: User | Pk, request: Request | None = None, *, scopes: Iterable[str] | None = None) -> str:
        """A new token; where the application's secret signs, give the request that it is made for.

        `scopes` narrow what the user may do with it (AuthenticationFailed where there is no such user any more).
        """
        self.refuse_mixed_up(request)
        key = self.users.key_of(user)
        record = self.users.find(key)
        if record is None:
            raise AuthenticationFailed(INVALID_TOKEN)
        granted = None if scopes is None else " ".join(scopes)
        made = self.keys(request).timed(self._salt).dumps([key, self.users.stamp(record), granted])
        return made if isinstance(made, str) else made.decode()

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        token = authorization(request, self._scheme)
        if token is None:
            return None
        try:
            key, stamp, granted = self.keys(request).timed(self._salt).loads(token, max_age=self.max_age)
        except SignatureExpired as exc:
            raise AuthenticationFailed(EXPIRED_TOKEN) from exc
        except (BadData, MalformedBody, ValueError) as exc:
            raise AuthenticationFailed(INVALID_TOKEN) from exc
        record = self.users.find(key)
        if record is None or self.users.stamp(record) != stamp:
            raise AuthenticationFailed(INVALID_TOKEN)
        return self.users.user(record, None if granted is None else frozenset(granted.split())), self
