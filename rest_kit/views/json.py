"""JSON, the default (RFC 8259)."""

from __future__ import annotations

from typing import Any

from rest_kit import jsonio
from rest_kit.views.base import Response


class JsonResponse(Response):
    """`application/json`, in UTF-8; dates as RFC 3339, Decimals as strings."""

    media_type = "application/json"
    content_type = "application/json"

    @staticmethod
    def render(data: Any) -> bytes:
        return jsonio.encode(data)
