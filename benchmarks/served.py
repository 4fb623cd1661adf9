"""Raw and rest_kit behind a real server: `python -m benchmarks.served`.

One gunicorn worker each, on the loopback; the same requests go to both in turns over connections that stay open, a
bounded number in every round. What counts is rest_kit's share of raw's requests a second.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.contenders import Contender, make
from benchmarks.report import markdown
from benchmarks.workload import LIST_SIZE, Row, generate, rows, write_table

SMALL_TABLE = 1_000
GOALS = {"one": 0.90, "page of 20": 0.85, "page of 100": 0.70, "filter + order": 0.70, "POST": 0.70}
CONNECTIONS = 4
THREADS = 4


def application(name: str, path: str) -> Callable[..., Any]:
    """What gunicorn runs: a contender that forgets what was posted before its list grows long."""
    contender = make(name, list(generate(LIST_SIZE)), Path(path))
    return Forgetful(contender)


class Forgetful:
    """Takes back the posted books when somebody asks for `/forget`."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/forget":
            self.contender.forget()
            start_response("204 No Content", [("Content-Length", "0")])
            return ()
        return self.contender.app(environ, start_response)


class Served:
    """One contender behind gunicorn, with a few connections to it that stay open."""

    def __init__(self, name: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "books.db"
        write_table(path, SMALL_TABLE)
        self.log = (Path(self.folder.name) / "log").open("wb")
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.address = listener.getsockname()
            command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread"]
            command += ["--threads", str(THREADS), "--keep-alive", "30", "--bind", f"fd://{listener.fileno()}"]
            command += [f"benchmarks.served:application({name!r}, {str(path)!r})"]
            self.process = subprocess.Popen(
                command,
                pass_fds=[listener.fileno()],
                stdout=self.log,
                stderr=self.log,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
            )
        self.wires = [socket.create_connection(self.address, timeout=30) for _ in range(CONNECTIONS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for wire in self.wires:
            wire.close()
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        self.folder.cleanup()

    def worker(self) -> int:
        """The process id of the one worker."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def get(self, path: str) -> bytes:
        """One reply's status line."""
        self.wires[0].sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return whole_reply(self.wires[0])

    def rate(self, row: Row, count: int) -> float:
        """Requests a second for this row's request."""
        raw = request(row)
        expected = b"HTTP/1.1 " + row.status.encode()
        start = time.perf_counter()
        for _ in range(count // CONNECTIONS):
            for wire in self.wires:
                wire.sendall(raw)
            for wire in self.wires:
                reply = whole_reply(wire)
                if not reply.startswith(expected):
                    raise ValueError(reply[:300])
        taken = time.perf_counter() - start
        self.get("/forget")
        return count // CONNECTIONS * CONNECTIONS / taken


def request(row: Row) -> bytes:
    """The row's request as it goes over the wire."""
    target = f"{row.path}?{row.query}" if row.query else row.path
    head = f"{row.method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
    if row.body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(row.body)}\r\n"
    return head.encode() + b"\r\n" + row.body


def whole_reply(wire: socket.socket) -> bytes:
    """One reply, by its Content-Length; returns its first bytes."""
    received = wire.recv(65536)
    while b"\r\n\r\n" not in received:
        received += more(wire)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = (int(lengths[0][15:]) if lengths else 0) - len(body)
    while missing > 0:
        missing -= len(more(wire))
    return head


def more(wire: socket.socket) -> bytes:
    """The next bytes; there must be some."""
    received = wire.recv(65536)
    if not received:
        raise ConnectionError("the server has closed the connection in the middle of a reply")
    return received


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.served", description=__doc__)
    parser.add_argument("--requests", type=int, default=1200, help="for each row, round and contender")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    table = [["requests/s", "raw", "rest_kit", "share", "goal", "missed"]]
    failed = False
    with Served("raw") as raw, Served("rest_kit") as ours:
        for row in [row for row in rows(list(generate(LIST_SIZE))) if row.name in GOALS]:
            rates = [(raw.rate(row, asked.requests), ours.rate(row, asked.requests)) for _ in range(asked.rounds)]
            theirs, own = (statistics.median(column) for column in zip(*rates, strict=True))
            missed = own / theirs < GOALS[row.name]
            failed = failed or missed
            cells = [row.name, f"{theirs:.0f}", f"{own:.0f}", f"{own / theirs:.0%}", f"≥ {GOALS[row.name]:.0%}"]
            table.append([*cells, "goal" if missed else ""])
    print(markdown(table))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
