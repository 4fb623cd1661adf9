"""Permissions that look at whose a record is."""

from __future__ import annotations

from typing import Any

from rest_kit.errors import did_you_mean
from rest_kit.models import Field, Model
from rest_kit.permissions.base import SAFE_METHODS, Permission
from rest_kit.query import Any as AnyOf
from rest_kit.query import Filter, Where
from rest_kit.request import Request
from rest_kit.types import Record


class _Owned(Permission):
    """Records whose `field` (default: `owner`) holds the owner's primary key, or another attribute of users, `by`.

    A new record that names no owner becomes the caller's, unless the field is the key that the store makes.
    """

    def __init__(self, field: str = "owner", *, by: str = "pk") -> None:
        self.field = field
        self.by = by

    def owner(self, request: Request) -> Any:
        """What the field holds in the caller's own records, as a value of its type; None for nobody."""
        value = getattr(request.user, self.by, None) if request.user.is_authenticated else None
        field = self._field_in(request)
        if value is None or field is None or isinstance(value, field.kind.python_type):
            return value
        try:
            parsed = field.parse(text := str(value))
        except ValueError:
            return None
        # "07" names somebody else than 7, whatever the field makes of it
        return parsed if field.format(parsed) == text else None

    def _field_in(self, request: Request) -> Field | None:
        """The field of the resource that is asked; a plain endpoint has none."""
        store = getattr(request.view, "store", None)
        return None if store is None else store.model.by_name[self.field]

    def fill_in(self, request: Request, record: Record) -> None:
        field = self._field_in(request)
        made_by_the_store = field is not None and field.generated
        if record.get(self.field) is None and not made_by_the_store:
            record[self.field] = self.owner(request)

    def check(self, model: Model) -> list[str]:
        if self.field in model.by_name:
            return []
        return [f"{self!r} looks at a field that the model has not{did_you_mean(self.field, model.names)}"]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.field!r})"


class IsOwner(_Owned):
    """Each caller sees and writes the caller's own records, and for everybody else they are not there.

    `field` holds the owner's primary key, or the attribute `by` of users, such as `name`. A new record that names no
    owner becomes the caller's; one that names another is refused.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.is_authenticated

    def scope(self, request: Request) -> Where | None:
        owner = self.owner(request)
        return AnyOf() if owner is None else Filter(self.field, "eq", owner)


class IsOwnerOrReadOnly(_Owned):
    """Everybody reads; each caller writes the caller's own records.

    `field` and `by` as for `IsOwner`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        owner = self.owner(request)
        return owner is not None and bool(obj[self.field] == owner)
