"""The copying itself: a source's rows in batches into its target's step, references to later rows at the end."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import TypeVar

from rest_kit.copying.filling import Filling
from rest_kit.copying.plan import Pair, check, in_order, references_among
from rest_kit.copying.table import BATCH, NotCopied, Table
from rest_kit.copying.writing import Alone
from rest_kit.errors import ConfigurationError
from rest_kit.query import Filter, Page, Query
from rest_kit.store import Tx

T = TypeVar("T")

Progress = Callable[[str, int], None]
"""Told a table's name and how many of its rows are copied by now; a step that is run again begins anew."""


class RowsThere(NotCopied):
    """A target has rows already, and may have none."""


class Rows(enum.Enum):
    """What becomes of the rows that a target has already: there must be none, they stay, or they go."""

    NONE = "none"
    STAY = "stay"
    GO = "go"


def silent(name: str, count: int) -> None:
    """The progress that nobody is told."""


def copy(
    pairs: Sequence[Pair], *, rows: Rows = Rows.NONE, together: bool = False, progress: Progress = silent
) -> dict[str, int]:
    """Copy each source into its target; how many rows each table got (ConfigurationError, NotCopied, StoreError).

    Each table is one step of its target where that has transactions: all of its rows are there afterwards, or none.
    `together` says that the targets lie in one database: then that holds for all of them at once.
    """
    carried = check(pairs)
    open_targets(pairs)
    tables = ordered([Table(pair, found) for pair, found in zip(pairs, carried, strict=True)])
    work = _Work(tables, rows, progress)
    if together and len(tables) > 1:
        # within a transaction of one store, those of others over the same database are parts of it
        return tables[0].target.atomic(lambda tx: work.run_together())
    return work.run()


def open_targets(pairs: Sequence[Pair]) -> None:
    """Open every target, so that what is not there is made, behind what it refers to (StoreUnavailable)."""
    for place in in_order(len(pairs), references_among([pair.source for pair in pairs])):
        pairs[place].target.ping()


def ordered(tables: Sequence[Table]) -> list[Table]:
    """The tables behind those that they refer to, with what refers to later rows noted (ConfigurationError)."""
    known = references_among([table.target for table in tables])
    order = in_order(len(tables), known)
    for one in known:
        if one.child == one.parent:
            tables[one.child].own.append(one.field)
        elif order.index(one.parent) > order.index(one.child):
            tables[one.child].ahead.append(one.field)
    problems = [
        f"{tables[one.child].name}.{one.field.name} refers to {tables[one.parent].name}, whose keys would be made anew"
        for one in known
        if tables[one.parent].left is not None
    ]
    problems += [
        f"{table.name}.{field.name} closes a circle of tables that refer to each other, and cannot be null meanwhile"
        for table in tables
        for field in table.ahead
        if not field.nullable or table.left is not None
    ]
    if problems:
        raise ConfigurationError(problems)
    return [tables[place] for place in order]


class _Work:
    """All tables, one step after the other; may be run again, from the beginning."""

    def __init__(self, tables: Sequence[Table], rows: Rows, progress: Progress) -> None:
        self.tables = tables
        self.rows = rows
        self.progress = progress

    def run(self) -> dict[str, int]:
        """Copy every table as a step of its own; how many rows each got."""
        self._look()
        return self._fill({table.name: self.rows is Rows.GO for table in self.tables})

    def run_together(self) -> dict[str, int]:
        """The same within a transaction of all: rows that go, go first, those that refer to others ahead of these."""
        self._look()
        if self.rows is Rows.GO:
            for table in reversed(self.tables):
                step(table, lambda tx, table=table: clear(table, tx))  # type: ignore[misc]
        return self._fill(dict.fromkeys((table.name for table in self.tables), False))

    def _look(self) -> None:
        """Refuse targets that have rows, where they must have none (NotCopied)."""
        if self.rows is Rows.NONE:
            full = [table.name for table in self.tables if table.target.find(Query(page=Page(1))).records]
            if full:
                raise RowsThere(f"there are rows already in {', '.join(full)}")

    def _fill(self, clearing: dict[str, bool]) -> dict[str, int]:
        fillings = [step(table, self._filled(table, clearing[table.name])) for table in self.tables]
        for one in fillings:
            if one.ahead:
                step(one.table, one.complete)
        return {one.table.name: one.count for one in fillings}

    def _filled(self, table: Table, clearing: bool) -> Callable[[Tx], Filling]:
        def work(tx: Tx) -> Filling:
            if clearing:
                clear(table, tx)
            return Filling(table, lambda count: self.progress(table.name, count)).run(tx)

        return work


def step(table: Table, work: Callable[[Tx], T]) -> T:
    """Run `work` as one step of a target, or each of its writes as one, where there are no others."""
    if table.target.capabilities.transactions:
        return table.target.atomic(work)
    return work(Alone(table.target))


def clear(table: Table, tx: Tx) -> None:
    """Take away every row of a target; what its rows refer to among themselves is forgotten first, where it may be."""
    for name in [field.name for field in table.own if field.nullable]:
        referring = Query(where=Filter(name, "isnull", False), fields=(table.key,), page=Page(BATCH))
        while found := tx.find(referring).records:
            for record in found:
                tx.update(record[table.key], {name: None})
    while found := tx.find(Query(fields=(table.key,), page=Page(BATCH))).records:
        for record in found:
            tx.delete(record[table.key])
