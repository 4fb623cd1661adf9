"""Everything that rest_kit raises on purpose, free of HTTP: `problems` alone turns these into statuses.

RestKitError
├── ConfigurationError            a controller, model or store is declared wrongly (a list of problems)
├── InvalidInput                  what the caller sent cannot be used (a list of faults)
│   ├── MalformedBody             … the body is not the document that it claims to be
│   ├── ValidationError           … a value misfits the model
│   └── InvalidQuery              … a parameter or a query
├── AccessError                   the caller may not do this
│   ├── NotAuthenticated          … because nobody is logged in
│   │   └── AuthenticationFailed  … because the credentials that were sent are not good
│   ├── PermissionDenied          … whoever it is that is logged in
│   ├── InsecureConnection        … over a connection that others can read
│   └── Throttled                 … so often
└── StoreError                    the data
    ├── RecordNotFound
    ├── Conflict                  unique, foreign key, or changed since it was read
    ├── KeyReused                 an idempotency key that stands for another request
    ├── KeyInUse                  … that stands for a request which is still running
    ├── ReplyLost                 … that stands for one which was carried out, and could not be answered
    ├── Unsupported               the store has declared that it cannot do this
    │   ├── ReadOnly              … because nothing may be written there
    │   └── TooMuchToScan         … because it would have to look at more records than it may
    ├── CursorGone                events that a follower has not read yet are no longer kept
    └── StoreUnavailable          try again later
        ├── OutcomeUnknown        … but look first: the last write may have been kept, or not
        ├── StoreCorrupt          the file or row cannot be read, and says where
        ├── StoreFull             no room left
        │   └── KeysUsedUp        … among the keys that the store makes
        └── RemoteError           the API that holds the data has failed, or says what cannot be understood
            └── RemoteTimeout     … or has not answered in time
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


class RestKitError(Exception):
    """The root of every exception that rest_kit raises on purpose."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The nearest valid name as a sentence ("; did you mean 'x'?"), or the valid names where none is near."""
    names = [str(name) for name in known]
    # longer ones are nobody's slip, and comparing them costs time
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.6) if len(given) <= 64 else []
    if near:
        return f"; did you mean {near[0]!r}?"
    if not names:
        return ""
    return f"; valid: {', '.join(sorted(names)[:20])}"


def class_given(given: Any, expected: type, where: str, example: str) -> str:
    """What is wrong where a class is given and an instance of it is meant; nothing where that is not so."""
    if isinstance(given, type) and issubclass(given, expected):
        return f"{where} holds the class {given.__name__}; it must be an instance, such as {example}"
    return ""


class ConfigurationError(RestKitError):
    """A declaration is wrong; `problems` lists every mistake found, each a sentence naming key and remedy."""

    def __init__(self, problems: str | Sequence[str], *, owner: str = "") -> None:
        self.problems: list[str] = [problems] if isinstance(problems, str) else list(problems)
        self.owner = owner
        head = f"{owner}: " if owner else ""
        if len(self.problems) == 1:
            text = head + self.problems[0]
        else:
            text = head + f"{len(self.problems)} problems" + "".join(f"\n  - {p}" for p in self.problems)
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what a caller sent: a stable code, a sentence, and where.

    `path` is the way into the body (member names and list positions; `()` is the whole body); `parameter` names a
    query parameter and `header` a header instead.
    """

    code: str
    detail: str
    path: tuple[str | int, ...] = ()
    parameter: str | None = None
    header: str | None = None

    @property
    def pointer(self) -> str:
        """The JSON Pointer of `path` as a URI fragment (RFC 6901 §6)."""
        return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.path)

    def under(self, *parents: str | int) -> Fault:
        """The same fault seen from further out, with `parents` put before its path."""
        return Fault(self.code, self.detail, (*parents, *self.path), self.parameter, self.header)


class InvalidInput(RestKitError):
    """What the caller sent cannot be used; `faults` holds every reason at once."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: list[Fault] = [faults] if isinstance(faults, Fault) else list(faults)
        super().__init__("; ".join(fault.detail for fault in self.faults))


class MalformedBody(InvalidInput):
    """The body is not the document that its media type promises."""


