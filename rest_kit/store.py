"""The contract between rest_kit and whatever holds the data.

A store finds and gets records, and lets a function write within one atomic step; it knows nothing of HTTP. It says
in its `Capabilities` what it can do, refuses the rest, and `rest_kit.testing.DataStoreConformance` holds it to that.

    store = PythonListDataStore(rows)            # no I/O
    store.bind(PersonModel())                    # no I/O either; without it the model is inferred at first use
    store.find(Query(where=Filter("age", "gte", 30), page=Page(20), total=True))
    store.atomic(lambda tx: tx.update(7, {**tx.get(7), "age": 31}))
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeVar

import msgspec

from rest_kit.errors import ConfigurationError, Conflict, KeyReused, Unsupported, did_you_mean
from rest_kit.events.log import EventLog
from rest_kit.forks import renew_after_fork
from rest_kit.models.model import Model
from rest_kit.query import Filter, Not, Page, Query, Result, Where, conjoin
from rest_kit.types import Pk, Record

T = TypeVar("T")


IDEMPOTENCY_SECONDS: Final = 24 * 60 * 60
"""For how long a reply is kept under its idempotency key."""
OWN_TABLES: Final = "rest_kit_"
"""How the names of the tables begin that a store makes for itself beside those of a server, and never serves."""
OWN_FILE_TABLES: Final = f"_{OWN_TABLES}"
"""The same in an SQLite file."""


class Capabilities(msgspec.Struct, frozen=True):
    """What a store can do; what it does not claim it refuses with `Unsupported`.

    `writable`: it takes inserts, updates and deletes (`why_not` says what would make it so);
    `conditional`: a check and a write in one `atomic` cannot be separated by another writer;
    `in_process`: the data live in this process alone, so several processes would each have their own;
    `keyset`: a page can begin behind given key values; `search`: text search; `total`: an exact count;
    `events`: it keeps a change log with the data;
    `transactions`: one `atomic` may write several times; where not, a second write is refused, and nothing is done;
    `brings_keys`: a record may be inserted with a key that would otherwise be made; where not, an integer one is
    refused, and one of any other kind gives way to a new one;
    `idempotency`: it keeps replies under idempotency keys, each in the very step that it is the reply to.
    """

    writable: bool = True
    conditional: bool = True
    in_process: bool = False
    keyset: bool = True
    search: bool = True
    total: bool = True
    events: bool = True
    transactions: bool = True
    brings_keys: bool = True
    idempotency: bool = False
    why_not: str = ""


class Tx(ABC):
    """One atomic step: what it reads is locked until the end, and all that it writes is kept, or nothing.

    Every write appends its event to the store's change log in the same step. Valid only inside `atomic`.
    """

    rehearsing: ClassVar[bool] = False
    """Whether it only shows what would be written, so that nothing can be made of what it returns."""

    @abstractmethod
    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        """The record with that primary key, if it is within the scope (RecordNotFound)."""

    @abstractmethod
    def find(self, query: Query) -> Result:
        """What `DataStore.find` finds, as seen within this step."""

    @abstractmethod
    def insert(self, records: Sequence[Record]) -> list[Record]:
        """Add records (without a pk where the store generates it); they return as stored.

        Conflict, with the record's place in the batch as its `index`; ValidationError, with the place at the head of
        each fault's path, for a value that the store cannot hold; StoreFull.
        """

    @abstractmethod
    def update(self, pk: Pk, record: Record) -> Record:
        """Replace the record's fields, its pk aside, by those given; returned as stored (RecordNotFound, Conflict)."""

    @abstractmethod
    def delete(self, pk: Pk) -> None:
        """Remove the record (RecordNotFound, Conflict where others refer to it)."""

    def claim(self, key: str, digest: bytes) -> bytes | None:
        """The reply kept under an idempotency key; None where it is new, and then nobody else's until the end.

        `key` is at most 64 ASCII characters; `digest` stands for the whole request (KeyReused where the key was kept
        with another one; KeyInUse where another step has claimed it and does not end soon; Unsupported without the
        capability `idempotency`).
        """
        raise Unsupported("this store keeps no idempotency keys")

    def keep(self, key: str, reply: bytes) -> None:
        """Keep the reply under the key claimed before, if the step is kept, for `IDEMPOTENCY_SECONDS`.

        It takes the place of one that the claim has returned.
        """
        raise Unsupported("this store keeps no idempotency keys")


