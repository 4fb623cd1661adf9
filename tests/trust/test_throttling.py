"""A hundred requests a minute are a hundred, over all processes and threads of a server; the rest hear when to come."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from trust_server import Answer, Server, eventually

from tests.storage.support import RedisServer, running

CLIENTS, REQUESTS = 16, 320


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_hundred_are_a_hundred(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        check(f"sqlite:///{tmp_path}/counts.db", tmp_path)
        return
    with running(tmp_path) as redis:
        check(redis.url, tmp_path)


def check(url: str, folder: Path) -> None:
    with (
        Server(f"trust_apps:serve_throttled({url!r})", folder, workers=4, threads=4) as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        answers = list(pool.map(lambda _: server.request("GET", "/items/1/"), range(REQUESTS)))
    assert Counter(answer.status for answer in answers) == {200: 100, 429: REQUESTS - 100}
    left = sorted(remaining(answer) for answer in answers if answer.status == 200)
    assert left == list(range(100)), "each was told another number"
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers if answer.status == 429)


def remaining(answer: Answer) -> int:
    """How many requests are left, as a reply says."""
    return int(answer.headers["ratelimit"].partition(";r=")[2].partition(";")[0])


def test_a_list_of_counts_in_each_process_is_refused(tmp_path: Path) -> None:
    with Server("trust_apps:serve_throttled('memory://')", tmp_path, workers=2, threads=2) as server:
        answer = server.request("GET", "/items/1/")
        assert answer.status == 503
        assert "set storage= to an SQLite file or a Redis server" in answer.data["detail"]


def test_only_503_while_the_counts_are_away(tmp_path: Path) -> None:
    with (
        running(tmp_path) as redis,
        Server(f"trust_apps:serve_throttled({redis.url!r})", tmp_path, workers=2, threads=2) as server,
    ):
        assert server.request("GET", "/items/1/").status == 200
        redis.stop()
        answers = [server.request("GET", "/items/1/") for _ in range(20)]
        assert {answer.status for answer in answers} == {503}
        assert all(int(answer.headers["retry-after"]) >= 1 and b"hush" not in answer.body for answer in answers)
        start_again(redis, server)


def start_again(redis: RedisServer, server: Server) -> None:
    redis.start()
    eventually(lambda: server.request("GET", "/items/1/").status == 200, "a reply after the server has come back")
