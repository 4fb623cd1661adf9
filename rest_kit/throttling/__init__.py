"""How often: policies that admit so many requests in any window of time."""

from __future__ import annotations

from rest_kit.throttling.base import Throttle
from rest_kit.throttling.counting import Throttling
from rest_kit.throttling.throttles import (
    AddressRateThrottle,
    AnonRateThrottle,
    RateLimit,
    RateThrottle,
    ScopedRateThrottle,
    ScopeRateThrottle,
    UserRateThrottle,
)

__all__ = [
    "AddressRateThrottle",
    "AnonRateThrottle",
    "RateLimit",
    "RateThrottle",
    "ScopeRateThrottle",
    "ScopedRateThrottle",
    "Throttle",
    "Throttling",
    "UserRateThrottle",
]
