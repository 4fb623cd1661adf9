"""Lists and objects as JSON text, their parts typed where the field says how."""

from __future__ import annotations

from typing import Any

import msgspec

from datastores.tables.storage import Storage
from rest_kit.models.field import Field


def json_storage(field: Field, declared: str = "") -> Storage:
    """How a field of lists or objects lies in a column of JSON text."""
    if field.item is None and field.model is None:
        return Storage(declared, (str,), write_json, read_json)

    def write(value: Any) -> str:
        return write_json(field.to_stored(value))

    def read(text: str) -> Any:
        return field.coerce(read_json(text))

    return Storage(declared, (str,), write, read)


def write_json(value: Any) -> str:
    """A value as JSON text."""
    return msgspec.json.encode(value).decode()


def read_json(text: str) -> Any:
    """A value out of JSON text (ValueError)."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as exc:
        raise ValueError("not JSON") from exc
