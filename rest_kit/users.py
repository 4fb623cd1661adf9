"""Who is calling: users as permissions and throttles see them.

A user is a record of whatever store the users are kept in, or made by an authentication class that keeps none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rest_kit.types import Pk


class User:
    """Somebody who is logged in; `pk` tells users apart, and `label` those of one table from those of another.

    `record` holds whatever else is known; each of its members is an attribute too. Compares equal to its own primary
    key, so that `obj.owner == request.user` says whose an object is.
    """

    __slots__ = ("is_admin", "label", "name", "pk", "record", "scopes")

    is_authenticated = True

    def __init__(
        self,
        pk: Pk | None,
        *,
        name: str = "",
        is_admin: bool = False,
        scopes: frozenset[str] = frozenset(),
        record: Mapping[str, Any] | None = None,
        label: str = "",
    ) -> None:
        self.pk = pk
        self.name = name
        self.is_admin = is_admin
        self.scopes = scopes
        self.label = label
        self.record: Mapping[str, Any] = record if record is not None else {}

    def __getattr__(self, name: str) -> Any:
        # a copy that is still being made has no record, and is asked for methods such as __setstate__
        if name == "record" or name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.record[name]
        except KeyError as exc:
            raise AttributeError(name) from exc

    def __eq__(self, other: object) -> bool:
        if isinstance(other, User):
            return type(self) is type(other) and (self.pk, self.label) == (other.pk, other.label)
        return self.pk is not None and type(other) is type(self.pk) and self.pk == other

    def __hash__(self) -> int:
        return hash(self.pk)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.pk!r}>"


class AnonymousUser(User):
    """Nobody: who is calling is not known."""

    __slots__ = ()

    is_authenticated = False


ANONYMOUS: Final = AnonymousUser(None)
