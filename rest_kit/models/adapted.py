"""A marshmallow schema as a model: what stores must know is read off its fields, and bodies load through the schema.

Hooks and validators of the schema run as ever, as long as what comes out is a dict. Values leave in the exact types of
their kinds; what marshmallow makes into something else (an enum member, an address) is kept as its JSON.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import marshmallow
from marshmallow import fields as ma

from rest_kit.errors import ConfigurationError, Fault, ValidationError, did_you_mean
from rest_kit.models import scalars
from rest_kit.models.coercion import COERCERS
from rest_kit.models.faults import MAX_FAULTS, faults_of
from rest_kit.models.freeform import free_json
from rest_kit.models.model import Model
from rest_kit.models.plain import MAX_UNKNOWN
from rest_kit.models.strict import harden, may_be_left_out, private_copy
from rest_kit.models.structures import StructuredField
from rest_kit.types import MISSING, Kind, Record

_KINDS: Final[dict[type[Any], Kind]] = {
    ma.Integer: Kind.INTEGER,
    ma.Decimal: Kind.DECIMAL,
    ma.Float: Kind.FLOAT,
    ma.Boolean: Kind.BOOLEAN,
    ma.UUID: Kind.UUID,
    ma.String: Kind.STRING,
    ma.DateTime: Kind.DATETIME,
    ma.Date: Kind.DATE,
    ma.Time: Kind.STRING,
    ma.IP: Kind.STRING,
    ma.List: Kind.LIST,
    ma.Tuple: Kind.LIST,
}
_CORE: Final = (ma.Integer, ma.Decimal, ma.Float, ma.Boolean, ma.UUID, ma.String, ma.DateTime, ma.Date)
_COMPUTED: Final = (ma.Function, ma.Method)


class AdaptedField(StructuredField):
    """A field of a marshmallow schema, as stores and documents see it."""

    def __init__(self, inner: ma.Field[Any], name: str) -> None:
        self.inner = inner
        self.kind = _kind_of(inner)
        self.core = isinstance(inner, _CORE)
        self.item: AdaptedField | None = AdaptedField(inner.inner, "item") if isinstance(inner, ma.List) else None
        self.max_length = _largest(inner)
        self.places = _places_of(inner)
        self._zone = _zone_of(inner)
        self._shown_by_schema = self.core and _shows_itself(inner)
        super().__init__(name)
        self._take_over(inner)

    def _take_over(self, inner: ma.Field[Any]) -> None:
        """The schema's options in rest_kit's words."""
        self.required, self.dump_only, self.load_only = inner.required, inner.dump_only, inner.load_only
        self.nullable = self.allow_none = bool(inner.allow_none) or may_be_left_out(inner)
        self.default = MISSING if inner.load_default is marshmallow.missing else inner.load_default
        self.unique = bool(inner.metadata.get("unique", False))
        self.help = str(inner.metadata.get("description", ""))
        self.primary_key = bool(inner.metadata.get("primary_key", False))

    def become_key(self) -> None:
        """Be the primary key: made by the store (integers) or by the model (UUIDs) where clients may not set it."""
        self.primary_key = True
        if not self.dump_only:
            return
        self.nullable = self.allow_none = False
        self.generated = self.kind is Kind.INTEGER
        if self.kind is Kind.UUID and self.default is MISSING:
            self.default = uuid.uuid4

    @property
    def assigned(self) -> bool:
        return self.primary_key and self.dump_only

    @property
    def plain(self) -> bool:
        if self._shown_by_schema:
            return False
        if self.kind is Kind.DECIMAL:
            return self.places is not None and self.places <= 6
        return self.item is None or self.item.plain

    def convert(self, value: Any) -> Any:
        return self.typed(self.inner.deserialize(value))

    def typed(self, value: Any) -> Any:
        """What the schema's field has loaded, as a record holds it (ValueError)."""
        if value is None:
            return None
        if self.core:
            return COERCERS[self.kind](self._placed(value))
        if self.item is not None:
            return [self.item.typed(one) for one in value]
        if isinstance(self.inner, ma.Nested) and not isinstance(value, dict | list):
            raise ConfigurationError(f"{self.name}: a nested schema must load into a dict, not {value!r}")
        return free_json(self.inner._serialize(value, self.name, {self.name: value}))

    def _placed(self, value: Any) -> Any:
        """The value, in the schema's time zone if it is a time without one."""
        naive = self._zone is not None and isinstance(value, datetime.datetime) and value.tzinfo is None
        return value.replace(tzinfo=self._zone) if naive else value

    def coerce(self, value: Any) -> Any:
        if value is None:
            return None
        if self.kind.is_scalar:
            scalar = COERCERS[self.kind](value)
            return scalar if self.places is None else scalars.with_places(scalar, self.places)
        if isinstance(value, str) and self.kind is Kind.LIST:
            return self.parse(value)
        return free_json(value) if self.item is None else [self.item.coerce(one) for one in value]

    def parse(self, text: str) -> Any:
        return scalars.PARSERS[self.kind](text) if self.kind.is_scalar else super().parse(text)

    def format(self, value: Any) -> str:
        return scalars.FORMATTERS[self.kind](value) if self.kind.is_scalar else super().format(value)

    def to_json(self, value: Any) -> Any:
        if self._shown_by_schema:
            local = value if self._zone is None else value.astimezone(self._zone)
            return self.inner._serialize(local, self.name, {self.name: local})
        return self.to_stored(value)

    def to_stored(self, value: Any) -> Any:
        item = self.item
        if item is not None:
            return [None if one is None else item.to_json(one) for one in value]
        return _JSON_FORMS[self.kind](value) if self.kind in _JSON_FORMS else value


