"""A server that does everything wrong, one way for each path, and counts what it was asked.

It listens on the loopback, with a thread for each connection; whatever waits in it ends when it is closed.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

LIST = b'{"meta": {"next": null, "total_count": 1}, "object_list": [{"id": 1, "name": "Ada"}]}'
ITEM = b'{"id": 1, "name": "Ada"}'


class Faulty:
    """The server; `asked` counts by verb and kind of fault, `arrived` is released once for each request."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.arrived = threading.Semaphore(0)
        self.well = threading.Event()
        """While set, `moody` answers as it should."""
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, fault: str) -> str:
        """The collection that has a fault."""
        return f"http://127.0.0.1:{self.port}/{fault}/"

    def close(self) -> None:
        """End every connection."""
        self._stop.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(65536)
                if not part:
                    return
                head += part
            verb, path = head.split(b" ", 2)[:2]
            fault = path.decode().split("/")[1]
            if fault == "schema" and not path.endswith(b"/mute/"):
                connection.sendall(reply("404 None"))
                return
            fault = "mute" if path.endswith(b"/mute/") else fault
            self.asked[verb.decode(), fault] += 1
            self.arrived.release()
            FAULTS[fault](self, connection, verb)

    def drip(self, connection: socket.socket, data: bytes) -> None:
        """Send one byte at a time, with a pause after each."""
        for byte in data:
            connection.sendall(bytes([byte]))
            if self._stop.wait(0.05):
                return

    def wait(self) -> None:
        """Do nothing at all."""
        self._stop.wait(30)


def reply(status: str, body: bytes = b"", kind: str = "application/json", *headers: str) -> bytes:
    """A whole HTTP reply."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(data: bytes) -> Callable[[Faulty, socket.socket, bytes], None]:
    """The behaviour of sending this."""
    return lambda server, connection, verb: connection.sendall(data)


def silent(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    server.wait()


def slow_body(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    connection.sendall(reply("200 OK", LIST)[: -len(LIST)])
    server.drip(connection, LIST * 20)


def slow_head(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    server.drip(connection, reply("200 OK", LIST, "application/json", "X-Long: " + "x" * 2000))


def slow_chunks(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    server.drip(connection, b"1\r\n \r\n" * 500)


def endless(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")


def huge(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(15_000):
        connection.sendall(b" " * 65536)


def moody(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    connection.sendall(reply("200 OK", LIST) if server.well.is_set() else reply("500 Oops"))


def kept(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    """Answer as one should, on one connection as long as somebody asks."""
    answer = reply("200 OK", LIST).replace(b"Connection: close\r\n", b"")
    connection.sendall(answer)
    while connection.recv(65536):
        server.asked["again", "kept"] += 1
        connection.sendall(answer)


def dropped(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    """Answer as one should, and close the connection without a word."""
    connection.sendall(reply("200 OK", LIST).replace(b"Connection: close\r\n", b""))


def hang_up(server: Faulty, connection: socket.socket, verb: bytes) -> None:
    connection.close()


FAULTS: dict[str, Callable[[Faulty, socket.socket, bytes], None]] = {
    "silent": silent,
    "mute": silent,
    "slow-body": slow_body,
    "slow-head": slow_head,
    "slow-chunks": slow_chunks,
    "endless": endless,
    "huge": huge,
    "moody": moody,
    "kept": kept,
    "dropped": dropped,
    "hangs-up": hang_up,
    "cut": says(reply("200 OK", LIST)[:-10]),
    "cut-chunks": says(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,"
    ),
    "no-http": says(b"220 mail.example.org ESMTP\r\n"),
    "error": says(reply("500 Oops", b"Traceback: secret")),
    "unavailable": says(reply("503 Later", b"", "text/plain", "Retry-After: 7")),
    "html": says(reply("200 OK", b"<html>login</html>", "text/html")),
    "bad-json": says(reply("200 OK", b'{"object_list": [')),
    "not-a-list": says(reply("200 OK", b'{"object_list": 7}')),
    "misfit": says(reply("200 OK", b'{"meta": {}, "object_list": [{"id": "one", "name": 7}]}')),
    "compressed": says(reply("200 OK", b"\x1f\x8b", "application/json", "Content-Encoding: gzip")),
    "loop": says(reply("302 Found", b"", "text/plain", "Location: /loop/")),
    "elsewhere": says(reply("302 Found", b"", "text/plain", "Location: http://127.0.0.2:9/stolen/")),
    "too-often": says(reply("429 Slow down", b"", "text/plain", "Retry-After: 17")),
    "unknown-user": says(reply("401 Who", b"", "text/plain")),
    "forbidden": says(reply("403 No", b"", "text/plain")),
    "links-away": says(
        reply("200 OK", b'{"meta": {"next": "http://127.0.0.2:9/x?offset=1"}, "object_list": [{"id": 1, "name": "A"}]}')
    ),
}
"""What happens to a request, by the first segment of its path."""


@contextmanager
def faulty_server() -> Iterator[Faulty]:
    """A server for the time of a test."""
    server = Faulty()
    try:
        yield server
    finally:
        server.close()
