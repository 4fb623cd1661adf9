"""Who may do what: policies that allow or refuse requests and records, and say what a caller may see at all."""

from __future__ import annotations

from rest_kit.permissions.base import SAFE_METHODS, Permission
from rest_kit.permissions.callers import AllowAny, IsAdminUser, IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_kit.permissions.granted import ModelPermissions, ObjectPermissions
from rest_kit.permissions.grants import Grant, GrantModel, Grants
from rest_kit.permissions.owners import IsOwner, IsOwnerOrReadOnly
from rest_kit.permissions.rights import RIGHTS, Group
from rest_kit.permissions.scopes import HasScope

__all__ = [
    "RIGHTS",
    "SAFE_METHODS",
    "AllowAny",
    "Grant",
    "GrantModel",
    "Grants",
    "Group",
    "HasScope",
    "IsAdminUser",
    "IsAuthenticated",
    "IsAuthenticatedOrReadOnly",
    "IsOwner",
    "IsOwnerOrReadOnly",
    "ModelPermissions",
    "ObjectPermissions",
    "Permission",
]
