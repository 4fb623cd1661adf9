"""Who may do what with one resource, and how often: the way of a request from its arrival to the verb.

    throttles by address -> authentication -> other throttles -> permissions -> the verb, within the caller's scope

All of it is settled when the controller is made; a resource without policies has no `Access`, and pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from rest_kit.authentication import Authentication
from rest_kit.errors import AccessError, AuthenticationFailed, NotAuthenticated, PermissionDenied, Throttled
from rest_kit.models import Model
from rest_kit.permissions import SAFE_METHODS, Permission
from rest_kit.permissions.base import Both
from rest_kit.policies import Policies
from rest_kit.problems import Headers
from rest_kit.query import Where
from rest_kit.request import Request, on_one_item
from rest_kit.rows import matches
from rest_kit.storage import Storage
from rest_kit.throttling import Throttling
from rest_kit.types import Record
from rest_kit.users import ANONYMOUS


class Access:
    """Lets requests for one resource pass, or refuses them; `view` is the controller that policies are asked with."""

    def __init__(self, view: Any, policies: Policies, storage: Storage) -> None:
        self.view = view
        self.policies = policies
        self.storage = storage
        self.authentication = policies.authentication or ()
        self.permission = _all_of(policies.permissions or ())
        self.has_scope = self.permission.has_scope
        self.asks_objects = self.permission.asks_objects
        self.written = self.permission.written if self.permission.follows_writes else None
        throttles = policies.throttle
        self.throttling = Throttling(throttles, storage, self.authentication) if throttles else None
        self.challenges = challenges_of(self.authentication)
        self.headers = _caching(self.authentication)
        self.withdrawn = tuple(dict.fromkeys(name for one in self.authentication for name in one.parameters))

    def check(self, model: Model) -> list[str]:
        """A sentence for every policy that does not fit the model."""
        return self.permission.check(model)

    # --- the way in ---------------------------------------------------------------------------------------------------

    def enter(self, request: Request, action: str) -> None:
        """Let a request pass to its verb (NotAuthenticated, PermissionDenied, Throttled)."""
        request.view, request.access = self.view, self
        request.action = action
        if self.headers:
            request.put_headers(self.headers)
        if self.throttling is not None:
            self.throttling.enter(request, self.identify if self.authentication else None)
        elif self.authentication:
            self.identify(request)
        self.permit(request)

    def identify(self, request: Request) -> None:
        """Find out who is calling (AuthenticationFailed)."""
        request.user, request.auth = ANONYMOUS, None
        for name in self.withdrawn:
            request.withdraw(name)
        try:
            for one in self.authentication:
                found = one.authenticate(request)
                if found is not None:
                    request.user, request.auth = found
                    return
        except NotAuthenticated as exc:
            raise challenging(exc, self.challenges) from exc

    def permit(self, request: Request) -> None:
        """Ask the permissions, and note what the caller may see (NotAuthenticated, PermissionDenied)."""
        if not self.permission.has_permission(request, self.view):
            self.refuse(request)
        request.scope = request.limit = None
        if self.has_scope:
            self.confine(request)

    def confine(self, request: Request) -> None:
        """Note which records the caller may see, and which of them the request may work on, where these are fewer.

        What may be seen is what reading shows; somebody who may not read at all has the scope of the request itself.
        """
        request.scope = own = self.permission.scope(request)
        if request.method in SAFE_METHODS or request.action == "create":
            return
        reading = request.reading()
        if not on_one_item(request.action):
            reading.pk = None  # an action may show more than the item that it is called on
        if self.permission.has_permission(reading, self.view):
            seen = self.permission.scope(reading)
            if seen != own:
                request.scope, request.limit = seen, own

    def refuse(self, request: Request, *why: str) -> NoReturn:
        """The refusal: 401 where logging in could help, else 403, and why."""
        if self.authentication and not request.user.is_authenticated:
            raise NotAuthenticated(challenges=self.challenges)
        raise PermissionDenied(*why)

    def looking(self, request: Request) -> Request:
        """A request for another resource as one that reads this one (NotAuthenticated, PermissionDenied)."""
        return request.remember(("looking", self), lambda: self._look(request))

    def _look(self, request: Request) -> Request:
        twin = request.reading()
        told = request.access
        twin.view, twin.access, twin.pk = self.view, self, None
        if told is None or told.authentication != self.authentication:
            request.put_headers(self.headers)
            if self.throttling is not None:
                self.throttling.look(twin, self.identify)
            else:
                self.identify(twin)
        self.permit(twin)
        return twin

    def scope_for(self, request: Request) -> Where | None:
        """What the caller of another resource may see of this one; everything, where it is closed altogether.

        Credentials that are not good, or too many of them, close nothing (AuthenticationFailed, Throttled).
        """
        try:
            return self.looking(request).scope
        except (AuthenticationFailed, Throttled):
            raise
        except AccessError:
            return None

    # --- records ------------------------------------------------------------------------------------------------------

    def check_objects(self, request: Request, records: Iterable[Record]) -> None:
        """Refuse a request for records of which one is not for this caller (NotAuthenticated, PermissionDenied)."""
        limit = request.limit
        if limit is None and not self.asks_objects:
            return
        for record in records:
            fine = matches(limit, record)
            if not fine or not self.permission.has_object_permission(request, self.view, Seen(record)):
                self.refuse(request)


def challenges_of(authentication: Sequence[Authentication]) -> tuple[str, ...]:
    """How callers can log in, each way once."""
    return tuple(dict.fromkeys(one.challenge for one in authentication if one.challenge))


def challenging(refusal: NotAuthenticated, challenges: tuple[str, ...]) -> NotAuthenticated:
    """A refusal that says how to log in, as it may not have done yet."""
    return type(refusal)(str(refusal), challenges=refusal.challenges or challenges)


class Seen(dict[str, Any]):
    """A record as permissions see it: its fields are members and attributes alike."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as exc:
            raise AttributeError(name) from exc


def _all_of(permissions: Sequence[Permission]) -> Permission:
    return permissions[0] if len(permissions) == 1 else Both(*permissions)


def _caching(authentication: Sequence[Authentication]) -> Headers:
    """What caches must know of replies that depend on the caller (RFC 9111 §5.2.2.7, RFC 9110 §12.5.5)."""
    names = dict.fromkeys(name for one in authentication for name in one.varies_by)
    return [("Cache-Control", "private"), ("Vary", ", ".join(names))] if authentication else []
