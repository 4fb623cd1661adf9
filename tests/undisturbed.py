"""Counting calls without those of the garbage collector, which come when they come."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep waste from being collected, as collecting it calls whoever waits for something to be gone."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
