"""Permissions that look at who is calling, and at nothing else."""

from __future__ import annotations

from typing import Any

from rest_kit.permissions.base import SAFE_METHODS, Permission
from rest_kit.request import Request


class AllowAny(Permission):
    """Everybody, whoever it is; the same as no permission, said aloud."""


class IsAuthenticated(Permission):
    """Whoever is logged in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.is_authenticated


class IsAuthenticatedOrReadOnly(Permission):
    """Everybody reads; whoever is logged in writes too."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS or request.user.is_authenticated


class IsAdminUser(Permission):
    """Users whose `is_admin` is true."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.is_admin
