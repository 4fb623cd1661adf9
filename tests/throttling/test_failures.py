"""What becomes of requests while the counts cannot be reached, and where they would not be true."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rest_kit.errors import StoreUnavailable
from rest_kit.storage import Count, MemoryStorage, Window
from rest_kit.throttling import AddressRateThrottle, AnonRateThrottle, UserRateThrottle
from tests.http.support import over_list, problem, serve
from tests.storage.support import PATIENCE, running
from tests.throttling.support import ROWS, Passwords, Site


class Away(MemoryStorage):
    """Cannot be reached while `away` is set."""

    away = True

    def hit(self, windows: Sequence[Window], back: Sequence[Count] = ()) -> tuple[bool, list[Count]]:
        self.ping()
        return super().hit(windows, back)

    def ping(self) -> None:
        if self.away:
            raise StoreUnavailable("the storage is away", retry_after=2)


def test_without_counts_nobody_passes() -> None:
    storage = Away()
    passwords = Passwords()
    site = Site(AnonRateThrottle("5/min"), authentication=passwords, arguments={"storage": storage})
    reply = site.client.get("/things/1/", Authorization="ada:secret")
    problem(reply, 503, "store-unavailable")
    assert reply.headers["Retry-After"] == "2"
    assert passwords.looked == 0
    assert site.client.get("/readyz").status_int == 503
    storage.away = False
    assert site.statuses(1) == [200]
    assert site.client.get("/readyz").status_int == 200


def test_or_everybody_if_that_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    storage = Away()
    throttles = [AnonRateThrottle("1/min", on_failure="open"), AddressRateThrottle("1/min", on_failure="open")]
    site = Site(*throttles, authentication=Passwords(), arguments={"storage": storage})
    with caplog.at_level(logging.WARNING, "rest_kit"):
        assert site.statuses(2) == [200, 200]
    assert "requests pass uncounted: the storage is away" in caplog.text
    assert "RateLimit" not in site.client.get("/things/1/").headers
    assert site.client.get("/readyz").status_int == 200
    storage.away = False
    assert site.statuses(2) == [200, 429]


def test_counts_in_several_storages_are_taken_back_where_one_refuses() -> None:
    first, second = MemoryStorage(), MemoryStorage()
    site = Site(UserRateThrottle("2/min", storage=first), AnonRateThrottle("1/min", storage=second))
    assert site.statuses(3) == [200, 429, 429]
    assert first.hit([Window("user 2/60 address 192.0.2.1", 2, 60)])[0]


def test_a_storage_in_memory_behind_several_processes_would_multiply_the_quota() -> None:
    several = {"wsgi.multiprocess": True}
    cls = over_list(ROWS, controller={"options": {"throttle": AnonRateThrottle("1/min")}})
    document = problem(serve(cls).get("/things/1/", environ=several), 503, "unavailable")
    assert "set storage= to an SQLite file or a Redis server" in document["detail"]
    client = serve(cls, storage="memory://?multiprocess=allow")
    assert [client.get("/things/1/", environ=several).status_int for _ in range(2)] == [200, 429]


def test_an_sqlite_file_is_for_several_processes(tmp_path: Path) -> None:
    several = {"wsgi.multiprocess": True}
    cls = over_list(ROWS, controller={"options": {"throttle": AnonRateThrottle("1/min")}})
    apps = [serve(cls, storage=f"sqlite:///{tmp_path}/counts.db") for _ in range(2)]
    assert [app.get("/things/1/", environ=several).status_int for app in apps] == [200, 429]


def test_a_redis_server_that_is_stopped_and_started_again(tmp_path: Path) -> None:
    def ask(client: Any) -> int:
        began = time.monotonic()
        status: int = client.get("/things/1/").status_int
        assert time.monotonic() - began < PATIENCE
        return status

    def until(client: Any, status: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while ask(client) != status:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with running(tmp_path) as server:
        closed = serve(over_list(ROWS), throttle=AnonRateThrottle("3/min"), storage=server.url)
        opened = serve(
            over_list(ROWS), throttle=AnonRateThrottle("1/min", scope="open", on_failure="open"), storage=server.url
        )
        assert [ask(closed), ask(opened), ask(opened)] == [200, 200, 429]
        server.stop()
        assert [ask(closed) for _ in range(10)] == [503] * 10
        assert [ask(opened) for _ in range(10)] == [200] * 10
        server.start()
        until(closed, 200)
        until(opened, 429)
