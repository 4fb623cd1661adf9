"""Who may do what: policies that allow or refuse requests and records, and say what a caller may see at all."""

from __future__ import annotations

from rest_kit.permissions.base import SAFE_METHODS, Permission
from rest_kit.permissions.callers import AllowAny, IsAdminUser, IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_kit.permissions.owners import IsOwner, IsOwnerOrReadOnly

__all__ = [
    "SAFE_METHODS",
    "AllowAny",
    "IsAdminUser",
    "IsAuthenticated",
    "IsAuthenticatedOrReadOnly",
    "IsOwner",
    "IsOwnerOrReadOnly",
    "Permission",
]
