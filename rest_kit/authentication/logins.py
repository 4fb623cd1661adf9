"""What the routes of logging in have in common: strict bodies, replies that no cache keeps, a storage for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from rest_kit.authentication.base import Authentication
from rest_kit.authentication.users import Users
from rest_kit.errors import Fault, ValidationError, did_you_mean
from rest_kit.processes import refuse_unshared
from rest_kit.request import Request
from rest_kit.response import Response
from rest_kit.storage import Storage
from rest_kit.types import Record

if TYPE_CHECKING:
    from rest_kit.routes import Route

MAX_BODY: Final = 16 * 1024
MAX_UNKNOWN: Final = 20
NO_STORE: Final = {"Cache-Control": "no-store"}
"""What keeps secrets out of caches (RFC 6749 §5.1)."""


def members(request: Request, *names: str) -> list[str]:
    """The members of a JSON body, each of them a text and all of them given (ValidationError, MalformedBody, 415)."""
    data = request.json(MAX_BODY)
    if not isinstance(data, dict):
        raise ValidationError(Fault("type", "is not an object"))
    unknown = [name for name in data if name not in names][:MAX_UNKNOWN]
    faults = [Fault("unknown", f"{name[:100]!r} is unknown{did_you_mean(name, names)}", (name,)) for name in unknown]
    for name in names:
        if name not in data:
            faults.append(Fault("required", "is missing", (name,)))
        elif not isinstance(data[name], str):
            faults.append(Fault("type", "is not a string", (name,)))
    if faults:
        raise ValidationError(faults)
    return [data[name] for name in names]


def credentials(request: Request) -> tuple[str, str]:
    """The `username` and `password` of a JSON body (ValidationError, MalformedBody, 415)."""
    name, password = members(request, "username", "password")
    return name, password


def checked(users: Users, request: Request) -> Record:
    """The record of whoever sends a good `username` and `password` (AuthenticationFailed, ValidationError)."""
    return users.checked(*credentials(request))


def secret_reply(data: Any) -> Response:
    """A reply that holds a secret."""
    return Response(data, headers=NO_STORE)


def shared_storage(request: Request) -> Storage:
    """The application's storage, if every process that serves it finds the same there (ServiceUnavailable)."""
    storage: Storage = request.view.storage
    if storage.in_process:
        remedies = "run one worker, or give the dispatcher storage='sqlite:///file' or 'redis://host'"
        refuse_unshared(request, "logins are kept", remedies)
    return storage


def route(path: str, function: Callable[..., Any], login: Authentication, **options: Any) -> Route:
    """A route for logging in by this class."""
    # routes take policies, of which this room has one
    from rest_kit.routes import LoginRoute

    return LoginRoute(path, function, login, **{"methods": ["POST"], "max_body": MAX_BODY, **options})
