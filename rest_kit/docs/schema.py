"""The JSON description of a resource at `/schema/<resource>/`: fields, verbs, and what a list may be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from rest_kit.models import Field, FileField, Model
from rest_kit.params import ORDERING, SEARCH, Parameters
from rest_kit.relations import Related, Relation
from rest_kit.types import MISSING

_BOUNDS = ("max_length", "min_length", "min", "max", "digits", "places", "choices", "resource", "types", "max_size")


class Acted(Protocol):
    """What a description needs of a custom action."""

    @property
    def name(self) -> str: ...
    @property
    def detail(self) -> bool: ...
    @property
    def methods(self) -> Sequence[str]: ...
    @property
    def description(self) -> str: ...


class Described(NamedTuple):
    """What a description is made of."""

    name: str
    url: str
    model: Model
    parameters: Parameters
    list_verbs: Sequence[str]
    unique_verbs: Sequence[str]
    media_types: Sequence[str]
    related: Related | None = None
    actions: Sequence[Acted] = ()


def describe(resource: Described) -> dict[str, Any]:
    """The description of one resource, as JSON values."""
    model, parameters = resource.model, resource.parameters
    assert model.pk is not None
    operators: dict[str, list[str]] = {}
    for row in parameters.filters.values():
        known = operators.setdefault(row.field, [])
        if row.op not in known:
            known.append(row.op)
    return {
        "name": resource.name,
        "url": resource.url,
        "primary_key": model.pk.name,
        "list_verbs": list(resource.list_verbs),
        "unique_verbs": list(resource.unique_verbs),
        "media_types": list(resource.media_types),
        "fields": [_field(model, field) for name, field in model.by_name.items() if name not in model.concealed],
        "filters": operators,
        ORDERING: sorted(parameters.orderable),
        SEARCH: list(parameters.searchable),
        "pagination": sorted(parameters.paging),
        "actions": [_action(one, resource) for one in resource.actions],
        "relations": _relations(resource.related) if resource.related is not None else [],
    }


def _action(action: Acted, resource: Described) -> dict[str, Any]:
    """One action: where it is, which verbs it answers, and what its method says of itself."""
    assert resource.model.pk is not None
    below = f"{{{resource.model.pk.name}}}/{action.name}/" if action.detail else f"{action.name}/"
    return {
        "name": action.name,
        "url": resource.url + below,
        "methods": list(action.methods),
        "detail": action.detail,
        "description": action.description,
    }


def _relations(related: Related) -> list[dict[str, Any]]:
    """The relations that clients see: to one first."""
    shown = [
        _relation(relation, name=name, kind="to-one", resource=relation.target, other=relation.related_name)
        for name, relation in related.to_one.items()
    ]
    shown += [
        _relation(relation, name=name, kind="to-many", resource=relation.child, other=relation.name)
        for name, relation in related.to_many.items()
    ]
    return shown


def _relation(relation: Relation, **told: Any) -> dict[str, Any]:
    other = told.pop("other")
    return {**told, "field": relation.field, "related_name": other, "on_delete": relation.on_delete}


def _field(model: Model, field: Field) -> dict[str, Any]:
    """One field: its type, what it may hold, and who may set it."""
    described: dict[str, Any] = {
        "name": field.name,
        "type": "file" if isinstance(field, FileField) else field.kind.value,
        "required": field.required and field.name in model.writable,
        "nullable": field.nullable,
        "read_only": field.name not in model.writable,
        "write_only": field.write_only,
        "unique": field.unique or field.primary_key,
    }
    for bound in _BOUNDS:
        value = getattr(field, bound, None)
        if value is not None:
            described[bound] = value
    if field.default is not MISSING and not callable(field.default):
        described["default"] = field.default
    if field.help:
        described["help"] = field.help
    return described
