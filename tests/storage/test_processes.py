"""Exactly so many are admitted, however many processes and threads ask."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

import rest_kit
from tests.storage.support import need_redis

PROCESSES, THREADS, HITS = 4, 4, 60


def hit_together(url: str, processes: int, threads: int, hits: int) -> list[int]:
    """How many hits of each process were admitted, of 100 that are allowed in a minute."""
    command = [sys.executable, str(Path(__file__).with_name("hitters.py")), url, uuid.uuid4().hex]
    environment = {**os.environ, "PYTHONPATH": str(Path(rest_kit.__file__).parents[1])}
    running = [
        subprocess.Popen(
            [*command, "100", str(threads), str(hits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(processes)
    ]
    try:
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        return [int(one.communicate(timeout=60)[0]) for one in running]
    finally:
        for one in running:
            one.kill()
            one.communicate()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_hundred_of_all_together(kind: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/counts.db" if kind == "sqlite" else need_redis()
    for _ in range(2):
        assert sum(hit_together(url, PROCESSES, THREADS, HITS)) == 100
