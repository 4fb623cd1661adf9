"""Who is calling: classes that read credentials off requests."""

from __future__ import annotations

from rest_kit.authentication.base import Authentication

__all__ = ["Authentication"]
