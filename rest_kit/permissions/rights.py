"""The four rights, as Django names them, and what has which: users, and the groups that they are in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from rest_kit import jsonio
from rest_kit.errors import ConfigurationError, did_you_mean
from rest_kit.permissions.base import SAFE_METHODS
from rest_kit.request import Request
from rest_kit.types import Pk
from rest_kit.users import User

RIGHTS: Final = ("view", "add", "change", "delete")
"""What can be granted: to read, to create, to update (and to run an action), to delete."""

Rights = str | Iterable[str]
"""Some of them: `"view|change"`, or several texts."""


class Group(msgspec.Struct, frozen=True):
    """A group of users, where rights are given to all of its members; `User.groups` names a user's."""

    name: str


def read_rights(given: Any, where: str) -> frozenset[str]:
    """Rights as a set (ConfigurationError for what is none)."""
    found = given.split("|") if isinstance(given, str) else given
    if not isinstance(found, Iterable):
        raise ConfigurationError(f'{where} must be rights, such as "view|change", not {given!r}')
    names = [one.strip() if isinstance(one, str) else one for one in found]
    wrong = [f"{where} names no right {one!r}{did_you_mean(str(one), RIGHTS)}" for one in names if one not in RIGHTS]
    if wrong or not names:
        raise ConfigurationError(wrong or f'{where} must be rights, such as "view|change", not {given!r}')
    return frozenset(names)


def right_for(request: Request) -> str:
    """The right that a request needs; an action that changes something needs `change`."""
    if request.method in SAFE_METHODS:
        return "view"
    if request.action == "partial_update":
        return "change"  # whatever the method: a DELETE that takes the file of an object away leaves the object
    if request.method == "DELETE":
        return "delete"
    return "add" if request.action == "create" else "change"


def resource_of(view: Any) -> str:
    """The name of the resource or the route that a permission is asked with."""
    name: str = view.spec.name if hasattr(view, "spec") else view.name
    return name


def groups_of(user: User) -> tuple[str, ...]:
    """The names of the groups that a user is in: the attribute `groups`, a list, or a text parted by commas."""
    found = getattr(user, "groups", None) or ()
    return tuple(name.strip() for name in (found.split(",") if isinstance(found, str) else map(str, found)))


def holder(who: User | Group | Pk) -> str:
    """How somebody who holds rights is written: `user:7`, `user:"ada"`, `group:editors` (ConfigurationError)."""
    if isinstance(who, Group):
        return f"group:{who.name}"
    pk = who.pk if isinstance(who, User) else who
    if pk is None:
        raise ConfigurationError("rights are given to users and groups; nobody in particular can hold none")
    return f"user:{jsonio.encode(pk).decode()}"


def holders(user: User) -> tuple[str, ...]:
    """All that a user acts as: the user, and every group; nobody, where nobody is logged in."""
    if not user.is_authenticated or user.pk is None:
        return ()
    return (holder(user), *(holder(Group(name)) for name in groups_of(user)))
