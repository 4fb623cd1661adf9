"""rest_kit against others, in one process: `python -m benchmarks.run`.

Every contender is asked the same in turns, round after round, so that a machine that drifts does so for all of them;
what is shown is the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.contenders import NAMES, Contender, make
from benchmarks.measure import batch, fitting, verify
from benchmarks.report import machine, microseconds, missed, multiples
from benchmarks.workload import LIST_SIZE, Row, generate, rows, write_table


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--rows", default="", help="only rows whose name contains one of these (commas between)")
    parser.add_argument("--only", default="", help=f"only these contenders (semicolons between): {'; '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write the numbers to this file, too")
    return parser.parse_args(arguments)


def contenders(wanted: str, path: Path) -> dict[str, Contender]:
    """Those asked for, each with a list of its own; one that is not installed is left out, and said so."""
    chosen = [name.strip() for name in wanted.split(";")] if wanted else list(NAMES)
    found = {}
    for name in chosen:
        try:
            found[name] = make(name, list(generate(LIST_SIZE)), path)
        except ImportError as exc:
            print(f"left out: {name} ({exc})", file=sys.stderr)
    return found


def plays(contender: Contender, row: Row) -> bool:
    """Whether this contender does this row's work."""
    return row.name not in contender.lacks


def measure(playing: Mapping[str, Contender], row: Row, rounds: int) -> dict[str, float]:
    """Microseconds for the row, by contender: the median of the rounds."""
    taken: dict[str, list[float]] = {name: [] for name, contender in playing.items() if plays(contender, row)}
    calls = {}
    for name in taken:
        verify(playing[name].app, row, name)
        calls[name] = fitting(playing[name].app, row)
        playing[name].forget()
    for _ in range(rounds):
        for name, times in taken.items():
            times.append(batch(playing[name].app, row, calls[name]))
            playing[name].forget()
    return {name: statistics.median(times) for name, times in taken.items()}


def chosen_rows(wanted: str) -> list[Row]:
    """The rows asked for."""
    parts = [part.strip() for part in wanted.split(",") if part.strip()]
    return [row for row in rows(list(generate(LIST_SIZE))) if not parts or any(part in row.name for part in parts)]


def main() -> int:
    """Measure and print; 1 where rest_kit misses a goal."""
    asked = options()
    chosen = chosen_rows(asked.rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "books.db"
        write_table(path)
        playing = contenders(asked.only, path)
        times = {row.name: measure(playing, row, asked.rounds) for row in chosen}
    names = list(playing)
    print(f"{machine()}, median of {asked.rounds} rounds\n")
    print(microseconds(times, chosen, names), multiples(times, chosen, names), sep="\n\n")
    if asked.json:
        asked.json.write_text(json.dumps({"machine": machine(), "microseconds": times}, indent=2) + "\n")
    return int(any(missed(times[row.name], row) for row in chosen))


if __name__ == "__main__":
    sys.exit(main())
