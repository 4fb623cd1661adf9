"""Where a request meets the WSGI server: whatever happens inside, exactly one well-formed reply comes out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rest_kit.problems import Reply, kind_of, problem
from rest_kit.request import Environ, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

log = logging.getLogger("rest_kit")

Handle = Callable[[Request], Reply]


def respond(handle: Handle, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request: run `handle`, turn what it raises into a problem document, add the request id."""
    request = Request(environ)
    try:
        reply = handle(request)
    except Exception as exc:  # noqa: BLE001 - the boundary: nothing may pass but a reply
        reply = failure(exc, request)
    status, headers, body = reply
    headers.append(("X-Request-ID", request.id))
    start_response(status, headers)
    return (b"",) if request.method == "HEAD" or not body else (body,)


def failure(exc: Exception, request: Request) -> Reply:
    """The problem document for an exception, logged where it is the server's fault."""
    status = kind_of(exc).status
    if status >= 500:
        unexpected = exc if status == 500 else None
        log.error(
            "%s %s: %s (request %s)",
            request.method,
            request.environ.get("PATH_INFO"),
            exc,
            request.id,
            exc_info=unexpected,
        )
    return problem(exc, request.id, request.script_name())
