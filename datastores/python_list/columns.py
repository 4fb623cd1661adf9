"""What is known of a list's columns: how their owner keeps the values, found by looking at all of them once.

Raw values go in; whether they can leave as they are, need converting, may be missing or null, comes out. A value
that fits its field in no form is a `ValueError` here, which the view turns into StoreCorrupt, naming the place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from rest_kit.models.fields import Field
from rest_kit.types import INT64_MAX, INT64_MIN, MISSING, Kind

NESTED: Final = (Kind.LIST, Kind.DICT)
_NULL = type(None)


def clone(value: Any) -> Any:
    """A JSON value that shares no list or dict with the one given."""
    if type(value) is dict:
        return {key: clone(item) for key, item in value.items()}
    if type(value) is list:
        return [clone(item) for item in value]
    return value


def typed(field: Field, value: Any) -> Any:
    """A value as its owner keeps it, as a record holds it; None stays None (ValueError)."""
    if value is None:
        return None
    value = field.coerce(value)
    if field.kind in _MAY_HOLD_TEXT:
        _refuse_unwritable(value)
    return value


_MAY_HOLD_TEXT: Final = (Kind.STRING, *NESTED)


def _refuse_unwritable(value: Any) -> None:
    """Refuse what no reply could carry: fields take stored texts as they are, lone surrogates included."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError as exc:
        raise ValueError("text with a lone surrogate") from exc
    except (TypeError, RecursionError) as exc:
        raise ValueError("not a JSON value") from exc


def _integers_plain(values: Sequence[int]) -> bool:
    return min(values) >= INT64_MIN and max(values) <= INT64_MAX


def _floats_plain(values: Sequence[float]) -> bool:
    if not all(map(math.isfinite, values)):
        return False
    return 0.0 not in values or all(math.copysign(1.0, value) > 0 for value in values if not value)


def _strings_plain(values: Sequence[str]) -> bool:
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True


def _always_plain(values: Sequence[Any]) -> bool:
    return True


_ALL_PLAIN: Final[dict[Kind, Callable[[Sequence[Any]], bool]]] = {
    Kind.INTEGER: _integers_plain,
    Kind.FLOAT: _floats_plain,
    Kind.STRING: _strings_plain,
    Kind.BOOLEAN: _always_plain,
    Kind.DATE: _always_plain,
    Kind.UUID: _always_plain,
}
"""Whether values of the kind's exact type are all fit to leave as they are; other kinds are looked at one by one."""


class Column:
    """One field of the model, and the forms that its values were found in.

    `null`, `missing`: some value is None, some row lacks the key. `converts`: some value must be converted to be
    what a record holds. `text`, `exact`: some value is kept as text (of a kind that is not), some is of the exact type.
    """

    __slots__ = ("converts", "default", "exact", "field", "kind", "missing", "name", "null", "number", "text", "type")

    def __init__(self, field: Field, number: int) -> None:
        self.field = field
        self.name: str = field.name
        self.kind = field.kind
        self.type = field.kind.python_type
        self.number = number
        changing = field.default is MISSING or callable(field.default) or isinstance(field.default, (list, dict))
        self.default: Any = None if changing else field.default
        self.reset()

    def reset(self) -> None:
        """Forget what was found."""
        self.null = self.missing = self.converts = self.text = self.exact = False

    def state(self) -> tuple[bool, ...]:
        """What was found, for noticing that it changed."""
        return (self.null, self.missing, self.converts, self.text, self.exact)

    @property
    def iso(self) -> bool:
        """Whether all are dates kept as text, whose order as text is their order as dates."""
        textual = self.kind is Kind.DATE and self.text and not self.exact
        return textual and not (self.missing and self.default is not None)

    @property
    def plain(self) -> bool:
        """Whether the values leave as they are, without a look at them."""
        return not (self.converts or self.missing or self.kind in NESTED)

    @property
    def known_type(self) -> type[Any] | None:
        """The type of all its values as they are kept; None where they are not of one."""
        if self.exact:
            return self.type
        return str if self.text else None

    @property
    def shaped(self) -> bool:
        """Whether `keep` makes something else of a value."""
        return (self.text and not self.exact) or self.kind in NESTED

    def study(self, values: Sequence[Any]) -> None:
        """Take note of the forms of these values (ValueError where one has none)."""
        types = set(map(type, values))
        if _NULL in types:
            self.null = True
            types.discard(_NULL)
            values = [value for value in values if value is not None]
        check = _ALL_PLAIN.get(self.kind)
        if check is not None and types == {self.type} and check(values):
            self.exact = True
            return
        for value in values:
            self._study_one(value)

    def _study_one(self, value: Any) -> None:
        mended = typed(self.field, value)
        if type(value) is self.type:
            self.exact = True
            self.converts = self.converts or repr(mended) != repr(value)
        else:
            self.converts = True
            # where any JSON will do, a text is the value itself, and no way of writing another
            self.text = self.text or (isinstance(value, str) and type(mended) is not str)

    def convert(self, value: Any) -> Any:
        """A value as kept, as a record holds it (ValueError)."""
        return typed(self.field, value)

    def keep(self, value: Any, like: Any = None) -> Any:
        """A record's value in the form that its owner keeps: that of `like`, the value it replaces, or the column's."""
        if value is None or self.kind is Kind.STRING:
            return value
        as_text = self.text and (not self.exact if like is None else isinstance(like, str))
        return self.field.format(value) if as_text else clone(value)
