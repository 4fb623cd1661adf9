"""What can be asked of a store: a tree of conditions, an order, a page, as frozen values.

Nothing here is text that anybody executes: `params` builds these from a query string, permissions AND their scope
in, and each store translates them in its own way. What they mean is `rest_kit.rows`, in plain Python.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any as Anything
from typing import Final

import msgspec

from rest_kit.types import Kind, Record


class OperatorClass(enum.Enum):
    """To which kinds of field an operator applies."""

    TEXT = "text"
    ORDERED = "ordered"
    SCALAR = "scalar"
    EVERY = "every"


class Arity(enum.Enum):
    """How many values an operator takes: one, any number, exactly two, or a boolean of its own."""

    ONE = "one"
    MANY = "many"
    TWO = "two"
    BOOLEAN = "boolean"


class Operator(msgspec.Struct, frozen=True):
    """One row of the table of operators: its name, which kinds it applies to, how many values it takes."""

    name: str
    applies_to: OperatorClass
    arity: Arity
    summary: str

    def fits(self, kind: Kind) -> bool:
        """Whether a field of this kind can be filtered with the operator."""
        if self.applies_to is OperatorClass.EVERY:
            return True
        if self.applies_to is OperatorClass.TEXT:
            return kind.is_text
        return kind.is_scalar


OPERATORS: Final[dict[str, Operator]] = {
    operator.name: operator
    for operator in (
        Operator("eq", OperatorClass.SCALAR, Arity.ONE, "equal"),
        Operator("ne", OperatorClass.SCALAR, Arity.ONE, "not equal, and not null"),
        Operator("gt", OperatorClass.ORDERED, Arity.ONE, "greater than"),
        Operator("gte", OperatorClass.ORDERED, Arity.ONE, "greater than or equal"),
        Operator("lt", OperatorClass.ORDERED, Arity.ONE, "less than"),
        Operator("lte", OperatorClass.ORDERED, Arity.ONE, "less than or equal"),
        Operator("in", OperatorClass.SCALAR, Arity.MANY, "one of these; none of them is the empty set"),
        Operator("notin", OperatorClass.SCALAR, Arity.MANY, "none of these, and not null"),
        Operator("range", OperatorClass.ORDERED, Arity.TWO, "between these two, both ends included"),
        Operator("contains", OperatorClass.TEXT, Arity.ONE, "contains the text"),
        Operator("icontains", OperatorClass.TEXT, Arity.ONE, "contains the text, ignoring case"),
        Operator("startswith", OperatorClass.TEXT, Arity.ONE, "starts with the text"),
        Operator("istartswith", OperatorClass.TEXT, Arity.ONE, "starts with the text, ignoring case"),
        Operator("endswith", OperatorClass.TEXT, Arity.ONE, "ends with the text"),
        Operator("iendswith", OperatorClass.TEXT, Arity.ONE, "ends with the text, ignoring case"),
        Operator("iexact", OperatorClass.TEXT, Arity.ONE, "equal, ignoring case"),
        Operator("isnull", OperatorClass.EVERY, Arity.BOOLEAN, "is null (true) or is not (false)"),
    )
}


class Filter(msgspec.Struct, frozen=True):
    """One condition, `field op value`: the value is of the field's Python type (a tuple for in, notin, range)."""

    field: str
    op: str
    value: Anything


class _Branch:
    """Several conditions taken together."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Where) -> None:
        self.parts: tuple[Where, ...] = parts

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash((type(self), self.parts))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.parts))})"

    def __iter__(self) -> Iterator[Where]:
        return iter(self.parts)


class All(_Branch):
    """Every condition holds; of none, true."""

    __slots__ = ()


class Any(_Branch):
    """At least one condition holds; of none, false."""

    __slots__ = ()


class Not(msgspec.Struct, frozen=True):
    """The condition does not hold; as conditions are never unknown, what it turns round is plain true or false."""

    part: Where


Where = Filter | All | Any | Not


def conjoin(*parts: Where | None) -> Where | None:
    """All of the conditions that there are, flat: None for none of them, the one itself for one."""
    flat: list[Where] = []
    for part in parts:
        if isinstance(part, All):
            flat.extend(part.parts)
        elif part is not None:
            flat.append(part)
    if not flat:
        return None
    return flat[0] if len(flat) == 1 else All(*flat)


class Search(msgspec.Struct, frozen=True):
    """Every one of `words` occurs, ignoring case, in at least one of `fields` (all of them text)."""

    words: tuple[str, ...]
    fields: tuple[str, ...]


class Order(msgspec.Struct, frozen=True):
    """One ordering key; None is smaller than everything."""

    field: str
    descending: bool = False


class Page(msgspec.Struct, frozen=True):
    """Which part of the ordered records: at most `limit` (None: all), skipping `offset`, or beginning behind `after`.

    `after` holds the values of the query's order keys (the pk's last) at some record, which need not exist any more;
    `before=True` reads the other way: the `limit` records just ahead of `after`, still returned in the query's order.
    """

    limit: int | None = None
    offset: int = 0
    after: tuple[Anything, ...] | None = None
    before: bool = False


class Query(msgspec.Struct, frozen=True):
    """What to find: conditions and search (both must hold), order, fields (None: all), page, and whether to count.

    `order` need not name the primary key: stores put it last, as the tie-break (`Model.full_order`).
    """

    where: Where | None = None
    order: tuple[Order, ...] = ()
    fields: tuple[str, ...] | None = None
    search: Search | None = None
    page: Page = Page()
    total: bool = False


class Result(msgspec.Struct):
    """What was found: the records of the page, whether more follow, and the total where it was asked for.

    `more` looks in the direction of reading: behind the page, or ahead of it where the page was read with `before`.
    """

    records: list[Record]
    more: bool = False
    total: int | None = None
