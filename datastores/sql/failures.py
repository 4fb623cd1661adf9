"""What a driver's error means, in words that all databases share."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Trouble(enum.Enum):
    """What went wrong."""

    UNIQUE = "unique"
    DANGLING = "dangling"
    RESTRICTED = "restricted"
    NULL = "null"
    CHECK = "check"
    TOO_LONG = "too_long"
    RANGE = "range"
    VALUE = "value"
    AGAIN = "again"
    LOST = "lost"
    SILENT = "silent"
    BUSY = "busy"
    SLOW = "slow"
    FULL = "full"
    READ_ONLY = "read_only"
    DENIED = "denied"
    CHANGED = "changed"
    REFUSED = "refused"
    FAILED = "failed"
    MISTAKE = "mistake"


UNUSABLE: Final = frozenset({Trouble.LOST, Trouble.SILENT})
"""Troubles after which a connection is of no use any more."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One error: the trouble, and the constraint and column that the database names, where it does."""

    trouble: Trouble
    constraint: str = ""
    column: str = ""
