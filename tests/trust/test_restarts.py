"""Database servers are stopped, crashed and started again under load, as they are when they are upgraded or fail.

Meanwhile there is nothing but whole replies: what was asked for, or 503 with Retry-After. Afterwards everything goes on
without a restart of ours, and what was acknowledged is there once, with its event.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from trust_apps import ItemModel
from trust_server import Answer, Server, eventually

from datastores import SQLDataStore
from rest_kit.errors import StoreUnavailable
from rest_kit.query import Query
from tests.clusters import Cluster, running

WRITERS, READERS = 4, 2


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with running(request.param) as cluster:
        yield cluster


class Load:
    """Clients that go on until they are told to stop, and what they were told."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.done = threading.Event()
        self.lock = threading.Lock()
        self.statuses: Counter[int] = Counter()
        self.names: set[str] = set()
        """Of items whose creation was acknowledged."""
        self.jobs: list[Future[None]] = []

    def start(self, pool: ThreadPoolExecutor) -> None:
        self.jobs = [pool.submit(self.write, number) for number in range(WRITERS)]
        self.jobs += [pool.submit(self.read) for _ in range(READERS)]

    def end(self) -> None:
        """End it; what went wrong in it is raised here."""
        self.done.set()
        for job in self.jobs:
            job.result()

    def note(self, answer: Answer, usual: int) -> None:
        """Count a reply; one that is neither the usual one nor a proper 503 fails."""
        if answer.status != usual:
            assert answer.status == 503, answer
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) >= 1
            assert b"127.0.0.1" not in answer.body, "what the driver says never leaves"
        with self.lock:
            self.statuses[answer.status] += 1

    def write(self, number: int) -> None:
        """Create items, each under a name of its own; a connection that is cut or silent fails as Dropped."""
        turn = 0
        while not self.done.is_set():
            turn += 1
            name = f"{number}-{turn}"
            answer = self.server.request("POST", "/items/", {"name": name, "count": 0})
            self.note(answer, 201)
            if answer.status == 201:
                self.names.add(name)

    def read(self) -> None:
        while not self.done.is_set():
            self.note(self.server.request("GET", "/items/?count=5&ordering=-count"), 200)

    def expect(self, status: int) -> None:
        """Wait until twenty more replies had that status."""
        wanted = self.statuses[status] + 20

        def is_over() -> bool:
            return self.statuses[status] >= wanted or any(job.done() for job in self.jobs)

        eventually(is_over, f"replies of {status}, after {self.statuses}", 40)


def test_only_503_while_the_server_is_away(cluster: Cluster, tmp_path: Path) -> None:
    app = f"trust_apps:serve_table({cluster.url!r}, 'items')"
    with Server(app, tmp_path, workers=2, threads=4) as server, ThreadPoolExecutor(WRITERS + READERS) as pool:
        load = Load(server)
        workers = server.all_workers()
        load.start(pool)
        try:
            restart(load, cluster.stop, cluster.start)
            restart(load, cluster.crash, cluster.start)
        finally:
            load.end()
        assert server.workers() == workers
    check(cluster, load.names)


def restart(load: Load, end: Callable[[], None], start: Callable[[], None]) -> None:
    """End the server under load and start it again, with proof that clients have met each of its states."""
    load.expect(201)
    load.expect(200)
    end()
    load.expect(503)
    start()
    load.expect(201)
    load.expect(200)


def check(cluster: Cluster, acknowledged: set[str]) -> None:
    """Everything acknowledged is there once; there is one event for each record, and none besides."""
    store = SQLDataStore({"url": cluster.url, "table": "items"})
    store.bind(ItemModel())
    records = store.find(Query()).records
    names = Counter(record["name"] for record in records)
    assert [name for name, times in names.items() if times > 1] == []
    assert acknowledged <= set(names)
    log = store.changes()
    assert log is not None
    events = log.read(0, len(records) + 1)
    assert [event.seq for event in events] == list(range(1, len(records) + 1))
    assert {event.pk for event in events} == {record["id"] for record in records}
    store.close()


def test_a_server_that_falls_silent_is_given_up_in_time(cluster: Cluster) -> None:
    """It neither answers nor ends a connection: its machine is paused, or its disk hangs."""
    store = SQLDataStore({"url": cluster.url, "table": "silent"}, {"timeouts": {"connect": 2, "statement": 0.5}})
    store.bind(ItemModel())
    store.atomic(lambda tx: tx.insert([{"name": "one", "count": 0}]))
    together = threading.Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        # so many connections wait in the pool then; each of them is silent for as long
        list(pool.map(lambda _: store.atomic(lambda tx: together.wait(10)), range(6)))
        with cluster.frozen():
            with pytest.raises(StoreUnavailable, match="in time"):
                pool.submit(store.get, 1).result(8)
            with pytest.raises(StoreUnavailable):
                pool.submit(store.atomic, lambda tx: tx.update(1, {"count": 5})).result(8)
    assert store.get(1)["name"] == "one"
    store.close()
