"""One resource as different callers see it: without fields that they may not read, with others that they cannot set.

For each set of such fields that occurs, the resource is made ready once more, as if its model said so: hidden fields
are write-only then, or, where they cannot be set either, unknown. Relations through hidden fields are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from rest_kit.errors import Conflict
from rest_kit.models import Model
from rest_kit.permissions.fields import FieldPermissions
from rest_kit.relations import Graph, Related, Relation
from rest_kit.request import Request

ServedT = TypeVar("ServedT")

MOST: Final = 64
"""For how many different sets of fields a resource is kept ready."""


class Limits(msgspec.Struct, frozen=True):
    """What a caller may not read (`hidden`) and not set (`fixed`), and the relations that this closes (`blocked`)."""

    hidden: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    blocked: frozenset[Relation] = frozenset()

    @property
    def told(self) -> str:
        """What tells representations apart that show different fields; "" for the whole."""
        return f" without {', '.join(sorted(self.hidden))}" if self.hidden else ""

    def model(self, model: Model) -> Model:
        """The model as the caller sees it."""
        return model.seen_without(self.hidden, self.fixed) if self.hidden or self.fixed else model

    def options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a controller without the names that the caller may not read."""
        narrowed = dict(options)
        for key in ("filter_fields", "search_fields", "ordering_fields"):
            if key in options:
                narrowed[key] = [name for name in options[key] if name not in self.hidden]
        if "ordering" in options:
            given = options["ordering"]
            keys = given.split(",") if isinstance(given, str) else given
            narrowed["ordering"] = [key for key in keys if key.removeprefix("-") not in self.hidden]
        return narrowed

    def related(self, related: Related) -> Related:
        """The relations of a resource, without the names of those that are closed."""
        to_one = {name: one for name, one in related.to_one.items() if one not in self.blocked}
        to_many = {name: one for name, one in related.to_many.items() if one not in self.blocked}
        return Related(to_one, to_many, related.outgoing, related.incoming)


EVERYTHING: Final = Limits()


class Variants(Generic[ServedT]):
    """The variants of one resource; `plain` shows everything, and `make` makes another."""

    def __init__(self, owner: Any, plain: ServedT, make: Callable[[Limits], ServedT], graph: Graph | None) -> None:
        self.owner = owner
        self.graph = graph
        self._make = make
        self._made: dict[Limits, ServedT] = {EVERYTHING: plain}

    def of(self, request: Request) -> ServedT:
        """The variant for a caller, who may have asked another resource (NotAuthenticated, PermissionDenied)."""
        return request.remember(
            ("variant", self, request.method, request.view is self.owner), lambda: self._find(request)
        )

    def __len__(self) -> int:
        """How many are kept ready."""
        return len(self._made)

    def _find(self, request: Request) -> ServedT:
        limits = self._limits(request)
        made = self._made.get(limits)
        if made is None:
            if len(self._made) >= MOST:
                self._made = dict(list(self._made.items())[:1])
            made = self._made[limits] = self._make(limits)
        return made

    def _limits(self, request: Request) -> Limits:
        owner = self.owner
        fields: FieldPermissions | None = owner.spec.field_permissions
        blocked = self.graph.blocked(request) if self.graph is not None else frozenset()
        if fields is None:
            return Limits(blocked=blocked)
        elsewhere = owner.access is not None and request.view is not owner
        asking = owner.access.looking(request) if elsewhere else request
        return Limits(fields.hidden(asking, owner), fields.fixed(asking, owner), blocked)


def discreet(exc: Conflict, concealed: frozenset[str]) -> Conflict:
    """The conflict without the names of fields of which the caller must not know."""
    if concealed.isdisjoint(exc.fields):
        return exc
    shown = [name for name in exc.fields if name not in concealed]
    return Conflict("the object contradicts others", code=exc.code, fields=shown, index=exc.index)
