"""Calling functions of the user's own, which may be `async` though everything around them is not."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function returns; a coroutine runs to its end first, in an event loop of its own."""
    result = function(*args, **kwargs)
    return _run(result) if inspect.iscoroutine(result) else result


def as_plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, or for an `async` one a function that runs it to its end."""
    return partial(call, function) if inspect.iscoroutinefunction(function) else function


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end; in a thread beside this one where this one runs a loop already."""
    # who never calls an async function need not wait for the import
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, coroutine).result()
