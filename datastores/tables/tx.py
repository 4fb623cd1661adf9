"""Reading within one transaction over one table: what does not depend on whose database it is."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

from datastores.tables.statements import Row
from datastores.tables.table import BaseTable, scoped
from rest_kit.errors import RecordNotFound
from rest_kit.query import Where
from rest_kit.store import KeepingTx
from rest_kit.types import Pk, Record

TableT = TypeVar("TableT", bound=BaseTable)


class TableTx(KeepingTx, Generic[TableT]):
    """What transactions over one table share."""

    def __init__(self, table: TableT) -> None:
        self._table = table

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        """The record with that primary key, if it is within the scope (RecordNotFound)."""
        if scope is None:
            return self._table.record(self._row(pk))
        found = self.find(scoped(self._table.key.field, pk, scope)).records
        if not found:
            raise RecordNotFound(pk)
        return found[0]

    @abstractmethod
    def _row(self, pk: Pk) -> Row:
        """The stored row (RecordNotFound)."""
