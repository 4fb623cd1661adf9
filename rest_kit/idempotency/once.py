"""Work of which no transaction is made, done once all the same: its key is leased first, and the reply kept behind it.

A lease is known by its holder, so that nobody puts a reply where another one is at work by now.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import secrets
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec

from rest_kit.errors import KeyInUse, KeyReused, OutcomeUnknown, RemoteError, ReplyLost, StoreUnavailable
from rest_kit.idempotency.claims import Claim
from rest_kit.idempotency.replies import pack, replay, whole
from rest_kit.problems import Reply
from rest_kit.store import IDEMPOTENCY_SECONDS, DataStore, Tx

LEASE_SECONDS: Final = 300.0
"""For how long a key is taken by work that is not one transaction, should whoever does it die."""

_PATIENCE: Final = 2.0
_PAUSE: Final = 0.01
_LOST: Final = b""
"""Stands in a cell for the reply to work that was done, and could not be answered."""

log = logging.getLogger("rest_kit")

T = TypeVar("T")


class Cells(Protocol):
    """Where one value lies under each key; a `Storage` is one."""

    def get(self, key: str) -> bytes | None:
        """The value under a key."""

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        """Put a value (None: nothing) there if the present one is as expected (None: there is none)."""


class StoreCells:
    """The replies of a store as cells: each look and each change is a transaction of its own.

    A cell does not lie where a write keeps the reply to the same claim, which is of another form.
    """

    def __init__(self, store: DataStore) -> None:
        self._store = store

    def get(self, key: str) -> bytes | None:
        place = _beside(key)
        return self._patiently(lambda tx: tx.claim(place, b"") or None)

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        place = _beside(key)

        def step(tx: Tx) -> bool:
            if (tx.claim(place, b"") or None) != expected:
                return False
            tx.keep(place, value or b"")
            return True

        return self._patiently(step)

    def _patiently(self, step: Callable[[Tx], T]) -> T:
        """What a step returns; others have a key for no longer than such a step takes (KeyInUse where they do)."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._store.atomic(step)
            except KeyInUse:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)


def _beside(key: str) -> str:
    """The key of the cell for a key; it is no longer, as stores need not take more than 64 characters."""
    return hashlib.blake2b(key.encode(), digest_size=32, person=b"cell").hexdigest()


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """What lies under a key: whose request it is, the reply, or until when (epoch seconds) somebody is at it."""

    digest: bytes
    until: float
    holder: bytes
    reply: bytes | None = None


_write_cell: Final = msgspec.msgpack.Encoder().encode
_read_cell: Final = msgspec.msgpack.Decoder(Cell).decode


class Once:
    """Runs work of which no transaction is made, once for each claim as long as nobody dies over it."""

    def __init__(self, cells: Cells, prefix: str = "") -> None:
        self._cells = cells
        self._prefix = prefix

    def find(self, claim: Claim) -> Reply | None:
        """The reply that a claim has had (KeyReused, KeyInUse)."""
        return self._reply(self._cells.get(self._place(claim)), claim)

    def run(self, claim: Claim, work: Callable[[], T], shown: Callable[[T], Reply]) -> tuple[Reply, bool]:
        """The reply that shows what work returns, or the one that the claim has had, and whether the work was done.

        Work that failed may be done again; work whose reply fails may not (ReplyLost from then on).
        """
        place = self._place(claim)
        before = self._cells.get(place)
        had = self._reply(before, claim)
        if had is not None:
            return had, False
        mine = _write_cell(Cell(claim.digest, time.time() + LEASE_SECONDS, secrets.token_bytes(8)))
        if not self._cells.swap(place, before, mine, LEASE_SECONDS):
            return self._of_another(claim), False
        return self._run(claim, mine, work, shown), True

    def _place(self, claim: Claim) -> str:
        return self._prefix + claim.key

    def _reply(self, found: bytes | None, claim: Claim) -> Reply | None:
        """The reply in a cell, None where the cell is free."""
        if found is None:
            return None
        cell = _read_cell(found)
        if cell.reply is None and cell.until <= time.time():
            return None
        if cell.digest != claim.digest:
            raise KeyReused("the idempotency key was sent with another request before; make a new one for each")
        if cell.reply is None:
            text = "the request that this idempotency key stands for is still running"
            raise KeyInUse(text, retry_after=_again(cell.until))
        if cell.reply == _LOST:
            raise ReplyLost("the request that this idempotency key stands for was carried out, but its reply is lost")
        return replay(cell.reply)

    def _of_another(self, claim: Claim) -> Reply:
        """The reply of whoever was faster (KeyInUse while there is none)."""
        reply = self.find(claim)
        if reply is None:
            raise KeyInUse("the request that this idempotency key stands for has just failed, or is running")
        return reply

    def _run(self, claim: Claim, mine: bytes, work: Callable[[], T], shown: Callable[[T], Reply]) -> Reply:
        try:
            done = work()
        except Exception as exc:
            if not _unsettled(exc):
                self._settle(claim, mine, None)
            raise
        kept: bytes | None = _LOST
        try:
            reply = whole(shown(done))
            kept = pack(reply) if reply[0] < "4" else None
        finally:
            self._settle(claim, mine, kept)
        return reply

    def _settle(self, claim: Claim, mine: bytes, reply: bytes | None) -> None:
        """Put the reply in place of the lease, or nothing; if that fails, the lease runs out by itself."""
        settled = False
        with contextlib.suppress(StoreUnavailable, KeyInUse):
            value = None if reply is None else _write_cell(Cell(claim.digest, 0.0, b"", reply))
            settled = self._cells.swap(self._place(claim), mine, value, IDEMPOTENCY_SECONDS)
        if not settled:
            log.warning("the outcome of a request with an idempotency key could not be noted")


def _again(until: float) -> int:
    """In how many seconds to ask for work that is leased: soon while it is young, and at the latest when it lapses."""
    left = until - time.time()
    return max(1, math.ceil(min(LEASE_SECONDS - left, left)))


def _unsettled(exc: Exception) -> bool:
    """Whether work that failed may have been done all the same."""
    return isinstance(exc, OutcomeUnknown) or (isinstance(exc, RemoteError) and exc.unsettled)
