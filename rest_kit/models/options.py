"""Which options the fields take, and whether those given can be meant.

Each kind of field has its own set of names, typed for editors and type checkers; at run time the same sets find the
misspelt ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, Literal, TypedDict

from rest_kit.errors import did_you_mean
from rest_kit.types import MISSING

Validator = Callable[[Any], object]
"""Takes a typed value; fails by returning False, or by raising ValueError or a ValidationError."""


class FieldOptions(TypedDict, total=False):
    """What every field can be told."""

    required: bool
    default: Any
    nullable: bool | None
    read_only: bool
    write_only: bool
    unique: bool
    choices: Iterable[Any] | None
    validate: Validator | Iterable[Validator]
    messages: Mapping[str, str]
    help: str


class BoundOptions(FieldOptions, total=False):
    """What a field with an order can be told: the least and the greatest value allowed."""

    min: Any
    max: Any


class TextOptions(FieldOptions, total=False):
    """What a field of text can be told: lengths in code points, and a pattern that the whole text must match."""

    min_length: int | None
    max_length: int | None
    regex: str | re.Pattern[str] | None


class PasswordOptions(TypedDict, total=False):
    """What a password can be told; it is `write_only` in any case."""

    required: bool
    nullable: bool | None
    min_length: int | None
    max_length: int | None
    regex: str | re.Pattern[str] | None
    validate: Validator | Iterable[Validator]
    messages: Mapping[str, str]
    help: str


class TimeOptions(BoundOptions, total=False):
    """What a field of time can be told: to set itself at every write, or at the first one."""

    auto_now: bool
    auto_now_add: bool


class DecimalOptions(BoundOptions, total=False):
    """What an exact number can be told: how many digits in all, and how many of them behind the point."""

    digits: int | None
    places: int | None


class ListOptions(FieldOptions, total=False):
    """What a list can be told: how many items."""

    min_length: int | None
    max_length: int | None


class FileOptions(TypedDict, total=False):
    """What a file can be told: which media types are taken, and how many bytes."""

    required: bool
    nullable: bool | None
    read_only: bool
    write_only: bool
    messages: Mapping[str, str]
    help: str
    types: Iterable[str] | None
    max_size: int


class NumericKeyOptions(BoundOptions, total=False):
    """What an integer that names a record elsewhere can be told (see `keys`)."""

    resource: str | None
    references: str | None
    related_name: str | None
    on_delete: Literal["restrict", "cascade", "set_null"]


class TextKeyOptions(TextOptions, total=False):
    """What a text that names a record elsewhere can be told (see `keys`)."""

    resource: str | None
    references: str | None
    related_name: str | None
    on_delete: Literal["restrict", "cascade", "set_null"]


_FLAGS: Final = frozenset({"required", "read_only", "write_only", "unique", "auto_now", "auto_now_add"})
_COUNTS: Final = frozenset({"min_length", "max_length", "digits", "places"})
_NAMES: Final = frozenset({"resource", "references"})
ON_DELETE: Final = ("restrict", "cascade", "set_null")
"""What may become of a record when the one that it refers to is deleted."""


def misfits_of(options: Mapping[str, Any], known: Iterable[str]) -> dict[str, str]:
    """A sentence for every option of a field that is unknown, or whose value cannot be meant."""
    found = {}
    for key, value in options.items():
        if key not in known:
            found[key] = f"no option {key!r}{did_you_mean(key, known)}"
        elif wanted := _misfit(key, value):
            found[key] = f"{key} must be {wanted}, not {value!r}"
    return found


def unknown_codes(options: Mapping[str, Any], codes: Collection[str]) -> dict[str, str]:
    """A sentence for the option `messages` where it has texts for codes that the field's errors never have."""
    messages = options.get("messages")
    unknown = [code for code in messages if code not in codes] if isinstance(messages, Mapping) else []
    told = "; ".join(f"no code {code!r}{did_you_mean(str(code), codes)}" for code in unknown)
    return {"messages": f"messages: {told}"} if told else {}


def contradictions(options: Mapping[str, Any]) -> list[str]:
    """A sentence for all that options, each of which could be meant, say against one another."""
    problems = []
    if options.get("required") and options.get("default", MISSING) is not MISSING:
        problems.append("required and default exclude one another: what must be given needs no default")
    if options.get("read_only") and options.get("write_only"):
        problems.append("read_only and write_only exclude one another")
    for low, high in (("min_length", "max_length"), ("places", "digits")):
        least, most = options.get(low), options.get(high)
        if least is not None and most is not None and least > most:
            problems.append(f"{low}={least} is more than {high}={most}")
    return problems


def _misfit(key: str, value: Any) -> str:
    """What the option wants where the value is not that; empty where it is."""
    if key in _FLAGS:
        return "" if isinstance(value, bool) else "True or False"
    if key == "nullable":
        return "" if value is None or isinstance(value, bool) else "True, False or None"
    if key in _COUNTS:
        return "" if value is None or (type(value) is int and value >= 0) else "a count or None"
    if key in _NAMES:
        return "" if value is None or (isinstance(value, str) and value) else "a name or None"
    if key == "related_name":
        fine = value is None or (isinstance(value, str) and value.isidentifier() and value != "resource_uri")
        return "" if fine else "a name of letters, digits and _ that is not 'resource_uri', or None"
    if key == "on_delete":
        return "" if value in ON_DELETE else f"one of {', '.join(map(repr, ON_DELETE))}"
    return _misfit_of_many(key, value)


def _misfit_of_many(key: str, value: Any) -> str:
    if key == "max_size":
        return "" if type(value) is int and value > 0 else "a positive count of bytes"
    if key == "types":
        fine = value is None or (isinstance(value, list | tuple) and value and all(isinstance(v, str) for v in value))
        return "" if fine else "a list of media types or None"
    if key == "choices":
        fine = value is None or (isinstance(value, Iterable) and not isinstance(value, str | bytes))
        return "" if fine else "a list of values"
    if key == "messages":
        fine = isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values())
        return "" if fine else "a dict of error codes and texts"
    if key == "regex":
        return "" if value is None or isinstance(value, str | re.Pattern) else "a pattern"
    if key == "validate":
        return "" if callable(value) or _all_callable(value) else "a callable or a list of them"
    return "" if key != "help" or isinstance(value, str) else "a text"


def _all_callable(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(callable(one) for one in value)
