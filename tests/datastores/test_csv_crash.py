"""Writers of a CSV file that die at any step: rows and events agree afterwards, and nothing acknowledged is missing."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datastores.csv.store import CSVDataStore
from rest_kit.errors import StoreCorrupt, StoreFull
from rest_kit.store import DataStore
from tests.datastores.csv_samples import (
    DEAD,
    delete,
    dying_at,
    events_of,
    everything,
    in_child,
    insert,
    people_at,
    replayed,
    update,
)

WRITES: dict[str, Callable[[DataStore], object]] = {
    "insert": lambda store: insert(store, {"name": "new", "age": 9}),
    "bulk": lambda store: insert(store, *({"name": f"n{i}", "age": i} for i in range(50))),
    "update": lambda store: update(store, 2, {"name": "changed, and longer"}),
    "delete": lambda store: delete(store, 1),
    "nothing new": lambda store: update(store, 2, {"name": "two"}),
}


def begin(path: Path) -> CSVDataStore:
    store = people_at(path)
    insert(store, {"name": "one", "age": 1}, {"name": "two", "age": 2}, {"name": "three", "age": None})
    return store


@pytest.mark.parametrize("in_part", [False, True])
@pytest.mark.parametrize("write", WRITES)
def test_death_at_every_step_leaves_all_of_a_write_or_nothing(tmp_path: Path, write: str, in_part: bool) -> None:
    begin(tmp_path / "before.csv")
    outcomes = set()
    for step in range(1, 100):
        directory = tmp_path / str(step)
        directory.mkdir()
        path = directory / "before.csv"
        for name in ("before.csv", ".before.csv.rest_kit-journal"):
            shutil.copy2(tmp_path / name, directory / name)

        def work(path: Path = path, step: int = step) -> None:
            store = people_at(path)
            everything(store)
            with dying_at(step, in_part=in_part):
                WRITES[write](store)

        status = in_child(work)
        outcomes.add(_outcome(path, write))
        if status == 0:
            break
        assert status == DEAD
    else:
        raise AssertionError("a write takes fewer steps than this")
    assert outcomes == {"nothing", "all"}


def _outcome(path: Path, write: str) -> str:
    """What a fresh store finds, after it has shown that it can go on; rows and events must agree."""
    store = people_at(path)
    rows, events = everything(store), events_of(store)
    assert replayed(events) == rows
    insert(store, {"name": "after", "age": 0})
    assert replayed(events_of(store)) == everything(store) == everything(people_at(path))
    assert len(everything(store)) == len(rows) + 1
    reference = begin(path.parent / f"reference-{time.time_ns()}.csv")
    if rows == everything(reference) and len(events) == 3:
        return "nothing"
    WRITES[write](reference)
    assert rows == everything(reference)
    return "all"


def test_an_addition_torn_at_any_byte_is_taken_off_or_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    begin(path)
    old = path.read_bytes()
    journal = tmp_path / ".people.csv.rest_kit-journal"
    noted = journal.stat().st_size
    insert(people_at(path), {"name": 'quo"ted\nä', "age": 7})
    entry, new = journal.read_bytes(), path.read_bytes()
    unmarked = entry[: -(len(entry) - noted)] + entry[noted:-96] + b" " * 95 + b"\n"
    for size in range(len(old), len(new) + 1):
        _as_it_was(path, old, journal, entry[:noted])
        _torn(path, new, size, journal, unmarked)
        store = people_at(path)
        rows = everything(store)
        assert path.read_bytes() == (new if size == len(new) else old)
        assert replayed(events_of(store)) == rows
        assert len(rows) == (4 if size == len(new) else 3)
        del store


def _as_it_was(path: Path, data: bytes, journal: Path, noted: bytes) -> None:
    with path.open("r+b") as stream:
        stream.write(data)
        stream.truncate()
    journal.write_bytes(noted)


def _torn(path: Path, new: bytes, size: int, journal: Path, unmarked: bytes) -> None:
    with path.open("r+b") as stream:
        stream.write(new[:size])
    journal.write_bytes(unmarked)


def test_what_others_put_behind_a_dead_writers_place_is_not_taken_off(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    store = begin(path)
    everything(store)

    def work() -> None:
        with dying_at(7):
            insert(store, {"name": "new and long enough", "age": 9})

    assert in_child(work) == DEAD
    with path.open("a") as stream:
        stream.write("7,seven,\n")
    assert [row["id"] for row in everything(people_at(path))] == [1, 2, 3, 7]


def test_a_reader_who_may_not_write_shows_no_part_of_a_torn_addition(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    begin(path)
    size = path.stat().st_size
    for step in range(1, 30):

        def work(step: int = step) -> None:
            store = people_at(path)
            everything(store)
            with dying_at(step, in_part=True):
                insert(store, {"name": "a name of some length", "age": 9})

        assert in_child(work) == DEAD
        if path.stat().st_size > size:
            break
        everything(people_at(path))
    torn = path.read_bytes()
    assert len(everything(people_at(path, read_only=True))) == 3
    assert path.read_bytes() == torn
    assert len(everything(people_at(path))) == 3
    assert path.stat().st_size == size


WRITER = """
import sys
sys.path[:0] = {roots!r}
from pathlib import Path
from tests.datastores.csv_samples import people_at, insert, update
store = people_at(Path({path!r}))
for n in range(100_000):
    (row,) = insert(store, {{"name": {name!r} + str(n), "age": n}})
    print(row["id"], flush=True)
    if n % 3 == 0:
        update(store, row["id"], {{"age": -n}})
