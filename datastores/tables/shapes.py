"""What a query is like, apart from the values that it asks for: queries of one shape share one text.

A walk over the query notes its shape (which fields, operators, directions; how many values) and collects the values, in
the order in which the text will name them.
"""

from __future__ import annotations

from typing import Any, Final

from datastores.tables.storage import successor
from rest_kit.query import OPERATORS, All, Arity, Filter, Not, OperatorClass, Search, Where
from rest_kit.query import Any as Either

Shape = tuple[Any, ...]
"""A leaf `(field, op, how many)`, or a branch `("and" | "or" | "not", parts)`."""

TRUE: Final[Shape] = ("and", ())
FALSE: Final[Shape] = ("or", ())

TEXT: Final = frozenset(name for name, operator in OPERATORS.items() if operator.applies_to is OperatorClass.TEXT)
MANY: Final = frozenset(name for name, operator in OPERATORS.items() if operator.arity is Arity.MANY)


def shape_of(where: Where | None, values: list[Any]) -> Shape:
    """The shape of a condition; its values are added to `values`, in the order in which the text will name them."""
    if type(where) is Filter:
        return _leaf_shape(where, values)
    if where is None:
        return TRUE
    if type(where) is Not:
        return ("not", (shape_of(where.part, values),))
    assert isinstance(where, All | Either)
    return ("and" if type(where) is All else "or", tuple([shape_of(part, values) for part in where.parts]))


def _leaf_shape(leaf: Filter, values: list[Any]) -> Shape:
    """The shape of one condition; a comparison with None is false, an empty needle is in every text."""
    op, value = leaf.op, leaf.value
    if op == "isnull":
        return (leaf.field, op, bool(value))
    if value is None:
        return FALSE
    if op in MANY:
        given = [each for each in value if each is not None]
        values.extend(given)
        return (leaf.field, op, len(given))
    if op == "range":
        return _range_shape(leaf, values)
    if op in TEXT and not value:
        return (leaf.field, "isnull", False) if op != "iexact" else _noted(leaf, values)
    if op == "startswith":
        return _prefix_shape(leaf, values)
    return _noted(leaf, values)


def _range_shape(leaf: Filter, values: list[Any]) -> Shape:
    if None in leaf.value:
        return FALSE
    values.extend(leaf.value)
    return (leaf.field, "range", 2)


def _prefix_shape(leaf: Filter, values: list[Any]) -> Shape:
    """A prefix is a range: from itself to the first text behind all that start with it, if there is one."""
    ends = [end for end in (leaf.value, successor(leaf.value)) if end is not None]
    values.extend(ends)
    return (leaf.field, "startswith", len(ends))


def _noted(leaf: Filter, values: list[Any]) -> Shape:
    values.append(leaf.value)
    return (leaf.field, leaf.op, 1)


def search_shape(search: Search | None, values: list[Any]) -> Shape | None:
    """The shape of a text search: how many words, in which fields."""
    if search is None or not search.words:
        return None
    values.extend(search.words)
    return (len(search.words), search.fields)
