"""Work that a request leaves for after its reply."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rest_kit.background import Background
from rest_kit.controllers import WSGIDispatcher, action
from rest_kit.errors import ConfigurationError, PermissionDenied
from rest_kit.request import Request
from rest_kit.response import Response
from rest_kit.routes import Route
from tests.http.support import Client, over_list, problem, serve
from tests.trust.trust_server import Server, eventually

WAIT = 20.0


def application(function: Any, **arguments: Any) -> WSGIDispatcher:
    """An application with one route at `/api/send-notification`."""
    route = Route("/send-notification", function, methods=["GET", "POST"])
    return WSGIDispatcher([], prefix="/api", routes=[route], **arguments)


def test_a_task_runs_after_the_reply() -> None:
    replied, sent = threading.Event(), []

    def write_notification(address: str, message: str) -> None:
        assert replied.wait(WAIT)
        sent.append((address, message))

    def send_notification(request: Request) -> Any:
        request.background.add_task(write_notification, "ada@example.com", message="hello")
        return {"message": "Notification will be sent"}

    app = application(send_notification)
    reply = Client(app).post("/api/send-notification")
    assert reply.json == {"message": "Notification will be sent"}
    assert sent == []
    replied.set()
    app.background.wait()
    assert sent == [("ada@example.com", "hello")]


def test_a_task_waits_until_the_body_has_been_sent() -> None:
    ran = threading.Event()

    def add(request: Request) -> Any:
        request.background.add_task(ran.set)
        return {"a": 1}

    app = application(add)
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/send-notification", "SCRIPT_NAME": "", "QUERY_STRING": ""}
    body: Any = app(environ, lambda status, headers, exc_info=None: lambda data: None)
    assert b"".join(body) == b'{"a":1}'
    assert not ran.is_set()
    body.close()
    assert ran.wait(WAIT)


@pytest.mark.parametrize("result", [None, {"a": 1}, Response(status=204)])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_tasks_run_whatever_the_reply_looks_like(result: Any, method: str) -> None:
    done: list[int] = []

    def add(request: Request) -> Any:
        for number in range(3):
            request.background.add_task(done.append, number)
        return result

    app = application(add, background_workers=1)
    assert Client(app).ask(method, "/api/send-notification").status_int in (200, 204)
    app.background.wait()
    assert done == [0, 1, 2]


def test_a_task_may_be_async() -> None:
    done: list[str] = []

    async def work(name: str) -> None:
        await asyncio.sleep(0)
        done.append(name)

    def add(request: Request) -> Any:
        request.background.add_task(work, "x")

    app = application(add)
    Client(app).post("/api/send-notification")
    app.background.wait()
    assert done == ["x"]


def test_what_fails_in_a_task_is_logged_with_the_request(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("no mail today")

    done: list[int] = []

    def add(request: Request) -> Any:
        request.background.add_task(fail)
        request.background.add_task(done.append, 1)

    app = application(add)
    with caplog.at_level(logging.ERROR, "rest_kit"):
        assert Client(app).post("/api/send-notification", X_Request_ID="abc").status_int == 204
        app.background.wait()
    assert done == [1]
    [entry] = caplog.records
    assert "fail has failed (request abc)" in entry.getMessage()
    assert entry.exc_info is not None


def test_a_task_that_wants_to_end_the_process_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def add(request: Request) -> Any:
        request.background.add_task(sys.exit, 7)

    app = application(add)
    Client(app).post("/api/send-notification")
    app.background.wait()
    [entry] = caplog.records
    assert "exit has failed" in entry.getMessage()


@pytest.mark.parametrize("queue", [0, 1000])
def test_a_task_may_leave_another_one(queue: int) -> None:
    """Also when all of its request have been handed over long since, and when nobody else takes it."""
    done: list[str] = []

    def add(request: Request) -> Any:
        tasks = request.background

        def first() -> None:
            assert over.wait(WAIT)
            tasks.add_task(second)

        def second() -> None:
            tasks.add_task(done.append, "third")
            done.append("second")

        tasks.add_task(first)

    over = threading.Event()
    app = application(add, background_workers=1, background_queue=queue)
    Client(app).post("/api/send-notification")
    over.set()
    app.background.wait()
    assert sorted(done) == ["second", "third"]


def test_a_request_that_ends_in_an_error_leaves_nothing_behind() -> None:
    done: list[int] = []

    def add(request: Request) -> Any:
        request.background.add_task(done.append, 1)
        raise PermissionDenied

    app = application(add)
    problem(Client(app).post("/api/send-notification"), 403, "permission-denied")
    app.background.wait()
    assert done == []


def test_only_what_can_be_called_is_a_task() -> None:
    def add(request: Request) -> Any:
        with pytest.raises(TypeError, match="a task is a function and its arguments, not 'x'"):
            request.background.add_task("x")  # type: ignore[arg-type]

    assert Client(application(add)).post("/api/send-notification").status_int == 204


def test_actions_and_hooks_have_a_background_too() -> None:
    done: list[Any] = []

    class Things(over_list([{"id": 1, "name": "a"}])):  # type: ignore[misc]
        @action(detail=True, methods=["POST"])
        def print(self, request: Request, pk: int) -> Any:
            request.background.add_task(done.append, pk)

        def after_create(self, request: Request, record: Any) -> None:
            request.background.add_task(done.append, record["name"])

    app = WSGIDispatcher([Things])
    client = Client(app)
    client.post("/things/1/print/")
    client.post("/things/", {"name": "b"})
    assert app.controllers[0].background is app.background
    app.background.wait()
    assert sorted(map(str, done)) == ["1", "b"]
    alone = Things()
    Client(alone).post("/1/print/")
    alone.background.wait()
    assert len(done) == 3


# Bounds


def test_no_thread_is_started_before_there_is_a_task() -> None:
    before = threading.active_count()
    client = serve(over_list([{"id": 1}]))
    client.get("/things/")
    client.post("/things/", {})
    assert threading.active_count() == before


def test_beyond_the_bound_the_thread_of_the_request_does_the_task_itself() -> None:
    """One works, one waits; the third is done before the request is over."""
    go, names = threading.Event(), []

    def work() -> None:
        names.append(threading.current_thread().name)

    def slow() -> None:
        assert go.wait(WAIT)
        work()

    pool = Background(workers=1, queue=1)
    pool.do([slow, work, work])
    assert names == [threading.current_thread().name]
    go.set()
    pool.wait()
    assert [name.startswith("rest_kit-background") for name in names] == [False, True, True]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"background_workers": 0}, "background_workers must be a positive int, not 0"),
        ({"background_workers": True}, "background_workers must be a positive int, not True"),
        ({"background_queue": -1}, "background_queue must be an int, 0 or more, not -1"),
    ],
)
def test_bounds_that_cannot_be_meant_are_refused(arguments: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        WSGIDispatcher([], **arguments)


def test_a_forked_child_has_threads_of_its_own() -> None:
    pool = Background(workers=1)
    ran = threading.Event()
    pool.do([ran.set])
    assert ran.wait(WAIT)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        pool.do([lambda: os.write(writing, b"done") and None])
        pool.wait()
        os._exit(0)
    os.close(writing)
    assert os.read(reading, 10) == b"done"
    os.close(reading)
    os.waitpid(child, 0)


# The end of a process


@pytest.mark.parametrize("threads", [1, 4])
def test_a_worker_of_gunicorn_ends_when_its_tasks_are_done(tmp_path: Path, threads: int) -> None:
    with Server(f"background_app:serve({str(tmp_path)!r})", tmp_path, workers=1, threads=threads) as server:
        assert server.request("POST", "/add").data == {"message": "will be done"}
        server.process.terminate()
        assert eventually(lambda: told(server.log, "Handling signal: term"), "the signal")
        assert not list(tmp_path.glob("done-*"))
        (tmp_path / "go").touch()
        assert server.process.wait(WAIT) == 0, server.log.read_text()
    assert len(list(tmp_path.glob("done-*"))) == 10


def told(log: Path, text: str) -> str:
    """What the server has written, once the text is in it."""
    found = log.read_text(encoding="utf-8")
    return found if text in found else ""
