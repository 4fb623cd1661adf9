"""From what a function of the user's own returns to a reply."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as WSGIResponse

from rest_kit import jsonio
from rest_kit.controllers.served import allow
from rest_kit.problems import Headers, Reply, status_line
from rest_kit.request import Request
from rest_kit.response import Response, check_headers

Show = Callable[[Any], tuple[str, bytes]]
"""From data to a media type and a body."""
BODILESS = (204, 304)
"""The statuses of replies that never have a body (RFC 9110 §6.4.1)."""
_STATUS_LINE: Final = re.compile(r"[2-5][0-9]{2} [\x20-\x7e]*").fullmatch


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

    A reply that one of the verb methods has made is one already. `vary` goes with what `show` makes. ValueError or
    TypeError for what cannot be sent.
    """
    if isinstance(result, WSGIResponse):
        iterable, status, headers = result.get_wsgi_response(request.environ)
        result = status, list(headers), iterable
    if _is_reply(result):
        check_headers(result[1])
        reply: Reply = result
        return reply
    response = _read(result)
    headers = [one for one in response.headers.items() if one[0].lower() != "content-length"]
    body = b""
    if response.data is not None and response.status not in BODILESS:
        _refuse_infinite(response.data)
        media_type, body = show(response.data)
        headers += vary or []
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", media_type))
    if response.status not in BODILESS:
        headers.append(("Content-Length", str(len(body))))
    return status_line(response.status), headers, body


def _is_reply(result: Any) -> bool:
    """Whether a result is a reply as verb methods make them: `("200 OK", [headers], body)`."""
    if type(result) is not tuple or len(result) != 3:
        return False
    status, headers, body = result
    whole = type(status) is str and _STATUS_LINE(status) is not None and type(headers) is list
    return whole and isinstance(body, Iterable) and not isinstance(body, (str, Mapping))


def _read(result: Any) -> Response:
    """A result as a Response; a tuple is data with a status, never data alone (TypeError, ValueError)."""
    if isinstance(result, Response):
        result.check()
        return result
    if type(result) is not tuple:
        return Response(result, 204 if result is None else 200)
    if len(result) not in (2, 3):
        raise TypeError(f"what is returned as a tuple is (data, status) or (data, status, headers), not {result!r}")
    return Response(*result)


def _refuse_infinite(data: Any) -> None:
    """ValueError for a float anywhere in the data that JSON has no number for; it would be written as null."""
    if isinstance(data, float) and not math.isfinite(data):
        raise ValueError(f"{data!r} cannot be written as JSON")
    if isinstance(data, (list, tuple, Mapping)):
        for one in data.values() if isinstance(data, Mapping) else data:
            _refuse_infinite(one)
