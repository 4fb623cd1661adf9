"""SQLite with several threads and processes: nothing lost, nothing locked out, nothing half done after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from datastores.sqlite import SQLiteDataStore
from rest_kit.query import Query
from rest_kit.store import Tx
from tests.datastores.sqlite_samples import add, names, open_store, path, sql, store

__all__ = ["path", "store"]

ROOT = Path(__file__).parents[2]


def run_child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python process that runs the code, with the arguments in `sys.argv`."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def finish(children: list[subprocess.Popen[str]]) -> list[str]:
    """What the processes said, all of them having ended well."""
    said = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0] * len(children)
    return said


def grow(tx: Tx) -> None:
    """Read, and write what follows from it: every lost update shows."""
    tx.update(1, {"age": (tx.get(1)["age"] or 0) + 1})


COUNT = """
import sys
from pathlib import Path
from tests.datastores.sqlite_samples import open_store
from tests.datastores.test_sqlite_processes import grow
store = open_store(Path(sys.argv[1]), timeout=60)
for _ in range(int(sys.argv[2])):
    store.atomic(grow)
"""


def test_eight_processes_lose_nothing_and_are_never_locked_out(path: Path) -> None:
    store = open_store(path)
    add(store, "counter")
    finish([run_child(COUNT, path, 50) for _ in range(8)])
    assert store.get(1)["age"] == 400
    log = store.changes()
    assert log is not None
    events = log.read(0, 1000)
    assert [event.after and event.after["age"] for event in events] == [None, *range(1, 401)]
    assert [event.seq for event in events] == list(range(1, 402))


CREATE = """
import sys
from pathlib import Path
from tests.datastores.sqlite_samples import add, open_store
add(open_store(Path(sys.argv[1])), "one")
"""


def test_processes_that_make_the_file_at_the_same_time_make_one(path: Path) -> None:
    finish([run_child(CREATE, path) for _ in range(4)])
    assert names(open_store(path)) == ["one"] * 4


WRITE = """
import sys
from pathlib import Path
from tests.datastores.sqlite_samples import add, open_store
store = open_store(Path(sys.argv[1]))
while True:
    for record in add(store, "a", "b"):
        print(record["id"], flush=True)
"""


@pytest.mark.parametrize("after", [0.05, 0.13, 0.2])
def test_a_killed_writer_leaves_what_it_acknowledged_and_whole_transactions(path: Path, after: float) -> None:
    child = run_child(WRITE, path)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline())]
    time.sleep(after)
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.communicate()[0].split("\n")[:-1]]
    store = open_store(path)
    stored = [record["id"] for record in store.find(Query()).records]
    assert set(acknowledged) <= set(stored)
    assert len(stored) % 2 == 0
    log = store.changes()
    assert log is not None
    assert [event.pk for event in log.read(0, 100_000)] == stored


def test_a_fork_serves_on_with_connections_of_its_own(path: Path, store: SQLiteDataStore) -> None:
    add(store, "parent")
    inherited = set(store._database._open_ones)
    child = os.fork()
    if child == 0:
        add(store, "child")
        os._exit(0 if inherited.isdisjoint(store._database._open_ones) and names(store)[-1] == "child" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    add(store, "parent again")
    assert names(store) == ["parent", "child", "parent again"]


def test_a_fork_in_the_middle_of_a_write_does_not_hold_the_lock(path: Path, store: SQLiteDataStore) -> None:
    add(store, "Ada")

    def work(tx: Tx) -> int:
        tx.insert([{"name": "Bob", "age": None}])
        child = os.fork()
        if child == 0:
            os._exit(0 if names(store) == ["Ada"] else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert store.atomic(work) == 0
    assert names(store) == ["Ada", "Bob"]
    assert sql(path, "PRAGMA integrity_check") == [("ok",)]


def test_threads_lose_nothing(store: SQLiteDataStore) -> None:
    add(store, "counter")
    threads = [threading.Thread(target=lambda: [store.atomic(grow) for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get(1)["age"] == 200
    assert len(store._database._open_ones) <= 8
