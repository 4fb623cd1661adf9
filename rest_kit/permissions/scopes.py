"""Permissions that look at what a caller's credentials are good for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_kit.errors import ConfigurationError
from rest_kit.permissions.base import SAFE_METHODS, Permission
from rest_kit.request import Request


class HasScope(Permission):
    """Whoever's credentials carry all of these scopes: `User.scopes`, such as those of a token (RFC 6749 §3.3).

    `HasScope("books")` asks for one whatever is done. `read` and `write` (a text or several) are asked for in
    addition, by the method of the request: `HasScope(read="books:read", write="books:write")`. ConfigurationError
    where none is named.
    """

    def __init__(self, *scopes: str, read: str | Iterable[str] = (), write: str | Iterable[str] = ()) -> None:
        self.scopes = scopes
        self.read = frozenset((*scopes, *_several(read)))
        self.write = frozenset((*scopes, *_several(write)))
        wrong = [scope for scope in (*self.read, *self.write) if not isinstance(scope, str) or not scope.strip()]
        if wrong or not (self.read or self.write):
            raise ConfigurationError(f'HasScope takes names of scopes, such as HasScope("books:read"), not {wrong!r}')

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = self.read if request.method in SAFE_METHODS else self.write
        return wanted <= request.user.scopes

    def __repr__(self) -> str:
        if self.read == self.write:
            return f"HasScope({', '.join(map(repr, self.scopes))})"
        return f"HasScope(read={sorted(self.read)!r}, write={sorted(self.write)!r})"


def _several(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
