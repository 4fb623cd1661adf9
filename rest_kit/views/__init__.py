"""How data become a reply: one class per media type, and the formatters that shape objects on the way out."""

from __future__ import annotations

from rest_kit.views.base import Formatter, Response
from rest_kit.views.formatters import add_resource_uri, remove_id
from rest_kit.views.json import JsonResponse

__all__ = ["Formatter", "JsonResponse", "Response", "add_resource_uri", "remove_id"]
