"""Every field that a model can have, made in `simple`, `structures`, `keys` and `passwords`, of the base in `field`."""

from __future__ import annotations

from rest_kit.models.field import Field
from rest_kit.models.files import FileField
from rest_kit.models.keys import IntForeign, PkField, StringForeign, StringPkField, UUIDPkField
from rest_kit.models.passwords import PasswordField
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
    "PasswordField",
    "PkField",
    "StringField",
    "StringForeign",
    "StringPkField",
    "TextField",
    "TimestampField",
    "UUIDField",
    "UUIDPkField",
]
