"""Where the replies to one resource's requests are kept: with its data, or in a storage apart from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from rest_kit.errors import ConfigurationError, Fault, InvalidInput
from rest_kit.idempotency.claims import HEADER, Claim, claim_of
from rest_kit.idempotency.once import Once, StoreCells
from rest_kit.idempotency.replies import pack, replay, told, with_headers
from rest_kit.problems import Reply
from rest_kit.processes import refuse_unshared
from rest_kit.request import Request
from rest_kit.storage import Storage
from rest_kit.store import DataStore, Tx

Work = Callable[[Tx], Any]
Show = Callable[[Any], Reply]
Settled = Callable[[], None]

PREFIX: Final = "rest_kit:idempotency:"
"""How the keys begin in a storage, which others may use too."""


def _as_it_is(reply: Reply) -> Reply:
    return reply


class Idempotency(ABC):
    """How one resource carries out requests with a key: `answer` for a verb of one transaction, else `run_once`."""

    one_step: bool
    """Whether a reply is kept in the transaction of the write, and so may be found where nothing else was kept."""

    def __init__(self, once: Once, max_body: int, *, required: bool) -> None:
        self._once = once
        self._max_body = max_body
        self._required = required

    def answer(self, request: Request, verb: Callable[[], Reply], limit: int) -> Reply:
        """The reply that the request's key has had, or the one of a verb, whose write keeps it by `write`.

        A body has at most `limit` bytes. InvalidInput for a key that is none, or none where one is required; KeyReused,
        KeyInUse, StoreUnavailable, and what the verb raises.
        """
        given = self._header(request)
        if given is None:
            return verb()
        with request.kept_body(limit) as body:
            request.claim = claim = claim_of(request, given, body)
            had = self.find(claim)
            return verb() if had is None else had

    def run_once(
        self,
        request: Request,
        work: Callable[[], Any],
        limit: int | None = None,
        *,
        shown: Show = _as_it_is,
        writes: bool = False,
    ) -> Reply:
        """The reply that shows what work returns, or the one that the request's key has had.

        For work in several transactions, or outside of any: the key is claimed before, and the reply kept behind it.
        Who dies in between leaves the key taken for `LEASE_SECONDS`; then the work is done again by whoever asks, but,
        where it `writes` by `write`, for what that has kept. A body has at most `limit` bytes, or as many as the
        resource's. ReplyLost where work was done that could not be shown; else the errors are those of `answer`.
        """
        given = self._header(request)
        if given is None:
            return shown(work())
        with request.kept_body(self._max_body if limit is None else limit) as body:
            claim = claim_of(request, given, body)
            if writes and self.one_step:
                request.claim = claim
            since = told(request)
            return self._once.run(claim, work, lambda done: with_headers(request, since, shown(done)))[0]

    def _header(self, request: Request) -> str | None:
        """The header that holds the key; None where it was not sent, and need not be (InvalidInput)."""
        given = request.header("IDEMPOTENCY_KEY")
        if given is not None:
            self.refuse_to_forget(request)
        elif self._required:
            raise InvalidInput(Fault("required", "is missing: a request here is sent with a key", header=HEADER))
        return given

    @abstractmethod
    def refuse_to_forget(self, request: Request) -> None:
        """Refuse keys that would be known to one of several processes alone (503)."""

    @abstractmethod
    def find(self, claim: Claim) -> Reply | None:
        """The reply that a claim has had (KeyReused, KeyInUse)."""

    @abstractmethod
    def write(
        self, claim: Claim, door: Callable[[Work], Any], work: Work, shown: Show, settled: Settled
    ) -> tuple[Reply, bool]:
        """Do the work of a claim behind its door; the reply, and whether it is for work that was done just now.

        Then `settled` is called as soon as the work is kept.
        """


class InStore(Idempotency):
    """Keeps replies with the data, in the transaction of the write."""

    one_step = True

    def __init__(self, store: DataStore, max_body: int, *, required: bool) -> None:
        super().__init__(Once(StoreCells(store)), max_body, required=required)
        self._store = store

    def refuse_to_forget(self, request: Request) -> None:
        if self._store.capabilities.in_process:
            remedies = "run one worker, keep the data in SQLite, or the keys at a URL such as redis://host"
            refuse_unshared(request, "these data live, with their idempotency keys,", remedies)

    def find(self, claim: Claim) -> Reply | None:
        kept = self._store.atomic(lambda tx: tx.claim(claim.key, claim.digest))
        return None if kept is None else replay(kept)

    def write(
        self, claim: Claim, door: Callable[[Work], Any], work: Work, shown: Show, settled: Settled
    ) -> tuple[Reply, bool]:
        def step(tx: Tx) -> tuple[Reply, bool] | None:
            kept = tx.claim(claim.key, claim.digest)
            if kept is not None:
                return replay(kept), False
            stored = work(tx)
            if tx.rehearsing:
                return None
            reply = shown(stored)
            tx.keep(claim.key, pack(reply))
            return reply, True

        reply, done = door(step)
        if done:
            settled()
        return reply, done


class InStorage(Idempotency):
    """Keeps replies in a storage apart from the data."""

    one_step = False

    def __init__(self, storage: Storage, max_body: int, *, required: bool) -> None:
        super().__init__(Once(storage, PREFIX), max_body, required=required)
        self._in_process = storage.in_process

    def refuse_to_forget(self, request: Request) -> None:
        if self._in_process:
            remedies = "keep them at a URL such as sqlite:///keys.db or redis://host"
            refuse_unshared(request, "idempotency keys are kept", remedies)

    def find(self, claim: Claim) -> Reply | None:
        return self._once.find(claim)

    def write(
        self, claim: Claim, door: Callable[[Work], Any], work: Work, shown: Show, settled: Settled
    ) -> tuple[Reply, bool]:
        def run() -> Any:
            stored = door(work)
            settled()
            return stored

        return self._once.run(claim, run, shown)


def idempotency_for(
    option: bool | Storage, store: DataStore, shared: Storage, *, max_body: int, required: bool
) -> Idempotency | None:
    """How a resource carries out requests with a key; None where it does not, or takes no writes.

    `option` is a storage, or whether the store is to keep replies; where it cannot, `shared` does, which all resources
    of an application have (ConfigurationError where that is nothing but memory).
    """
    able = store.capabilities
    if option is False or not able.writable:
        return None
    if option is True and able.idempotency:
        return InStore(store, max_body, required=required)
    storage = shared if option is True else option
    if option is True and storage.in_process:
        raise ConfigurationError(
            f"controller options['idempotency'] is on, but {type(store).__name__} has no place for keys: name one, "
            "such as 'idempotency': 'redis://host', or give the dispatcher a storage"
        )
    return InStorage(storage, max_body, required=required)
