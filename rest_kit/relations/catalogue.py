"""What databases say of foreign keys, asked when it is first needed.

A table refers to tables of its own database only. So each database is asked by itself, and a request waits for those
that hold its own data, never for another. A table that cannot be read has no say; it is asked again after a while, by
one request, while all others go on with what is known.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

import msgspec

from rest_kit.errors import StoreUnavailable
from rest_kit.models import Field
from rest_kit.store import DataStore

log = logging.getLogger("rest_kit")


class ForeignKey(msgspec.Struct, frozen=True):
    """The `field` of the resource `child`, whose model has these `names`, holds the key of a `target`."""

    child: str
    field: Field
    names: tuple[str, ...]
    target: str


class Source(msgspec.Struct):
    """A store that may have a say, the resource that it belongs to, and, once they are known, its foreign keys."""

    resource: str
    store: DataStore
    foreign_keys: list[ForeignKey] | None = None
    ask_again: float = 0.0
    """When, by the monotonic clock, it may be asked again."""

    @property
    def is_due(self) -> bool:
        """Whether it has not answered yet, and may be asked now."""
        return self.foreign_keys is None and time.monotonic() >= self.ask_again


class Catalogue:
    """The foreign keys of one database; `targets` are the resources whose items are there.

    `learned` is called when more is known, before anybody who has waited for it goes on.
    """

    def __init__(self, sources: list[Source], targets: Mapping[str, DataStore], learned: Callable[[], None]) -> None:
        self.settled = not sources
        """Whether every table that may have a say has had it."""
        self._sources = sources
        self._targets = targets
        self._learned = learned
        self._asked = False
        self._lock = threading.Lock()

    @property
    def foreign_keys(self) -> Iterator[ForeignKey]:
        """Those that are known by now."""
        for source in self._sources:
            yield from source.foreign_keys or ()

    def ask(self) -> None:
        """Ask those that have not answered yet, and may be asked; only the first time everybody waits for it."""
        if self._is_due and self._lock.acquire(blocking=not self._asked):
            try:
                if self._is_due:
                    self._ask()
            finally:
                self._lock.release()

    def renew_lock(self) -> None:
        """In a forked child: wait for no thread that only the parent has."""
        self._lock = threading.Lock()

    @property
    def _is_due(self) -> bool:
        return not self.settled and any(source.is_due for source in self._sources)

    def _ask(self) -> None:
        for source in self._sources:
            if source.is_due:
                self._ask_one(source)
        self._learned()
        self._asked = True
        self.settled = all(source.foreign_keys is not None for source in self._sources)

    def _ask_one(self, source: Source) -> None:
        try:
            source.foreign_keys = list(self._said_by(source))
        except StoreUnavailable as exc:
            log.warning("what %s refers to is not known yet: %s", source.resource, exc)
            source.ask_again = time.monotonic() + exc.retry_after

    def _said_by(self, source: Source) -> Iterator[ForeignKey]:
        """The foreign keys that a table has to others that are served (StoreUnavailable)."""
        model = source.store.model
        for field in model.fields:
            target = self._holder(source.store, field)
            if target is not None:
                yield ForeignKey(source.resource, field, model.names, target)

    def _holder(self, store: DataStore, field: Field) -> str | None:
        """The resource that serves what a field refers to; None where none does, or where the model says itself."""
        if field.references is None or field.resource is not None:
            return None
        for name, target in self._targets.items():
            if store.refers_to(field.references, target):
                pk = target.model.pk
                return name if pk is not None and pk.kind is field.kind else None
        return None


def catalogues(stores: Mapping[str, Sequence[DataStore]], learned: Callable[[], None]) -> dict[Hashable, Catalogue]:
    """The catalogues of the databases in which tables may refer to each other; by resource its stores, items first."""
    databases = dict.fromkeys(store.database for found in stores.values() for store in found)
    return {one: _catalogue(one, stores, learned) for one in databases if one is not None}


def _catalogue(database: Hashable, stores: Mapping[str, Sequence[DataStore]], learned: Callable[[], None]) -> Catalogue:
    here = [(name, one) for name, found in stores.items() for one in found if one.database == database]
    sources = [Source(name, store) for name, store in here if _may_refer(store)]
    targets = {name: found[0] for name, found in stores.items() if found[0].database == database}
    return Catalogue(sources, targets, learned)


def _may_refer(store: DataStore) -> bool:
    """Whether only the data themselves can say what a store's records refer to."""
    model = store.bound_model
    return model is None or any(field.references and not field.resource for field in model.fields)
