"""Applications for remote stores to talk to: in this process, and behind a real socket."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.validate import validator

from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Model
from rest_kit.pagination import BasePagination
from rest_kit.store import DataStore
from rest_kit.types import Record


def application(
    store: type[DataStore], data: Any, model: Model, pagination: BasePagination | None = None, name: str = "things"
) -> Any:
    """A rest_kit application with one resource, held to WSGI's rules."""
    options = {} if pagination is None else {"pagination": pagination}
    app = type(
        "App",
        (Controller,),
        {
            "resource": {"resource_name": name, "resource": data, "datastore": store, "model": model},
            "controller": {"options": options},
        },
    )
    return validator(WSGIDispatcher([app]))


def copied(rows: Sequence[Record]) -> list[Record]:
    """Rows for a list of its own."""
    return [dict(row) for row in rows]


class Mounts:
    """WSGI applications under the first segment of the path, added while they are served."""

    def __init__(self) -> None:
        self.apps: dict[str, Any] = {}

    def add(self, app: Any) -> str:
        """The name under which an application is from now on."""
        name = f"m{len(self.apps)}"
        self.apps[name] = app
        return name

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        name, _, rest = environ["PATH_INFO"].removeprefix("/").partition("/")
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = f"/{name}", f"/{rest}"
        return self.apps[name](environ, start_response)


class Handler(WSGIRequestHandler):
    """The standard library's, with the raw target in the environ, and quiet."""

    def get_environ(self) -> Any:
        return {**super().get_environ(), "REQUEST_URI": self.path}

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """One thread for each connection; none outlives the test."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
        self.setup_environ()


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The URL of an application that is served on a free port meanwhile."""
    server = Server(("127.0.0.1", 0), Handler)
    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
