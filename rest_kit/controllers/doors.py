"""The one way of a write to the store: through a door that makes one atomic step of it, and out again as a reply.

Policies and hooks see to what passes; a request with an idempotency key passes once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rest_kit.controllers.files import Keeping
from rest_kit.controllers.hooks import Hooks
from rest_kit.controllers.policed import Policed
from rest_kit.controllers.reading import Reading
from rest_kit.controllers.variants import discreet
from rest_kit.errors import Conflict
from rest_kit.idempotency import Idempotency
from rest_kit.problems import Reply
from rest_kit.request import FORM, Request
from rest_kit.store import Tx

Work = Callable[[Tx], Any]
Door = Callable[[Request, Work], Any]


class Doors(Reading):
    """What leads writes of one resource to its store."""

    hooks: Hooks
    idempotency: Idempotency | None
    polices: bool
    """Whether policies, hooks, files or idempotency keys have a say in writes."""
    inserting: Door
    changing: Door
    deleting: Door
    """What runs each kind of write as one atomic step: the store's `atomic`, or what also minds relations."""
    keeping: Keeping | None = None
    """What takes files in and lets them go, where the model has any."""

    def write(self, request: Request, door: Door, work: Work, shown: Callable[[Any], Reply]) -> Reply:
        """Do the work as one atomic step behind its door, and answer with what it has stored."""
        if not self.polices:
            return shown(door(request, work))
        access, hooks = self.access, self.hooks
        attempts: list[Policed] = []

        def policed(tx: Tx) -> Any:
            attempts.append(Policed(tx, request, self.model, access, hooks))
            return work(attempts[-1])

        def settled() -> None:
            if self.keeping is not None:
                self.keeping.settle(request, attempts[-1].changes)

        once, claim = self.idempotency, request.claim
        if once is None or claim is None:
            stored, done = self.through(door, request, policed), True
            settled()
            reply = shown(stored)
        else:
            reply, done = once.write(claim, partial(self.through, door, request), policed, shown, settled)
        if done:
            attempts[-1].changes.announce(request, hooks, access.permission if access is not None else None)
        return reply

    def through(self, door: Door, request: Request, work: Work) -> Any:
        """What work returns behind its door (Conflict, which tells of no field that the caller may not see)."""
        try:
            return door(request, work)
        except Conflict as exc:
            raise discreet(exc, self.model.concealed) from exc

    def answered(self, request: Request) -> Reply | None:
        """The reply that a request with an idempotency key has had, if any (what `Idempotency.look` raises)."""
        assert self.idempotency is not None
        limit = self.spec.max_body
        if self.keeping is not None and request.content_type == FORM:
            limit += self.keeping.max_files
        return self.idempotency.look(request, limit)
