"""Calling functions of the user's own, which may be `async` though everything around them is not."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from importlib import import_module
from typing import Any


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function returns; a coroutine runs to its end first, in an event loop of its own."""
    result = function(*args, **kwargs)
    return _run(result) if inspect.iscoroutine(result) else result


def as_plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, or for an `async` one a function that runs it to its end."""
    return partial(call, function) if inspect.iscoroutinefunction(function) else function


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end; in a thread beside this one where this one runs a loop, or is gevent's."""
    # who never calls an async function need not wait for the import
    import asyncio

    executor = _gevents_threads()
    if executor is None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(coroutine)
        from concurrent.futures import ThreadPoolExecutor

        executor = ThreadPoolExecutor
    with executor(1) as beside:
        return beside.submit(asyncio.run, coroutine).result()


def _gevents_threads() -> Any:
    """Where the threads of this process are gevent's greenlets, what starts a real one; else None.

    All greenlets share one thread, which a loop that one of them ran would keep from all others.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return None
    return import_module("gevent.threadpool").ThreadPoolExecutor
