"""A clock that all processes of one machine share, that nobody sets, and that goes on over a restart of the machine.

The time since the machine was started cannot be set; what it means on the calendar is noted once for each start, by the
first process that asks. Where the system has no such clock, it is the calendar's, which can be set.
"""

from __future__ import annotations

import time
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_boot() -> str:
    """A name for the machine's present run; "" where the system has none."""
    try:
        return _BOOT_ID.read_text().strip() if hasattr(time, "CLOCK_BOOTTIME") else ""
    except OSError:
        return ""


def since_boot() -> int:
    """Nanoseconds since the machine was started, times of sleep included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
