"""The forms in which a list's owner keeps values: typed, as JSON would write them, or as one text.

A value as its owner keeps it becomes what a record holds; a record's value takes the form of the one that it replaces.
What reads the same stays the very value that it was, and so do the parts of lists and objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from rest_kit.models.fields import Field
from rest_kit.types import Kind

NESTED: Final = (Kind.LIST, Kind.DICT)
Form = Callable[[Field, Any], Any]
"""Puts a typed value into the form."""


def clone(value: Any) -> Any:
    """A JSON value that shares no list or dict with the one given."""
    if type(value) is dict:
        return {key: clone(item) for key, item in value.items()}
    if type(value) is list:
        return [clone(item) for item in value]
    return value


# --- from a form ------------------------------------------------------------------------------------------------------


def typed(field: Field, value: Any) -> Any:
    """A value as its owner keeps it, as a record holds it; None stays None (ValueError)."""
    if value is None:
        return None
    value = field.coerce(value)
    if field.kind in _MAY_HOLD_TEXT:
        _refuse_unwritable(value)
    return value


_MAY_HOLD_TEXT: Final = (Kind.STRING, *NESTED)


def _refuse_unwritable(value: Any) -> None:
    """Refuse what no reply could carry: fields take stored texts as they are, lone surrogates included."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError as exc:
        raise ValueError("text with a lone surrogate") from exc
    except (TypeError, RecursionError) as exc:
        raise ValueError("not a JSON value") from exc


# --- into a form ------------------------------------------------------------------------------------------------------


def as_typed(field: Field, value: Any) -> Any:
    """The value as a record holds it."""
    return clone(value)


def as_json(field: Field, value: Any) -> Any:
    """The value as JSON writes it: dates, UUIDs and exact numbers within it as texts."""
    return None if value is None else clone(field.to_stored(value))


def as_text(field: Field, value: Any) -> Any:
    """The value as one text."""
    return None if value is None else field.format(value)


def form_of(value: Any, read: Any) -> Form | None:
    """The form of a value, told by what it is read as; None where it does not show."""
    if read is None:
        return None
    if isinstance(value, str) and type(read) is not str:
        return as_text
    if not isinstance(read, list | dict):
        return as_typed
    if _is_json(read):
        return None
    return as_json if _is_json(value) else as_typed


_JSON_LEAVES: Final = (str, int, float, type(None))


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_json, value))
    return isinstance(value, _JSON_LEAVES)


def replaced(field: Field, value: Any, own: Any, form: Form) -> Any:
    """What takes the place of an owner's value; `form` is for where that does not show its own."""
    try:
        read = field.coerce(own)
    except ValueError:
        return form(field, value)
    return _merged(field, value, own, form_of(own, read) or form)


def _merged(field: Field, value: Any, own: Any, form: Form) -> Any:
    """The value in a form, with all that does not change as its owner has it."""
    if repr(field.coerce(own)) == repr(value):
        return own
    if value is not None and field.model is not None and isinstance(own, dict):
        return _merged_object(field.model.by_name, value, own, form)
    if value is not None and field.item is not None and isinstance(own, list | tuple):
        return _merged_items(field.item, value, own, form)
    return form(field, value)


def _merged_object(by_name: dict[str, Field], value: dict[str, Any], own: dict[str, Any], form: Form) -> dict[str, Any]:
    """The object with the members that no model knows, and without those that were absent and still are null."""
    told = [name for name in by_name if name in own or value.get(name) is not None]
    return {**own, **{name: _merged(by_name[name], value.get(name), own.get(name), form) for name in told}}


def _merged_items(item: Field, values: Sequence[Any], own: Sequence[Any], form: Form) -> list[Any]:
    """The items, each as its owner has it wherever in the list it was."""
    known = {repr(item.coerce(one)): one for one in own}
    # two items that are equal must not become one object
    return [clone(known[key]) if (key := repr(one)) in known else form(item, one) for one in values]
