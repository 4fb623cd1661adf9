"""Events on their way into the change log, as values: before they have numbers, as they are stored, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from datastores.sql.catalogue import TableName
from rest_kit.events.log import Action
from rest_kit.types import Pk, Record


class Entry(NamedTuple):
    """One event before it has a number."""

    action: Action
    pk: Pk
    before: Record | None
    after: Record | None


class EventRow(NamedTuple):
    """One event as it is stored: its key and its records as JSON."""

    action: str
    pk: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class EventTables:
    """The names and the texts of the tables that keep the events of one schema."""

    events: str
    counters: TableName
    counting: str
    columns: str
    create: Sequence[str]
    start: str
    read: str
    last: str
    prune: str
