"""marshmallow's own fields made as strict as rest_kit's: "5" is no integer, 1 no boolean, "yes" neither.

Works on a private copy of a schema: `harden` puts a check of the raw value before each standard field's conversion. A
field class that converts in its own way keeps its own rules.
"""

from __future__ import annotations

import copy
import datetime
import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import marshmallow
from marshmallow import fields as ma
from marshmallow import validate as checks

from rest_kit.models import scalars
from rest_kit.models.constraints import Message
from rest_kit.types import INT64_MAX, INT64_MIN

Check = Callable[[Any], bool]
"""Whether a raw value has the JSON type that a field takes."""


def private_copy(schema: type[marshmallow.Schema] | marshmallow.Schema) -> marshmallow.Schema:
    """A schema of our own, to be changed."""
    return copy.deepcopy(schema) if isinstance(schema, marshmallow.Schema) else schema()


def harden(schema: marshmallow.Schema) -> None:
    """Make every field of a schema strict, and refuse unknown names whatever its Meta says; once for each schema."""
    if getattr(schema, "_hardened", False):
        return
    schema.unknown = marshmallow.RAISE
    for field in schema.load_fields.values():
        _harden_field(field)
    vars(schema)["_hardened"] = True


def _harden_field(field: Any) -> None:
    if may_be_left_out(field):
        field.allow_none = True  # what is stored as null when it is left out can be sent back as null
    if isinstance(field, ma.List):
        field.inner = copy.copy(field.inner)
        _harden_field(field.inner)
    elif isinstance(field, ma.Nested):
        field.unknown = marshmallow.RAISE
    elif isinstance(field, ma.NaiveDateTime):
        # a moment is kept, and shown, in UTC: with its offset it must be taken, too
        field.timezone = field.timezone or datetime.UTC
    field.validators = [_coded(validator) for validator in field.validators]
    check = _check_of(field)
    if check is not None:
        vars(field)["_deserialize"] = functools.partial(_checked, field, check, field._deserialize)


def _coded(validator: Any) -> Any:
    """A standard validator that tells its failure by the same code as rest_kit's own."""
    code_of = _CODES.get(type(validator))
    if code_of is None:
        return validator

    def run(value: Any) -> None:
        try:
            validator(value)
        except marshmallow.ValidationError as exc:
            code = code_of(validator, value)
            raise marshmallow.ValidationError([Message(str(text), code) for text in exc.messages]) from exc

    return run


_CODES: Final[dict[type[Any], Callable[[Any, Any], str]]] = {
    checks.OneOf: lambda rule, value: "choices",
    checks.Regexp: lambda rule, value: "regex",
    checks.Range: lambda rule, value: "min" if rule.min is not None and value <= rule.min else "max",
    checks.Length: lambda rule, value: "max_length" if _is_too_long(rule, value) else "min_length",
}


def _is_too_long(rule: checks.Length, value: Any) -> bool:
    most = rule.max if rule.equal is None else rule.equal
    return most is not None and len(value) > most


def may_be_left_out(field: Any) -> bool:
    """Whether a create need not bring the field, and nothing takes its place."""
    top = isinstance(field.parent, marshmallow.Schema)
    return top and not field.required and field.load_default is marshmallow.missing


def _checked(field: Any, fits: Check, convert: Callable[..., Any], value: Any, *args: Any, **kwargs: Any) -> Any:
    """marshmallow's conversion of a value, if its JSON type fits."""
    if not fits(value):
        raise marshmallow.ValidationError([_refusal(field)])
    if isinstance(field, ma.Nested):
        harden(field.schema)  # at the first use, as schemas may nest themselves
    return convert(value, *args, **kwargs)


def _refusal(field: Any) -> Message:
    for key in ("invalid", "invalid_uuid", "type"):
        if key in field.error_messages:
            text = str(field.error_messages[key])
            return Message(text.format(input="", obj_type=getattr(field, "OBJ_TYPE", "value")), "type")
    return Message("is not of the right type", "type")


def _check_of(field: Any) -> Check | None:
    """The check for a field that converts as the standard class does."""
    for cls, check in _CHECKS.items():
        if isinstance(field, cls):
            as_usual = all(_same(type(field), cls, name) for name in ("_deserialize", "_validated"))
            return _check_of_form(field, check) if as_usual else None
    return None


def _check_of_form(field: Any, check: Check) -> Check:
    """The check, or another one for a field that is told to show its values in another JSON type."""
    if isinstance(field, ma.DateTime) and str(field.format).startswith("timestamp"):
        return _is_number
    if isinstance(field, ma.Integer | ma.Float) and field.as_string:
        parse = scalars.parse_integer if isinstance(field, ma.Integer) else scalars.parse_float
        return lambda value: check(value) or _can_be_read(value, parse)
    return check


def _can_be_read(value: Any, parse: Callable[[str], Any]) -> bool:
    """Whether it is a text that has the form."""
    try:
        return type(value) is str and parse(value) is not None
    except ValueError:
        return False


def _same(cls: type, standard: type, method: str) -> bool:
    return getattr(cls, method, None) is getattr(standard, method, None)


def _is_integer(value: Any) -> bool:
    return type(value) is int and INT64_MIN <= value <= INT64_MAX


def _is_number(value: Any) -> bool:
    return type(value) in (int, float, Decimal)


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


def _is_text(value: Any) -> bool:
    return type(value) is str and scalars.storable(value)


def _is_decimal(value: Any) -> bool:
    if type(value) not in (int, float, Decimal, str):
        return False
    return _can_be_read(str(value), scalars.parse_decimal)


_CHECKS: Final[dict[type[Any], Check]] = {
    ma.Integer: _is_integer,
    ma.Float: _is_number,
    ma.Decimal: _is_decimal,
    ma.Boolean: _is_boolean,
    ma.UUID: _is_text,
    ma.String: _is_text,
    ma.NaiveDateTime: _is_text,
    ma.AwareDateTime: _is_text,
    ma.DateTime: _is_text,
    ma.Date: _is_text,
    ma.Nested: lambda value: type(value) in (dict, list, str, int),
}