class ValidationError(InvalidInput):
    """A body was read, but its values misfit the model.

    Raised with a text (for the whole object), or with `Fault`s, by rest_kit and by users' own validators alike.
    """

    def __init__(self, faults: str | Fault | Iterable[Fault]) -> None:
        super().__init__(Fault("invalid", faults) if isinstance(faults, str) else faults)


class InvalidQuery(InvalidInput):
    """A parameter, filter, ordering, cursor or page cannot be used."""


class AccessError(RestKitError):
    """The caller may not do this; the text is for the caller."""


class NotAuthenticated(AccessError):
    """Nobody is logged in, and somebody must be; `challenges` say how one can be (RFC 9110 §11.6.1)."""

    def __init__(self, detail: str = "nobody is logged in", *, challenges: Sequence[str] = ()) -> None:
        self.challenges = tuple(challenges)
        super().__init__(detail)


class AuthenticationFailed(NotAuthenticated):
    """Credentials were sent, and they are not good: unknown, wrong, expired, or of somebody who is disabled."""


class PermissionDenied(AccessError):
    """Whoever is calling may not do this."""

    def __init__(self, detail: str = "you may not do this") -> None:
        super().__init__(detail)


class InsecureConnection(AccessError):
    """The request came over a connection that is not encrypted, and must not."""

    def __init__(self, detail: str = "this is served over HTTPS only") -> None:
        super().__init__(detail)


class Throttled(AccessError):
    """The caller has done this as often as is allowed; `retry_after` says in seconds when it may again."""

    def __init__(self, detail: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(detail)


class StoreError(RestKitError):
    """The root of what a datastore raises; always `from` the driver's own error, whose text never travels on."""


class RecordNotFound(StoreError):
    """No record with that primary key, or none within the scope; the two are not told apart."""

    def __init__(self, pk: Any) -> None:
        self.pk = pk
        super().__init__(f"no record with the primary key {pk!r}")


class Conflict(StoreError):
    """A write contradicts other data.

    `code` is `unique`, `foreign_key`, `restricted`, `refused`, `stale` or `json_patch`; `fields` names where, `index`
    which object of a batch.
    """

    def __init__(
        self, detail: str, *, code: str = "unique", fields: Sequence[str] = (), index: int | None = None
    ) -> None:
        self.detail = detail
        self.code = code
        self.fields = tuple(fields)
        self.index = index
        super().__init__(detail)


class KeyReused(StoreError):
    """An idempotency key was sent with another request than the one that it stands for."""


class KeyInUse(StoreError):
    """The request that an idempotency key stands for is still running; `retry_after` says in seconds when to ask."""

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__(detail)


class ReplyLost(StoreError):
    """The request that an idempotency key stands for was carried out, but the reply to it could not be made."""


class Unsupported(StoreError):
    """The store has declared in its capabilities that it cannot do this."""


class ReadOnly(Unsupported):
    """Nothing can be written here; the text says why and what would help."""


class TooMuchToScan(Unsupported):
    """The store would have to look at more records than it may; the text says for which condition or order."""


class CursorGone(StoreError):
    """Events behind that cursor have been dropped already; a follower must read the collection again."""


class StoreUnavailable(StoreError):
    """The data cannot be reached now; `retry_after` is a guess in seconds of when to try again."""

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(detail)


class OutcomeUnknown(StoreUnavailable):
    """The connection was lost while a write was being committed: it may have been kept, or not."""


class StoreCorrupt(StoreUnavailable):
    """A file, table or row cannot be read as what the model says; the text says where, for the log."""


class StoreFull(StoreUnavailable):
    """There is no room for the write; nothing was changed."""


class RemoteError(StoreUnavailable):
    """The API that holds the data has failed, or has answered what cannot be understood; the text is for the log.

    `unsettled`: a write that must not be sent twice was sent, and no reply came, so that it may have been done.
    """

    def __init__(self, detail: str, *, retry_after: int = 5, unsettled: bool = False) -> None:
        self.unsettled = unsettled
        super().__init__(detail, retry_after=retry_after)


class RemoteTimeout(RemoteError):
    """The API that holds the data has not answered within the time that it was given."""


class KeysUsedUp(StoreFull):
    """The store makes the keys, and has given out the last that there is; `field` is the key's name."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"no value is left for {field!r}: the highest has been given out; nothing was changed")
