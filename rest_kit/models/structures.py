"""The fields that hold more than one value: lists, free JSON objects, and objects with a model of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import marshmallow
from marshmallow import fields as ma

from rest_kit import jsonio
from rest_kit.errors import ConfigurationError, Fault, MalformedBody, ValidationError
from rest_kit.models.constraints import Constraint, LongEnough, ShortEnough
from rest_kit.models.faults import MAX_FAULTS, faults_of
from rest_kit.models.field import Field, as_marshmallow
from rest_kit.models.freeform import free_json
from rest_kit.models.model import Model
from rest_kit.models.options import FieldOptions, ListOptions
from rest_kit.types import Kind

ModelLike = type[Model] | Model | type[marshmallow.Schema] | marshmallow.Schema


class StructuredField(Field):
    """A field whose value is written as JSON where only text can stand."""

    def parse(self, text: str) -> Any:
        try:
            value = jsonio.loads(text.encode("utf-8", "surrogatepass"), exact=True)
        except MalformedBody as exc:
            raise ValueError(f"not JSON: {exc}") from exc
        return self.coerce(value)

    def format(self, value: Any) -> str:
        return jsonio.encode(self.to_stored(value)).decode()

    def _free(self, value: Any) -> Any:
        try:
            return free_json(value)
        except ValueError as exc:
            raise as_marshmallow([Fault("invalid", f"holds {exc}")]) from exc


class ListField(StructuredField, ma.List[Any]):
    """A list of values of one field (`item`), or of any JSON values."""

    kind = Kind.LIST
    option_names = ListOptions.__annotations__
    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not a list",
        "min_length": "must have at least {min_length} items",
        "max_length": "must have at most {max_length} items",
    }

    def __init__(self, name: str = "", item: Field | None = None, **options: Unpack[ListOptions]) -> None:
        if item is not None and not isinstance(item, Field):
            raise ConfigurationError(f"item must be a field, not {item!r}", owner=f"ListField({name!r})")
        if item is not None and item.write_only and not options.get("write_only"):
            text = "the items are write_only, and would be shown with the list: make the list write_only too"
            raise ConfigurationError(text, owner=f"ListField({name!r})")
        # in a list, unlike in an object, null does not stand for what was left out
        strict = item is not None and item.nullability is None
        self.item = item.named(item.name or "item", nullable=False, allow_none=False) if item and strict else item
        super().__init__(name, **options)

    def _for_marshmallow(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"cls_or_instance": self.item or ma.Raw(), **super()._for_marshmallow(options)}

    def settle(self, options: Mapping[str, Any]) -> None:
        self.min_length: int | None = options.get("min_length")
        self.max_length: int | None = options.get("max_length")
        super().settle(options)

    def constraints(self) -> list[Constraint]:
        found: list[Constraint] = []
        if self.min_length:
            found.append(self.spoken(LongEnough(self.min_length), str(self.min_length)))
        if self.max_length is not None:
            found.append(self.spoken(ShortEnough(self.max_length), str(self.max_length)))
        return found

    @property
    def plain(self) -> bool:
        return self.shown_as(ListField) and (self.item is None or self.item.plain)

    def convert(self, value: Any) -> list[Any]:
        if type(value) is not list:
            raise self.make_error("type")
        return self._free(value) if self.item is None else self._each(self.item, value)

    def _each(self, item: Field, values: list[Any]) -> list[Any]:
        typed: list[Any] = []
        faults: list[Fault] = []
        for index, value in enumerate(values):
            try:
                typed.append(item.deserialize(value))
            except marshmallow.ValidationError as exc:
                faults += faults_of(exc.messages, (index,))
                if len(faults) >= MAX_FAULTS:
                    break
        if faults:
            raise as_marshmallow(faults)
        return typed

    def coerce(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.parse(value)
        if value is None:
            return None
        if isinstance(value, list | tuple):
            return free_json(value) if self.item is None else [self.item.coerce(one) for one in value]
        raise ValueError(f"not a list: {value!r}")

    def to_json(self, value: Any) -> Any:
        item = self.item
        return value if item is None else [None if one is None else item.to_json(one) for one in value]

    def to_stored(self, value: Any) -> Any:
        item = self.item
        return value if item is None else [None if one is None else item.to_stored(one) for one in value]


class ObjectField(StructuredField):
    """A field whose value is a JSON object."""

    kind = Kind.DICT
    texts: ClassVar[Mapping[str, str]] = {"type": "is not an object"}

    def coerce(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.parse(value)
        if value is None:
            return None
        if isinstance(value, dict):
            return self.own(value)
        raise ValueError(f"not an object: {value!r}")

    def own(self, value: dict[str, Any]) -> Any:
        """A copy of an object as its owner keeps it (ValueError)."""
        return free_json(value)


class DictField(ObjectField, ma.Dict):
    """Any JSON object."""

    def __init__(self, name: str = "", **options: Unpack[FieldOptions]) -> None:
        super().__init__(name, **options)

    def convert(self, value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise self.make_error("type")
        fresh: dict[str, Any] = self._free(value)
        return fresh


class JsonField(StructuredField, ma.Raw):
    """Any JSON value at all; where rows hold values that no kind unites, this one serves them as they are."""

    kind = Kind.DICT

    def __init__(self, name: str = "", **options: Unpack[FieldOptions]) -> None:
        super().__init__(name, **options)

    def convert(self, value: Any) -> Any:
        return self._free(value)

    def coerce(self, value: Any) -> Any:
        return None if value is None else free_json(value)


class NestedField(ObjectField, ma.Nested):  # type: ignore[misc]
    """An object with a model of its own; its values are typed, its validators run, its faults name the way in."""

    def __init__(self, name: str = "", model: ModelLike | None = None, **options: Unpack[FieldOptions]) -> None:
        self.model: Model = as_model(model, f"NestedField({name!r})")
        super().__init__(name, **options)

    def _for_marshmallow(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"nested": lambda: self.model.schema_class, **super()._for_marshmallow(options)}

    @property
    def plain(self) -> bool:
        return self.shown_as(NestedField) and self.model.dumps_plain and self.model.readable == self.model.names

    def convert(self, value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise self.make_error("type")
        try:
            record = self.model.load(value)
            self.model.check(record)
        except ValidationError as exc:
            raise as_marshmallow(exc.faults) from exc
        return record

    def own(self, value: dict[str, Any]) -> Any:
        return {name: field.coerce(value.get(name)) for name, field in self.model.by_name.items()}

    def to_json(self, value: Any) -> Any:
        return {name: self.model.json_value(name, value.get(name)) for name in self.model.readable}

    def to_stored(self, value: Any) -> Any:
        given = ((name, field, value.get(name)) for name, field in self.model.by_name.items())
        return {name: None if inner is None else field.to_stored(inner) for name, field, inner in given}


def as_model(model: Any, owner: str) -> Model:
    """The model meant by a class, an instance, or a marshmallow schema (ConfigurationError)."""
    if isinstance(model, type) and issubclass(model, Model):
        return model()
    if isinstance(model, Model):
        return model
    if isinstance(model, marshmallow.Schema) or (isinstance(model, type) and issubclass(model, marshmallow.Schema)):
        return Model.from_schema(model)
    raise ConfigurationError(f"model must be a Model class or a marshmallow Schema, not {model!r}", owner=owner)
