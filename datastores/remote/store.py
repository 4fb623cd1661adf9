"""The collection of another REST API as a datastore.

    store = RemoteDataStore({"url": "https://api.example.org/people/", "dialect": "rest_kit"}, {"timeout": 5})

Nothing is sent before the first use. What the API can be asked in its dialect it is asked; the rest is done here, over
no more records than `scan_limit`.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, TypeVar

from datastores.remote.address import Address
from datastores.remote.client import Client, Limits
from datastores.remote.dialect import Dialect
from datastores.remote.dialects import dialect_of
from datastores.remote.infer import described_model, schema_of, seen_model
from datastores.remote.network import NetworkTransport
from datastores.remote.options import OPTION_KEYS, RESOURCE_KEYS, Headers, problems_of
from datastores.remote.remote import Remote, Stale
from datastores.remote.rest_kit_api import RestKit
from datastores.remote.transport import Transport
from datastores.remote.tx import run
from rest_kit.breaker import Breaker
from rest_kit.errors import ConfigurationError, Conflict, RecordNotFound
from rest_kit.events.log import EventLog
from rest_kit.models import Model
from rest_kit.query import Query, Result, Where
from rest_kit.rows import matches
from rest_kit.store import Capabilities, DataStore, Tx, refuse
from rest_kit.types import Pk, Record

T = TypeVar("T")

ATTEMPTS: Final = 16
"""How many times a step is run whose records others keep changing."""
SCAN_LIMIT: Final = 10_000
CONNECT_TIMEOUT: Final = 3.0
READ_ONLY: Final = "the option read_only is set"


class RemoteDataStore(DataStore):
    """The records of one collection of another API: `{"url": collection, "dialect": name or mapping}`.

    Dialects: `rest_kit`, `drf`, `json-server`, `postgrest`, or a mapping (see `datastores.remote.dialect.Dialect`).
    Options: `timeout` (seconds for a whole call, to the last byte of the reply), `connect_timeout`, `retries` (of GET,
    PUT and DELETE; never of POST), `max_size` (bytes of a reply), `max_redirects` (on the same host), `concurrency`
    (calls at a time; beyond it StoreUnavailable at once), `scan_limit` (records read to do here what the API cannot),
    `headers` (sent with every request; their values are never shown), `read_only`, `verify`, `ca_bundle`, `breaker`
    (`failures` in a row, `reset` in seconds), `transport` (something else than the network).
    """

    resource_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = RESOURCE_KEYS
    option_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = OPTION_KEYS

    def __init__(self, resource: Any, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(resource, options)
        refuse(problems_of(resource, self.options), type(self).__name__)
        self.options["headers"] = Headers(self.options.get("headers", {}))
        self._address = Address(resource["url"])
        self._declared: Dialect = dialect_of(resource["dialect"])[0]
        self._dialect = self._declared
        self._learned = False
        self._client_: tuple[int, Client] | None = None
        self._remote_: tuple[Client, Remote] | None = None
        self._turn = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._address)!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What is done here too: everything but transactions, a change log, and what the dialect says."""
        dialect = self._dialect
        read_only = bool(self.options.get("read_only"))
        return Capabilities(
            writable=not read_only,
            conditional=dialect.conditional,
            events=False,
            transactions=False,
            brings_keys=dialect.brings_keys,
            why_not=READ_ONLY if read_only else "",
        )

    def bind(self, model: Model) -> None:
        """Serve the rows as this model, which must have the primary key (ConfigurationError)."""
        if model.pk is None:
            raise ConfigurationError("has no primary key, and a remote API cannot be given one", owner=model.name)
        super().bind(model)
        self._remote_ = None

    @property
    def model(self) -> Model:
        """The bound model, or the one that the API's schema or first rows tell of (RemoteError)."""
        if self._model is None:
            self._model = self.infer()
        return self._model

    # Opening

    def _client(self) -> Client:
        """What talks to the remote; each process has its own, since connections and locks do not survive a fork."""
        found = self._client_
        if found is None or found[0] != os.getpid():
            with self._opening:
                found = self._client_
                if found is None or found[0] != os.getpid():
                    found = self._client_ = (os.getpid(), self._new_client())
        return found[1]

    def _new_client(self) -> Client:
        told = self.options
        limits = Limits(**{name: told[name] for name in Limits._fields if name in told})
        breaker = Breaker(**told.get("breaker", {}))
        return Client(told.get("transport") or self._network(limits), self._address, told["headers"], limits, breaker)

    def _network(self, limits: Limits) -> Transport:
        told = self.options
        return NetworkTransport(
            max_size=limits.max_size,
            connect_timeout=told.get("connect_timeout", CONNECT_TIMEOUT),
            connections=limits.concurrency,
            verify=told.get("verify", True),
            ca_bundle=told.get("ca_bundle"),
        )

    def _remote(self) -> Remote:
        """The collection through the model; the first use may ask the API what it can (RemoteError).

        No lock is held meanwhile: where the API hangs, those who come second are refused by the client's cap at once.
        """
        client, found = self._client(), self._remote_
        if found is None or found[0] is not client:
            self._learn(client)
            limit = self.options.get("scan_limit", SCAN_LIMIT)
            found = self._remote_ = (client, Remote(client, self._told_dialect(), self.model, limit))
        return found[1]

    def _learn(self, client: Client) -> None:
        """Ask a rest_kit application once what the resource allows, and for the model where none was given."""
        if self._learned or not isinstance(self._declared, RestKit):
            return
        schema = schema_of(client)
        if schema is not None:
            self._dialect = self._declared.learned(schema)
            if self._model is None:
                self._model = described_model(schema, self._declared)
        self._learned = True

    def _told_dialect(self) -> Dialect:
        """The dialect with what only the model tells: that rest_kit searches in every text field."""
        dialect = self._dialect
        if isinstance(dialect, RestKit) and dialect.searched is None:
            texts = [name for name in self.model.readable if self.model.by_name[name].kind.is_text]
            return replace(dialect, searched=texts)
        return dialect

    def infer(self) -> Model:
        client = self._client()
        if isinstance(self._declared, RestKit):
            schema = schema_of(client)
            if schema is not None:
                return described_model(schema, self._declared)
        return seen_model(client, self._dialect)

    # The contract

    def ping(self) -> None:
        self._remote().probe()

    def find(self, query: Query) -> Result:
        return self._remote().find(query)

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        record = self._remote().get(pk).record
        if not matches(scope, record):
            raise RecordNotFound(pk)
        return record

    def atomic(self, work: Callable[[Tx], T]) -> T:
        """Run `work`, which may write once; again, some times, where others change in between what it relies on."""
        remote = self._remote()
        why_not = self.capabilities.why_not
        try:
            return run(remote, work, why_not)
        except Stale:
            pass
        for attempt in range(1, ATTEMPTS):
            time.sleep(random.random() * 0.005 * attempt)
            # one at a time: whoever has lost already should not lose to its neighbours again
            taken = self._turn.acquire(timeout=remote.client.limits.timeout)
            try:
                return run(remote, work, why_not)
            except Stale:
                continue
            finally:
                if taken:
                    self._turn.release()
        raise Conflict("the object was changed by others each time that it was to be written", code="stale")

    def changes(self) -> EventLog | None:
        return None

    def close(self) -> None:
        """Let go of the connections."""
        found, self._client_, self._remote_ = self._client_, None, None
        close = None if found is None else getattr(found[1].transport, "close", None)
        if close is not None and "transport" not in self.options:
            close()
