"""Who is calling, told by a header, for tests of what callers may do; and a client that calls as somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webtest import TestResponse

from rest_kit.authentication import Authentication
from rest_kit.errors import AuthenticationFailed
from rest_kit.request import Request
from rest_kit.users import User
from tests.http.support import ABSENT, Client

USERS: Mapping[str, User] = {
    "ada": User("ada", scopes=frozenset({"notes:read", "notes:write"}), record={"groups": ["editors"]}),
    "bob": User("bob", scopes=frozenset({"notes:read"}), record={"groups": "readers, guests"}),
    "root": User("root", is_admin=True),
}


class ByHeader(Authentication):
    """Believes the header `X-User`."""

    varies_by = ("X-User",)
    challenge = "X-User"

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        name = request.header("X_USER")
        if name is None:
            return None
        if name not in USERS:
            raise AuthenticationFailed("nobody is called so")
        return USERS[name], name


class As(Client):
    """The same application, asked by somebody; by nobody without a name."""

    def __init__(self, client: Client, name: str | None) -> None:
        super().__init__(client.application)
        self.name = name

    def ask(self, method: str, path: str, json: Any = ABSENT, **rest: Any) -> TestResponse:
        named = {"X_Request_ID": "always-the-same"} | ({} if self.name is None else {"X_User": self.name})
        return super().ask(method, path, json, **{**named, **rest})


def told(reply: TestResponse) -> tuple[str, list[tuple[str, str]], str]:
    """All that a reply says."""
    return reply.status, sorted(reply.headers.items()), reply.text
