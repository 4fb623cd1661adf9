"""What a million rows cost beside a thousand: `python -m benchmarks.scale`.

For a list and for SQLite: one item, an indexed filter with its total, and a cursor's page at the start, in the middle
and at the end, through HTTP in this process. For CSV: loading, memory, a filter against reading the file again, and
an append against an append to a small file.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.contenders.rest_kit_app import controller
from benchmarks.measure import batch, call, fitting
from benchmarks.report import markdown
from benchmarks.startup import resident
from benchmarks.workload import NEW_BOOK, Row, environ, generate, write_table
from datastores import CSVDataStore, PythonListDataStore, SQLiteDataStore
from rest_kit.controllers import WSGIDispatcher
from rest_kit.pagination import CursorPagination, Pagination
from rest_kit.store import DataStore

SMALL, LARGE = 1_000, 1_000_000
ROUNDS = 7
WRITES = 20
"""How many writes make a batch: few enough to leave the small one small."""
MOST = 2.0
"""How many times the small one's cost the large one may cost."""
MEMORY = 4.0
"""How many times its file a CSV may take in memory."""
FIELDS = ("id", "title", "author", "price", "published", "in_stock")

App = Callable[..., Any]


@dataclass(frozen=True)
class Measured:
    """One line of the table: what the small and the large one cost, and how far apart they may lie."""

    name: str
    small: float
    large: float
    goal: float = MOST

    @property
    def ratio(self) -> float:
        """How many times the small one's cost."""
        return self.large / self.small

    @property
    def cells(self) -> list[str]:
        """The line."""
        missed = "goal" if self.ratio > self.goal else ""
        return [self.name, f"{self.small:.1f}", f"{self.large:.1f}", f"{self.ratio:.2f}", f"≤ {self.goal:g}", missed]


def compare(small: tuple[App, Row], large: tuple[App, Row]) -> tuple[float, float]:
    """Microseconds for a request to each, in turns, so that a machine that drifts does so for both."""
    taken: list[tuple[float, float]] = []
    for app, row in (small, large):
        status, body = call(app, environ(row))
        if not status.startswith(row.status):
            raise ValueError(f"{row}: {status} {body[:200]!r}")
    calls = fitting(*small) if small[1].method == "GET" else WRITES
    for _ in range(ROUNDS):
        taken.append((batch(*small, calls), batch(*large, calls)))
    first, second = (statistics.median(column) for column in zip(*taken, strict=True))
    return first, second


def sqlite_application(count: int, folder: Path) -> App:
    """A table of that many books."""
    path = folder / f"{count}.db"
    write_table(path, count)
    return application({"name": str(path), "table": "books"}, SQLiteDataStore, {})


def list_application(count: int, folder: Path) -> App:
    """A list of that many books, with an index on their authors."""
    return application(list(generate(count)), PythonListDataStore, {"indexes": ["author"]})


def application(data: Any, store: type[DataStore], settings: dict[str, Any]) -> App:
    """The books twice: `books` by offset, with their total, and `walk` by cursor."""
    by_offset = controller("books", data, store, Pagination(100), settings)
    by_cursor = controller("walk", data, store, CursorPagination(100), settings)
    return WSGIDispatcher([by_offset, by_cursor], secret="a secret for the benchmark alone")


def depths(app: App, count: int) -> dict[str, str]:
    """Query strings of cursor pages at three depths, found by walking there."""
    found = {"start": "count=20"}
    query = "count=100"
    for page in range(1, count // 100):
        _, body = call(app, environ(Row("walk", "/walk/", query)))
        query = msgspec.json.decode(body)["meta"]["next"].partition("?")[2]
        if page == count // 200:
            found["middle"] = query.replace("count=100", "count=20")
    return found | {"end": query.replace("count=100", "count=20")}


def requests(app: App, count: int) -> dict[str, Row]:
    """What is asked of an application over that many books."""
    found = {
        "one": Row("one", f"/books/{count * 3 // 4}/"),
        "indexed filter": Row("filter", "/books/", "author=Author+3&count=20"),
    }
    return found | {f"cursor, {depth}": Row(depth, "/walk/", query) for depth, query in depths(app, count).items()}


def in_memory_and_tables(folder: Path, large: int) -> list[Measured]:
    """The lines of SQLite and of the list."""
    lines = []
    for store, make in {"SQLite": sqlite_application, "list": list_application}.items():
        small_app, large_app = make(SMALL, folder), make(large, folder)
        small_rows, large_rows = requests(small_app, SMALL), requests(large_app, large)
        for name, row in small_rows.items():
            found = compare((small_app, row), (large_app, large_rows[name]))
            lines.append(Measured(f"{store}: {name}, µs", *found))
    return lines


def write_csv(path: Path, count: int) -> None:
    """The books as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for book in generate(count):
            row = dict(book, in_stock="true" if book["in_stock"] else "false")
            writer.writerow([row[name] for name in FIELDS])


def csv_application(path: Path) -> App:
    """The file, served."""
    return WSGIDispatcher([controller("books", {"path": str(path)}, CSVDataStore)], secret="a secret for the benchmark")


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read_again(path: Path) -> int:
    """What a filter costs without a store: going through the file."""
    with path.open(newline="", encoding="utf-8") as file:
        return sum(row["author"] == "Author 3" for row in csv.DictReader(file))


def csv_files(folder: Path, large: int) -> list[Measured]:
    """The lines of the CSV file."""
    paths = {count: folder / f"{count}.csv" for count in (SMALL, large)}
    for count, path in paths.items():
        write_csv(path, count)
    before = resident(os.getpid())
    apps = {count: csv_application(path) for count, path in paths.items()}
    first = Row("first", "/books/1/")
    loading = {count: seconds(partial(call, app, environ(first))) for count, app in apps.items()}
    memory = resident(os.getpid(), peak=True) - before
    megabytes = paths[large].stat().st_size / 2**20
    print(
        f"CSV of {large:,} rows, {megabytes:.0f} MB: ready after {loading[large]:.1f} s, with {memory:.0f} MB of memory"
    )
    chosen = Row("filter", "/books/", "author=Author+3&count=20")
    append = Row("append", "/books/", method="POST", body=msgspec.json.encode(NEW_BOOK), status="201")
    item = Row("one", f"/books/{SMALL // 2}/")
    reading = seconds(lambda: read_again(paths[large])) * 1e6
    filtering = batch(apps[large], chosen, 3)
    return [
        Measured("CSV: memory beside the file, MB", megabytes, memory, MEMORY),
        Measured("CSV: filter beside reading the file, µs", reading, filtering, 0.5),
        Measured("CSV: one, µs", *compare((apps[SMALL], item), (apps[large], item))),
        Measured("CSV: append, µs", *compare((apps[SMALL], append), (apps[large], append))),
    ]


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--large", type=int, default=LARGE)
    parser.add_argument("--only", choices=("csv", "rest"), help="one half alone")
    asked = parser.parse_args()
    lines: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        if asked.only != "rest":
            lines += csv_files(Path(folder), asked.large)
        if asked.only != "csv":
            lines += in_memory_and_tables(Path(folder), asked.large)
    head = ["", f"{SMALL:,}", f"{asked.large:,}", "ratio", "goal", "missed"]
    print(markdown([head, *[line.cells for line in lines]]))
    return int(any(line.ratio > line.goal for line in lines))


if __name__ == "__main__":
    sys.exit(main())
