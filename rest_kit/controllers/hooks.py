"""The methods of a controller that run around its writes, and what a write has changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final

from rest_kit.background import run_logged
from rest_kit.calling import as_plain
from rest_kit.request import Request
from rest_kit.types import Record

NAMES: Final = ("before_create", "before_update", "before_delete", "after_create", "after_update", "after_delete")

Hook = Callable[..., None]


class Hooks:
    """The hooks that a controller has; None for those that do nothing."""

    __slots__ = NAMES

    before_create: Hook | None
    before_update: Hook | None
    before_delete: Hook | None
    after_create: Hook | None
    after_update: Hook | None
    after_delete: Hook | None

    def __init__(self, owner: Any, base: type) -> None:
        for name in NAMES:
            own = getattr(type(owner), name) is not getattr(base, name)
            setattr(self, name, as_plain(getattr(owner, name)) if own else None)

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in NAMES)


class Changes:
    """What one attempt at a write has done, in order: for each record how it was before, and how it is now."""

    def __init__(self) -> None:
        self._made: list[tuple[Record | None, Record | None]] = []

    def note(self, before: Record | None, after: Record | None) -> None:
        """A record was created (no `before`), updated, or deleted (no `after`)."""
        self._made.append((before, after))

    def before(self) -> list[Record]:
        """The records as they were that were changed or deleted."""
        return [before for before, _ in self._made if before is not None]

    def after(self) -> list[Record]:
        """The records as they are that were created or changed."""
        return [after for _, after in self._made if after is not None]

    def announce(self, request: Request, hooks: Hooks, written: Hook | None = None) -> None:
        """Tell a permission's `written`, and run the hooks, for what has been done; what fails is logged."""
        for before, after in self._made:
            _run(written, request, before, after)
            if before is None:
                _run(hooks.after_create, request, after)
            elif after is None:
                _run(hooks.after_delete, request, before)
            else:
                _run(hooks.after_update, request, before, after)


def _run(hook: Hook | None, request: Request, *records: Record | None) -> None:
    """Run a hook on records of its own, so that nothing that it does to them shows in the reply."""
    if hook is not None:
        run_logged(request.id, hook, request, *map(copy.deepcopy, records))
