"""`rest-kit serve` as a process: started, read, asked, and ended by its pid."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
TIMEOUT = 30.0
COMMAND = (sys.executable, "-m", "rest_kit.cli.main")
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Answer(NamedTuple):
    """A reply: its status, headers, and body as JSON (None where there is none)."""

    status: int
    headers: Any
    data: Any


def ask(url: str, method: str = "GET", data: Any = None, **headers: str) -> Answer:
    """One request over the wire."""
    body = None if data is None else json.dumps(data).encode()
    sent = {"Content-Type": "application/json", **headers} if body else headers
    try:
        with _NO_PROXY.open(urllib.request.Request(url, body, sent, method=method), timeout=TIMEOUT) as reply:
            return _answer(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return _answer(refused.code, refused.headers, refused.read())


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(status, headers, json.loads(body) if body else None)


class Process:
    """A running `rest-kit`; what it prints is read as it comes."""

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)} if environment is None else environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.printed: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self.printed]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str) -> None:
        stream = getattr(self.process, name)
        with stream:
            self.printed[name].extend(iter(stream.readline, ""))

    def _said(self, name: str) -> str:
        return "".join(self.printed[name])

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self._said("stdout")

    @property
    def err(self) -> str:
        """What it has complained of so far."""
        return self._said("stderr")

    def until(self, pattern: str, name: str = "stdout", seconds: float = TIMEOUT) -> re.Match[str]:
        """Wait until what it prints matches (AssertionError if it ends or takes too long)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            found = re.search(pattern, self._said(name))
            if found:
                return found
            if ended:
                break
            time.sleep(0.02)
        raise AssertionError(f"it never said {pattern!r}:\n{self.out}\n{self.err}")

    @property
    def url(self) -> str:
        """The base URL that it says it serves at, without the last slash."""
        return self.until(r"serving at (http://\S+?)/ .*(?s:.*)/readyz")[1]

    def end(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.wait()

    def wait(self) -> int:
        """Its exit status, when it has ended."""
        try:
            return self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            for reader in self._readers:
                reader.join(TIMEOUT)


@contextmanager
def serving(*arguments: str, folder: Path) -> Iterator[Process]:
    """`rest-kit serve` with these arguments, at any free port, in that working directory."""
    process = Process([*COMMAND, "serve", "--port", "0", *arguments], folder)
    try:
        yield process
    finally:
        process.end()


def run(*arguments: str, folder: Path) -> Process:
    """`rest-kit` with these arguments, when it has ended by itself."""
    process = Process([*COMMAND, *arguments], folder)
    process.wait()
    return process


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def sights(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """All files in a folder, hidden ones too: when each was changed, its inode, and its bytes."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            status = path.stat()
            found[str(path.relative_to(folder))] = (status.st_mtime_ns, status.st_ino, path.read_bytes())
    return found
