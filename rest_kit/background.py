"""Work that is done apart from a request: a failure is logged, and never anybody's reply."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger("rest_kit")


def run_logged(function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Call a function whose failure concerns nobody but the log."""
    try:
        function(*args, **kwargs)
    except Exception:
        log.exception("%s has failed", getattr(function, "__qualname__", repr(function)))
