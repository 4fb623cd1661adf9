"""Tables and views of PostgreSQL, MariaDB and SQLite as datastores, through SQLAlchemy's engines and pools.

A query becomes text once per shape and runs on a raw connection of the engine's pool; its rows become records by
generated code. The table is opened at first use: created from the model, checked against it, or the model read off the
catalogue. A write, its event and its check are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar, TypeVar

from rest_kit.events.log import EventLog
from rest_kit.models.model import Model
from rest_kit.query import Query, Result, Where
from rest_kit.store import Capabilities, DataStore, Tx, check_keys, check_options, refuse
from rest_kit.types import Pk, Record

T = TypeVar("T")


class SQLDataStore(DataStore):
    """One table or view of a database: `{"url": ..., "table": ...}`, or `{"engine": ..., "table": ...}`.

    `url` is SQLAlchemy's: `postgresql://`, `mariadb://` (or `mysql://`), `sqlite://`. `engine` is an application's own,
    of which nothing is changed. `table` is a name (`schema.table` too), a SQLAlchemy `Table`, or a mapped class.

    Options: `read_only` (nothing is created), `events` (False: none are kept), `retention` (how many events are kept),
    `indexes` (fields to make an index for), `timeouts` (seconds: connect, statement, pool), `pool_size` (connections
    of one process at most).
    """

    resource_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {"url": object, "engine": object, "table": object}
    option_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {
        "read_only": bool,
        "events": bool,
        "retention": int,
        "indexes": (list, tuple),
        "timeouts": dict,
        "pool_size": int,
    }

    def __init__(self, resource: Any, options: Mapping[str, Any] | None = None) -> None:
        # SQLAlchemy takes a tenth of a second to import, which who does not use it need not wait
        from datastores.sql.opening import open_store

        super().__init__(resource, options)
        refuse(_problems(resource, self.options), type(self).__name__)
        self._served = open_store(resource, self.options, type(self).__name__)

    def __repr__(self) -> str:
        return repr(self._served)

    @property
    def capabilities(self) -> Capabilities:
        """Everything, but for writing where that is turned off or the table is a view."""
        return self._served.capabilities

    def bind(self, model: Model) -> None:
        """Serve the table as this model; no I/O."""
        self._served.bind(model)

    @property
    def model(self) -> Model:
        """The bound model, with the table's key added where it has none, or the one read off the catalogue."""
        return self._served.model

    @property
    def bound_model(self) -> Model | None:
        """The model if it is known without I/O."""
        return self._served.bound_model

    def infer(self) -> Model:
        """A model read off the catalogue (StoreUnavailable, StoreCorrupt)."""
        return self._served.infer()

    def ping(self) -> None:
        """Return if the table can be read now (StoreUnavailable)."""
        self._served.ping()

    def find(self, query: Query) -> Result:
        """The records of the query's page, in its order, from one snapshot."""
        return self._served.find(query)

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        """The record with that primary key, if it is within the scope (RecordNotFound)."""
        return self._served.get(pk, scope)

    def atomic(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction; it may be run again where it collides with another (ReadOnly)."""
        return self._served.atomic(work)

    @property
    def database(self) -> Hashable | None:
        """What the stores over one database, by whatever way of naming it, have in common."""
        return self._served.database

    def refers_to(self, references: str, other: DataStore) -> bool:
        """Whether `table.column` is the key of the table that the other store holds, in the same database."""
        return self._served.refers_to(references, other._served if isinstance(other, SQLDataStore) else other)

    def changes(self) -> EventLog | None:
        """The events of the table, which lie in the same database; None with `events: False`, and for a view."""
        return self._served.changes()

    def close(self) -> None:
        """Close the connections that are idle, if they are ours; the next use opens them again."""
        self._served.close()


TIMEOUTS = ("connect", "statement", "pool")


def _problems(resource: Any, options: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the shapes of a resource and its options."""
    if not isinstance(resource, Mapping):
        return ['the resource must be {"url": ..., "table": ...} or {"engine": ..., "table": ...}']
    problems = check_keys(resource, SQLDataStore.resource_keys, "resource")
    if "table" not in resource:
        problems.append("resource lacks 'table'")
    if ("url" in resource) is ("engine" in resource):
        problems.append("resource must have either 'url' or 'engine'")
    problems += check_options(options, SQLDataStore.option_keys)
    return problems or _bad_pool(resource, options)


def _bad_pool(resource: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    timeouts = options.get("timeouts", {})
    problems = check_keys(timeouts, dict.fromkeys(TIMEOUTS, (int, float)), "options['timeouts']")
    if not problems and any(seconds <= 0 for seconds in timeouts.values()):
        problems.append("options['timeouts'] must be seconds, more than 0")
    if options.get("pool_size", 1) < 1:
        problems.append("options['pool_size'] must be at least 1")
    if "engine" in resource:
        given = [name for name in ("timeouts", "pool_size") if name in options]
        problems += [f"options[{name!r}] is for the owner of the engine to set" for name in given]
    return problems
