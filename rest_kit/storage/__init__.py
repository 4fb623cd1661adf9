"""Counts and one-time keys, kept in memory, in an SQLite file, or on a Redis server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_kit.storage.base import Count, Storage, Window
from rest_kit.storage.memory import MemoryStorage
from rest_kit.storage.opening import open_storage

if TYPE_CHECKING:
    from rest_kit.storage.redis import RedisStorage
    from rest_kit.storage.sqlite import SQLiteStorage

__all__ = ["Count", "MemoryStorage", "RedisStorage", "SQLiteStorage", "Storage", "Window", "open_storage"]


def __getattr__(name: str) -> Any:
    """The storages whose drivers need not be there, or take time to load, once they are asked for."""
    if name == "RedisStorage":
        from rest_kit.storage.redis import RedisStorage

        return RedisStorage
    if name == "SQLiteStorage":
        from rest_kit.storage.sqlite import SQLiteStorage

        return SQLiteStorage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
