"""Measurements as tables: for people in Markdown, for machines in JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence

from benchmarks.workload import Row

Times = Mapping[str, Mapping[str, float]]
"""Row name → contender → microseconds."""

BASE = "raw"
OURS = "rest_kit"
RIVAL = "falcon + marshmallow"


def machine() -> str:
    """Where this was measured."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Cells as a table whose columns line up; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def microseconds(times: Times, rows: Sequence[Row], names: Sequence[str], title: str = "µs") -> str:
    """The table of times; the title stands above the rows."""
    return markdown([[title, *names], *[[r.name, *[_time(times[r.name].get(n)) for n in names]] for r in rows]])


def _time(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def multiples(times: Times, rows: Sequence[Row], names: Sequence[str]) -> str:
    """The table of multiples of raw, with rest_kit's goals and where it misses them."""
    head = ["× raw", *names, "goal", "missed"]
    return markdown([head, *[_multiples(times[row.name], row, names) for row in rows]])


def _multiples(found: Mapping[str, float], row: Row, names: Sequence[str]) -> list[str]:
    base = found.get(BASE)
    cells = [f"{found[n] / base:.1f}" if base and n in found else "–" for n in names]
    return [row.name, *cells, f"≤ {row.goal:g}", ", ".join(missed(found, row))]


def missed(found: Mapping[str, float], row: Row) -> list[str]:
    """What rest_kit should have reached and has not."""
    ours = found.get(OURS)
    if ours is None:
        return []
    failures = []
    if BASE in found and ours > row.goal * found[BASE]:
        failures.append("goal")
    if RIVAL in found and ours > found[RIVAL]:
        failures.append(f"slower than {RIVAL}")
    return failures
