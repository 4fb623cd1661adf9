"""How a query over a list is answered: the fewest rows that an index or an order offers, filtered, sorted, cut.

Each step is compiled for the query's shape. Where the owner changed rows in place, so that a compiled function meets
what it does not expect, everything is looked at again, and the plain path answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datastores.python_list.code import NotCompiled, Row
from datastores.python_list.orders import Ordering, Sorted, cut, forwards, scan
from datastores.python_list.view import SURPRISES, ListView
from rest_kit import rows as reference
from rest_kit.query import All, Filter, Query, Result, Where


def find(view: ListView, query: Query) -> Result:
    """What the query finds (StoreCorrupt, InvalidQuery)."""
    try:
        return _find(view, query)
    except NotCompiled:
        return find_plainly(view, query)
    except SURPRISES:
        view.rescan()
        return find_plainly(view, query)


def find_plainly(view: ListView, query: Query) -> Result:
    """What the query finds, by the reference itself (StoreCorrupt)."""
    return reference.find([view.plainly(row) for row in view.rows], query, view.model)


def _find(view: ListView, query: Query) -> Result:
    page = query.page
    if query.where is not None or query.search is not None:
        taken, more, total = _find_some(view, query)
    elif not query.order and view.positions.in_order and page.after is None and not page.before:
        # PERF: page of 20: a slice of the list as it is
        taken, more = forwards(view.rows, page.offset, page.limit)
        total = view.size
    else:
        ordering = view.ordering(query.order)
        rows = _pool(view, ordering) or ordering.sort(view.rows, by_pk=view.positions.in_order)
        taken, more = cut(rows, page, ordering)
        total = len(rows)
    return Result(view.read(taken, query.fields), more, total if query.total else None)


def _find_some(view: ListView, query: Query) -> tuple[list[Row], bool, int]:
    select, values = view.code.select(query.where, query.search)
    ordering = view.ordering(query.order)
    candidates = _candidates(view, query.where)
    if candidates is not None:
        hits = ordering.sort(select(candidates, *values))
        return *cut(hits, query.page, ordering), len(hits)
    pool = _pool(view, ordering)
    if pool is None:
        hits = ordering.sort(select(view.rows, *values), by_pk=view.positions.in_order)
    elif query.total:
        hits = select(pool, *values)
    else:
        return *scan(pool, query.page, ordering, select, values), 0
    return *cut(hits, query.page, ordering), len(hits)


def _pool(view: ListView, ordering: Ordering) -> list[Row] | None:
    """All rows in an order, where they are kept so: in that of the list itself, or by indexed fields."""
    if ordering.natural and view.positions.in_order:
        return view.rows
    if not all(key.field in view.indexed for key in ordering.order):
        return None
    kept = view.sorted.get(ordering.order)
    if kept is None:
        kept = view.sorted[ordering.order] = Sorted(ordering, view.rows)
    return kept.rows


def _candidates(view: ListView, where: Where | None) -> list[Row] | None:
    """The rows that an index offers for one of the conditions, when they are few; None where it offers none."""
    for part in where.parts if isinstance(where, All) else (where,):
        if isinstance(part, Filter) and part.op in ("eq", "in") and part.field in view.hashed:
            offered = _offered(view, part.field, (part.value,) if part.op == "eq" else part.value)
            if offered is not None:
                return view.rows_of(offered)
    return None


def _offered(view: ListView, name: str, values: Sequence[Any]) -> set[Any] | None:
    if name == view.pk_name:
        return set(values)
    index = view.indexes[(name,)]
    if sum(index.count((value,)) for value in values) * 8 > len(view.rows):
        return None
    return {pk for value in values for pk in index.find((value,))}
