"""Every field that a model can have; where each is made: `simple`, `structures`, `keys`, and `field` for the base."""

from __future__ import annotations

from rest_kit.models.field import Field
from rest_kit.models.files import FileField
from rest_kit.models.keys import IntForeign, PkField, StringForeign, StringPkField, UUIDPkField
from rest_kit.models.simple import (
    BooleanField,
    ChoiceField,
    DateField,
    DateTimeField,
    DecimalField,
    FloatField,
    IntegerField,
    StringField,
    TextField,
    TimestampField,
    UUIDField,
)
from rest_kit.models.structures import DictField, JsonField, ListField, NestedField

__all__ = [
    "BooleanField",
    "ChoiceField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DictField",
    "Field",
    "FileField",
    "FloatField",
    "IntForeign",
    "IntegerField",
    "JsonField",
    "ListField",
    "NestedField",
    "PkField",
    "StringField",
    "StringForeign",
    "StringPkField",
    "TextField",
    "TimestampField",
    "UUIDField",
    "UUIDPkField",
]
