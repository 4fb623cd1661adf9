"""The dialect of json-server (v0.17): values compared as JavaScript does, so only what comes out alike is asked for.

A parameter given twice means either value, which makes an `in`; with `_ne` it means neither. Text has no order that
is ours, since JavaScript compares UTF-16, and lodash puts null last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from datastores.remote.address import Parameters
from datastores.remote.dialect import Dialect
from rest_kit.models import Field, Model
from rest_kit.models.scalars import storable
from rest_kit.query import Filter, Order, Where
from rest_kit.types import Kind

SUFFIXES: Final = {"eq": "", "in": "", "ne": "_ne", "notin": "_ne", "gte": "_gte", "lte": "_lte", "range": "_gte"}
EXACT: Final = frozenset({Kind.INTEGER, Kind.STRING, Kind.BOOLEAN})
"""Kinds that JavaScript writes as we do."""
LARGEST: Final = 2**53
MOST_VALUES: Final = 100
# a dot or bracket leads into an object, and these endings and words mean something else
_PLAIN: Final = re.compile(r"(?!.*_(?:lte|gte|ne|like)\Z)(?!(?:q|callback)\Z)[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class JSONServer(Dialect):
    """A collection of json-server's."""

    def say(self, condition: Where, model: Model) -> Parameters | None:
        if not isinstance(condition, Filter) or condition.op not in SUFFIXES or condition.value is None:
            return None
        target, name, op = model.by_name[condition.field], self.their(condition.field), condition.op
        values = condition.value if op in ("in", "notin", "range") else [condition.value]
        if not self.filterable(condition) or not _PLAIN.match(name) or not 0 < len(values) <= MOST_VALUES:
            return None
        if not all(_alike(target, value, ordered=op in ("gte", "lte", "range")) for value in values):
            return None
        texts = [target.format(value) for value in values]
        if op == "range":
            return [(f"{name}_gte", texts[0]), (f"{name}_lte", texts[1])]
        return [(name + SUFFIXES[op], text) for text in texts]

    def order(self, keys: Sequence[Order], model: Model) -> Parameters | None:
        fields = [model.by_name[key.field] for key in keys]
        if not all(self.orderable(field) and _PLAIN.match(self.their(field.name)) for field in fields):
            return None
        names = ",".join(self.their(key.field) for key in keys)
        return [("_sort", names), ("_order", ",".join("desc" if key.descending else "asc" for key in keys))]

    def orderable(self, target: Field) -> bool:
        if self.orderings is not None:
            return target.name in self.orderings
        return target.kind in (Kind.INTEGER, Kind.BOOLEAN) and not target.nullable


def _alike(target: Field, value: object, *, ordered: bool) -> bool:
    """Whether JavaScript compares the value as we do."""
    if target.kind is Kind.INTEGER:
        return isinstance(value, int) and abs(value) < LARGEST
    if ordered or target.kind not in EXACT:
        return False
    return not isinstance(value, str) or storable(value)


JSON_SERVER: Final = JSONServer(
    operators=SUFFIXES,
    limit="_limit",
    offset="_start",
    total="header:X-Total-Count",
    brings_keys=True,
    own_fields=False,
)
