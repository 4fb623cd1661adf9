"""Counts and one-time keys, kept in memory, in an SQLite file, or on a Redis server."""

from __future__ import annotations

from rest_kit.storage.base import Count, Storage, Window
from rest_kit.storage.memory import MemoryStorage, open_storage

__all__ = ["Count", "MemoryStorage", "Storage", "Window", "open_storage"]
