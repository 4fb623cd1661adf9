"""One table on its way: its rows in batches, as the target takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rest_kit.copying.carry import Carries
from rest_kit.copying.plan import Pair
from rest_kit.errors import RestKitError
from rest_kit.models import Field
from rest_kit.query import Page, Query
from rest_kit.types import Record

BATCH: Final = 1000
"""How many rows are read and written at a time."""


class NotCopied(RestKitError):
    """Rows cannot be copied; the text names the table, and the row where it is one."""


class Table:
    """A pair on its way. `own` are the fields that refer to the table itself, `ahead` to one that comes later.

    `key` is the target's key, `left` the source's where it is not carried over.
    """

    def __init__(self, pair: Pair, carried: Carries) -> None:
        self.name, self.source, self.target = pair
        assert self.source.model.pk is not None
        assert self.target.model.pk is not None
        self.source_key = self.source.model.pk.name
        self.key = self.target.model.pk.name
        self.fields = carried.fields
        self.left = carried.left
        self.own: list[Field] = []
        self.ahead: list[Field] = []

    @property
    def keeps_order(self) -> bool:
        """Whether the target's keys come in their own order."""
        return self.key == self.source_key and self.fields.get(self.key) is None

    def batches(self) -> Iterator[list[Record]]:
        """The source's rows as the target takes them, in the order of the source's key (NotCopied)."""
        after = None
        while True:
            found = self.source.find(Query(page=Page(BATCH, after=after)))
            if found.records:
                after = (found.records[-1][self.source_key],)
                yield [self._carried(record) for record in found.records]
            if not found.more:
                return

    def _carried(self, record: Record) -> Record:
        carried = {}
        for name, carry in self.fields.items():
            value = record[name]
            try:
                carried[name] = value if carry is None or value is None else carry(value)
            except ValueError as exc:
                raise NotCopied(f"{self.row(record[self.source_key])}: {name!r}: {exc}") from exc
        return carried

    def row(self, key: Any) -> str:
        """A row as it is called in an error."""
        return self.name if key is None else f"{self.name}: the row {key!r}"
