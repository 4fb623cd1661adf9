"""The throttles that come with rest_kit: by address, by user, by the scope of an endpoint.

Each has one or several rates, and counts by a name: throttles of one scope and one rate share their count, wherever
they stand. Requests whose credentials are not good are counted by address, apart from all others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final, NamedTuple

from rest_kit.errors import ConfigurationError, did_you_mean
from rest_kit.request import Request
from rest_kit.storage import Storage, Window, open_storage
from rest_kit.throttling.base import Throttle
from rest_kit.throttling.callers import address_of, user_of
from rest_kit.throttling.rates import Rate, checked, read_rates

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}\Z")
"""A scope's name; without a colon, so that no key of a scope is one of those that begin with a word and a colon."""


class Limit(NamedTuple):
    """A window of somebody who is not known yet: the beginning of its key, and the rest."""

    key: str
    quota: int
    seconds: float
    policy: str


class RateThrottle(Throttle):
    """Admits so many requests of each caller; `caller` says who that is, and is what a subclass would change.

    `rates`: one or several such as "10/s", "100/min". `methods`, `actions`: limits only these verbs (HEAD goes with
    GET) and only what is done under these names, such as "create". `scope`: the count's name. `storage`: where the
    counts are kept, as a URL, in place of the application's. `on_failure`: what becomes of requests while they cannot
    be reached, "closed" (503) or "open" (they pass). Raises ConfigurationError with every mistake.
    """

    default_scope: ClassVar[str] = "default"

    def __init__(
        self,
        *rates: str,
        methods: Sequence[str] | None = None,
        actions: Sequence[str] | None = None,
        scope: str | None = None,
        storage: str | Storage | None = None,
        on_failure: str = "closed",
    ) -> None:
        found, problems = read_rates(rates)
        self.shown = ", ".join(map(repr, rates))
        self.scope = self.default_scope if scope is None else scope
        problems += self._read_options(methods, actions, storage, on_failure)
        problems += _misnamed(self.scope)
        self._finish(problems)
        self._limits = self._limits_of(self.scope, found)
        self._guessed = _failed(self._limits)

    def _read_options(self, methods: Any, actions: Any, storage: Any, on_failure: str) -> list[str]:
        """Take over what all of these throttles have; a sentence for each mistake."""
        self.methods = _with_head(methods) if _is_names(methods) else None
        self.actions = frozenset(actions) if actions is not None and _is_names(actions) else None
        self.on_failure = on_failure
        problems = [
            f"{name} must be a list of names, such as {example}, not {given!r}"
            for name, given, example in (("methods", methods, '["POST"]'), ("actions", actions, '["create"]'))
            if given is not None and not _is_names(given)
        ]
        problems += [f"methods has {one!r}{did_you_mean(one.upper(), METHODS)}" for one in self._unknown_methods()]
        try:
            self.storage = None if storage is None else open_storage(storage)
        except ConfigurationError as exc:
            problems += exc.problems
        return problems + super().check(None, authenticates=True)

    def _unknown_methods(self) -> list[str]:
        return sorted((self.methods or frozenset()) - frozenset(METHODS))

    def _finish(self, problems: list[str]) -> None:
        if problems:
            raise ConfigurationError(problems, owner=type(self).__name__)
        self._narrow = self.methods is not None or self.actions is not None

    def _limits_of(self, scope: str, rates: Sequence[Rate]) -> tuple[Limit, ...]:
        """The limits that a scope's rates are."""
        words = [scope, *sorted(self.methods or ()), *sorted(self.actions or ())]
        name = "-".join(words)
        policies = [name if len(rates) == 1 else f"{name}-{rate.seconds:g}s" for rate in rates]
        return tuple(
            Limit(f"{' '.join(words)} {rate.quota}/{rate.seconds:g} ", *rate, policy)
            for rate, policy in zip(rates, policies, strict=True)
        )

    # --- what is counted ----------------------------------------------------------------------------------------------

    def caller(self, request: Request) -> str | None:
        """Who is counted; None where the request is not limited."""
        return user_of(request) if request.user.is_authenticated else address_of(request)

    def limits(self, view: Any) -> tuple[Limit, ...]:
        """The limits for a controller or an endpoint."""
        return self._limits

    def windows(self, request: Request, view: Any) -> tuple[Window, ...]:
        if self._narrow and not self._concerns(request):
            return ()
        caller = self.caller(request)
        return () if caller is None else _windows(self.limits(view), caller)

    def guesses(self, request: Request, view: Any) -> tuple[Window, ...]:
        if self.early or (self._narrow and not self._concerns(request)):
            return ()
        return _windows(self.guess_limits(view), address_of(request))

    def guess_limits(self, view: Any) -> tuple[Limit, ...]:
        """The limits for requests whose credentials are not good."""
        return self._guessed

    def _concerns(self, request: Request) -> bool:
        return (self.methods is None or request.method in self.methods) and (
            self.actions is None or request.action in self.actions
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown})"


