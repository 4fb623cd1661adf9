"""The transport for real networks: one urllib3 pool, and a deadline that counts for the whole of a reply.

A socket's timeout begins anew with every byte that arrives. So the replies are read through a file that, before each
read, gives the socket no more than what is left until the deadline: status line, headers, chunk sizes and body alike.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from datastores.remote.transport import Deadline, NotSent, Reply, TooLarge, TransportError, TransportTimeout

if TYPE_CHECKING:
    import urllib3

CHUNK = 65536
_current = threading.local()


class NetworkTransport:
    """Sends over HTTP/1.1, with connections that are kept, each process having its own.

    `max_size`: the most bytes of a body that are read. `connect_timeout`: seconds for a connection, within the
    deadline. `connections`: how many are kept. `verify`: whether certificates are checked; `ca_bundle`: the file of
    authorities to check them against, if not the system's.
    """

    def __init__(
        self,
        *,
        max_size: int,
        connect_timeout: float,
        connections: int,
        verify: bool = True,
        ca_bundle: str | os.PathLike[str] | None = None,
    ) -> None:
        self.max_size = max_size
        self.connect_timeout = connect_timeout
        self.connections = connections
        self.verify = verify
        self.ca_bundle = None if ca_bundle is None else os.fspath(ca_bundle)

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        import urllib3

        certificates: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", "ca_certs": self.ca_bundle}
        if not self.verify:
            certificates = {"cert_reqs": "CERT_NONE", "assert_hostname": False}
        pool = urllib3.PoolManager(num_pools=4, maxsize=self.connections, retries=False, **certificates)
        pool.pool_classes_by_scheme = _pool_classes()
        return pool

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: Deadline) -> Reply:
        """The reply to a request (TransportError, TransportTimeout, TooLarge)."""
        import urllib3

        left = deadline.left()
        if left <= 0:
            raise TransportTimeout("there was no time left to ask")
        timeout = urllib3.Timeout(connect=min(self.connect_timeout, left), read=left)
        _current.deadline = deadline
        try:
            found = self._pool.request(
                method, url, body=body, headers=dict(headers), timeout=timeout, redirect=False, preload_content=False
            )
            return self._read(found)
        except urllib3.exceptions.NewConnectionError as exc:  # which urllib3 counts among the timeouts
            raise NotSent(_told(exc)) from exc
        except urllib3.exceptions.TimeoutError as exc:
            raise TransportTimeout(_told(exc)) from exc
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as exc:
            raise TransportError(_told(exc)) from exc
        finally:
            _current.deadline = None

    def _read(self, found: urllib3.BaseHTTPResponse) -> Reply:
        """The whole of a reply; a connection goes back to the pool only when it was read to its end."""
        done = False
        try:
            reply = Reply(found.status, {n.lower(): v for n, v in found.headers.items()}, self._body(found))
            done = True
            return reply
        finally:
            if done:
                found.release_conn()
            else:
                found.close()

    def _body(self, found: urllib3.BaseHTTPResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        while part := found.read(CHUNK, decode_content=False):
            parts.append(part)
            size += len(part)
            if size > self.max_size:
                raise TooLarge(f"the reply is larger than {self.max_size} bytes")
        return b"".join(parts)

    def close(self) -> None:
        """Let go of the connections; they are made again when they are needed."""
        pool = self.__dict__.pop("_pool", None)
        if pool is not None:
            pool.clear()


def _told(exc: Exception) -> str:
    """What an error of the network says, without addresses of objects."""
    cause = exc.__cause__ or exc.__context__
    return f"{type(exc).__name__}" + (f" ({type(cause).__name__}: {cause})" if isinstance(cause, OSError) else "")


def _pool_classes() -> dict[str, Any]:
    """urllib3's pools, with connections whose replies keep to the deadline."""
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    plain = type("PunctualHTTPConnection", (HTTPConnection,), {"response_class": PunctualResponse})
    secure = type("PunctualHTTPSConnection", (HTTPSConnection,), {"response_class": PunctualResponse})
    return {
        "http": type("PunctualHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("PunctualHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class PunctualResponse(http.client.HTTPResponse):
    """The standard library's response, read through a `PunctualFile`."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        deadline: Deadline | None = getattr(_current, "deadline", None)
        if deadline is not None:
            self.fp.close()
            self.fp = io.BufferedReader(PunctualFile(sock, deadline))


class PunctualFile(io.RawIOBase):
    """What comes out of a socket, until the deadline (TimeoutError)."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._socket = sock
        # a file of its own keeps the socket open until the reply is read
        self._file = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.left()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self._socket.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
