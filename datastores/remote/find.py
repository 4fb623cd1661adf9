"""A query answered: by the remote alone where it can say all of it, else over what it was narrowed to.

What comes back is held against the query all the same. A remote that ignores a parameter thus costs time, never a wrong
record: the query is then answered from a scan, by `rest_kit.rows`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise

from datastores.remote.conditions import ranges, turned
from datastores.remote.dialect import Chunk, Dialect
from datastores.remote.paging import Lists, QuestionRefused, Stretch
from datastores.remote.plan import Plan, Planner, names_of
from datastores.remote.records import Rows
from datastores.remote.transport import Deadline
from rest_kit import rows as reference
from rest_kit.errors import RemoteError, TooMuchToScan
from rest_kit.models import Model
from rest_kit.query import Order, Query, Result, Where
from rest_kit.types import Pk, Record

log = logging.getLogger("datastores.remote")


class Misread(Exception):
    """The remote has not done what it was asked for."""

    def __init__(self) -> None:
        super().__init__("a record in its reply is not one of those, or not in that place")


class Finder:
    """Answers one query."""

    def __init__(self, lists: Lists, dialect: Dialect, rows: Rows, query: Query, deadline: Deadline) -> None:
        self._lists = lists
        self._dialect = dialect
        self._rows = rows
        self._query = query
        self._deadline = deadline
        self._model: Model = rows.model
        order = self._model.full_order(query.order)
        self._order: Sequence[Order] = turned(order) if query.page.before else order
        self._names = self._needed()

    def _needed(self) -> tuple[str, ...]:
        """The fields to read: those asked for, and those that the query speaks of."""
        query, model = self._query, self._model
        if query.fields is None:
            return model.names
        named = {*query.fields, *(key.field for key in self._order)}
        if query.where is not None:
            named |= names_of(query.where)
        if query.search is not None:
            named |= set(query.search.fields)
        return tuple(name for name in model.names if name in named)

    def result(self, scan_limit: int) -> Result:
        """The answer (RemoteError; TooMuchToScan where more than `scan_limit` records would have to be read)."""
        plan = self._plan()
        if plan.hopeless:
            return Result([], False, 0 if self._query.total else None)
        try:
            found = self._pushed(plan) if plan.complete else None
            return found or self._scanned(plan, scan_limit)
        except (Misread, QuestionRefused) as exc:
            # a database behind it may refuse a number that none of its columns can hold
            log.warning("%s does not filter, search or order as it is asked to: %s", self._lists, exc)
            return self._scanned(Plan([], False, ["answer this as it is asked"]), scan_limit)

    def _plan(self, *more: Where) -> Plan:
        return Planner(self._dialect, self._model).plan(self._query, self._order, *more)

    # All of it done by the remote

    def _pushed(self, plan: Plan) -> Result | None:
        """The answer as the remote gives it; None where it cannot say where to begin, or how many there are."""
        page = self._query.page
        plans = [plan]
        if page.after is not None:
            plans = [self._plan(part) for part in ranges(self._order, page.after, self._model)]
            if not all(part.complete for part in plans):
                return None
        # a list that is one stretch can be begun, and counted, by the remote
        skip = page.offset if page.after is not None else 0
        taken, more, counted = self._taken(plans, skip)
        total = (counted if page.after is None else self._total(plan)) if self._query.total else None
        if self._query.total and total is None:
            return None
        records = taken[skip:]
        return Result(self._cut(records[::-1] if page.before else records), more, total)

    def _taken(self, plans: Sequence[Plan], skip: int) -> tuple[list[Record], bool, int | None]:
        """The records of the page and the `skip` before them, whether more follow, and the total if it came along."""
        page, records = self._query.page, list[Record]()
        most = None if page.limit is None else skip + page.limit
        total: int | None = None
        offset = page.offset if page.after is None else 0
        for plan in plans:
            if plan.hopeless:
                continue
            wanted = None if most is None else most + 1 - len(records)
            stretch = Stretch(self._parameters(plan), offset, wanted, self._query.total and page.after is None)
            for chunk in self._lists.chunks(stretch, self._deadline):
                total = chunk.total if total is None else total
                records += self._records(chunk, records)
                if most is not None and (len(records) > most or (len(records) == most and chunk.more)):
                    return records[:most], True, total
        return records, False, total

    def _records(self, chunk: Chunk, before: Sequence[Record]) -> list[Record]:
        """The chunk's records, if they are what was asked for, in order behind those before (Misread)."""
        records = self._rows.records(chunk.rows, self._names)
        if not all(map(self._matches, records)):
            raise Misread
        for one, two in pairwise([*before[-1:], *records]):
            if not reference.behind(two, [one[key.field] for key in self._order], self._order):
                raise Misread
        return records

    def _total(self, plan: Plan) -> int | None:
        """How many there are, asked for by itself."""
        stretch = Stretch(self._parameters(plan), 0, 1, total=True)
        return next(self._lists.chunks(stretch, self._deadline)).total

    def _parameters(self, plan: Plan) -> list[tuple[str, str]]:
        return [*plan.parameters, *(self._dialect.select(self._names) if self._query.fields is not None else [])]

    def _cut(self, records: list[Record]) -> list[Record]:
        """The records with the fields that were asked for, in that order."""
        names = self._query.fields
        return records if names is None else [{name: record[name] for name in names} for record in records]

    # The rest done here

    def _scanned(self, plan: Plan, scan_limit: int) -> Result:
        """The answer over all that the remote was narrowed to."""
        seen: dict[Pk, Record] = {}
        enough, matching = self._enough(plan), 0
        for chunk in self._lists.chunks(Stretch(self._parameters(plan)), self._deadline):
            had = len(seen)
            new = self._see(chunk, seen)
            matching += sum(map(self._matches, new))
            if enough is not None and matching >= enough:
                break
            if len(seen) > scan_limit or (enough is None and (chunk.total or 0) > scan_limit):
                raise TooMuchToScan(self._too_much(plan, scan_limit))
            if chunk.rows and len(seen) == had:
                raise RemoteError(f"{self._lists}: the list begins anew, so it is paged in another way than was told")
        return reference.find(seen.values(), self._query, self._model)

    def _see(self, chunk: Chunk, seen: dict[Pk, Record]) -> list[Record]:
        """Add the chunk's records by key, and return the new ones: some come twice where the list has shifted."""
        assert self._model.pk is not None
        key = self._model.pk.name
        new = {record[key]: record for record in self._rows.records(chunk.rows, self._names) if record[key] not in seen}
        seen.update(new)
        return list(new.values())

    def _matches(self, record: Record) -> bool:
        return reference.matches(self._query.where, record) and reference.found(self._query.search, record)

    def _enough(self, plan: Plan) -> int | None:
        """After how many records that match the rest need not be read; None where all must be."""
        page = self._query.page
        if not plan.ordered or self._query.total or page.limit is None or page.before or page.after is not None:
            return None
        return page.offset + page.limit + 1

    def _too_much(self, plan: Plan, scan_limit: int) -> str:
        missing = list(dict.fromkeys(plan.left))
        if not plan.ordered:
            missing.append(f"order by {', '.join(key.field for key in self._order)} as is asked for here")
        if not missing:
            missing = ["say how many there are"]
        return (
            f"the API that holds the data cannot {' and '.join(missing)}, and doing it here would mean reading more "
            f"than {scan_limit} records: narrow the list by another filter, or order by another field"
        )
