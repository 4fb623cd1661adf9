"""Which column of a CSV file is the primary key, and what serves as one where there is none: the number of the row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rest_kit.models.field import Field
from rest_kit.models.keys import PkField, StringPkField, UUIDPkField
from rest_kit.models.model import Model
from rest_kit.store import refuse, unknown_names
from rest_kit.types import Kind

WHY_NOT: Final = (
    "this CSV file has no column that is unique and never empty, so its rows are served by their number, for reading "
    "only; name the key column with the option `key`, or add a column `id`"
)


class RowNumber(PkField):
    """The number of a row in the file, from 1: a key that lasts as long as nobody edits the file."""


def keyed(model: Model, key: str | None) -> Model:
    """The model with a primary key: its field `key`, else its own, else the row's number (ConfigurationError)."""
    if key is not None:
        return _keyed_by(model, key)
    return model if model.pk is not None else model.with_pk(RowNumber(_free_name(model)))


def row_number(model: Model) -> str | None:
    """The name of the key that is the row's number, None where the file has a key of its own."""
    return model.pk.name if isinstance(model.pk, RowNumber) else None


def refuse_unknown_fields(options: Mapping[str, Any], model: Model) -> None:
    """Refuse the options `key` and `indexes` where they name what is no field (ConfigurationError)."""
    problems = unknown_names("key", [options["key"]] if "key" in options else [], model.names)
    refuse(problems + unknown_names("indexes", options.get("indexes", ()), model.names), model.name)


def _keyed_by(model: Model, key: str) -> Model:
    field = model.by_name[key]
    if field is model.pk:
        return model
    fields = [_as_key(each) if each is field else each for each in model.fields]
    return Model.of(model.name, fields, model.validators)


def _as_key(field: Field) -> Field:
    """The field as a key; of kinds that no key has, the text of the cell."""
    if field.kind is Kind.INTEGER:
        return PkField(field.name)
    return UUIDPkField(field.name) if field.kind is Kind.UUID else StringPkField(field.name)


def _free_name(model: Model) -> str:
    name = "row"
    while name in model.by_name:
        name = f"_{name}"
    return name
