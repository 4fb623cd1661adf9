"""The one way of a write to the store: through a door that makes one atomic step of it, and out again as a reply.

Policies and hooks see to what passes; a request with an idempotency key passes once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rest_kit.controllers.files import Keeping
from rest_kit.controllers.hooks import Hooks
from rest_kit.controllers.merging import Merging
from rest_kit.controllers.policed import Policed
from rest_kit.controllers.reading import Reading
from rest_kit.controllers.variants import discreet
from rest_kit.errors import Conflict
from rest_kit.idempotency import Idempotency
from rest_kit.idempotency.replies import told, with_headers
from rest_kit.permissions import SAFE_METHODS
from rest_kit.problems import Reply
from rest_kit.request import FORM, Request
from rest_kit.store import Tx

Work = Callable[[Tx], Any]
Door = Callable[[Request, Work], Any]
Verb = Callable[..., Reply]


class Doors(Reading):
    """What leads writes of one resource to its store."""

    hooks: Hooks
    merging: Merging
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
        if request.method in SAFE_METHODS:
            raise only_reads(request)
        if not self.polices:
            return shown(door(request, work))
        once, claim = self.idempotency, request.claim
        if once is None or claim is None:
            return shown(self.carry_out(request, door, work))
        attempts = Attempts(self, request, work)
        through = partial(self.through, door, request)
        reply, done = once.write(claim, through, attempts, attempts.showing(shown), attempts.settle)
        if done:
            attempts.announce()
        return reply

    def carry_out(self, request: Request, door: Door, work: Work) -> Any:
        """What work returns, done as one atomic step behind its door, whatever the request's idempotency key.

        RuntimeError where the caller has only been let in to read.
        """
        if request.method in SAFE_METHODS:
            raise only_reads(request)
        if not self.polices:
            return door(request, work)
        attempts = Attempts(self, request, work)
        stored = self.through(door, request, attempts)
        attempts.settle()
        attempts.announce()
        return stored

    def through(self, door: Door, request: Request, work: Work) -> Any:
        """What work returns behind its door (Conflict, which tells of no field that the caller may not see)."""
        try:
            return door(request, work)
        except Conflict as exc:
            raise discreet(exc, self.model.concealed) from exc

    def once(self, idempotency: Idempotency, verb: Verb, *, own: bool) -> Verb:
        """A verb that is carried out once for each idempotency key, whoever calls it.

        One of the controller's own may do more than write once, or nothing of the kind.
        """

        def run(request: Request, *args: Any) -> Reply:
            limit = self.spec.max_body
            if self.keeping is not None and request.content_type == FORM:
                limit += self.keeping.max_files
            work = partial(verb, request, *args)
            if own:
                return idempotency.run_once(request, work, limit, writes=True)
            return idempotency.answer(request, work, limit)

        return run


def only_reads(request: Request) -> RuntimeError:
    """What a write is answered with that a request of a safe method has led to, as from an action."""
    text = f"a {request.method} changes nothing, and permissions have been asked as for reading"
    return RuntimeError(f'{text}; say @action(..., methods=["POST"]) for what writes')


class Attempts:
    """The attempts at one write, of which the last is the one that is kept."""

    def __init__(self, doors: Doors, request: Request, work: Work) -> None:
        self._doors = doors
        self._request = request
        self._work = work
        self._last: Policed | None = None
        self._told = told(request)

    def __call__(self, tx: Tx) -> Any:
        """One attempt: the work, within a transaction that minds policies and hooks."""
        doors = self._doors
        self._request.take_headers(self._told)  # those of an attempt that was in vain
        self._last = Policed(tx, self._request, doors.merging, doors.access, doors.hooks)
        return self._work(self._last)

    def showing(self, shown: Callable[[Any], Reply]) -> Callable[[Any], Reply]:
        """What shows the result with the headers that hooks have put into the reply, as they are to be kept."""
        return lambda stored: with_headers(self._request, self._told, shown(stored))

    def settle(self) -> None:
        """Let go of the files that no record names any more."""
        if self._doors.keeping is not None and self._last is not None:
            self._doors.keeping.settle(self._request, self._last.changes)

    def announce(self) -> None:
        """Tell the permission and the hooks what has been done."""
        access = self._doors.access
        if self._last is not None:
            written = access.written if access is not None else None
            self._last.changes.announce(self._request, self._doors.hooks, written)
