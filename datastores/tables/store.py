"""A table or view as a datastore: opened at first use, and again where it was found changed.

What a database does in its own way (how the table is opened, how a page is read, what a transaction is) its store says.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from datastores.tables.statements import Bound
from datastores.tables.table import BaseTable, scoped
from datastores.tables.tries import Tries
from rest_kit.errors import ReadOnly, RecordNotFound
from rest_kit.events.log import EventLog
from rest_kit.models.keys import PkField
from rest_kit.models.model import Model
from rest_kit.query import Query, Result, Where
from rest_kit.store import Capabilities, DataStore, Tx, refuse_unknown
from rest_kit.types import Pk, Record

T = TypeVar("T")
TableT = TypeVar("TableT", bound=BaseTable)


class TableStore(DataStore, Generic[TableT]):
    """What the stores over one table or view share."""

    def __init__(self, resource: Any, options: Mapping[str, Any] | None, name: str) -> None:
        super().__init__(resource, options)
        self._name = name
        self._read_only: bool = self.options.get("read_only", False)
        self._keeps_events: bool = self.options.get("events", True)
        self._indexes: Sequence[str] = self.options.get("indexes", ())
        self._declared: Model | None = None
        self._table: TableT | None = None
        self._tries = Tries()
        self._log: EventLog | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Everything, but for writing where that is turned off or the table is a view."""
        if self._read_only:
            return Capabilities(writable=False, events=self._keeps_events, why_not="the option read_only is set")
        if self._table is not None and self._table.is_view:
            return Capabilities(writable=False, events=False, why_not=f"{self._name} is a view: name its table instead")
        if self._table is not None and self._table.why_not:
            return Capabilities(writable=False, events=False, why_not=self._table.why_not)
        return Capabilities(events=self._keeps_events, idempotency=True)

    # --- opening ------------------------------------------------------------------------------------------------------

    def bind(self, model: Model) -> None:
        """Serve the table as this model; no I/O."""
        self._refuse_unknown_indexes(model.names)
        if model is not self._declared:
            self._declared = model
            self._model = model
            self._table = None

    @property
    def model(self) -> Model:
        """The bound model, with the table's key added where it has none, or the one inferred from the table."""
        if self._model is None or self._model.pk is None:
            return self._opened().model
        return self._model

    def _opened(self) -> TableT:
        """The table, opened anew if it was found changed (StoreUnavailable, StoreCorrupt)."""
        table = self._table
        if table is not None and table.is_current:
            return table
        seen = self._tries.failures
        with self._opening:
            if self._table is table:
                self._tries.share(seen)
                with self._tries.noted():
                    self._take(self._open())
            assert self._table is not None
            return self._table

    def _take(self, table: TableT) -> None:
        """Serve the table from now on; what other threads look at first is set last."""
        self._model = table.model
        self._log = self._open_log(table) if self._keeps_events and can_be_written(table) else None
        self._table = table

    @abstractmethod
    def _open(self) -> TableT:
        """The table as it is now, made where there is none (StoreUnavailable, StoreCorrupt)."""

    @abstractmethod
    def _open_log(self, table: TableT) -> EventLog:
        """The change log that lies with the table."""

    def _refuse_unknown_indexes(self, known: Sequence[str]) -> None:
        refuse_unknown("indexes", self._indexes, known, str(self))

    # --- the contract -------------------------------------------------------------------------------------------------

    def find(self, query: Query) -> Result:
        """The records of the query's page, in its order, from one snapshot."""
        table = self._opened()
        return self._page(table, table.statements.bind(query), query)

    @abstractmethod
    def _page(self, table: TableT, bound: Bound, query: Query) -> Result:
        """The page of a query that is ready to be run."""

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        """The record with that primary key, if it is within the scope (RecordNotFound)."""
        table = self._opened()
        key = table.key_value(pk)
        if key is None:
            raise RecordNotFound(pk)
        if scope is not None:
            found = self.find(scoped(table.key.field, pk, scope)).records
            if not found:
                raise RecordNotFound(pk)
            return found[0]
        rows = table.run(table.select, (key,))
        if not rows:
            raise RecordNotFound(pk)
        return table.record(rows[0])

    def atomic(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction of the database (ReadOnly)."""
        if not self._read_only:
            table = self._opened()
            if can_be_written(table):
                return self._transaction(table, work)
        raise ReadOnly(f"{self._name} cannot be written: {self.capabilities.why_not}")

    @abstractmethod
    def _transaction(self, table: TableT, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction over the table."""

    def changes(self) -> EventLog | None:
        """The events of the table, which lie in the same database; None with `events: False`, and for a view."""
        self._opened()
        return self._log


def can_be_written(table: BaseTable) -> bool:
    """Whether a table takes writes at all."""
    return not (table.is_view or table.why_not)


def with_pk(model: Model) -> Model:
    """The model with a key that the database makes, where it has none of its own."""
    return model if model.pk is not None else model.with_pk(PkField("id"))
