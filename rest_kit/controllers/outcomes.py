"""From what a function of the user's own returns to a reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as WSGIResponse

from rest_kit import jsonio
from rest_kit.controllers.served import allow
from rest_kit.problems import Headers, Reply, status_line
from rest_kit.request import Request
from rest_kit.response import Response

Show = Callable[[Any], tuple[str, bytes]]
"""From data to a media type and a body."""
BODILESS = (204, 304)
"""The statuses of replies that never have a body (RFC 9110 §6.4.1)."""


def as_json(data: Any) -> tuple[str, bytes]:
    """Data as JSON, whatever the types of its values that models know."""
    return "application/json", jsonio.encode(data)


def unserved(request: Request, verbs: Iterable[str]) -> Reply:
    """The answer of an endpoint to OPTIONS, and to a verb that it does not serve (MethodNotAllowed)."""
    allowed = allow(verbs)
    if request.method == "OPTIONS":
        return "204 No Content", [("Allow", ", ".join(allowed))], b""
    raise MethodNotAllowed(allowed, description=f"{request.method} is not served here")


def reply_of(result: Any, request: Request, show: Show = as_json, vary: Headers | None = None) -> Reply:
    """The reply that a function's result stands for: data, `(data, status)`, a Response, or None for 204.

    A reply that one of the verb methods has made is one already. `vary` goes with what `show` makes.
    """
    if isinstance(result, WSGIResponse):
        return _own(result, request)
    if isinstance(result, tuple) and len(result) == 3:
        return result
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], int):
        result = Response(*result)
    elif not isinstance(result, Response):
        result = Response(result, 204 if result is None else 200)
    headers = list(result.headers.items())
    body = b""
    if result.data is not None and result.status not in BODILESS:
        media_type, body = show(result.data)
        headers += vary or []
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", media_type))
    if result.status not in BODILESS:
        headers.append(("Content-Length", str(len(body))))
    return status_line(result.status), headers, body


def _own(response: WSGIResponse, request: Request) -> Reply:
    """A reply that werkzeug's response stands for."""
    iterable, status, headers = response.get_wsgi_response(request.environ)
    return status, list(headers), iterable