class KeepingTx(Tx):
    """A step of a store that keeps replies: what it finds and puts away is its own, what that means is said here."""

    _claimed: Mapping[str, bytes] = MappingProxyType({})

    @abstractmethod
    def kept(self, key: str) -> tuple[bytes, bytes] | None:
        """The digest and the reply under a key, if it is no older than `IDEMPOTENCY_SECONDS` (KeyInUse)."""

    @abstractmethod
    def put(self, key: str, digest: bytes, reply: bytes) -> None:
        """Put a digest and a reply under a key, in place of what is there."""

    def claim(self, key: str, digest: bytes) -> bytes | None:
        found = self.kept(key)
        if found is not None and found[0] != digest:
            raise KeyReused("the idempotency key was sent with another request before; make a new one for each")
        self._claimed = {**self._claimed, key: digest}
        return None if found is None else found[1]

    def keep(self, key: str, reply: bytes) -> None:
        if key not in self._claimed:
            raise RuntimeError("a reply is kept under a key that was not claimed in this step")
        self.put(key, self._claimed[key], reply)


class DataStore(ABC):
    """Where the data of one resource live. Instances are thread-safe and survive a fork.

    `resource` tells where (its form is each store's own), `options` the rest; both are checked at construction, which
    does no I/O (ConfigurationError lists every mistake).
    """

    resource_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {}
    """For a resource given as a dict: which keys it may have, and of what type."""
    option_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {}
    """Which `options` the store takes, and of what type."""

    def __init__(self, resource: Any, options: Mapping[str, Any] | None = None) -> None:
        self.resource = resource
        self.options = dict(options or {})
        self._model: Model | None = None
        self.is_inferred = False
        """Whether the model was read off the data, which tell less than a declaration."""
        self._renew_lock()
        renew_after_fork(self, DataStore._renew_lock)

    def _renew_lock(self) -> None:
        self._opening = threading.RLock()

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this store can do; may depend on the model and, once it is open, on what was found there."""

    def bind(self, model: Model) -> None:
        """Serve the data as this model: once, at class creation, without I/O; binding it again changes nothing."""
        self._model = model

    @property
    def model(self) -> Model:
        """The model that the records follow: the bound one (with a pk added where it has none), or the inferred one.

        The first use may read the data (StoreUnavailable, StoreCorrupt).
        """
        with self._opening:
            if self._model is None:
                self._model = self.infer()
                self.is_inferred = True
            return self._model

    @property
    def bound_model(self) -> Model | None:
        """The model if it is known without I/O."""
        return self._model

    @abstractmethod
    def infer(self) -> Model:
        """A model read off the data themselves (StoreUnavailable, StoreCorrupt)."""

    @abstractmethod
    def ping(self) -> None:
        """Return if the data can be reached now (StoreUnavailable)."""

    @abstractmethod
    def find(self, query: Query) -> Result:
        """The records of the query's page, in its order, in one pass over one snapshot.

        Each is a fresh dict of exactly `query.fields` (None: all), in that order, of the model's Python types.
        """

    @abstractmethod
    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        """The record with that primary key, if it is within the scope (RecordNotFound)."""

    @abstractmethod
    def atomic(self, work: Callable[[Tx], T]) -> T:
        """Run `work` as one step: all that it writes is kept, or, when it raises, nothing. It may be run again."""

    @abstractmethod
    def changes(self) -> EventLog | None:
        """The change log that lives with the data, or None where there is none or it is turned off."""

    @property
    def database(self) -> Hashable | None:
        """What stores over one database have in common, if its tables may say what they refer to; no I/O."""
        return None

    def refers_to(self, references: str, other: DataStore) -> bool:
        """Whether `table.column`, which a field's `references` names, is the primary key of what another store holds.

        Databases that know what their tables refer to say so; asking may read the catalogue (StoreUnavailable).
        """
        return False

    def shares_transactions(self, other: DataStore) -> bool:
        """Whether another store's `atomic`, within one of this and in its thread, is a part of that one; no I/O.

        Both are kept then, or neither, and what either store finds meanwhile is what the step has written.
        """
        return False

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; the store opens them again at the next use."""


