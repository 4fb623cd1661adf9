"""The one way of a write to the store: through a door that makes one atomic step of it, and out again as a reply.

Policies and hooks see to what passes; a request with an idempotency key passes once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_kit.controllers.hooks import Hooks
from rest_kit.controllers.policed import Policed
from rest_kit.controllers.reading import Reading
from rest_kit.idempotency import Idempotency
from rest_kit.problems import Reply
from rest_kit.request import Request
from rest_kit.store import Tx

Work = Callable[[Tx], Any]
Door = Callable[[Request, Work], Any]


class Doors(Reading):
    """What leads writes of one resource to its store."""

    hooks: Hooks
    idempotency: Idempotency | None
    polices: bool
    """Whether policies, hooks or idempotency keys have a say in writes."""
    inserting: Door
    changing: Door
    deleting: Door
    """What runs each kind of write as one atomic step: the store's `atomic`, or what also minds relations."""

    def write(self, request: Request, door: Door, work: Work, shown: Callable[[Any], Reply]) -> Reply:
        """Do the work as one atomic step behind its door, and answer with what it has stored."""
        if not self.polices:
            return shown(door(request, work))
        access, hooks, pk = self.access, self.hooks, self.presenter.pk
        attempts: list[Policed] = []

        def policed(tx: Tx) -> Any:
            attempts.append(Policed(tx, request, pk, access, hooks))
            return work(attempts[-1])

        reply, done = self.write_once(request, door, policed, shown)
        if done:
            attempts[-1].changes.announce(request, hooks)
        return reply

    def write_once(self, request: Request, door: Door, work: Work, shown: Callable[[Any], Reply]) -> tuple[Reply, bool]:
        """The reply to a write, and whether it was done: a request with an idempotency key may have been before."""
        if self.idempotency is None or request.claim is None:
            return shown(door(request, work)), True
        return self.idempotency.write(request.claim, lambda step: door(request, step), work, shown)
