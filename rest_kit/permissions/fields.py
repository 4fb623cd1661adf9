"""Who may read and who may set single fields of a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from rest_kit.errors import class_given, did_you_mean
from rest_kit.models import Model
from rest_kit.permissions.base import SAFE_METHODS, Permission
from rest_kit.request import Request

OPTION: Final = "field_permissions"
KEYS: Final = ("read", "write")


class FieldPermissions(msgspec.Struct, frozen=True):
    """By field, the permission that reading it takes, and the one that setting it takes; what is left out is free."""

    read: Mapping[str, Permission]
    write: Mapping[str, Permission]

    def hidden(self, request: Request, view: Any) -> frozenset[str]:
        """The fields that a caller may not read, asked as of a request that reads."""
        reading = request if request.method in SAFE_METHODS else request.reading()
        return frozenset(name for name, one in self.read.items() if not one.has_permission(reading, view))

    def fixed(self, request: Request, view: Any) -> frozenset[str]:
        """The fields that a caller may not set by this request; by a PATCH, where it is one that reads."""
        writing = request
        if request.method in SAFE_METHODS:
            writing = request.reading()
            writing.method, writing.action = "PATCH", "partial_update"
        return frozenset(name for name, one in self.write.items() if not one.has_permission(writing, view))

    def check(self, model: Model) -> list[str]:
        """A sentence for everything that does not fit the model."""
        assert model.pk is not None
        names = dict.fromkeys([*self.read, *self.write])
        where = f"controller options[{OPTION!r}]"
        problems = [
            f"{where} names no field {name!r}{did_you_mean(name, model.names)}"
            for name in names
            if name not in model.names
        ]
        if model.pk.name in names:
            problems.append(f"{where} names {model.pk.name!r}: the key of an object is in its address for everybody")
        return problems


def read_field_permissions(options: Mapping[str, Any]) -> tuple[FieldPermissions | None, list[str]]:
    """The option of a controller, and a sentence for everything that is wrong with it."""
    given = options.get(OPTION)
    if given is None:
        return None, []
    problems: list[str] = []
    rules: dict[str, dict[str, Permission]] = {key: {} for key in KEYS}
    for name, rule in given.items():
        where = f"controller options[{OPTION!r}][{name!r}]"
        named = rule if isinstance(rule, Mapping) else dict.fromkeys(KEYS, rule)
        problems += [f"{where} has no key {key!r}{did_you_mean(str(key), KEYS)}" for key in named if key not in KEYS]
        problems += dict.fromkeys(filter(None, (_misfit(one, where) for one in named.values())))
        for key in KEYS:
            if key in named:
                rules[key][name] = named[key]
    return FieldPermissions(rules["read"], rules["write"]), problems


def _misfit(one: Any, where: str) -> str:
    """What is wrong with the permission of a field; nothing for a good one."""
    if not isinstance(one, Permission):
        found = class_given(one, Permission, where, "IsAuthenticated()")
        return found or f'{where} must be a permission, or {{"read": ..., "write": ...}} with permissions, not {one!r}'
    if one.has_scope or one.asks_objects:
        return f"{where}: {one!r} looks at records, and a field is asked for once a request"
    return ""