_JSON_FORMS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.DECIMAL: scalars.format_decimal,
    Kind.DATE: scalars.FORMATTERS[Kind.DATE],
    Kind.DATETIME: scalars.format_datetime,
    Kind.UUID: str,
}


def _kind_of(inner: ma.Field[Any]) -> Kind:
    for cls, kind in _KINDS.items():
        if isinstance(inner, cls):
            return kind
    if isinstance(inner, ma.Enum):
        return _kind_of(inner.field) if inner.by_value else Kind.STRING
    return Kind.LIST if isinstance(inner, ma.Nested) and inner.many else Kind.DICT


def _largest(inner: ma.Field[Any]) -> int | None:
    """The greatest length that the field's validators allow."""
    limits = [v.max for v in inner.validators if isinstance(v, marshmallow.validate.Length) and v.max is not None]
    return min(limits, default=None)


def _places_of(inner: ma.Field[Any]) -> int | None:
    places = getattr(inner, "places", None)
    return None if places is None else -places.as_tuple().exponent


def _zone_of(inner: Any) -> datetime.tzinfo | None:
    """The zone in which the field means times without one; None where there is none, or that is UTC."""
    if str(getattr(inner, "format", "")).startswith("timestamp"):
        return None
    zone: datetime.tzinfo | None = getattr(inner, "timezone", None) or getattr(inner, "default_timezone", None)
    return zone


def _shows_itself(inner: Any) -> bool:
    """Whether the field's JSON is not what its kind would say: an own `_serialize`, a format, numbers as text."""
    standard = next(cls for cls in _CORE if isinstance(inner, cls))
    own = type(inner)._serialize is not standard._serialize
    return own or getattr(inner, "format", None) not in (None, "iso") or _is_number_as_text(inner)


def _is_number_as_text(inner: Any) -> bool:
    return isinstance(inner, ma.Integer | ma.Float) and inner.as_string


