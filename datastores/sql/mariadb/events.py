"""Events in MariaDB: numbered by one statement, stored by the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from datastores.sql.dialect import EventRow, EventTables, marked, parameter

if TYPE_CHECKING:
    from datastores.sql.transaction import Transaction

COLUMNS = 7
PACKET = 1_000_000
"""How many characters one statement holds, or one event; a server takes 16 MiB (max_allowed_packet) by default."""


def create(events: str, counters: str, options: str) -> Sequence[str]:
    """The statements that make the tables of events and of their numbers."""
    return (
        f"CREATE TABLE IF NOT EXISTS {counters} (`resource` varchar(64) PRIMARY KEY, `last` bigint NOT NULL){options}",
        f"CREATE TABLE IF NOT EXISTS {events} (`resource` varchar(64) NOT NULL, `seq` bigint NOT NULL,"
        " `action` varchar(10) NOT NULL, `pk` text NOT NULL, `before` longtext, `after` longtext, `at` double NOT NULL,"
        f" PRIMARY KEY (`resource`, `seq`)){options}",
    )


def append(
    transaction: Transaction, tables: EventTables, resource: str, rows: Sequence[EventRow], at: float
) -> int | None:
    """Number events and add them; the last number, None without a counter, whose row stays locked until the end."""
    update = ("UPDATE", tables.counting, "SET last = last_insert_id(last + $1) WHERE resource = $2")
    transaction.rows(marked(" ".join(update)), (len(rows), resource))
    if not transaction.touched:
        return None
    last = transaction.last_id or 0
    start = ("INSERT INTO", tables.events, "(resource,", tables.columns, ") VALUES")
    for numbered in _packets(enumerate(rows, last - len(rows) + 1)):
        values = [value for seq, row in numbered for value in (resource, seq, *row, at)]
        transaction.rows(" ".join((*start, ", ".join(_places(len(numbered))))), values)
    return last


def _packets(numbered: Iterable[tuple[int, EventRow]]) -> Iterator[list[tuple[int, EventRow]]]:
    """The events in so many parts that the server takes each as one statement."""
    packet: list[tuple[int, EventRow]] = []
    size = 0
    for seq, row in numbered:
        wanted = len(row.pk) + len(row.before or "") + len(row.after or "")
        if packet and size + wanted > PACKET:
            yield packet
            packet, size = [], 0
        packet.append((seq, row))
        size += wanted
    yield packet


def _places(count: int) -> Iterator[Any]:
    for row in range(count):
        yield "(" + ", ".join(parameter(row * COLUMNS + place) for place in range(1, COLUMNS + 1)) + ")"
