"""What of a query the remote is asked for, and what is left to be done here.

Every condition that the dialect can say goes into the request, which can only narrow what comes back; whatever is left
decides whether the reply is already the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from datastores.remote.address import Parameters, encoded
from datastores.remote.conditions import conjuncts, hopeless
from datastores.remote.dialect import Dialect
from rest_kit.models import Model
from rest_kit.query import All, Filter, Not, Order, Query, Where

LONGEST: Final = 3000
"""How many characters of a URL conditions may take; servers commonly take 4096 for the whole of a request line."""


class Plan(msgspec.Struct, frozen=True):
    """The parameters to send, and a description of each part of the query that they do not say."""

    parameters: Parameters
    ordered: bool
    left: list[str]
    hopeless: bool = False

    @property
    def complete(self) -> bool:
        """Whether what comes back is the result."""
        return self.ordered and not self.left


class Planner:
    """Puts the parts of one query into parameters, as long as there is room."""

    def __init__(self, dialect: Dialect, model: Model) -> None:
        self._dialect = dialect
        self._model = model
        self._parameters: Parameters = []
        self._left: list[str] = []

    def plan(self, query: Query, order: Sequence[Order], *more: Where) -> Plan:
        """The plan for a query whose records are wanted in this order, and fulfil `more` conditions besides."""
        conditions = All(*(() if query.where is None else (query.where,)), *more)
        parts = conjuncts(conditions, self._model)
        for part in parts:
            self._add(part)
        self._search(query)
        ordering = self._dialect.order(order, self._model)
        # what is read in several parts needs some order at least, or rows would come twice and never
        assert self._model.pk is not None
        by_key = (Order(self._model.pk.name),)
        known = self._dialect.order(by_key, self._model) if ordering is None else ordering
        return Plan([*self._parameters, *(known or [])], ordering is not None, self._left, hopeless(parts))

    def _add(self, part: Where) -> None:
        said = self._dialect.say(part, self._model)
        if said is None or not self._fits(said):
            self._left += [f"filter by {name}" for name in sorted(names_of(part))]
        else:
            self._parameters += said

    def _fits(self, said: Parameters) -> bool:
        """Whether there is room for more parameters, and none of them stands there already."""
        taken = {name for name, _ in self._parameters}
        if not self._dialect.repeats and any(name in taken for name, _ in said):
            return False
        return len(encoded([*self._parameters, *said])) <= LONGEST

    def _search(self, query: Query) -> None:
        if query.search is None or not query.search.words:
            return
        found = self._dialect.find(query.search, self._model)
        fits = found is not None and self._fits(found[0])
        if found is not None and fits:
            self._parameters += found[0]
        if found is None or not fits or not found[1]:
            self._left.append(f"search in {', '.join(query.search.fields)}")


def names_of(where: Where) -> set[str]:
    """The fields that a condition is about."""
    if isinstance(where, Filter):
        return {where.field}
    parts: Iterable[Where] = (where.part,) if isinstance(where, Not) else where.parts
    return {name for part in parts for name in names_of(part)}
