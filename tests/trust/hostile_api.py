"""An application over one store, asked in process as a server asks, under two checkers of the WSGI specification."""

from __future__ import annotations

import io
import json
import re
import wsgiref.validate
from pathlib import Path
from typing import Any

import pytest
import webtest.lint
from trust_apps import SECRET, controller, place
from trust_server import Answer

from rest_kit.controllers import WSGIDispatcher
from rest_kit.pagination import BasePagination
from rest_kit.testing.store_samples import every_model, every_rows

LEAKS = re.compile(r"Traceback|\.py\b|sqlite|SELECT|/tmp/|File \"")


class Api:
    """The application, and its store."""

    def __init__(self, kind: str, folder: Path, pagination: BasePagination) -> None:
        store, data = place(kind, folder)
        rows = every_rows(6)
        if kind == "list":
            data[:] = [dict(row) for row in rows]
        resource = controller(store, data, every_model(), pagination, "things")
        assert resource.spec_ is not None
        self.store = resource.spec_.store
        if kind != "list":
            self.store.atomic(lambda tx: tx.insert(rows))
        self.app: Any = WSGIDispatcher([resource], secret=SECRET)
        self.linted = webtest.lint.middleware(wsgiref.validate.validator(self.app))

    def ask(self, method: str, path: str, query: str = "", body: bytes = b"", **extra: str) -> Answer:
        """One request; `extra` are further members of the environ, empty ones to be left out."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if body or method in ("POST", "PUT", "PATCH"):
            environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        environ |= {name: value for name, value in extra.items() if value}
        for name in [name for name, value in extra.items() if not value]:
            environ.pop(name, None)
        return call(self.linted if lintable(environ) else self.app, environ)

    def everything(self) -> bytes:
        """All that is stored, as a caller sees it; it must be valid JSON."""
        answer = self.ask("GET", "/things/")
        assert answer.status == 200
        json.loads(answer.body.decode(), parse_constant=pytest.fail)
        return answer.body


def call(app: Any, environ: dict[str, Any]) -> Answer:
    """The application's whole reply."""
    seen: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        seen[:] = [status, headers]
        return lambda chunk: None

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return Answer(int(seen[0][:3]), {name.lower(): value for name, value in seen[1]}, body)


def lintable(environ: dict[str, Any]) -> bool:
    """Whether the environ is one that the checkers let through, as they refuse hostile ones by themselves."""
    path, length = environ["PATH_INFO"], environ.get("CONTENT_LENGTH", "0")
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return (
        path.startswith("/")
        and re.fullmatch("[0-9]{1,100}", length) is not None
        and environ["REQUEST_METHOD"] in methods
    )


def refused(answer: Answer, *statuses: int) -> None:
    """The reply is a problem document with one of these statuses (any in the 400s) that gives nothing away."""
    assert 400 <= answer.status < 500, answer
    assert not statuses or answer.status in statuses, answer
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.data
    assert problem["status"] == answer.status
    assert problem["title"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert not LEAKS.search(problem["detail"] + json.dumps(problem.get("errors"))), problem
    answer.body.decode()
