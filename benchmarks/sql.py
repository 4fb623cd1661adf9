"""rest_kit over SQL databases against others over the same ones, in one process: `python -m benchmarks.sql`.

Every contender is asked the same in turns, round after round. Two clocks run: the one on the wall, which the database's
own work and the way to it are a part of, and this process's own time. What is shown is the median of the rounds.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.databases import NAMES, Places, make
from benchmarks.databases.calling import Application
from benchmarks.databases.places import places
from benchmarks.measure import BATCH, check
from benchmarks.report import Times, machine, markdown, microseconds
from benchmarks.workload import Row, rows_of_a_table

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
OURS = "rest_kit"
RIVAL = "falcon + SQLAlchemy"
SHARE = 1 / 3
"""The most of the rival's time that rest_kit may take, where the driver is a compiled one."""
COMPILED = ("SQLite", "PostgreSQL")
CLOCKS = {"wall": "µs on the wall", "own": "µs of the process"}
"""The clocks, and what stands above their tables."""

Taken = tuple[float, float]
"""Microseconds a call: on the wall, and of this process."""


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sql", description=__doc__)
    parser.add_argument("--places", default=",".join(TITLES), help="the databases (commas between)")
    parser.add_argument("--only", default="", help=f"only these contenders (semicolons between): {'; '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--json", type=Path, help="write the numbers to this file, too")
    return parser.parse_args(arguments)


@contextmanager
def contenders(wanted: str, found: Places) -> Iterator[dict[str, Application]]:
    """Those asked for, closed in the end; one that is not installed is left out, and said so."""
    chosen = [name.strip() for name in wanted.split(";")] if wanted else list(NAMES)
    made: dict[str, Application] = {}
    try:
        for name in chosen:
            try:
                made[name] = make(name, found)
            except ImportError as exc:
                print(f"left out: {name} ({exc})", file=sys.stderr)
        yield made
    finally:
        for application in made.values():
            application.close()


def batch(application: Application, row: Row, calls: int) -> Taken:
    """Microseconds for one of a batch of calls, on both clocks."""
    run = application.ready(row, calls)
    gc.collect()
    wall, own = time.perf_counter(), time.process_time()
    run()
    own, wall = time.process_time() - own, time.perf_counter() - wall
    return wall / calls * 1e6, own / calls * 1e6


def measure(playing: Mapping[str, Application], row: Row, rounds: int) -> dict[str, Taken]:
    """Microseconds for the row, by contender: the median of the rounds."""
    calls = {}
    for name, application in playing.items():
        check(row, name, *application.call(row))
        batch(application, row, 10)
        calls[name] = max(10, min(2_000, round(BATCH / batch(application, row, 10)[0])))
    taken: dict[str, list[Taken]] = {name: [] for name in playing}
    for _ in range(rounds):
        for name, application in playing.items():
            taken[name].append(batch(application, row, calls[name]))
    return {name: (_median(found, 0), _median(found, 1)) for name, found in taken.items()}


def _median(taken: Sequence[Taken], clock: int) -> float:
    return statistics.median(one[clock] for one in taken)


def shares(times: Times, rows: Sequence[Row]) -> str:
    """The table of what rest_kit takes: of the rival's time, and of raw's."""
    head = [f"{OURS}'s time", f"of {RIVAL}", "of raw", "goal", "missed"]
    return markdown([head, *[_shares(times[row.name], row) for row in rows]])


def _shares(found: Mapping[str, float], row: Row) -> list[str]:
    ours = found.get(OURS)
    told = [f"{ours / found[name]:.2f}" if ours and name in found else "–" for name in (RIVAL, "raw")]
    return [row.name, *told, "≤ 0.33" if has_goal(row) else "–", "goal" if missed(found, row) else ""]


def has_goal(row: Row) -> bool:
    """Whether the row is one that rest_kit is held to."""
    return row.name.startswith(COMPILED)


def missed(found: Mapping[str, float], row: Row) -> bool:
    """Whether rest_kit should have been quicker."""
    both = OURS in found and RIVAL in found
    return both and has_goal(row) and found[OURS] > SHARE * found[RIVAL]


def main() -> int:
    """Measure and print; 1 where rest_kit misses the goal."""
    asked = options()
    wanted = [name.strip() for name in asked.places.split(",")]
    with tempfile.TemporaryDirectory() as folder, places(Path(folder), wanted) as found:
        rows = [row for name in found for row in rows_of_a_table(TITLES[name], f"/{name}/")]
        with contenders(asked.only, found) as playing:
            taken = {row.name: measure(playing, row, asked.rounds) for row in rows}
            names = list(playing)
    clocks = {
        clock: {row: {name: both[number] for name, both in by_name.items()} for row, by_name in taken.items()}
        for number, clock in enumerate(CLOCKS)
    }
    print(f"{machine()}, median of {asked.rounds} rounds")
    for clock, times in clocks.items():
        print(f"\n{microseconds(times, rows, names, CLOCKS[clock])}")
    print(f"\n{shares(clocks['wall'], rows)}")
    if asked.json:
        asked.json.write_text(json.dumps({"machine": machine(), "microseconds": clocks}, indent=2) + "\n")
    return int(any(missed(clocks["wall"][row.name], row) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