class AddressRateThrottle(RateThrottle):
    """Counts every request of an address, whoever sends it, before credentials are looked at."""

    early = True
    default_scope = "address"

    def caller(self, request: Request) -> str | None:
        return address_of(request)


class AnonRateThrottle(RateThrottle):
    """Counts requests that nobody is logged in for, by address; and apart from them, those whose credentials fail."""

    default_scope = "anon"

    def caller(self, request: Request) -> str | None:
        return None if request.user.is_authenticated else address_of(request)


class UserRateThrottle(RateThrottle):
    """Counts the requests of each user, and by address those that nobody is logged in for."""

    default_scope = "user"


class RateLimit(UserRateThrottle):
    """At most `quota` requests of a user in any `interval` (seconds, or a timedelta).

    A controller that has it must have authentication too (ConfigurationError when the application is made).
    """

    default_scope = "limit"

    def __init__(self, *, interval: float | timedelta, quota: int, **options: Any) -> None:
        rate = checked(quota, interval, type(self).__name__)
        if not isinstance(rate, Rate):
            raise ConfigurationError(rate, owner=type(self).__name__)
        super().__init__("1/s", **options)
        self.shown = f"interval={rate.seconds:g}, quota={rate.quota}"
        self._limits = self._limits_of(self.scope, [rate])
        self._guessed = _failed(self._limits)

    def check(self, view: Any, *, authenticates: bool) -> list[str]:
        problems = super().check(view, authenticates=authenticates)
        if not authenticates:
            problems.append(
                f"{self!r} counts by user, and there is no 'authentication' that would find out who that is; "
                'to count by address, use AnonRateThrottle("100/day")'
            )
        return problems


class ScopedRateThrottle(UserRateThrottle):
    """Counts the requests of each user, or address, to all endpoints of a scope together.

    `rates`: by scope, one rate or a list of them; or those of the one `scope`. Without `scope`, a controller's own
    attribute `throttle_scope` names it; a controller that has none is not limited.
    """

    def __init__(
        self, rates: Mapping[str, Any] | str | Sequence[str], *, scope: str | None = None, **options: Any
    ) -> None:
        super().__init__("1/s", scope=scope, **options)
        self.shown = f"{rates!r}" + (f", scope={scope!r}" if scope is not None else "")
        self._scope = scope
        if isinstance(rates, Mapping):
            self._finish(self._read_scopes(rates))
        elif scope is not None:
            self._finish(self._read_scopes({scope: rates}))
        else:
            self._finish(["rates must be by scope, such as {'uploads': '20/day'}, or a scope be given"])

    def _read_scopes(self, rates: Mapping[str, Any]) -> list[str]:
        """Take over the rates of all scopes; a sentence for each mistake."""
        problems = []
        self._by_scope: dict[str, tuple[Limit, ...]] = {}
        for name, texts in rates.items():
            found, wrong = read_rates(texts)
            problems += [*_misnamed(name), *wrong]
            self._by_scope[name] = self._limits_of(str(name), found)
        self._guessed_by_scope = {name: _failed(limits) for name, limits in self._by_scope.items()}
        if self._scope is not None and self._scope not in self._by_scope:
            problems.append(f"scope {self._scope!r} has no rate{did_you_mean(self._scope, self._by_scope)}")
        return problems

    def limits(self, view: Any) -> tuple[Limit, ...]:
        return self._by_scope.get(self._scope_of(view), ())

    def guess_limits(self, view: Any) -> tuple[Limit, ...]:
        return self._guessed_by_scope.get(self._scope_of(view), ())

    def _scope_of(self, view: Any) -> Any:
        return self._scope if self._scope is not None else getattr(view, "throttle_scope", None)

    def check(self, view: Any, *, authenticates: bool) -> list[str]:
        problems = super().check(view, authenticates=authenticates)
        scope = self._scope_of(view)
        if scope is not None and scope not in self._by_scope:
            problems.append(f"throttle_scope {scope!r} has no rate{did_you_mean(str(scope), self._by_scope)}")
        return problems


ScopeRateThrottle = ScopedRateThrottle


def _windows(limits: Sequence[Limit], caller: str) -> tuple[Window, ...]:
    """The windows of one caller."""
    if len(limits) == 1:
        key, quota, seconds, policy = limits[0]
        return (Window(key + caller, quota, seconds, policy),)
    return tuple([Window(key + caller, quota, seconds, policy) for key, quota, seconds, policy in limits])


def _failed(limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """The same limits for credentials that are not good."""
    return tuple(limit._replace(key=f"failed: {limit.key}", policy=f"{limit.policy}-failed") for limit in limits)


def _with_head(methods: Sequence[str]) -> frozenset[str]:
    return frozenset([*methods, "HEAD"] if "GET" in methods else methods)


def _is_names(given: Any) -> bool:
    return isinstance(given, (list, tuple, set, frozenset)) and bool(given) and all(isinstance(n, str) for n in given)


def _misnamed(scope: Any) -> list[str]:
    if isinstance(scope, str) and _NAME.match(scope):
        return []
    return [f"a scope's name must be up to 64 letters, digits or . _ ~ -, not {scope!r}"]