def check_keys(given: Mapping[str, Any], known: Mapping[str, type | tuple[type, ...]], where: str) -> list[str]:
    """A sentence for every key that is unknown or whose value is of a wrong type."""
    problems = []
    for key, value in given.items():
        if key not in known:
            problems.append(f"{where} has no key {key!r}{did_you_mean(str(key), known)}")
        elif not _is_of(value, known[key]):
            problems.append(f"{where}[{key!r}] must be {type_names(known[key])}, not {value!r}")
    return problems


def _is_of(value: Any, expected: type | tuple[type, ...]) -> bool:
    return isinstance(value, expected) and not (isinstance(value, bool) and expected is int)


def well_typed(given: Mapping[str, Any], known: Mapping[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """What is known and of the right type, so that its value can be looked at."""
    return {key: value for key, value in given.items() if key in known and _is_of(value, known[key])}


def check_options(options: Mapping[str, Any], known: Mapping[str, type | tuple[type, ...]]) -> list[str]:
    """A sentence for every option of a store that is unknown, or whose value cannot be meant.

    `retention`, `timeout` and `indexes` mean the same wherever a store knows them, and so are held to the same.
    """
    return check_keys(options, known, "options") + _misfits(well_typed(options, known))


def _misfits(options: Mapping[str, Any]) -> list[str]:
    problems = []
    if options.get("retention", 1) < 1:
        problems.append("options['retention'] must be at least 1; to keep no events, say 'events': False")
    if options.get("timeout", 0) < 0:
        problems.append(f"options['timeout'] must not be negative, as {options['timeout']} is")
    return problems + different_names("indexes", options.get("indexes", ()))


def different_names(option: str, names: Sequence[Any]) -> list[str]:
    """A sentence where an option does not hold names, each of them once."""
    if all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names):
        return []
    return [f"options[{option!r}] must be different names, not {names!r}"]


def refuse_unknown(option: str, names: Sequence[str], known: Sequence[str], owner: str) -> None:
    """Refuse an option that names what is no field, or none that it could name (ConfigurationError)."""
    refuse(unknown_names(option, names, known), owner)


def unknown_names(option: str, names: Sequence[str], known: Sequence[str]) -> list[str]:
    """A sentence for each name in an option that is no field, or none that it could name."""
    unknown = [name for name in names if name not in known]
    return [f"options[{option!r}] names no field {name!r}{did_you_mean(name, known)}" for name in unknown]


def type_names(expected: type | tuple[type, ...]) -> str:
    """The types' names as a user would say them: `str or None`."""
    types = expected if isinstance(expected, tuple) else (expected,)
    return " or ".join("None" if t is type(None) else t.__name__ for t in types)


def refuse(problems: list[str], owner: str) -> None:
    """Raise what was found, all at once; nothing where nothing was found (ConfigurationError)."""
    if problems:
        raise ConfigurationError(problems, owner=owner)


def check_unique(tx: Tx, model: Model, record: Record, pk: Pk | None, index: int | None = None) -> None:
    """Refuse a record whose unique fields, alone or together, another record holds already (Conflict).

    Nulls are distinct, as in SQL. `pk` is the record's own, None for one to be inserted; `index` its place in a batch.
    """
    assert model.pk is not None
    for names in model.unique_sets:
        values = [record.get(name) for name in names]
        if any(value is None for value in values):
            continue
        others: list[Where] = [Filter(name, "eq", value) for name, value in zip(names, values, strict=True)]
        if pk is not None:
            others.append(Not(Filter(model.pk.name, "eq", pk)))
        if tx.find(Query(where=conjoin(*others), fields=(model.pk.name,), page=Page(1))).records:
            raise unique_conflict(names, index)


def unique_conflict(names: Sequence[str], index: int | None = None) -> Conflict:
    """The conflict that every store raises when values that must be unique are taken."""
    if len(names) == 1:
        detail = f"{names[0]} must be unique, and this value is taken"
    else:
        detail = f"{', '.join(names)} must be unique together"
    return Conflict(detail, code="unique", fields=names, index=index)


def foreign_key_conflict(names: Sequence[str], index: int | None = None) -> Conflict:
    """The conflict that is raised, by whoever notices, when what foreign keys refer to is not there."""
    detail = f"{', '.join(names)} names a record that does not exist"
    return Conflict(detail, code="foreign_key", fields=names, index=index)
