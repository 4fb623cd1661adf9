"""How often: policies that admit so many requests in any window of time."""

from __future__ import annotations

from rest_kit.throttling.base import Throttle
from rest_kit.throttling.counting import count

__all__ = ["Throttle", "count"]
