"""What it costs to start: `python -m benchmarks.startup`.

The time of `import rest_kit` and of an application's own imports, beside an interpreter that imports nothing; which
heavy modules they load; and how much memory an idle gunicorn worker takes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.served import Served

HEAVY = ("sqlalchemy", "apispec", "urllib3", "jinja2", "requests", "asyncio")
APPLICATION = "from rest_kit.controllers import Controller, WSGIDispatcher; from datastores import SQLiteDataStore"
ROUNDS = 11
IMPORT_GOAL = 110.0
MEMORY_GOAL = 35.0


def milliseconds(statement: str) -> float:
    """A new interpreter's whole life with this statement: the least of several, as only others' work adds to it."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        taken.append((time.perf_counter() - start) * 1e3)
    return min(taken)


def loaded(statement: str) -> list[str]:
    """Which of the heavy modules the statement loads."""
    code = f"{statement}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def resident(pid: int, *, peak: bool = False) -> float:
    """The megabytes of memory that a process occupies, or has at most occupied."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:" if peak else "VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has ended")


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    bare = milliseconds("pass")
    failed = False
    for name, statement in (("import rest_kit", "import rest_kit"), ("an application's imports", APPLICATION)):
        took = milliseconds(statement) - bare
        heavy = loaded(statement)
        failed = failed or took > IMPORT_GOAL or bool(heavy)
        print(f"{name}: {took:.0f} ms beside {bare:.0f} of Python alone (goal ≤ {IMPORT_GOAL:.0f}), {heavy or 'light'}")
    with Served("rest_kit") as server:
        server.get("/books/1/")
        memory = resident(server.worker())
    print(f"idle worker with 1,000 books in a list: {memory:.1f} MB (goal ≤ {MEMORY_GOAL:.0f})")
    return int(failed or memory > MEMORY_GOAL)


if __name__ == "__main__":
    sys.exit(main())
