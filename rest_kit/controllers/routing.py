"""The plain endpoints of a dispatcher: found by werkzeug's rules, guarded by policies of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
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

    def answer(self, request: Request, values: dict[str, Any]) -> Reply:
        """Let the function answer (what policies raise, and the function)."""
        request.action, request.view, request.max_body = self.name, self, self.route.max_body
        if self.access is not None:
            self.access.enter(request, self.name)
        try:
            result = call(self.route.function, request, **values)
        except NotAuthenticated as exc:
            raise challenging(exc, self.challenges) from exc
        return reply_of(result, request)


class Routes:
    """All routes of a dispatcher, by path below its prefix, and by verb."""

    def __init__(self, routes: Sequence[Route], defaults: Policies, storage: Storage, keys: Keys) -> None:
        ready = [(route, Endpoint(route, defaults, storage, keys)) for route in routes]
        rules = [Rule(one.path.rstrip("/") or "/", methods=one.methods, endpoint=made) for one, made in ready]
        heads = {route.path.split("/")[1] for route in routes}
        self._heads = None if any("<" in head for head in heads) else heads
        self._rules = Map(rules, strict_slashes=False, merge_slashes=False).bind("")

    def find(self, parts: Sequence[str], method: str) -> Callable[[Request], Reply] | None:
        """What answers a verb at a path, given as its segments; None where nothing answers any."""
        # PERF: one: resources beside routes do not wait for werkzeug's rules
        if self._heads is not None and (parts[0] if parts else "") not in self._heads:
            return None
        # a slash that was sent as %2F belongs to its segment, which the rules could not tell
        if any("/" in part for part in parts):
            return None
        try:
            endpoint, values = self._rules.match("/" + "/".join(parts), method=method)
        except MethodNotAllowed as exc:
            served = frozenset(exc.valid_methods or ())
            return lambda request: unserved(request, served)
        except (NotFound, RequestRedirect):
            return None
        return lambda request: endpoint.answer(request, dict(values))


def clashes(routes: Sequence[Route], resources: Iterable[Sequence[str]]) -> list[str]:
    """A sentence for every route at the place of another, or of a resource's list or items.

    `resources` are the segments of the lists' paths, below the prefix.
    """
    problems = []
    taken: set[tuple[str, str]] = set()
    for route in routes:
        twice = [verb for verb in route.methods if (verb, _shape(route.path)) in taken]
        taken.update((verb, _shape(route.path)) for verb in route.methods)
        if twice:
            problems.append(f"{route!r}: another route answers {', '.join(twice)} there")
    for path in resources:
        problems += [
            f"{route!r} would hide the resource at /{'/'.join(path)}/: choose another path, or override its verbs"
            for route in routes
            if _hides(route.path.strip("/").split("/"), path)
        ]
    return problems


def _shape(path: str) -> str:
    """A route's path, in which it does not matter how segments are named."""
    return re.sub(r"<(?:([^:<>]*):)?[^<>]*>", r"<\1>", path.rstrip("/"))


def _hides(parts: Sequence[str], resource: Sequence[str]) -> bool:
    """Whether the segments of a route's path are those of a resource's list, or of all of its items."""
    below = parts[len(resource) :]
    at = len(parts) >= len(resource) and all(map(_stands_for, parts, resource))
    return at and (not below or (len(below) == 1 and "<" in below[0]))


def _stands_for(part: str, name: str) -> bool:
    """Whether a segment of a route's path can be this name."""
    return part == name or ("<" in part and Map([Rule(f"/{part}")]).bind("").test(f"/{name}"))