class SchemaModel(Model):
    """A model that loads through a marshmallow schema."""

    schema: ClassVar[marshmallow.Schema]
    attributes: ClassVar[Mapping[str, str]]
    """Where the schema's loaded dict has each field: model name → key."""

    def _prepare(self) -> None:
        self._codes = _codes_of(self.schema)
        fixed = [field for field in self.by_name.values() if isinstance(field, AdaptedField) and not field.writable]
        # what the schema asks for, and somebody may not set, is not asked for
        asked = [field.name for field in fixed if not field.inner.dump_only]
        self._unasked: tuple[str, ...] | bool = tuple(self.attributes[name] for name in asked) or False

    @property
    def schema_class(self) -> type[marshmallow.Schema]:
        """The schema's own class."""
        return type(self.schema)

    def load(self, data: Any, *, partial: bool = False) -> Record:
        """What a client sent, loaded by the schema, as typed values in the model's order (ValidationError)."""
        if type(data) is not dict:
            raise ValidationError(Fault("type", "is not an object"))
        fixed = [name for name, field in self.by_name.items() if name in data and not field.writable]
        faults = [Fault("read_only", "cannot be set", (name,)) for name in fixed if name not in self.concealed]
        given = {name: value for name, value in data.items() if name not in fixed}
        try:
            loaded = self._through_schema(given, partial=partial)
        except marshmallow.ValidationError as exc:
            raise ValidationError(faults + self._explained(faults_of(exc.messages), data)) from exc
        faults += self._explained([], data)
        record = self._record(loaded, faults, partial=partial)
        if faults:
            raise ValidationError(faults)
        return record

    def _through_schema(self, data: dict[str, Any], *, partial: bool) -> dict[str, Any]:
        loaded = self.schema.load(data, partial=partial or self._unasked, unknown=marshmallow.RAISE)
        if not isinstance(loaded, dict):
            raise ConfigurationError(f"the schema must load into a dict, not {type(loaded).__name__}", owner=self.name)
        made = loaded.keys() - set(self.attributes.values())
        if made:
            problem = f"the schema's hooks make {', '.join(sorted(map(repr, made)))}, for which there is no field"
            raise ConfigurationError(problem, owner=self.name)
        return loaded

    def _record(self, loaded: dict[str, Any], faults: list[Fault], *, partial: bool) -> Record:
        """The typed values of what the schema has loaded; what does not fit becomes faults."""
        record: Record = {}
        for name, field in self.by_name.items():
            key = self.attributes.get(name, name)
            if key in loaded and isinstance(field, AdaptedField) and field.writable:
                try:
                    record[name] = field.typed(loaded[key])
                except ValueError as exc:
                    faults.append(Fault("invalid", str(exc), (name,)))
            elif not partial and not field.generated:
                record[name] = field.initial()
        return record

    def _explained(self, faults: list[Fault], data: dict[str, Any]) -> list[Fault]:
        """The faults with the codes that their texts stand for, and the nearest valid name for a few unknown ones."""
        known: list[Fault] = []
        unknown: list[str] = [name for name in data if name in self.concealed]
        for fault in faults:
            if len(fault.path) == 1 and fault.path[0] not in self.by_name:
                unknown.append(str(fault.path[0]))
            else:
                known.append(self._coded(fault))
        places = {name: place for place, name in enumerate(data)}
        unknown.sort(key=lambda name: places.get(name, len(places)))
        return known[:MAX_FAULTS] + [self._unknown(name) for name in unknown[:MAX_UNKNOWN]]

    def _coded(self, fault: Fault) -> Fault:
        code = self._codes.get(fault.detail)
        return fault if fault.code != "invalid" or code is None else Fault(code, fault.detail, fault.path)

    def _unknown(self, name: str) -> Fault:
        shown = name[:100]
        return Fault("unknown", f"there is no field {shown!r}{did_you_mean(shown, self.writable)}", (name,))


_SCHEMA_CODES: Final = {"required": "required", "null": "null", "unknown": "unknown", "too_large": "range"}


def _codes_of(schema: marshmallow.Schema) -> dict[str, str]:
    """Which of our codes the texts of marshmallow stand for."""
    found = {str(text): _SCHEMA_CODES.get(key, "type") for key, text in schema.error_messages.items()}
    for field in schema.fields.values():
        for key, text in field.error_messages.items():
            if key not in ("validator_failed", "invalid_enum"):
                found[str(text)] = _SCHEMA_CODES.get(key, "type")
    return found


def model_of_schema(schema: type[marshmallow.Schema] | marshmallow.Schema) -> Model:
    """The model that a marshmallow schema describes (ConfigurationError)."""
    own = private_copy(schema)
    name = type(own).__name__
    computed = [key for key, field in own.fields.items() if isinstance(field, _COMPUTED)]
    if computed:
        problem = "is computed, and a model holds what is stored: compute it in a formatter of the view"
        raise ConfigurationError([f"{key} {problem}" for key in computed], owner=name)
    fields = {field.data_key or key: AdaptedField(field, field.data_key or key) for key, field in own.fields.items()}
    _choose_key(fields)
    harden(own)
    attributes = {field.data_key or key: field.attribute or key for key, field in own.fields.items()}
    members = {"fields": list(fields.values()), "schema": own, "attributes": attributes, "__module__": __name__}
    model = type(name, (SchemaModel,), members)()
    assert isinstance(model, SchemaModel)
    return model


def _choose_key(fields: Mapping[str, AdaptedField]) -> None:
    """Mark the key: the field whose metadata says so, else `id`."""
    marked = [field for field in fields.values() if field.primary_key]
    for field in marked or [fields[name] for name in ("id",) if name in fields]:
        field.become_key()