"""


def test_kill_9_of_writers_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    begin(path)
    roots = [str(Path(__file__).parents[2])]
    acknowledged: list[int] = []
    for round_ in range(3):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER.format(roots=roots, path=str(path), name=f"{round_}-{i}-")],
                stdout=subprocess.PIPE,
            )
            for i in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            acknowledged += [int(writer.stdout.readline()) for _ in range(20 + 7 * round_)]
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        for writer in writers:
            acknowledged += map(int, writer.communicate()[0].splitlines())
        store = people_at(path)
        rows = everything(store)
        assert replayed(events_of(store)) == rows
    assert len(acknowledged) == len(set(acknowledged)) >= 160
    assert set(acknowledged) <= {row["id"] for row in rows}


@pytest.mark.parametrize("write", ["insert", "bulk", "update", "delete"])
@pytest.mark.parametrize("room", [0, 10, 200, 300, 500])
def test_a_full_disk_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str, room: int
) -> None:
    path = tmp_path / "people.csv"
    store = begin(path)
    rows, events, old = everything(store), events_of(store), path.read_bytes()
    left = room

    def full(descriptor: int, data: bytes) -> int:
        nonlocal left
        taken = min(left, len(data))
        if not taken:
            raise OSError(errno.ENOSPC, "no space")
        left -= taken
        return real(descriptor, bytes(data)[:taken])

    real = os.write
    monkeypatch.setattr(os, "write", full)
    try:
        WRITES[write](store)
    except StoreFull:
        assert path.read_bytes() == old
        assert events_of(store) == events
        assert everything(store) == rows
    else:
        assert room >= 200
    monkeypatch.undo()
    WRITES["insert"](store)
    assert replayed(events_of(store)) == everything(store) == everything(people_at(path))
    assert not [name for name in os.listdir(tmp_path) if name.endswith("temp")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_file_system_that_runs_full(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(mount)], check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        _fill_up(mount / "people.csv")
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def _fill_up(path: Path) -> None:
    store = people_at(path)
    written = sum(1 for _ in iter(lambda: _fits(store), False))
    assert written > 20
    assert len(everything(store)) == written
    assert replayed(events_of(store)) == everything(people_at(path))


def _fits(store: DataStore) -> bool:
    try:
        insert(store, {"name": "x" * 200, "age": 1})
    except StoreFull:
        return False
    return True


def test_a_damaged_journal_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    store = begin(path)
    journal = tmp_path / ".people.csv.rest_kit-journal"
    insert(store, {"name": "x", "age": 1})
    data = bytearray(journal.read_bytes())
    data[300] ^= 1
    journal.write_bytes(data)
    old = path.read_bytes()
    del store  # and with it what this process knows already
    again = people_at(path)
    for use in (everything, WRITES["insert"], events_of):
        with pytest.raises(StoreCorrupt, match=r"journal: damaged at byte \d+; move it away"):
            use(again)
    assert path.read_bytes() == old
    journal.rename(tmp_path / "journal.damaged")
    WRITES["insert"](again)
    assert len(everything(again)) == 5
    assert len(events_of(again)) == 1
