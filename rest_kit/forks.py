"""What a forked child must not inherit: a lock that a thread of its parent's holds, a connection that is its parent's.

A child begins with one thread alone, so that nobody is there to let go of what the others held at that moment.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

K = TypeVar("K")
T = TypeVar("T")

_never_closed: Final[list[Any]] = []
_renewals: Final[WeakKeyDictionary[Any, Callable[[Any], None]]] = WeakKeyDictionary()


def renew_after_fork(thing: T, renew: Callable[[T], None]) -> None:
    """Call `renew(thing)` in every child that is forked while the thing is in use, which is not prolonged by this.

    For the end of a constructor: what is registered must be complete.
    """
    _renewals[thing] = renew


def _in_child() -> None:
    for thing, renew in list(_renewals.items()):
        renew(thing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def never_close(*things: Any) -> None:
    """Keep connections, or whatever holds some, from ever being closed by this process, as garbage would be.

    A parent's are closed by the parent; and to close one to a file that was replaced might spoil the new file.
    """
    _never_closed.extend(things)


class Shared(Generic[K, T]):
    """What a process has once for each key, made at the first use, and there for as long as it is used; thread-safe."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[K, T] = WeakValueDictionary()
        self._renew_lock()
        renew_after_fork(self, Shared._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def at(self, key: K, make: Callable[[], T]) -> T:
        """The one of that key, made where there is none."""
        with self._lock:
            found = self._known.get(key)
            if found is None:
                found = self._known[key] = make()
            return found

    def __contains__(self, key: object) -> bool:
        return key in self._known
