"""gunicorn in processes of its own on the loopback, with a client that says when an answer never came.

The listening socket is made here and handed over, so that no port is guessed and nothing waits for a server to be up:
a connection made too early waits in the socket's backlog.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import rest_kit

HERE = Path(__file__).resolve().parent
TIMEOUT = 20.0


class Dropped(Exception):
    """The connection ended before the answer: whether the request was carried out is unknown."""


@dataclass(frozen=True)
class Answer:
    """A whole reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def eventually(ready: Callable[[], Any], what: str, seconds: float = TIMEOUT) -> Any:
    """What `ready` returns, as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = ready()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"{what}: not within {seconds} s")


class Server:
    """gunicorn with `workers` processes, serving an application factory such as `trust_apps:serve('csv', '/tmp/x')`."""

    def __init__(self, app: str, folder: Path, *, workers: int, threads: int = 1) -> None:
        self.log = folder / "server.log"
        self.count = workers
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener, self.log.open("wb") as log:
            self.port: int = listener.getsockname()[1]
            listener.set_inheritable(True)
            command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", f"fd://{listener.fileno()}"]
            command += ["--workers", str(workers), "--threads", str(threads), "--graceful-timeout", "2"]
            command += ["--worker-class", "sync" if threads == 1 else "gthread", app]
            path = os.pathsep.join([str(HERE), str(Path(rest_kit.__file__).resolve().parents[1])])
            self.process = subprocess.Popen(
                command,
                pass_fds=[listener.fileno()],
                env={**os.environ, "PYTHONPATH": path},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def workers(self) -> list[int]:
        """The workers that are alive, by process id."""
        pid = self.process.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except FileNotFoundError:
            return []
        return [int(child) for child in children]

    def all_workers(self) -> list[int]:
        """All the workers, once as many as there should be are alive."""
        return eventually(lambda: len(self.workers()) == self.count and self.workers(), "workers")  # type: ignore[no-any-return]

    def request(
        self, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None, *, body: bytes = b""
    ) -> Answer:
        """One request on a connection of its own (Dropped)."""
        sent = dict(headers or {})
        if data is not None:
            body = json.dumps(data).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body or None, sent)
            reply = connection.getresponse()
            return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        except (OSError, http.client.HTTPException) as exc:
            if self.process.poll() is not None:
                raise AssertionError(f"the server has ended:\n{self.log.read_text()}") from exc
            raise Dropped(str(exc)) from exc
        finally:
            connection.close()

    def send(self, raw: bytes, *, half_close: bool = False) -> bytes:
        """All that the server answers to these very bytes until it closes the connection or has said enough."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT) as wire:
            try:
                wire.sendall(raw)
                if half_close:
                    wire.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it may have answered, and closed, before it had read everything
            return _whole_reply(wire)

    def stop(self) -> None:
        """End it and its workers; by force where it does not end by itself."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process.wait()

    def kill(self) -> None:
        """What a power cut does: all of it at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _whole_reply(wire: socket.socket) -> bytes:
    """Bytes up to the end of the first reply, by its Content-Length, or of the connection."""
    received = b""
    while True:
        try:
            more = wire.recv(65536)
        except ConnectionResetError:
            return received
        received += more
        if not more or _is_whole(received):
            return received


def _is_whole(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.lower().split(b"\r\n")[1:]:
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False
