"""Ignoring case in a server exactly as `rows.fold` does: what its own lower() makes of each letter is asked once.

Letters that a server lowers otherwise are exchanged before it sees them. What remains are letters that the server's
Unicode knows and Python's does not: as values are lowered by the server too, they are at least equal to themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache

from rest_kit.rows import fold


@cache
def cased() -> str:
    """Every letter whose case can be ignored, in order."""
    return "".join(letter for letter in map(chr, _code_points()) if fold(letter) != letter)


def _code_points() -> Iterator[int]:
    yield from range(0x41, 0xD800)
    yield from range(0xE000, sys.maxunicode + 1)


def differences(lowered: str) -> str | None:
    """The letters that a server lowers otherwise, given what it made of `cased()`; None where it changed the length."""
    letters = cased()
    if len(lowered) != len(letters):
        return None
    return "".join(letter for letter, found in zip(letters, lowered, strict=True) if found != fold(letter))
