"""One core for each CSV file in a process, shared by the stores over it; after a fork, the child begins with none."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

from datastores.csv.core import Core
from rest_kit.forks import never_close
from rest_kit.models.model import Model

_FORK_PATIENCE: Final = 1.0
"""How many seconds a fork waits for a write to end."""

_cores: WeakValueDictionary[tuple[Any, ...], Core] = WeakValueDictionary()
_cores_lock = threading.Lock()
_stopped: list[Core] = []


def core_of(path: str, options: Mapping[str, Any], model: Model | None, declared: type[Model] | None) -> Core:
    """The process's core for this file, as this model, with these options.

    `declared` is the model's class before a key was added to it: the same for all stores of that class.
    """
    real = os.path.realpath(path)
    key = (real, declared, repr(sorted(options.items())))
    with _cores_lock:
        core = _cores.get(key)
        if core is None:
            core = _cores[key] = Core(real, options, model)
        return core


def _before_fork() -> None:
    """Wait for writes to end: the child must not inherit a mirror in the midst of one, on whose file it would undo it.

    Not for ever, since a writer may be waiting for the very thread that forks.
    """
    with _cores_lock:
        cores = list(_cores.values())
    _stopped.extend(core for core in cores if core.lock.acquire(timeout=_FORK_PATIENCE))


def _in_parent() -> None:
    for core in _stopped:
        core.lock.release()
    _stopped.clear()


def _in_child() -> None:
    """Forget the parent's cores without closing what is the parent's."""
    global _cores_lock
    _cores_lock = threading.Lock()
    never_close(*_cores.values())
    _stopped.clear()
    _cores.clear()


os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
