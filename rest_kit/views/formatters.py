"""The formatters that come with rest_kit."""

from __future__ import annotations

from rest_kit.types import Record
from rest_kit.views.base import Response


def add_resource_uri(response: Response, obj: Record) -> Record:
    """Add `resource_uri`, the URL path of the object itself; the default formatter."""
    obj["resource_uri"] = response.resource_uri(obj[response.pk_name])
    return obj


def remove_id(response: Response, obj: Record) -> Record:
    """Leave out the primary key, for replies where `resource_uri` alone identifies; put it last."""
    obj.pop(response.pk_name, None)
    return obj
