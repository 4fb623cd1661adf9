"""Troubles as rest_kit's errors, where it does not take a table's rules to tell them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from datastores.sql.failures import Failure, Trouble
from datastores.sql.transaction import Again
from rest_kit.errors import (
    Conflict,
    Fault,
    RestKitError,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
    ValidationError,
)

BREAKS_RULES: Final = frozenset({
    Trouble.UNIQUE,
    Trouble.DANGLING,
    Trouble.RESTRICTED,
    Trouble.NULL,
    Trouble.CHECK,
    Trouble.TOO_LONG,
    Trouble.RANGE,
    Trouble.VALUE,
    Trouble.REFUSED,
})  # fmt: skip
"""Troubles with what was written, rather than with the database."""


def refusal(failure: Failure, name: str) -> RestKitError:
    """The error for a trouble with that database."""
    if failure.trouble in BREAKS_RULES:
        return _of_rules(failure.trouble, name)
    return _MADE[failure.trouble](name)


def _of_rules(trouble: Trouble, name: str) -> RestKitError:
    if trouble in (Trouble.UNIQUE, Trouble.DANGLING, Trouble.RESTRICTED):
        code = {Trouble.UNIQUE: "unique", Trouble.DANGLING: "foreign_key"}.get(trouble, "restricted")
        return Conflict("the write contradicts other records", code=code)
    if trouble is Trouble.REFUSED:
        return refused()
    if trouble is Trouble.VALUE:
        return StoreCorrupt(f"{name} holds, or was asked for, a value that cannot be read")
    return ValidationError(Fault("invalid", "breaks a rule of the table"))


def refused(index: int | None = None) -> Conflict:
    """The conflict for a change that a trigger does not let pass, whose text is not told."""
    return Conflict("a rule of the database refuses the change", code="refused", index=index)


def changed(name: str) -> StoreUnavailable:
    """The error for tables of that database that are not what they were."""
    return StoreUnavailable(f"{name} has changed its tables; they are read again", retry_after=1)


_MADE: Final[Mapping[Trouble, Callable[[str], RestKitError]]] = {
    Trouble.AGAIN: lambda name: Again(f"{name} is busy with other writes", retry_after=1),
    Trouble.LOST: lambda name: StoreUnavailable(f"{name} cannot be reached"),
    Trouble.SILENT: lambda name: StoreUnavailable(f"{name} did not answer in time", retry_after=1),
    Trouble.BUSY: lambda name: StoreUnavailable(f"{name} has no connection to spare", retry_after=1),
    Trouble.SLOW: lambda name: StoreUnavailable(f"{name} did not answer in time", retry_after=1),
    Trouble.FULL: lambda name: StoreFull(f"there is no room left in {name}"),
    # a replica, or a server that fails over: not a property of the resource, which the option read_only would be
    Trouble.READ_ONLY: lambda name: StoreUnavailable(f"{name} takes no writes now"),
    Trouble.DENIED: lambda name: StoreUnavailable(f"{name} does not let us in, or do this"),
    Trouble.CHANGED: changed,
    Trouble.FAILED: lambda name: StoreUnavailable(f"{name} cannot be used"),
    # nobody's but ours, which no client can wait for to pass: a 500, and in the log
    Trouble.MISTAKE: lambda name: StoreError(f"{name} refuses a statement that rest_kit made"),
}
