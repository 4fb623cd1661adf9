"""A model read off the rows of a list: kinds over all rows, and a primary key where one can be seen.

Text stays text, so that a list is served as it is; columns whose values no kind unites hold free JSON.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, Final

from rest_kit.errors import ConfigurationError
from rest_kit.models.fields import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    Field,
    FloatField,
    IntegerField,
    JsonField,
    ListField,
    PkField,
    StringField,
    StringPkField,
    UUIDField,
    UUIDPkField,
)
from rest_kit.models.model import Model
from rest_kit.types import INT64_MAX, INT64_MIN

_FIELDS: Final[dict[type, type[Field]]] = {
    bool: BooleanField,
    int: IntegerField,
    float: FloatField,
    Decimal: DecimalField,
    str: StringField,
    datetime.datetime: DateTimeField,
    datetime.date: DateField,
    uuid.UUID: UUIDField,
    list: ListField,
    tuple: ListField,
    dict: DictField,
}
_KEYS: Final[dict[type[Field], type[Field]]] = {
    IntegerField: PkField,
    StringField: StringPkField,
    UUIDField: UUIDPkField,
}
UNADDRESSABLE: Final = frozenset({"", ".", ".."})
"""Texts that no URL's path segment can carry."""


def infer_rows(rows: Sequence[Mapping[str, Any]], name: str) -> Model:
    """The model of a list of dicts; its `pk` is None where no column can be a key (ConfigurationError)."""
    _check_rows(rows, name)
    columns = [_Column(column, rows) for column in dict.fromkeys(chain.from_iterable(rows))]
    key = next((column for column in columns if column.name == "id" and column.is_key), None)
    key = key or next((column for column in columns if column.may_be_found and column.is_key), None)
    return Model.of(name, [column.key_field() if column is key else column.field() for column in columns])


def _check_rows(rows: Sequence[Any], name: str) -> None:
    """Refuse rows that are not dicts, and names that are not texts."""
    problems = [f"row {i} is {row!r:.80}, not a dict" for i, row in enumerate(rows) if not isinstance(row, Mapping)]
    if not problems:
        names = dict.fromkeys(chain.from_iterable(rows))
        bad = [key for key in names if not isinstance(key, str) or not key]
        problems = [f"a field's name must be a text, not {key!r}" for key in bad]
    if problems:
        raise ConfigurationError(problems[:10], owner=name)


class _Column:
    """The values that the rows have under one name."""

    def __init__(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self.name = name
        values = [row.get(name) for row in rows]
        self.values = [value for value in values if value is not None]
        self.nullable = len(self.values) < len(values)
        self.field_class = _united({_field_class(cls) for cls in set(map(type, self.values))})
        if self.field_class is IntegerField and not all(INT64_MIN <= value <= INT64_MAX for value in self.values):
            self.field_class = DecimalField

    @property
    def may_be_found(self) -> bool:
        """Whether it may be taken for the key though it is not named `id`."""
        return self.field_class in (IntegerField, StringField)

    @property
    def is_key(self) -> bool:
        """Whether every row has a value of its own that can stand in a URL."""
        if self.nullable or self.field_class not in _KEYS or not self.values:
            return False
        distinct = set(self.values)
        return len(distinct) == len(self.values) and not distinct & UNADDRESSABLE

    def field(self) -> Field:
        """The field for it, nullable where a row has null, or nothing."""
        return self.field_class(self.name, nullable=self.nullable, required=not self.nullable)

    def key_field(self) -> Field:
        """The field for it as primary key."""
        return _KEYS[self.field_class](self.name)


def _field_class(cls: type) -> type[Field]:
    """The field for values of a type, or of one that it extends."""
    return next((_FIELDS[base] for base in cls.__mro__ if base in _FIELDS), JsonField)


def _united(classes: set[type[Field]]) -> type[Field]:
    """The one field that takes the values of all of these."""
    if not classes:
        return StringField
    if len(classes) == 1:
        return classes.pop()
    if classes <= {IntegerField, FloatField, DecimalField}:
        return DecimalField if DecimalField in classes else FloatField
    return JsonField
