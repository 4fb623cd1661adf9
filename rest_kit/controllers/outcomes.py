"""From what a function of the user's own returns to a reply."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response as WSGIResponse

from rest_kit import jsonio
from rest_kit.problems import Reply, status_line
from rest_kit.request import Request
from rest_kit.response import Response

Show = Callable[[Any], tuple[str, bytes]]
"""From data to a media type and a body."""


def as_json(data: Any) -> tuple[str, bytes]:
    """Data as JSON, whatever the types of its values that models know."""
    return "application/json", jsonio.encode(data)


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function returns; a coroutine runs to its end."""
    result = function(*args, **kwargs)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


def reply_of(result: Any, request: Request, show: Show = as_json) -> Reply:
    """The reply that a function's result stands for: data, `(data, status)`, a Response, or None for 204."""
    if isinstance(result, WSGIResponse):
        return _own(result, request)
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], int):
        result = Response(*result)
    elif not isinstance(result, Response):
        result = Response(result, 204 if result is None else 200)
    headers = list(result.headers.items())
    if result.data is None or result.status in (204, 304):
        body = b""
    else:
        media_type, body = show(result.data)
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", media_type))
    if result.status not in (204, 304):
        headers.append(("Content-Length", str(len(body))))
    return status_line(result.status), headers, body


def _own(response: WSGIResponse, request: Request) -> Reply:
    """A reply that werkzeug's response stands for."""
    iterable, status, headers = response.get_wsgi_response(request.environ)
    return status, list(headers), iterable
