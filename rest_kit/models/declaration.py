"""Whether a model is declared in a way that can be served: every mistake in it as a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from marshmallow import fields as ma

from rest_kit.errors import class_given, did_you_mean
from rest_kit.models.field import Field
from rest_kit.models.rules import UniqueTogether
from rest_kit.types import MISSING, Kind

_DECLARED: Final = ("fields", "validators")
_NEAR: Final = 0.8
"""How much alike an attribute's name must be to be a slip for one of these: a swapped or missing letter, a singular."""
_KEY_KINDS = (Kind.INTEGER, Kind.STRING, Kind.UUID)


def declaration_problems(fields: Any, validators: Any) -> list[str]:
    """What is wrong with a model's `fields` and `validators`."""
    if not isinstance(fields, list | tuple):
        return [f"fields must be a list of fields, not {fields!r}"]
    problems = [problem for index, field in enumerate(fields) for problem in _field_problems(index, field)]
    good = [field for field in fields if isinstance(field, Field) and field.name]
    problems += _name_problems(good) + _key_problems(good)
    if not isinstance(validators, list | tuple):
        return [*problems, f"validators must be a list, not {validators!r}"]
    return problems + _rule_problems(validators, [field.name for field in good])


def stray_problems(attributes: Mapping[str, Any], known: Collection[str], fields: Any, validators: Any) -> list[str]:
    """What a model's class has beside `fields` and `validators` that was surely meant for them.

    Fields by their names, as other libraries have it; misspelt attributes, unless they are `known`; lists of fields or
    rules from which something is missing in the model.
    """
    others = {n: value for n, value in attributes.items() if n not in _DECLARED and not n.startswith("_")}
    problems = []
    for name, value in others.items():
        if isinstance(value, ma.Field):
            problems.append(f"{name}: a field goes into the list `fields`, with its name as first argument")
        elif name not in known and (near := difflib.get_close_matches(name.lower(), _DECLARED, n=1, cutoff=_NEAR)):
            problems.append(f"{name}: did you mean {near[0]!r}?")
        elif _left_out(value, Field, fields):
            problems.append(f"{name} holds fields; they go into the list `fields`")
        elif _left_out(value, UniqueTogether, validators):
            problems.append(f"{name} holds UniqueTogether; it goes into the list `validators`")
    return problems


def _left_out(value: Any, cls: type[Any], used: Any) -> bool:
    """Whether it is a list with something of that class in it which is not used."""
    mine = used if isinstance(used, list | tuple) else ()
    parts = value if isinstance(value, list | tuple) else ()
    return any(isinstance(part, cls) and not any(part is one for one in mine) for part in parts)


def _field_problems(index: int, field: Any) -> list[str]:
    problem = class_given(field, ma.Field, f"fields[{index}]", 'StringField("name")')
    if problem:
        return [problem]
    if isinstance(field, Field):
        return [] if field.name else [f"fields[{index}] is {type(field).__name__} without a name"]
    if isinstance(field, ma.Field):
        return [f"fields[{index}] is marshmallow's {type(field).__name__}; use a field of rest_kit.models, or a Schema"]
    return [f"fields[{index}] is {field!r}, not a field"]


def _name_problems(fields: Sequence[Field]) -> list[str]:
    names = [field.name for field in fields]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    problems = [f"two fields are named {name!r}" for name in twice]
    if "resource_uri" in names:
        problems.append("a field named 'resource_uri' would hide the link that every object has; choose another name")
    return problems


def _key_problems(fields: Sequence[Field]) -> list[str]:
    """What is wrong with the primary key, where there is one."""
    keys = [field for field in fields if field.primary_key]
    if len(keys) > 1:
        return [f"two primary keys: {', '.join(repr(field.name) for field in keys)}"]
    key = key_of(fields)
    if key is None:
        return []
    if key.kind not in _KEY_KINDS:
        return [f"the primary key {key.name!r} is {key.kind.value}; it must be an integer, a string or a UUID"]
    if key.nullable or (key.read_only and not key.generated and key.default is MISSING):
        remedy = "make it PkField, StringPkField or UUIDPkField, or required=True"
        return [f"the primary key {key.name!r} may be left out by everybody: {remedy}"]
    return [f"the primary key {key.name!r} cannot be write_only"] if key.write_only else []


def key_of(fields: Sequence[Field]) -> Field | None:
    """The primary key: the declared one, else a field named `id`."""
    declared = [field for field in fields if field.primary_key]
    return declared[0] if declared else next((field for field in fields if field.name == "id"), None)


def _rule_problems(validators: Sequence[Any], names: Sequence[str]) -> list[str]:
    problems = []
    for rule in validators:
        if isinstance(rule, UniqueTogether):
            unknown = [name for name in rule.fields if name not in names]
            problems += [f"{rule!r}: no field {name!r}{did_you_mean(str(name), names)}" for name in unknown]
            if len(rule.fields) < 2:
                problems.append(f"{rule!r}: name at least two fields; for one, unique=True on the field")
        elif rule is UniqueTogether or not callable(rule):
            problems.append(f"validators: {rule!r} is neither UniqueTogether(...) nor a function over the record")
    return problems
