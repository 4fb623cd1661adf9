"""What a driver's error means, in words that all databases share."""

from __future__ import annotations

import enum
from dataclasses import dataclass


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
    BUSY = "busy"
    SLOW = "slow"
    FULL = "full"
    READ_ONLY = "read_only"
    DENIED = "denied"
    CHANGED = "changed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Failure:
    """One error: the trouble, and the constraint and column that the database names, where it does."""

    trouble: Trouble
    constraint: str = ""
    column: str = ""
