"""Calling an application in this process, a batch at a time: one over WSGI, or one over ASGI on a loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

from benchmarks.measure import call, ignore
from benchmarks.workload import Environ, Row, environ

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class Application(Protocol):
    """What is measured."""

    def call(self, row: Row) -> tuple[str, bytes]:
        """One request's status and body."""

    def ready(self, row: Row, calls: int) -> Callable[[], None]:
        """What answers so many requests when it is called; whatever a server would hand over is made by now."""

    def close(self) -> None:
        """Give back what was opened, so that the databases can be taken away."""


class WsgiApplication:
    """An application over WSGI."""

    def __init__(self, app: Callable[..., Any], close: Callable[[], object]) -> None:
        self.app = app
        self._close = close

    def call(self, row: Row) -> tuple[str, bytes]:
        """One request's status and body."""
        return call(self.app, environ(row))

    def ready(self, row: Row, calls: int) -> Callable[[], None]:
        """What answers so many requests."""
        environs = [environ(row) for _ in range(calls)]
        return lambda: self._run(environs)

    def _run(self, environs: Sequence[Environ]) -> None:
        app = self.app
        for made in environs:
            body = app(made, ignore)
            b"".join(body)
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def close(self) -> None:
        """Give back what was opened."""
        self._close()


class AsgiApplication:
    """An application over ASGI, one request after the other on one event loop, without a server in between."""

    def __init__(self, app: AsgiApp, close: Callable[[], Awaitable[None]]) -> None:
        self.app = app
        self._loop = asyncio.new_event_loop()
        self._close = close

    def call(self, row: Row) -> tuple[str, bytes]:
        """One request's status and body."""
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        self._loop.run_until_complete(self.app(scope(row), _no_body, keep))  # type: ignore[arg-type]
        return str(sent[0]["status"]), b"".join(message.get("body", b"") for message in sent)

    def ready(self, row: Row, calls: int) -> Callable[[], None]:
        """What answers so many requests."""
        scopes = [scope(row) for _ in range(calls)]
        return lambda: self._loop.run_until_complete(self._run(scopes))

    async def _run(self, scopes: Sequence[Message]) -> None:
        app = self.app
        for made in scopes:
            await app(made, _no_body, _ignore)

    def close(self) -> None:
        """Give back what was opened, on the loop that it was opened on."""
        self._loop.run_until_complete(self._finish())
        self._loop.close()

    async def _finish(self) -> None:
        await self._close()
        await self._loop.shutdown_default_executor()


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _ignore(message: Message) -> None:
    """A `send` that costs nothing."""


def scope(row: Row) -> Message:
    """A fresh ASGI scope, as a server would make it for the row's request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
        "scheme": "http",
        "root_path": "",
        "method": row.method,
        "path": row.path,
        "raw_path": row.path.encode(),
        "query_string": row.query.encode(),
        "headers": [(b"host", b"127.0.0.1:8000"), (b"user-agent", b"benchmark"), (b"accept", b"*/*")],
        "state": {},
    }
