"""What is known of a list's columns: how their owner keeps the values, found by looking at all of them once.

Raw values go in; whether they can leave as they are, need converting, may be missing or null, comes out. A value
that fits its field in no form is a `ValueError` here, which the view turns into StoreCorrupt, naming the place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from datastores.python_list.forms import NESTED, Form, as_json, as_text, as_typed, form_of, replaced, typed
from rest_kit.models.fields import Field
from rest_kit.types import INT64_MAX, INT64_MIN, MISSING, Kind

_NULL = type(None)


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
    what a record holds. `exact`: some value is of the exact type. `forms`: those that showed in some value.
    """

    __slots__ = ("converts", "default", "exact", "field", "forms", "kind", "missing", "name", "null", "number", "type")

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
        self.null = self.missing = self.converts = self.exact = False
        self.forms: set[Form] = set()

    def state(self) -> tuple[Any, ...]:
        """What was found, for noticing that it changed."""
        return (self.null, self.missing, self.converts, self.exact, frozenset(self.forms))

    @property
    def iso(self) -> bool:
        """Whether all are dates kept as text, whose order as text is their order as dates."""
        return self.kind is Kind.DATE and self.forms == {as_text} and not (self.missing and self.default is not None)

    @property
    def plain(self) -> bool:
        """Whether the values leave as they are, without a look at them."""
        return not (self.converts or self.missing or self.kind in NESTED)

    @property
    def known_type(self) -> type[Any] | None:
        """The type of all its values as they are kept; None where they are not of one, or it does not say enough."""
        if self.field.item is not None or self.field.model is not None:
            return None
        if self.exact:
            return self.type
        return str if as_text in self.forms else None

    @property
    def shaped(self) -> bool:
        """Whether `keep` makes something else of a value."""
        return self.form is not as_typed or self.kind in NESTED

    @property
    def form(self) -> Form:
        """The form of new values: that of all others, and typed where they differ."""
        if as_json in self.forms and as_typed not in self.forms:
            return as_json
        return as_text if self.forms == {as_text} and not self.exact else as_typed

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
            self.forms.add(as_typed)
            return
        for value in values:
            self._study_one(value)

    def _study_one(self, value: Any) -> None:
        mended = typed(self.field, value)
        if type(value) is self.type:
            self.exact = True
        self.converts = self.converts or type(value) is not type(mended) or repr(mended) != repr(value)
        form = form_of(value, mended)
        if form is not None:
            self.forms.add(form)

    def convert(self, value: Any) -> Any:
        """A value as kept, as a record holds it (ValueError)."""
        return typed(self.field, value)

    def reads_absent_as(self, value: Any) -> bool:
        """Whether a row without the key is read as having this value."""
        return repr(self.convert(self.default)) == repr(value)

    def keep(self, value: Any) -> Any:
        """A new value in the form that the column's owner keeps."""
        return self.form(self.field, value)

    def replaced(self, value: Any, own: Any) -> Any:
        """What a row holds instead of its own value: that very one where it reads the same."""
        return value if self.plain else replaced(self.field, value, own, self.form)
