"""What a permission is, and how permissions are combined.

A permission answers three questions of one request: whether it may be made at all, which records the caller may see
(`scope`), and whether a record that can be seen may be worked on. They are small values, made once.
"""

from __future__ import annotations

from typing import Any, Final

from rest_kit.errors import ConfigurationError
from rest_kit.models import Model
from rest_kit.query import Any as AnyOf
from rest_kit.query import Where, conjoin
from rest_kit.request import Request
from rest_kit.rows import matches
from rest_kit.types import Record

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing (RFC 9110 §9.2.1)."""


class Permission:
    """Allows everything; subclasses say otherwise. `view` is the controller that is asked.

    `a & b`, `a | b` and `~a` combine permissions; `~` only those without a scope (ConfigurationError).
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the request may be made, before any record is looked at."""
        return True

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Whether the request may be made of this record, whose fields are members and attributes alike.

        Asked of each record that is read, changed or deleted, and of a new one as it is about to be stored. What
        lists are to leave out belongs into `scope`: a list holding a record that is refused here is refused whole.
        """
        return True

    def scope(self, request: Request) -> Where | None:
        """The condition that every record fulfils which this request may see; None: all may be seen."""
        return None

    def fill_in(self, request: Request, record: Record) -> None:
        """Give a new record what it owes to the one who makes it, where it has not been sent."""

    def storing(self, request: Request, record: Record) -> None:
        """Told of a new record within the transaction that stores it, which may run again."""

    def written(self, request: Request, before: Record | None, after: Record | None) -> None:
        """Told once of a record that was created (no `before`), changed, or deleted (no `after`), when it is kept.

        What this raises is logged, as it can undo nothing any more.
        """

    def check(self, model: Model) -> list[str]:
        """A sentence for everything that makes the permission unfit for records of this model."""
        return []

    @property
    def has_scope(self) -> bool:
        """Whether `scope` ever hides anything."""
        return type(self).scope is not Permission.scope

    @property
    def follows_writes(self) -> bool:
        """Whether `written` does anything."""
        return type(self).written is not Permission.written

    @property
    def asks_objects(self) -> bool:
        """Whether `has_object_permission` ever refuses anything."""
        return type(self).has_object_permission is not Permission.has_object_permission

    def __and__(self, other: Permission) -> Permission:
        return Both(self, other) if isinstance(other, Permission) else NotImplemented

    def __or__(self, other: Permission) -> Permission:
        return Either(self, other) if isinstance(other, Permission) else NotImplemented

    def __invert__(self) -> Permission:
        return Not(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Combined(Permission):
    """Several permissions as one."""

    sign = ""

    def __init__(self, *parts: Permission) -> None:
        self.parts = parts

    def storing(self, request: Request, record: Record) -> None:
        for part in self.parts:
            part.storing(request, record)

    def written(self, request: Request, before: Record | None, after: Record | None) -> None:
        for part in self.parts:
            part.written(request, before, after)

    def check(self, model: Model) -> list[str]:
        return [problem for part in self.parts for problem in part.check(model)]

    @property
    def has_scope(self) -> bool:
        return any(part.has_scope for part in self.parts)

    @property
    def follows_writes(self) -> bool:
        return any(part.follows_writes for part in self.parts)

    @property
    def asks_objects(self) -> bool:
        return any(part.asks_objects for part in self.parts)

    def __repr__(self) -> str:
        return f"({self.sign.join(map(repr, self.parts))})"


class Both(_Combined):
    """All of the permissions hold."""

    sign = " & "

    def __invert__(self) -> Permission:
        return Either(*(~part for part in self.parts))

    def has_permission(self, request: Request, view: Any) -> bool:
        return all(part.has_permission(request, view) for part in self.parts)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return all(part.has_object_permission(request, view, obj) for part in self.parts)

    def scope(self, request: Request) -> Where | None:
        return conjoin(*(part.scope(request) for part in self.parts))

    def fill_in(self, request: Request, record: Record) -> None:
        for part in self.parts:
            part.fill_in(request, record)


class Either(_Combined):
    """At least one of the permissions holds; what one refuses altogether, its scope and objects do not allow either."""

    sign = " | "

    def __invert__(self) -> Permission:
        return Both(*(~part for part in self.parts))

    def has_permission(self, request: Request, view: Any) -> bool:
        return any(part.has_permission(request, view) for part in self.parts)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return any(
            part.has_permission(request, view)
            and matches(part.scope(request), obj)
            and part.has_object_permission(request, view, obj)
            for part in self.parts
        )

    def scope(self, request: Request) -> Where | None:
        scopes = [part.scope(request) for part in self.parts if part.has_permission(request, request.view)]
        found = [scope for scope in scopes if scope is not None]
        return None if len(found) < len(scopes) else AnyOf(*found)

    def fill_in(self, request: Request, record: Record) -> None:
        for part in self.parts:
            if part.has_permission(request, request.view):
                part.fill_in(request, record)

    def written(self, request: Request, before: Record | None, after: Record | None) -> None:
        for part in self.parts:
            if part.has_permission(request, request.view):
                part.written(request, before, after)


class Not(Permission):
    """The permission, which is no combination, does not hold: each of the questions that it answers turned round.

    What lets a request pass before any record is looked at must be refused there already, as at most addresses there
    is no record to ask about afterwards.
    """

    def __init__(self, part: Permission) -> None:
        if part.has_scope:
            raise ConfigurationError(f"~{part!r}: a permission that hides records cannot be turned round")
        self.part = part
        answers = type(part).has_permission is not Permission.has_permission
        self._asks_requests = answers or not part.asks_objects

    def __invert__(self) -> Permission:
        return self.part

    def has_permission(self, request: Request, view: Any) -> bool:
        return not (self._asks_requests and self.part.has_permission(request, view))

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return not (self.asks_objects and self.part.has_object_permission(request, view, obj))

    def check(self, model: Model) -> list[str]:
        return self.part.check(model)

    @property
    def asks_objects(self) -> bool:
        return self.part.asks_objects

    def __repr__(self) -> str:
        return f"~{self.part!r}"
