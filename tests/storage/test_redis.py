"""Counts on a Redis server that goes away, comes back, or lets nobody in."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import redis

from rest_kit.errors import StoreUnavailable
from rest_kit.storage import RedisStorage, open_storage
from rest_kit.testing.storage_suite import admitted, window
from tests.clusters import free_port
from tests.storage.support import PATIENCE, need_redis, running


def test_a_server_that_is_restarted_is_found_again(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        storage = RedisStorage(server.url)
        assert admitted(storage, window(1)) == 1
        server.stop()
        for _ in range(20):
            with pytest.raises(StoreUnavailable) as caught:
                storage.hit([window(1)])
            assert "hush" not in str(caught.value)
        with pytest.raises(StoreUnavailable):
            storage.get("key")
        server.start()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                assert admitted(storage, window(1), times=2) == 1
                break
            except StoreUnavailable:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        storage.close()


def test_connections_that_died_with_a_server_cost_no_request(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        storage = RedisStorage(server.url)
        storage.ping()
        server.stop()
        server.start()
        assert admitted(storage, window(1), times=2) == 1
        storage.close()


def test_a_server_that_falls_silent_is_left_alone() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        storage = RedisStorage(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="Timeout"):
                storage.hit([window(1)])
        with pytest.raises(StoreUnavailable, match="left alone for a while"):
            storage.hit([window(1)])
        storage.close()


def test_nothing_is_asked_of_the_server_before_the_first_use_and_no_password_shows() -> None:
    url = f"redis://user:hush@127.0.0.1:{free_port()}/3?password=hush"
    storage = open_storage(url)
    assert repr(storage) == f"RedisStorage('{url.partition('@')[2].partition('?')[0]}')"
    assert repr(RedisStorage("unix:///run/redis.sock?db=2")) == "RedisStorage('/run/redis.sock/2')"
    with pytest.raises(StoreUnavailable) as caught:
        storage.ping()
    assert "hush" not in repr(caught.value)


def test_counts_and_values_expire_on_the_server() -> None:
    url = need_redis()
    storage = RedisStorage(url)
    one = window(5, 60)
    storage.hit([one])
    storage.swap(one.key, None, b"value", 30)
    with redis.Redis.from_url(url) as client:
        assert 0 < client.pttl(f"rest_kit:count 60 {one.key}") <= 60_001
        assert 0 < client.pttl(f"rest_kit:value {one.key}") <= 30_000
    storage.close()


def test_the_servers_clock_is_the_time() -> None:
    storage = RedisStorage(need_redis())
    one = window(1, 0.05)
    deadline = time.monotonic() + PATIENCE
    assert admitted(storage, one, times=2) == 1
    while not admitted(storage, one):
        assert time.monotonic() < deadline
    storage.close()
