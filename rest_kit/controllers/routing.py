"""The plain endpoints of a dispatcher: found by werkzeug's rules, guarded by policies of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

from rest_kit.calling import call
from rest_kit.controllers.access import Access, challenges_of, challenging
from rest_kit.controllers.outcomes import reply_of, unserved
from rest_kit.errors import NotAuthenticated
from rest_kit.policies import Policies
from rest_kit.problems import Reply
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.signing import Keys
from rest_kit.storage import Storage
from rest_kit.store import refuse


class Endpoint:
    """One route made ready to be served; policies are asked with it as their view, and functions find it there.

    `storage` and `keys` are the application's.
    """

    def __init__(self, route: Route, defaults: Policies, storage: Storage, keys: Keys) -> None:
        self.route = route
        self.name = route.name
        self.storage = storage
        self.keys = keys
        policies = route.policies.or_else(defaults)
        # who logs in is nobody yet, whatever the application's throttles count elsewhere
        by_address = route.login is not None and route.policies.throttle is None
        refuse(policies.misfits(self, by_address=by_address), repr(route))
        self.access = Access(self, policies, storage) if policies.any else None
        known = policies.authentication or defaults.authentication or ()
        self.challenges = challenges_of(known if route.login is None else (route.login,))
        verbs = [*route.methods, *(["HEAD"] if "GET" in route.methods else [])]
        self.verbs = frozenset(verbs)

    def answer(self, request: Request, values: dict[str, Any]) -> Reply:
        """Let the function answer (MethodNotAllowed, and what policies raise)."""
        if request.method not in self.verbs:
            return unserved(request, self.verbs)
        request.action, request.view, request.max_body = self.name, self, self.route.max_body
        if self.access is not None:
            self.access.enter(request, self.name)
        try:
            result = call(self.route.function, request, **values)
        except NotAuthenticated as exc:
            raise challenging(exc, self.challenges) from exc
        return reply_of(result, request)


class Routes:
    """All routes of a dispatcher, by path below its prefix."""

    def __init__(self, routes: Sequence[Route], defaults: Policies, storage: Storage, keys: Keys) -> None:
        rules = [Rule(route.path, endpoint=Endpoint(route, defaults, storage, keys)) for route in routes]
        heads = {route.path.split("/")[1] for route in routes}
        self._heads = None if any("<" in head for head in heads) else heads
        self._rules = Map(rules, strict_slashes=False, merge_slashes=False).bind("")

    def find(self, parts: Sequence[str]) -> Callable[[Request], Reply] | None:
        """What answers at a path, given as its segments; None where nothing does."""
        # PERF: one: resources beside routes do not wait for werkzeug's rules
        if self._heads is not None and (parts[0] if parts else "") not in self._heads:
            return None
        try:
            endpoint, values = self._rules.match("/" + "/".join(parts), method="GET")
        except (NotFound, RequestRedirect):
            return None
        return lambda request: endpoint.answer(request, dict(values))
