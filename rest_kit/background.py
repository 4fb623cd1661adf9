"""Work that is done apart from a request: a failure is logged, and never anybody's reply.

    request.background.add_task(send_mail, "ada@example.com", subject="Welcome")

Tasks wait on their request until its reply has been sent, and then go to a few threads, which are started at the
first task of each process. A process that ends in good order does first what is still to be done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from rest_kit.calling import call
from rest_kit.forks import renew_after_fork

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

log = logging.getLogger("rest_kit")

Task = Callable[[], None]

_FAILED: Final = "%s has failed (request %s)"


def run_logged(request_id: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Call a function, which may be `async`, whose failure concerns nobody but the log."""
    try:
        call(function, *args, **kwargs)
    except SystemExit:  # which may be the server's, ending this very process
        log.exception(_FAILED, getattr(function, "__qualname__", repr(function)), request_id)
        raise
    except Exception:
        log.exception(_FAILED, getattr(function, "__qualname__", repr(function)), request_id)


class Tasks:
    """What is to be done once the reply to a request has been sent; dropped where the request ends in an error."""

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._waiting: list[Task] = []
        self._background: Background | None = None

    def add_task(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call this function after the reply, in a thread of its own; it may be `async`, and its failure is logged.

        It is given what it needs as arguments: the request itself is over by then. A task may leave further ones.
        """
        if not callable(function):
            raise TypeError(f"a task is a function and its arguments, not {function!r}")
        task: Task = lambda: run_logged(self._request_id, function, *args, **kwargs)  # noqa: E731 - it is typed so
        if self._background is None:
            self._waiting.append(task)
        else:
            self._background.do([task])

    def start(self, background: Background) -> None:
        """Have them done, and whatever is added from now on as well."""
        self._background = background
        background.do(self._waiting)

    def __iter__(self) -> Iterator[Task]:
        return iter(self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)


class Background:
    """The threads that do an application's tasks: at most `workers` of them, with at most `queue` tasks waiting.

    Where more come, those are done by the thread that has served their request, which so serves no other meanwhile.
    """

    def __init__(self, workers: int = 4, queue: int = 1000) -> None:
        self.workers = workers
        self.queue = queue
        self._renew()
        renew_after_fork(self, Background._renew)

    def _renew(self) -> None:
        """Begin anew, without threads: as a forked child must, which has none of its parent's."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._unfinished: set[Future[None]] = set()

    def do(self, tasks: Iterable[Task]) -> None:
        """Have tasks done, in this order as far as they are begun; returns at once where there is room for them."""
        for task in tasks:
            if not self._hand_over(task):
                task()

    def _hand_over(self, task: Task) -> bool:
        """Whether a thread takes the task: not where too many wait, or the process is about to end."""
        with self._lock:
            if len(self._unfinished) >= self.workers + self.queue:
                return False
            try:
                future = self._threads().submit(task)
            except RuntimeError:  # what an executor raises once the interpreter is ending
                return False
            self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return True

    def _threads(self) -> ThreadPoolExecutor:
        """The threads of this process; the interpreter waits for them, and all that they have to do, before it ends."""
        if self._pool is None:
            # who adds no task need not wait for the import
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self.workers, "rest_kit-background")
        return self._pool

    def wait(self) -> None:
        """Return when everything that has been handed over is done; for tests, and for whoever shuts down by hand."""
        while unfinished := tuple(self._unfinished):
            for future in unfinished:
                future.exception()  # waits; what a task has raised is in the log
                self._unfinished.discard(future)


class WithTasks:
    """A body after which tasks are to be done: the server calls `close` when it has sent it (PEP 3333)."""

    def __init__(self, body: Iterable[bytes], tasks: Tasks, background: Background) -> None:
        self._body = body
        self._tasks = tasks
        self._background = background

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close the body, and have the tasks done."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._tasks.start(self._background)
