"""Redis: the server that is named in the environment, or one of a test's own, which it may stop and start."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
import redis
from redis.exceptions import RedisError

from tests.clusters import free_port
from tests.servers import REQUIRED

REDIS_URL = os.environ.get("REST_KIT_REDIS_URL", "redis://127.0.0.1:6379/9")
PATIENCE = 20


@cache
def answers() -> bool:
    """Whether the server is there."""
    return is_up(REDIS_URL)


def is_up(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False


def need_redis() -> str:
    """The server's URL; skips the test where there is none, and fails where there must be."""
    if not answers():
        if REQUIRED:
            pytest.fail(f"no Redis server at {REDIS_URL}, and REST_KIT_REQUIRE_SERVERS is set")
        pytest.skip("no redis server: set REST_KIT_REDIS_URL")
    return REDIS_URL


class RedisServer:
    """A server of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://:hush@127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--requirepass",
            "hush",
        ]
        self.process = subprocess.Popen([*command, "--dir", str(self.folder)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not is_up(self.url):
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)
            self.process = None


@contextmanager
def running(folder: Path) -> Iterator[RedisServer]:
    """A server that runs; the test is skipped where it is not installed."""
    if shutil.which("redis-server") is None:
        if REQUIRED:
            pytest.fail("redis-server is not installed, and REST_KIT_REQUIRE_SERVERS is set")
        pytest.skip("no redis server to start: redis-server is not installed")
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
