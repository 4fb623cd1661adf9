"""Other REST APIs as a store, and the transports that reach them."""

from __future__ import annotations

from datastores.remote.in_process import WSGITransport
from datastores.remote.store import RemoteDataStore
from datastores.remote.transport import Deadline, Reply, Transport, TransportError, TransportTimeout

__all__ = [
    "Deadline",
    "RemoteDataStore",
    "Reply",
    "Transport",
    "TransportError",
    "TransportTimeout",
    "WSGITransport",
]
