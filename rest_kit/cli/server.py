"""gunicorn, embedded: threads in one worker for data that live in one process, and no file or socket left behind."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from rest_kit import jsonio
from rest_kit.cli.terminal import say
from rest_kit.errors import RestKitError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOAD_ERROR = 4
"""The exit status with which a gunicorn worker says that starting it again is of no use."""


class Settings(NamedTuple):
    """How to serve."""

    host: str
    port: int
    workers: int
    threads: int
    reload: bool
    access_log: bool


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's log, but for its epilogue to a worker that has given up: that one has said why, in a sentence."""

    given_up = False

    def error(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log an error, up to the news that a worker has given up, which is always about the end."""
        self.given_up = self.given_up or (msg.startswith("Worker") and args[-1:] == (LOAD_ERROR,))
        if not self.given_up:
            super().error(msg, *args, **kwargs)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves what `load_app` makes, once in each worker; `announce` is called there with the bound address."""

    def __init__(
        self, load_app: Callable[[], WSGIApplication], announce: Callable[[str, int], None], settings: Settings
    ) -> None:
        self.load_app = load_app
        self.announce = announce
        self.settings = settings
        self.worker: Any = None
        self.failure: RestKitError | None = None
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings; nothing is read from its files, arguments or environment."""
        settings = self.settings
        chosen: dict[str, Any] = {
            "bind": f"[{settings.host}]:{settings.port}"
            if ":" in settings.host
            else f"{settings.host}:{settings.port}",
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": "gthread",
            "reload": settings.reload,
            "loglevel": "warning",
            "logger_class": QuietLogger,
            "accesslog": "-" if settings.access_log else None,
            "control_socket_disable": True,
            "graceful_timeout": 5,
            "post_fork": self._forked,
            "post_worker_init": self._started,
            "proc_name": "rest-kit",
        }
        for key, value in chosen.items():
            self.cfg.set(key, value)

    def run(self) -> None:
        """Serve until a signal comes, or until no worker can."""
        try:
            super().run()
        except HaltServer as exc:  # from gunicorn's own end, when a second worker gives up in the middle of it
            sys.exit(exc.exit_status)

    def load(self) -> WSGIApplication:
        """The application, made within the worker; a stand-in if it cannot be made and its code is being edited."""
        try:
            return self.load_app()
        except RestKitError as exc:
            if not self.settings.reload:
                self._give_up(exc)
            self.failure = exc
            for name in files_of(exc):  # now: what the reloader learns of once it runs may have been edited before
                self.worker.reloader.add_extra_file(name)
            return stand_in

    def _forked(self, arbiter: Any, worker: Any) -> None:
        """Called in a new worker, before it loads anything."""
        self.worker = worker

    def _started(self, worker: Any) -> None:
        """Called in a worker that is ready to serve; the first one tells the user."""
        if self.failure is not None:
            self._tell(self.failure, goes_on=worker.age > 1)
        elif worker.age == 1 or self.settings.reload:
            try:
                self.announce(*worker.sockets[0].getsockname()[:2])
            except RestKitError as exc:
                self._give_up(exc)

    def _tell(self, exc: RestKitError, *, goes_on: bool) -> None:
        """Say what is wrong with code that is being edited, and why; at the very start, give up."""
        if exc.__cause__ is not None:
            click.echo("".join(traceback.format_exception(exc.__cause__)), err=True, nl=False)
        if not goes_on:
            self._give_up(exc)
        say(f"rest-kit: {exc}", err=True)

    def _give_up(self, exc: RestKitError) -> NoReturn:
        say(f"rest-kit: {exc}", err=True)
        sys.exit(LOAD_ERROR)


def stand_in(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """What answers while the code that is being edited cannot be loaded."""
    detail = "the code cannot be loaded; what is wrong with it stands in the terminal"
    start_response("503 Service Unavailable", [("Content-Type", "application/problem+json"), ("Retry-After", "1")])
    return [jsonio.encode({"title": "Service Unavailable", "status": 503, "detail": detail})]


def files_of(exc: BaseException | None) -> set[str]:
    """The files in which an error came up, and those of its causes."""
    found: set[str] = set()
    while exc is not None:
        found.update(frame.f_code.co_filename for frame, _ in traceback.walk_tb(exc.__traceback__))
        if isinstance(exc, SyntaxError) and exc.filename is not None:
            found.add(exc.filename)
        exc = exc.__cause__
    return found
