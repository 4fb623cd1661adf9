"""A storage is named by a URL, and a URL that names none is refused where it stands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rest_kit.errors import ConfigurationError
from rest_kit.storage import MemoryStorage, RedisStorage, SQLiteStorage, open_storage


def test_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_storage("memory://"), MemoryStorage)
    assert open_storage("memory://?multiprocess=allow").tolerated
    relative = open_storage("sqlite:///counts.db")
    assert isinstance(relative, SQLiteStorage)
    assert relative.path == str(tmp_path / "counts.db")
    assert open_storage(f"sqlite:///{tmp_path}/counts.db") is relative, "one file, one storage"
    assert open_storage("memory://") is not open_storage("memory://")
    for url in ("redis://host:6380/2", "rediss://host", "unix:///run/redis.sock", "redis://host?socket_timeout=2"):
        assert isinstance(open_storage(url), RedisStorage)
        assert open_storage(url) is open_storage(url)
    storage = MemoryStorage()
    assert open_storage(storage) is storage
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("reddis://host", "did you mean 'redis'"),
        ("postgresql://user:hush@host/db", "names 'postgresql'"),
        ("counts.db", "must be a URL such as"),
        ("sqlite://", "must name a file"),
        ("sqlite:///", "must name a file"),
        ("sqlite:///:memory:", "say memory://"),
        ("memory://somewhere", r"must be memory://"),
        ("memory://?multiproces=allow", r"must be memory://"),
        ("memory://?multiprocess=alow", "did you mean 'allow'"),
        ("redis://:hush@host:port/0", "not a Redis URL"),
        ("redis://:hush@host/0?socket_timeot=3", "parameter that redis does not know"),
        (MemoryStorage, "must be a URL"),
    ],
)
def test_what_names_no_storage(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        open_storage(url)
    assert "hush" not in str(caught.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "rest_kit.storage.redis", raising=False)
    with pytest.raises(ConfigurationError, match=r"pip install 'rest-kit\[redis\]'"):
        open_storage("redis://elsewhere")
