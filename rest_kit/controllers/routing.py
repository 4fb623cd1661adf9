"""The plain endpoints of a dispatcher: found by werkzeug's rules, guarded by policies of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

from rest_kit.controllers.access import Access
from rest_kit.controllers.outcomes import call, reply_of
from rest_kit.controllers.served import allow
from rest_kit.policies import Policies
from rest_kit.problems import Reply
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.storage import Storage
from rest_kit.store import refuse


class Endpoint:
    """One route made ready to be served; policies are asked with it as their view."""

    def __init__(self, route: Route, defaults: Policies, storage: Storage) -> None:
        self.route = route
        self.name = route.name
        policies = route.policies.or_else(defaults)
        refuse(policies.misfits(self), repr(route))
        self.access = Access(self, policies, storage) if policies.any else None
        verbs = [*route.methods, *(["HEAD"] if "GET" in route.methods else [])]
        self.verbs = frozenset(verbs)
        self.allow = allow(self.verbs)

    def answer(self, request: Request, values: dict[str, Any]) -> Reply:
        """Let the function answer (MethodNotAllowed, and what policies raise)."""
        if request.method == "OPTIONS":
            return "204 No Content", [("Allow", ", ".join(self.allow))], b""
        if request.method not in self.verbs:
            raise MethodNotAllowed(self.allow, description=f"{request.method} is not served here")
        if self.access is not None:
            self.access.enter(request, self.name)
        return reply_of(call(self.route.function, request, **values), request)


class Routes:
    """All routes of a dispatcher, by path below its prefix."""

    def __init__(self, routes: Sequence[Route], defaults: Policies, storage: Storage) -> None:
        rules = [Rule(route.path, endpoint=Endpoint(route, defaults, storage)) for route in routes]
        self._rules = Map(rules, strict_slashes=False, merge_slashes=False).bind("")

    def find(self, parts: Sequence[str]) -> Callable[[Request], Reply] | None:
        """What answers at a path, given as its segments; None where nothing does."""
        try:
            endpoint, values = self._rules.match("/" + "/".join(parts), method="GET")
        except (NotFound, RequestRedirect):
            return None
        return lambda request: endpoint.answer(request, dict(values))
