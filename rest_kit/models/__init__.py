"""Models: what a record looks like, how it is read from JSON and text, and how it is inferred from data."""

from __future__ import annotations

from rest_kit.models.fields import (
    BooleanField,
    ChoiceField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    Field,
    FileField,
    FloatField,
    IntegerField,
    IntForeign,
    JsonField,
    ListField,
    NestedField,
    PasswordField,
    PkField,
    StringField,
    StringForeign,
    StringPkField,
    TextField,
    TimestampField,
    UUIDField,
    UUIDPkField,
)
from rest_kit.models.files import StoredFile
from rest_kit.models.model import Model
from rest_kit.models.rules import UniqueTogether

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
    "Model",
    "NestedField",
    "PasswordField",
    "PkField",
    "StoredFile",
    "StringField",
    "StringForeign",
    "StringPkField",
    "TextField",
    "TimestampField",
    "UUIDField",
    "UUIDPkField",
    "UniqueTogether",
]
