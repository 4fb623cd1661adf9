"""The pages of an application that are no resources: descriptions and probes, as JSON that can only be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound

from rest_kit.controllers.presenter import json_reply
from rest_kit.controllers.served import allow
from rest_kit.docs.errors import error_page
from rest_kit.problems import Reply
from rest_kit.request import Request
from rest_kit.views import JsonResponse
from rest_kit.views.negotiation import choose

Handler = Callable[[Request, list[str]], Reply]
"""Answers a request for what lies below a name: nothing, or the path's further segments."""

READ_ALLOW = allow(("GET", "HEAD"))


def page(request: Request, rest: list[str], make: Callable[[], Any]) -> Reply:
    """A JSON page, for callers that take JSON (NotAcceptable)."""

    def negotiated() -> Any:
        choose(request.header("ACCEPT"), (JsonResponse,))
        return make()

    return probe(request, rest, negotiated)


def probe(request: Request, rest: list[str], make: Callable[[], Any]) -> Reply:
    """A JSON page, whatever the caller says that it takes."""
    if rest:
        raise NotFound("there is nothing at this address")
    if request.method == "OPTIONS":
        return "204 No Content", [("Allow", ", ".join(READ_ALLOW))], b""
    if request.method not in READ_ALLOW:
        raise MethodNotAllowed(READ_ALLOW, description=f"{request.method} is not served here")
    return json_reply(make())


def health(request: Request, parts: list[str]) -> Reply:
    """`/healthz`: the process answers."""
    return probe(request, parts, lambda: {"status": "ok"})


def error_pages(request: Request, parts: list[str]) -> Reply:
    """`/docs/errors/<slug>/`: what a problem's `type` leads to (NotFound)."""
    if len(parts) != 2 or parts[0] != "errors":
        raise NotFound("there is nothing at this address")
    return page(request, [], lambda: error_page(parts[1]))
