"""Each storage that comes with rest_kit keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from rest_kit.storage import MemoryStorage, RedisStorage, SQLiteStorage, Storage
from rest_kit.testing.storage_suite import Hand, StorageConformance
from tests.storage.support import need_redis


class TestMemory(StorageConformance):
    def make_storage(self, clock: Hand) -> Storage:
        return MemoryStorage(clock=clock)


class TestSQLite(StorageConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make_storage(self, clock: Hand) -> Storage:
        return SQLiteStorage(str(self.folder / "counts.db"), clock=clock)


class TestRedis(StorageConformance):
    def make_storage(self, clock: Hand) -> Storage:
        return RedisStorage(need_redis(), timeout=5, clock=clock)
