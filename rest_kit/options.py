"""The three dicts of a controller as they may be written: which keys there are, and of what type each is.

The typed dicts are for type checkers, the tables for what is checked when a class is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypedDict

import marshmallow

from rest_kit.authentication import Authentication
from rest_kit.deprecation import Deprecation
from rest_kit.models import Model
from rest_kit.pagination import BasePagination
from rest_kit.permissions import Permission
from rest_kit.storage import Storage
from rest_kit.store import DataStore
from rest_kit.throttling import Throttle
from rest_kit.views import Formatter, Response


class ResourceDict(TypedDict, total=False):
    """A controller's `resource`: what the data are, and where."""

    resource_name: str
    resource: Any
    datastore: type[DataStore]
    model: type[Model] | type[marshmallow.Schema] | Model
    options: Mapping[str, Any]


class ControllerOptions(TypedDict, total=False):
    """The `options` of a controller's `controller` dict."""

    pagination: BasePagination
    filter_fields: Sequence[str]
    search_fields: Sequence[str]
    ordering_fields: Sequence[str]
    ordering: str | Sequence[str]
    strict: bool
    bulk_max: int
    max_body: int
    require_if_match: bool
    idempotency: bool | str | Storage
    require_idempotency_key: bool
    formatters: Sequence[Callable[[Any, Any], Any]]
    expand_fields: Sequence[str]
    expand_max: int
    authentication: Authentication | Sequence[Authentication]
    permissions: Permission | Sequence[Permission]
    throttle: Throttle | Sequence[Throttle]
    field_permissions: Mapping[str, Permission | Mapping[str, Permission]]
    deprecated: Deprecation


class ControllerDict(TypedDict, total=False):
    """A controller's `controller`: which verbs, and how requests are read."""

    list_verbs: Sequence[str]
    unique_verbs: Sequence[str]
    options: ControllerOptions


class ViewOptions(TypedDict, total=False):
    """The `options` of a controller's `view` dict."""

    formatters: Sequence[Formatter | Literal["add_resource_uri", "remove_id"]]
    envelope: bool
    foreign_keys: Literal["pk", "uri"]


class ViewDict(TypedDict, total=False):
    """A controller's `view`: how replies are written."""

    response_class: type[Response] | Sequence[type[Response]]
    options: ViewOptions


RESOURCE_KEYS: Final[dict[str, Any]] = {
    "resource_name": str,
    "resource": object,
    "datastore": type,
    "model": (type, Model),
    "options": Mapping,
}
CONTROLLER_KEYS: Final[dict[str, Any]] = {
    "list_verbs": (list, tuple, set, frozenset),
    "unique_verbs": (list, tuple, set, frozenset),
    "options": Mapping,
}
VIEW_KEYS: Final[dict[str, Any]] = {"response_class": (type, list, tuple), "options": Mapping}
_NAMES: Final = (list, tuple)
CONTROLLER_OPTIONS: Final[dict[str, Any]] = {
    "pagination": BasePagination,
    "filter_fields": _NAMES,
    "search_fields": _NAMES,
    "ordering_fields": _NAMES,
    "ordering": (str, list, tuple),
    "strict": bool,
    "bulk_max": int,
    "max_body": int,
    "require_if_match": bool,
    "idempotency": (bool, str, Storage),
    "require_idempotency_key": bool,
    "formatters": _NAMES,
    "expand_fields": _NAMES,
    "expand_max": int,
    "authentication": object,
    "permissions": object,
    "throttle": object,
    "field_permissions": Mapping,
    "deprecated": Deprecation,
}
VIEW_OPTIONS: Final[dict[str, Any]] = {"formatters": _NAMES, "envelope": bool, "foreign_keys": str}
OWN_OPTIONS: Final = ("multiprocess", "files")
"""Resource options that the controller reads itself, whatever the store."""
