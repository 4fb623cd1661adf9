"""A model for a remote collection: from its description where it is rest_kit's, else read off its first rows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from datastores.remote.client import Client, Request, json_of
from datastores.remote.dialect import Dialect
from datastores.remote.paging import Lists, Stretch
from rest_kit.errors import ConfigurationError, RemoteError
from rest_kit.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    Field,
    FloatField,
    IntegerField,
    ListField,
    Model,
    PkField,
    StringField,
    StringPkField,
    UUIDField,
    UUIDPkField,
)
from rest_kit.models.infer import infer_rows
from rest_kit.types import Kind

FIELDS: Final[Mapping[str, type[Field]]] = {
    Kind.INTEGER.value: IntegerField,
    Kind.FLOAT.value: FloatField,
    Kind.DECIMAL.value: DecimalField,
    Kind.BOOLEAN.value: BooleanField,
    Kind.STRING.value: StringField,
    Kind.DATE.value: DateField,
    Kind.DATETIME.value: DateTimeField,
    Kind.UUID.value: UUIDField,
    Kind.LIST.value: ListField,
    Kind.DICT.value: DictField,
}
KEYS: Final[Mapping[str, type[Field]]] = {
    Kind.INTEGER.value: PkField,
    Kind.STRING.value: StringPkField,
    Kind.UUID.value: UUIDPkField,
}
UNKNOWN: Final = frozenset({401, 403, 404, 405, 406, 410})
"""Statuses that say that there is no description to be had."""
OPTIONS: Final = ("nullable", "read_only", "write_only", "unique", "max_length", "min_length", "digits", "places")


def schema_of(client: Client) -> Mapping[str, Any] | None:
    """What a rest_kit application says of the resource; None where it says nothing (RemoteError)."""
    request = Request("GET", client.address.beside("schema"))
    reply = client.call(request, client.deadline())
    if reply.status in UNKNOWN:
        return None
    found = json_of(request, reply)
    return found if isinstance(found, dict) and isinstance(found.get("fields"), list) else None


def described_model(schema: Mapping[str, Any], dialect: Dialect) -> Model:
    """The model that a description stands for, with our names (RemoteError)."""
    try:
        key = schema["primary_key"]
        fields = [_field(dialect.our(told["name"]), told, told["name"] == key) for told in schema["fields"]]
        return Model.of("Remote", fields)
    except (KeyError, TypeError, ConfigurationError) as exc:
        raise RemoteError(f"the schema of the resource cannot be understood: {exc}") from exc


def _field(name: str, told: Mapping[str, Any], is_key: bool) -> Field:
    kind = told["type"]
    if is_key:
        return KEYS[kind](name)
    cls = FIELDS[kind]
    options = {key: told[key] for key in OPTIONS if key in told and key in cls.option_names}
    if told.get("required"):
        options["required"] = True
    elif "default" in told and not told.get("read_only") and told["default"] is not None:
        options["default"] = told["default"]
    return cls(name, **options)


def seen_model(client: Client, dialect: Dialect) -> Model:
    """The model of the first rows; all but the key may be null in it, as it may be in rows further on (RemoteError)."""
    chunk = next(Lists(client, dialect).chunks(Stretch([], wanted=dialect.most), client.deadline()))
    rows = [_renamed(row, dialect) for row in chunk.rows if isinstance(row, dict)]
    try:
        model = infer_rows(rows, "Remote")
    except ConfigurationError as exc:
        raise RemoteError(f"{client.address}: no model can be read off the rows: {exc}") from exc
    if model.pk is None:
        raise RemoteError(f"{client.address}: no field of its rows can be the primary key; give the resource a model")
    return Model.of("Remote", [field if field is model.pk else _nullable(field) for field in model.fields])


def _nullable(field: Field) -> Field:
    return type(field)(field.name, nullable=True)


def _renamed(row: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    # numbers are read exactly, and what JSON calls a number is usually a float
    plain = {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
    return {dialect.our(name): value for name, value in plain.items()}
