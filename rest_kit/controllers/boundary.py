"""Where a request meets the WSGI server: whatever happens inside, exactly one well-formed reply comes out."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from rest_kit.background import Background, WithTasks
from rest_kit.problems import Headers, Reply, problem, problem_type_of
from rest_kit.proxies import Proxies
from rest_kit.request import Environ, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = logging.getLogger("rest_kit")

_NAME: Final = itemgetter(0)


class Application(ABC):
    """A WSGI application that answers each request with one `Reply`, or leaves it to its `fallback`."""

    fallback: WSGIApplication | None = None
    proxies: Proxies | None = None
    """What reads requests as the proxies in front of the application say that they were; the fallback's are not."""
    prefix: str = ""
    """The URL path, below the script name, that everything here lies under."""
    background: Background
    """What does the tasks that requests leave behind."""

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """The reply to a request; whatever this raises becomes a problem document."""

    def knows(self, environ: Environ) -> bool:
        """Whether a request is for this application, and not for the fallback."""
        return True

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333), with its id in `X-Request-ID`."""
        if self.fallback is not None and not self.knows(environ):
            return self.fallback(environ, start_response)
        if self.proxies is not None:
            environ = self.proxies(environ)
        request = Request(environ)
        try:
            status, headers, body = self.answer(request)
        except Exception as exc:  # noqa: BLE001 - the boundary: nothing may pass but a reply
            status, headers, body = failure(exc, request, self.prefix)
            request.tasks = None
        headers.append(("X-Request-ID", request.id))
        if request.headers is not None:
            headers = merged(headers, request.headers)
        start_response(status, headers)
        parts: Iterable[bytes] = ()
        if request.method != "HEAD" and body:
            parts = (body,) if isinstance(body, bytes) else body
        return parts if request.tasks is None else WithTasks(parts, request.tasks, self.background)


def failure(exc: Exception, request: Request, prefix: str = "") -> Reply:
    """The problem document for an exception, logged where it is the server's fault."""
    status = problem_type_of(exc).status
    if status >= 500:
        path = request.environ.get("PATH_INFO")
        unexpected = exc if status == 500 else None
        log.error("%s %s: %s (request %s)", request.method, path, exc, request.id, exc_info=unexpected)
    return problem(exc, request.id, request.script_name() + prefix)


def merged(headers: Headers, more: Headers) -> Headers:
    """All of the headers; what both say of `Link`, and of `Vary`, in one each."""
    both = headers + more
    names = list(map(_NAME, both))
    for name in ("Link", "Vary"):
        if names.count(name) > 1:
            said = [value for known, value in both if known == name]
            both = [*(one for one in both if one[0] != name), (name, _joined(name, said))]
    return both


def _joined(name: str, values: list[str]) -> str:
    """Several values as one; the names in `Vary` once each."""
    if name == "Vary":
        values = list(dict.fromkeys(one.strip() for value in values for one in value.split(",")))
    return ", ".join(values)
