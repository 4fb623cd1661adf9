"""A model's fields as a marshmallow schema, for the tools that read schemas."""

from __future__ import annotations

from collections.abc import Sequence

import marshmallow

from rest_kit.models.field import Field


def schema_class_of(name: str, fields: Sequence[Field]) -> type[marshmallow.Schema]:
    """A schema class with the fields in order; a name that cannot be an attribute of one becomes a `data_key`."""
    attributes: dict[str, object] = {}
    for index, field in enumerate(fields):
        if field.name.isidentifier() and field.name != "Meta":
            attributes[field.name] = field
        else:
            attributes[f"field_{index}"] = field.named(field.name, data_key=field.name)
    # not registered: two models may share a name
    meta = type("Meta", (), {"register": False})
    return type(f"{name}Schema", (marshmallow.Schema,), {**attributes, "Meta": meta, "__module__": __name__})
