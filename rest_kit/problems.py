"""The only place where an exception becomes a status: every error, from any layer, as a problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from werkzeug.exceptions import HTTPException, MethodNotAllowed

from rest_kit import errors, jsonio
from rest_kit.errors import Fault

Headers = list[tuple[str, str]]

MEDIA_TYPE: Final = "application/problem+json"


Body = bytes | Iterable[bytes]
"""A whole body, or its parts as they come; what is iterated is closed in the end, if it can be."""
Reply = tuple[str, Headers, Body]
"""What a verb answers: a status line, headers, and the body."""


class ProblemType(NamedTuple):
    """One type of problem (RFC 9457 §3.1.1): its status, its stable slug (the last part of `type`), its title."""

    status: int
    slug: str
    title: str


PROBLEM_TYPES: Final[dict[type[errors.RestKitError], ProblemType]] = {
    errors.MalformedBody: ProblemType(400, "malformed-body", "The body cannot be read"),
    errors.ValidationError: ProblemType(400, "invalid-input", "The input does not fit the model"),
    errors.InvalidQuery: ProblemType(400, "invalid-parameter", "A parameter cannot be used"),
    errors.InvalidInput: ProblemType(400, "invalid-input", "The input cannot be used"),
    errors.AuthenticationFailed: ProblemType(401, "authentication-failed", "The credentials are not good"),
    errors.NotAuthenticated: ProblemType(401, "not-authenticated", "Nobody is logged in"),
    errors.PermissionDenied: ProblemType(403, "permission-denied", "This is not allowed"),
    errors.InsecureConnection: ProblemType(403, "https-required", "The connection is not encrypted"),
    errors.Throttled: ProblemType(429, "throttled", "Too many requests"),
    errors.KeyReused: ProblemType(422, "idempotency-key-reused", "The key stands for another request"),
    errors.KeyInUse: ProblemType(409, "idempotency-key-in-use", "The request is still running"),
    errors.ReplyLost: ProblemType(409, "idempotency-reply-lost", "The request was carried out, its reply is lost"),
    errors.RecordNotFound: ProblemType(404, "not-found", "Not found"),
    errors.Conflict: ProblemType(409, "conflict", "The write contradicts other data"),
    errors.ReadOnly: ProblemType(405, "read-only", "Nothing can be written here"),
    errors.CursorGone: ProblemType(410, "cursor-gone", "The events are no longer kept"),
    errors.TooMuchToScan: ProblemType(400, "too-much-to-scan", "Too much would have to be read for this"),
    errors.Unsupported: ProblemType(501, "unsupported", "The store cannot do this"),
    errors.RemoteTimeout: ProblemType(504, "remote-timeout", "The API behind this one is too slow"),
    errors.RemoteError: ProblemType(502, "remote-error", "The API behind this one has failed"),
    errors.StoreFull: ProblemType(507, "store-full", "There is no room for the write"),
    errors.OutcomeUnknown: ProblemType(503, "outcome-unknown", "It is not known whether the write was kept"),
    errors.StoreCorrupt: ProblemType(503, "store-unreadable", "The data cannot be read"),
    errors.StoreUnavailable: ProblemType(503, "store-unavailable", "The data cannot be reached"),
}
"""By exception, the nearest base deciding; what is not listed is a 500."""

HTTP_SLUGS: Final[dict[int, str]] = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    412: "precondition-failed",
    413: "body-too-large",
    415: "unsupported-media-type",
    416: "range-not-satisfiable",
    428: "precondition-required",
    501: "unsupported",
    503: "unavailable",
}

UNKNOWN: Final = "it is not known whether the write was kept; read before you repeat it"

_SILENT: Final[dict[type[errors.RestKitError], str]] = {
    errors.RecordNotFound: "there is nothing at this address",
    errors.StoreCorrupt: "the data cannot be read as they are; the log says where",
    errors.OutcomeUnknown: f"the data cannot be reached any more, and {UNKNOWN}",
    errors.StoreUnavailable: "the data cannot be reached at the moment",
    errors.RemoteTimeout: "the API that holds the data has not answered in time",
    errors.RemoteError: "the API that holds the data has failed; the log says how",
    errors.StoreFull: "the disk or the quota is full; nothing was changed",
    errors.KeysUsedUp: "the last key that the store could make has been given out; nothing was changed",
}
"""What is said in place of the exception's own text, which may name a path or a statement."""


