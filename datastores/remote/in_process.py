"""The transport to a WSGI application in this very process: for tests, without a network.

    store = RemoteDataStore({"url": "http://test/people/"}, {"transport": WSGITransport(app)})

The environ is what PEP 3333 asks for, and holds the raw target as gunicorn has it, so that an encoded slash stays one.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from datastores.remote.transport import Deadline, Reply, TransportError, TransportTimeout

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class WSGITransport:
    """Calls a WSGI application; whatever that raises passes through."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: Deadline) -> Reply:
        """The application's reply (TransportError where it sends none, TransportTimeout)."""
        call = _Call()
        found = self.app(environ(method, url, headers, body or b""), call.start)
        try:
            parts = [*call.written, *found]
        finally:
            close = getattr(found, "close", None)
            if close is not None:
                close()
        if deadline.left() <= 0:
            raise TransportTimeout("the application took too long")
        return call.reply(parts)


class _Call:
    """What an application says by its two callables."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.written: list[bytes] = []

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """`start_response`."""
        self.status, self.headers = status, headers
        return self.written.append

    def reply(self, parts: Iterable[bytes]) -> Reply:
        """All of it together (TransportError)."""
        if not self.status:
            raise TransportError("the application has not called start_response")
        headers = {name.lower(): value for name, value in self.headers}
        return Reply(int(self.status.split(" ", 1)[0]), headers, b"".join(parts))


def environ(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The environ of a request, as a server would make it."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    made: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "RAW_URI": target,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or {"http": 80, "https": 443}[parts.scheme]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body:
        made["CONTENT_LENGTH"] = str(len(body))
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        made[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return made
