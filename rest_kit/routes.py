"""Plain endpoints beside the resources: logging in, uploads, and whatever else is no resource."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from rest_kit.authentication.base import Authentication
from rest_kit.errors import ConfigurationError
from rest_kit.policies import Policies, read_policies
from rest_kit.request import DEFAULT_MAX_BODY
from rest_kit.signing import Keys

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def in_capitals(methods: Any) -> Any:
    """The methods of an endpoint, those that are texts in capitals; what is no list of them as it is."""
    if not isinstance(methods, (list, tuple, set, frozenset)):
        return methods
    return [one.upper() if isinstance(one, str) else one for one in methods]


def method_problems(methods: Any, owner: str) -> list[str]:
    """A sentence where the methods of an endpoint are no list of verbs."""
    if isinstance(methods, (list, tuple, set, frozenset)) and methods and all(one in METHODS for one in methods):
        return []
    return [f"{owner} methods must be a list of {', '.join(METHODS)}, not {methods!r}"]


def size_problems(max_body: Any, owner: str) -> list[str]:
    """A sentence where an endpoint's `max_body` is no number of bytes."""
    if type(max_body) is int and max_body > 0:
        return []
    return [f"{owner} max_body must be a positive number of bytes, not {max_body!r}"]


def call_problems(function: Any, owner: str, arguments: Sequence[str], names: Collection[str] = ()) -> list[str]:
    """A sentence where an endpoint's function is none that takes these arguments, and those `names`, and returns."""
    if not callable(function):
        return [f"{owner} must be given a function, not {function!r}"]
    expected = ", ".join([*arguments, *sorted(names)])
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return [f"{owner} must be a function of ({expected}) that returns what is to be shown, and does not yield"]
    try:
        inspect.signature(function).bind(*arguments, **dict.fromkeys(names))
    except TypeError:
        return [f"{owner} must be a function that takes ({expected})"]
    except ValueError:  # a builtin that does not tell what it takes
        pass
    return []


def _path_problems(path: Any, function: Any) -> list[str]:
    """A sentence for what is wrong with a route's path, or else with its function."""
    if not isinstance(path, str) or not path.startswith("/") or "//" in path:
        return [f"a route's path begins with a slash and has no empty segment, unlike {path!r}"]
    # who has no route need not wait for the import
    from werkzeug.routing import Map, Rule

    rule = Rule(path)
    try:
        Map([rule])
    except (ValueError, LookupError, SyntaxError) as exc:  # each of them for a mistake of its own
        kinds = ", ".join(f"<{kind}:name>" for kind in ("int", "float", "uuid", "path"))
        return [f"a route's segments are words, <name>, {kinds}, each name once, unlike {path!r}: {exc}"]
    return call_problems(function, f"Route({path!r})", ["request"], rule.arguments)


class Route:
    """One endpoint of a dispatcher: a path below its prefix, and a function that answers there.

    `path`: such as `/login`, with `<name>` or `<int:name>` for segments that the function is given (werkzeug's rules);
    served with and without a slash at the end. `function`: takes the request and those segments by name; returns what
    is to be shown (a dict, a list, a `(data, status)` pair, a Response, None for 204), and may be `async`. `methods`:
    which verbs it answers, in any case; HEAD comes with GET. `authentication`, `permissions`, `throttle`: its own
    policies, in place of the dispatcher's. `max_body`: how many bytes a body may have. Raises ConfigurationError.
    """

    login: Authentication | None = None
    """By what somebody logs in here; None where it is no such route."""

    def __init__(
        self,
        path: str,
        function: Callable[..., Any],
        *,
        methods: Sequence[str] = ("GET",),
        authentication: Any = None,
        permissions: Any = None,
        throttle: Any = None,
        max_body: int = DEFAULT_MAX_BODY,
    ) -> None:
        given = {"authentication": authentication, "permissions": permissions, "throttle": throttle}
        self.policies: Policies
        self.policies, problems = read_policies(given, f"Route({path!r})")
        problems += _path_problems(path, function)
        methods = in_capitals(methods)
        problems += method_problems(methods, f"Route({path!r})") + size_problems(max_body, f"Route({path!r})")
        if problems:
            raise ConfigurationError(problems)
        self.path = path
        self.function = function
        self.methods = tuple(methods)
        self.max_body = max_body
        self.name = getattr(function, "__name__", "route")

    def check(self, keys: Keys) -> list[str]:
        """A sentence for everything that makes it unfit for an application with these keys."""
        login = [] if self.login is None else self.login.check(keys)
        return [*self.policies.problems(keys), *login]

    def __repr__(self) -> str:
        return f"Route({self.path!r})"


class LoginRoute(Route):
    """A route by which somebody logs in with `login`: no policy of the application's closes it, throttles aside."""

    def __init__(self, path: str, function: Callable[..., Any], login: Authentication, **options: Any) -> None:
        super().__init__(path, function, **{"authentication": (), "permissions": (), **options})
        self.login = login
