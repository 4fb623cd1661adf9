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
    policies, limits = [], []
    for count in counts:
        window = count.window
        name, policy = _named(window.policy, window.quota, window.seconds)
        policies.append(policy)
        limits.append(f"{name};r={count.remaining};t={math.ceil(count.reset)}")
    return [("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(limits))]


@lru_cache(maxsize=1024)
def _named(name: str, quota: int, seconds: float) -> tuple[str, str]:
    """A policy's name as a string of structured fields (RFC 9651 §3.3.3), and the policy; both never change."""
    printable = "".join(one if " " <= one <= "~" else "?" for one in name)
    quoted = '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return quoted, f"{quoted};q={quota};w={math.ceil(seconds)}"
