"""Requests that are carried out once, however often they are sent: the header `Idempotency-Key`.

    the header and the body -> a claim -> the reply that it has had, or the work -> the reply, kept with the work

A store that keeps replies keeps this one in the very transaction of the write. For any other store a storage does: the
key is claimed there before the work, and the reply put there behind it. The header follows
draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

from rest_kit.idempotency.claims import HEADER, Claim
from rest_kit.idempotency.keeping import Idempotency, idempotency_for
from rest_kit.idempotency.once import LEASE_SECONDS
from rest_kit.idempotency.replies import REPLAYED

__all__ = ["HEADER", "LEASE_SECONDS", "REPLAYED", "Claim", "Idempotency", "idempotency_for"]
