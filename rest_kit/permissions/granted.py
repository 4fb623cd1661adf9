"""Permissions that ask for Django's rights: on a resource as a whole, or on each object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_kit.errors import ConfigurationError
from rest_kit.models import Field
from rest_kit.permissions.base import SAFE_METHODS, Permission
from rest_kit.permissions.grants import Grants
from rest_kit.permissions.rights import Rights, groups_of, read_rights, resource_of, right_for
from rest_kit.query import Any as AnyOf
from rest_kit.query import Filter, Where
from rest_kit.request import Request, on_one_item
from rest_kit.store import DataStore
from rest_kit.types import Pk, Record
from rest_kit.users import User


class ModelPermissions(Permission):
    """Whoever holds the right on the resource that the request needs: view, add, change or delete.

    `rights` are `Grants`, of which those on whole resources count, or a mapping from the names of groups to rights, as
    `{"editors": "view|add|change"}`; `users` is the same by the primary keys of users. Reading needs `view`, unlike in
    Django REST framework. Raises ConfigurationError with every mistake.
    """

    def __init__(
        self, rights: Grants | Mapping[str, Rights] | None = None, *, users: Mapping[Pk, Rights] | None = None
    ) -> None:
        self.grants = rights if isinstance(rights, Grants) else None
        problems: list[str] = []
        given = {} if rights is None or isinstance(rights, Grants) else rights
        self.groups = _read(given, "ModelPermissions", problems)
        self.users = _read(users or {}, "ModelPermissions users", problems)
        if rights is None and users is None:
            problems.append('ModelPermissions takes Grants, or groups such as {"editors": "view|change"}')
        if problems:
            raise ConfigurationError(problems)

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not user.is_authenticated:
            return False
        right = right_for(request)
        if right in self.users.get(user.pk, ()) or any(right in self.groups.get(name, ()) for name in groups_of(user)):
            return True
        return self.grants is not None and _holds(self.grants, request, right, view)

    def __repr__(self) -> str:
        return f"ModelPermissions({self.grants or dict(self.groups)!r})"


class ObjectPermissions(Permission):
    """Each caller sees the objects on which the caller holds `view`, and changes or deletes those with that right.

    `grants` holds the rights; one on the whole resource is one on every object, and creating takes `add` on it. Who
    creates an object is given `creator`'s rights on it: in the same step where one database holds both, else as soon
    as it is kept. Nobody sees anything without logging in.
    """

    def __init__(self, grants: Grants, *, creator: Rights = "view|change|delete") -> None:
        if not isinstance(grants, Grants):
            raise ConfigurationError(f"ObjectPermissions takes Grants(store), not {grants!r}")
        self.grants = grants
        self.creator = read_rights(creator, "ObjectPermissions creator") if creator else frozenset()
        if "add" in self.creator:
            raise ConfigurationError("ObjectPermissions creator: 'add' is a right on the whole resource")

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        return request.action != "create" or _holds(self.grants, request, "add", view)

    def scope(self, request: Request) -> Where | None:
        key = _key_of(request.view)
        if request.action == "create" or key is None:
            return None  # nothing is looked at: what is made has no grants yet, and a plain endpoint shows no records
        if request.pk is not None and on_one_item(request.action):
            return Filter(key.name, "eq", request.pk) if self._on(request, "view", request.pk) else AnyOf()
        granted = self._granted(request, "view")
        if granted is None:
            return None
        return Filter(key.name, "in", tuple(sorted(_keys(key, granted))))

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        if request.method in SAFE_METHODS or request.action == "create":
            return True
        right, pk = right_for(request), _pk_of(view, obj)
        if request.pk is not None:
            return self._on(request, right, pk)
        granted = self._granted(request, right)
        return granted is None or str(pk) in granted

    def storing(self, request: Request, record: Record) -> None:
        """A key that clients bring may have been another object's: what was granted on that is no longer meant.

        Where the grants lie with the objects, the creator's are kept in the same step.
        """
        view, key = request.view, _key_of(request.view)
        if key is None:
            return
        if key.writable:
            self.grants.forget(resource_of(view), record[key.name])
        if view.store.shares_transactions(self.grants.store) and self.has_permission(request, view):
            self._give_to_creator(request, record)

    def written(self, request: Request, before: Record | None, after: Record | None) -> None:
        view = request.view
        if after is None and before is not None:
            self.grants.forget(resource_of(view), _pk_of(view, before))
        elif before is None and after is not None and not view.store.shares_transactions(self.grants.store):
            self._give_to_creator(request, after)

    def _give_to_creator(self, request: Request, record: Record) -> None:
        if self.creator and request.user.is_authenticated:
            self.grants.assign(request.user, self.creator, resource_of(request.view), _pk_of(request.view, record))

    def _granted(self, request: Request, right: str) -> frozenset[str] | None:
        """The objects of the resource that the caller holds a right on, looked up once for a request."""
        user, resource = request.user, resource_of(request.view)
        return request.remember(
            (self, "granted", user.pk, right, resource), lambda: self.grants.granted(user, right, resource)
        )

    def _on(self, request: Request, right: str, pk: Pk) -> bool:
        """Whether the caller holds a right on an object, looked up once for a request."""
        user, resource = request.user, resource_of(request.view)
        return request.remember(
            (self, "on", user.pk, right, resource, pk), lambda: self.grants.check(user, right, resource, pk)
        )

    def __repr__(self) -> str:
        return f"ObjectPermissions({self.grants!r})"


def _read(given: Mapping[Any, Rights], where: str, problems: list[str]) -> Mapping[Any, frozenset[str]]:
    """Rights by whose they are, with every mistake noted."""
    if not isinstance(given, Mapping):
        problems.append(f'{where} must be a mapping, such as {{"editors": "view|change"}}, not {given!r}')
        return {}
    found = {}
    for who, rights in given.items():
        try:
            found[who] = read_rights(rights, f"{where}[{who!r}]")
        except ConfigurationError as exc:
            problems += exc.problems
    return found


def _holds(grants: Grants, request: Request, right: str, view: Any) -> bool:
    """Whether the caller holds a right on the whole resource, looked up once for a request."""
    user: User = request.user
    resource = resource_of(view)
    return request.remember((grants, "whole", user.pk, right, resource), lambda: grants.check(user, right, resource))


def _key_of(view: Any) -> Field | None:
    """The primary key of the resource that a permission is asked with; a plain endpoint has none."""
    store: DataStore | None = getattr(view, "store", None)
    return store.model.pk if store is not None else None


def _pk_of(view: Any, record: Any) -> Pk:
    """The key of one of the resource's records."""
    key = _key_of(view)
    assert key is not None
    pk: Pk = record[key.name]
    return pk


def _keys(key: Field, texts: frozenset[str]) -> set[Pk]:
    """Keys of the field's type; what is none is the key of no object."""
    found: set[Pk] = set()
    for text in texts:
        try:
            found.add(key.parse(text))
        except ValueError:
            continue
    return found
