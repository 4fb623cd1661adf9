"""What decides who may do what, and how often, as configuration: for one controller, or for all of a dispatcher's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from rest_kit.authentication.base import Authentication
from rest_kit.errors import class_given
from rest_kit.permissions import Permission
from rest_kit.signing import Keys
from rest_kit.throttling import Throttle


class Policies(msgspec.Struct, frozen=True):
    """One kind of policy each; None where another place decides, an empty tuple for nothing."""

    authentication: tuple[Authentication, ...] | None = None
    permissions: tuple[Permission, ...] | None = None
    throttle: tuple[Throttle, ...] | None = None

    def or_else(self, others: Policies) -> Policies:
        """These, and the others where these leave it to them."""
        return Policies(
            others.authentication if self.authentication is None else self.authentication,
            others.permissions if self.permissions is None else self.permissions,
            others.throttle if self.throttle is None else self.throttle,
        )

    @property
    def any(self) -> bool:
        """Whether there is anything to decide."""
        return bool(self.authentication or self.permissions or self.throttle)

    def problems(self, keys: Keys) -> list[str]:
        """A sentence for everything that cannot work in an application with these keys."""
        return [problem for one in self.authentication or () for problem in one.check(keys)]

    def misfits(self, view: Any, *, by_address: bool = False) -> list[str]:
        """A sentence for every policy that cannot work beside the others, for one controller or endpoint.

        `by_address`: where nobody is identified, throttles that count by user may count by address.
        """
        authenticates = by_address or bool(self.authentication)
        return [text for one in self.throttle or () for text in one.check(view, authenticates=authenticates)]


NO_POLICIES: Final = Policies()

KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "authentication": (Authentication, "TokenAuthentication(tokens)"),
    "permissions": (Permission, "IsAuthenticated()"),
    "throttle": (Throttle, 'UserRateThrottle("100/min")'),
}
"""By option, what it holds, and an example of one."""


def read_policies(options: Mapping[str, Any], where: str) -> tuple[Policies, list[str]]:
    """The policies among options, and a sentence for each that is none."""
    problems: list[str] = []
    found: dict[str, tuple[Any, ...] | None] = {}
    for name in KINDS:
        given = options.get(name)
        if given is None:
            continue
        several = tuple(given) if isinstance(given, (list, tuple)) else (given,)
        wrong = [_misfit(one, f"{where}[{name!r}]", name) for one in several]
        problems += [problem for problem in wrong if problem]
        if not any(wrong):
            found[name] = several
    return Policies(**found), problems


def _misfit(one: Any, where: str, name: str) -> str:
    """What is wrong with one policy; nothing for a good one."""
    cls, example = KINDS[name]
    if isinstance(one, cls):
        return ""
    found = class_given(one, cls, where, example)
    return found or f"{where} must hold {cls.__name__} objects, such as {example}, not {one!r}"
