"""Events in PostgreSQL: numbered and stored by one statement, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from datastores.sql.dialect import EventRow, EventTables, marked

if TYPE_CHECKING:
    from datastores.sql.transaction import Transaction


def create(events: str, counters: str) -> Sequence[str]:
    """The statements that make the tables of events and of their numbers."""
    return (
        f"CREATE TABLE IF NOT EXISTS {counters} (resource text PRIMARY KEY, last bigint NOT NULL)",
        f"CREATE TABLE IF NOT EXISTS {events} (resource text NOT NULL, seq bigint NOT NULL, action text NOT NULL,"
        " pk text NOT NULL, before text, after text, at double precision NOT NULL, PRIMARY KEY (resource, seq))",
    )


def append(
    transaction: Transaction, tables: EventTables, resource: str, rows: Sequence[EventRow], at: float
) -> int | None:
    """Number events and add them; the last number, None without a counter, whose row stays locked until the end."""
    values = (resource, len(rows), at, *map(list, zip(*rows, strict=True)))
    added = transaction.rows(_text(tables), values)
    return int(added[-1][0]) if added else None


def _text(tables: EventTables) -> str:
    return marked(
        " ".join((
            "WITH counted AS (UPDATE", tables.counting, "SET last = last + $2 WHERE resource = $1 RETURNING last)",
            "INSERT INTO", tables.events, "(resource,", tables.columns, ")",
            "SELECT $1, counted.last - $2 + given.place, given.action, given.pk, given.before, given.after,",
            "CAST($3 AS double precision) FROM counted,",
            "unnest(CAST($4 AS text[]), CAST($5 AS text[]), CAST($6 AS text[]), CAST($7 AS text[]))",
            "WITH ORDINALITY AS given(action, pk, before, after, place) ORDER BY given.place RETURNING seq",
        ))
    )  # fmt: skip
