"""What a remote says is wrong with a write, in the forms that are common: problem documents and DRF's errors.

Names and codes are taken over; texts only where they speak of the input, cut short, and never of the remote's inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from datastores.remote.transport import Reply
from rest_kit import jsonio
from rest_kit.errors import Conflict, Fault, InvalidInput, MalformedBody, StoreError, ValidationError
from rest_kit.store import unique_conflict

MOST_FAULTS: Final = 20
LONGEST: Final = 300
CODES: Final = frozenset({"unique", "foreign_key", "restricted", "stale"})
"""Which codes of conflicts are ours too."""


class Refusal(NamedTuple):
    """Why a write was refused: what is wrong, and where."""

    faults: Sequence[Fault]


def refusal_of(reply: Reply) -> Refusal:
    """What a reply says, whatever form it has; nothing where it has none that is known."""
    try:
        body = jsonio.loads(reply.body)
    except MalformedBody:
        return Refusal(())
    if isinstance(body, dict) and isinstance(body.get("errors"), list):
        return Refusal([fault for error in body["errors"][:MOST_FAULTS] if (fault := _problem(error)) is not None])
    if reply.media_type == "application/problem+json":
        return Refusal([Fault("invalid", short(body.get("detail")))] if isinstance(body, dict) else ())
    return Refusal(list(_messages(body, ()))[:MOST_FAULTS])


def short(text: object) -> str:
    """A text of the remote's, no longer than one reads."""
    return text[:LONGEST] if isinstance(text, str) and text else "is not accepted"


def _problem(error: Any) -> Fault | None:
    """One entry of a problem document's `errors`."""
    if not isinstance(error, dict) or not isinstance(error.get("pointer"), str):
        return None
    parts = error["pointer"].removeprefix("#").split("/")[1:]
    path = tuple(_step(part.replace("~1", "/").replace("~0", "~")) for part in parts)
    code = error.get("code")
    return Fault(code if isinstance(code, str) else "invalid", short(error.get("detail")), path)


def _step(part: str) -> str | int:
    return int(part) if part.isascii() and part.isdigit() and len(part) < 6 else part


def _messages(body: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """DRF's errors: by name or position a list of texts, or errors of the same form further in."""
    if isinstance(body, str):
        yield Fault("invalid", short(body), path)
    elif isinstance(body, dict):
        for name, inner in body.items():
            yield from _messages(inner, path if name in ("non_field_errors", "detail") else (*path, name))
    elif isinstance(body, list):
        for index, inner in enumerate(body):
            yield from _messages(inner, path if isinstance(inner, str) else (*path, index))


def invalid(refusal: Refusal, ours: Callable[[str], str], parents: tuple[int, ...]) -> InvalidInput:
    """The refusal as an error of the input, with our names, below `parents`."""
    faults = [Fault(f.code, f.detail, (*parents, *_named(f.path, ours))) for f in refusal.faults]
    return ValidationError(faults or [Fault("invalid", "the API that holds the data does not accept this", parents)])


def conflict(refusal: Refusal, ours: Callable[[str], str], index: int | None) -> StoreError:
    """The refusal as a conflict, with our names; `index` is that of a batch's only record."""
    names, code, place = [], "unique", index
    for fault in refusal.faults:
        path = _named(fault.path, ours)
        if path and isinstance(path[0], int):
            place, path = path[0], path[1:]
        if path and isinstance(path[0], str):
            names.append(path[0])
        code = fault.code if fault.code in CODES else code
    if not names:
        return Conflict("the write contradicts other data", code=code, index=place)
    if code == "unique":
        return unique_conflict(names, place)
    told = "has changed since it was read" if code == "stale" else "contradicts other data"
    return Conflict(f"{', '.join(names)} {told}", code=code, fields=names, index=place)


def _named(path: Sequence[str | int], ours: Callable[[str], str]) -> tuple[str | int, ...]:
    """A path with the first name in it as ours."""
    found = list(path)
    for place, part in enumerate(found):
        if isinstance(part, str):
            found[place] = ours(part)
            break
    return tuple(found)
