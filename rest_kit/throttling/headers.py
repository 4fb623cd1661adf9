"""What callers are told: `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-11 writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from rest_kit.storage import Count


def fields(counts: Sequence[Count]) -> list[tuple[str, str]]:
    """Both fields for all of the counts; none where nothing was counted."""
    if not counts:
        return []
    policies, limits = _field(counts[0])
    for count in counts[1:]:
        policy, limit = _field(count)
        policies, limits = f"{policies}, {policy}", f"{limits}, {limit}"
    return [("RateLimit-Policy", policies), ("RateLimit", limits)]


def _field(count: Count) -> tuple[str, str]:
    """What both fields say of one window."""
    window = count.window
    name, policy = _named(window.policy, window.quota, window.seconds)
    return policy, f"{name};r={count.remaining};t={math.ceil(count.reset)}"


@lru_cache(maxsize=1024)
def _named(name: str, quota: int, seconds: float) -> tuple[str, str]:
    """A policy's name as a string of structured fields (RFC 9651 §3.3.3), and the policy; both never change."""
    printable = "".join(one if " " <= one <= "~" else "?" for one in name)
    quoted = '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return quoted, f"{quoted};q={quota};w={math.ceil(seconds)}"