def status_line(code: int) -> str:
    """`404 Not Found`."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"{code} Unknown"


def problem_type_of(exc: BaseException) -> ProblemType:
    """Which type of problem an exception is."""
    if isinstance(exc, HTTPException) and exc.code is not None:
        return ProblemType(exc.code, HTTP_SLUGS.get(exc.code, "http"), status_line(exc.code)[4:])
    for base in type(exc).__mro__:
        if base in PROBLEM_TYPES:
            return PROBLEM_TYPES[base]
    return ProblemType(500, "internal", "Internal Server Error")


def problem(exc: BaseException, request_id: str, base: str = "") -> Reply:
    """The reply to an exception; `base` is where the application is mounted, for the `type` link."""
    found = problem_type_of(exc)
    document: dict[str, Any] = {
        "type": f"{base}/docs/errors/{found.slug}/",
        "title": found.title,
        "status": found.status,
        "detail": _detail(exc),
        "request_id": request_id,
    }
    faults = faults_of(exc)
    if faults:
        document["errors"] = [_fault(fault) for fault in faults]
    body = jsonio.dumps(document)
    headers: Headers = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body))), *_extra_headers(exc)]
    return status_line(found.status), headers, body


def _detail(exc: BaseException) -> str:
    if isinstance(exc, HTTPException):
        return exc.description or ""
    withheld = next((_SILENT[base] for base in type(exc).__mro__ if base in _SILENT), None)
    if withheld is not None:
        return f"{withheld}; {UNKNOWN}" if isinstance(exc, errors.RemoteError) and exc.unsettled else withheld
    if isinstance(exc, errors.InvalidInput) and len(exc.faults) > 1:
        return f"{len(exc.faults)} things are wrong; errors names each"
    if isinstance(exc, errors.RestKitError) and problem_type_of(exc).status != 500:
        return str(exc)
    return "something went wrong here; the log has it under the request id"


def faults_of(exc: BaseException) -> Sequence[Fault]:
    """The single faults that an exception stands for."""
    if isinstance(exc, errors.InvalidInput):
        return exc.faults
    if isinstance(exc, errors.Conflict) and exc.fields:
        place = () if exc.index is None else (exc.index,)
        return [Fault(exc.code, exc.detail, (*place, name)) for name in exc.fields]
    return ()


def _fault(fault: Fault) -> dict[str, str]:
    if fault.parameter is not None:
        place = {"parameter": fault.parameter}
    elif fault.header is not None:
        place = {"header": fault.header}
    else:
        place = {"pointer": fault.pointer}
    return {**place, "code": fault.code, "detail": fault.detail}


def _extra_headers(exc: BaseException) -> Headers:
    """Allow, Retry-After and whatever else the exception brings along."""
    if isinstance(exc, MethodNotAllowed):
        return [("Allow", ", ".join(exc.valid_methods or ()))]
    if isinstance(exc, errors.ReadOnly):
        return [("Allow", "GET, HEAD, OPTIONS")]
    if isinstance(exc, (errors.StoreUnavailable, errors.Throttled, errors.KeyInUse)):
        return [("Retry-After", str(exc.retry_after))]
    if isinstance(exc, errors.NotAuthenticated):
        return [("WWW-Authenticate", challenge) for challenge in exc.challenges]
    if isinstance(exc, HTTPException):
        own = [
            (name, value) for name, value in exc.get_headers() if name.lower() not in ("content-type", "content-length")
        ]
        if exc.code == HTTPStatus.SERVICE_UNAVAILABLE and not any(name == "Retry-After" for name, _ in own):
            own.append(("Retry-After", "5"))
        return own
    return []
