"""Many clients over several processes read, change and write one item: with If-Match, no change is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from trust_apps import room, seed
from trust_server import Server

CLIENTS, TURNS = 8, 60


def count_up(server: Server, method: str) -> int:
    """Add one, TURNS times, each time to the version that was read; returns how many attempts came too late."""
    late = 0
    for _ in range(TURNS):
        while True:
            read = server.request("GET", "/items/1/")
            assert read.status == 200, read
            item = {**read.data, "count": read.data["count"] + 1}
            change = item if method == "PUT" else {"count": item["count"]}
            written = server.request(method, "/items/1/", change, {"If-Match": read.headers["etag"]})
            if written.status == 200:
                assert written.data["count"] == item["count"]
                break
            assert written.status == 412, written
            late += 1
    return late


@pytest.mark.parametrize(
    ("kind", "threads"), [("sqlite", 1), ("sqlite", 2), ("csv", 1), ("csv", 2), ("postgresql", 2), ("mariadb", 2)]
)
def test_no_update_is_lost(kind: str, threads: int, tmp_path: Path) -> None:
    app = f"trust_apps:serve({kind!r}, {str(tmp_path)!r})"
    with room(kind, tmp_path):
        seed(kind, tmp_path)
        with Server(app, tmp_path, workers=4, threads=threads) as server:
            all_count_up(server)


def all_count_up(server: Server) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        methods = ["PUT", "PATCH"] * (CLIENTS // 2)
        late = sum(pool.map(lambda method: count_up(server, method), methods))
    assert server.request("GET", "/items/1/").data["count"] == CLIENTS * TURNS
    assert late > 0, "nobody ever met anybody, so nothing was shown"


def test_a_list_behind_several_workers_can_be_read_and_refuses_writes(tmp_path: Path) -> None:
    with Server(f"trust_apps:serve('list', {str(tmp_path)!r})", tmp_path, workers=2) as server:
        server.all_workers()
        writes = [
            server.request("POST", "/items/", {"name": "new", "count": 1}),
            server.request("PUT", "/items/1/", {"name": "new", "count": 1}),
            server.request("PATCH", "/items/1/", {"count": 1}),
            server.request("DELETE", "/items/1/"),
            server.request("PATCH", "/items/?name=first", {"count": 1}),
            server.request("DELETE", "/items/?name=first"),
        ]
        for answer in writes:
            assert answer.status == 503
            assert "one worker" in answer.data["detail"]
            assert "SQLite" in answer.data["detail"]
            assert "retry-after" in answer.headers
        read = server.request("GET", "/items/")
    assert read.status == 200
    assert [item["name"] for item in read.data["object_list"]] == ["first", "second"]
