"""The load of a model as one Python function, written once from the fields' kinds and constraints.

The function takes what a client sent and returns the typed record, or None on any misfit: then the plain load goes
over it again and says what is wrong. No text of a user's stands in the source: names go through `repr`, everything
else is bound as a constant. What a field does in its own way (a subclass with its own `convert`) is called.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any, Final

import marshmallow

from rest_kit.errors import InvalidInput
from rest_kit.models import scalars
from rest_kit.models.field import Field
from rest_kit.models.keys import IntForeign, StringForeign
from rest_kit.models.simple import (
    BooleanField,
    DateField,
    DateTimeField,
    FloatField,
    IntegerField,
    StringField,
)
from rest_kit.types import INT64_MAX, INT64_MIN, MISSING, Record

Load = Callable[[Any], Record | None]

MISFITS: Final = (marshmallow.ValidationError, InvalidInput, ValueError, ArithmeticError)
"""What a conversion or a user's validator raises on a misfit; the plain load runs it again, and reports it."""

_COMMON: Final[dict[str, Any]] = {
    "MISSING": MISSING,
    "MISFITS": MISFITS,
    "storable": scalars.storable,
    "date": datetime.date.fromisoformat,
    "moment": scalars.parse_datetime,
    "now": lambda: datetime.datetime.now(datetime.UTC),
    "INFINITY": float("inf"),
}

_INTEGER: Final = (f"if type(v) is not int or not {INT64_MIN} <= v <= {INT64_MAX}: return None",)
_TEXT: Final = (
    "if type(v) is not str: return None",
    r'if (not v.isascii() or "\0" in v) and not storable(v): return None',
)
_INLINE: Final[dict[Callable[..., Any], tuple[str, ...]]] = {
    IntegerField.convert: _INTEGER,
    IntForeign.convert: _INTEGER,
    StringField.convert: _TEXT,
    StringForeign.convert: _TEXT,
    BooleanField.convert: ("if v is not True and v is not False: return None",),
    FloatField.convert: (
        "if type(v) is float:",
        "    if not -INFINITY < v < INFINITY: return None",
        "    v += 0.0",
        "else: v = {convert}(v)",
    ),
    DateField.convert: (
        'if type(v) is not str or len(v) != 10 or v[4] != "-" or v[7] != "-": return None',
        "v = date(v)",
    ),
    DateTimeField.convert: ("if type(v) is not str: return None", "v = moment(v)"),
}


class Source:
    """The lines of a function, and the constants that they name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = dict(_COMMON)

    def bind(self, value: Any) -> str:
        """A name in the function for a value."""
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def add(self, depth: int, *lines: str) -> None:
        """Lines at some depth within the function's body."""
        self.lines += ["    " * (depth + 1) + line for line in lines]

    def function(self) -> Load:
        """The function itself."""
        body = ["def load(data):", "    try:", *("    " + line for line in self.lines)]
        body += ["    except MISFITS:", "        return None"]
        namespace = dict(self.constants)
        exec("\n".join(body), namespace)  # noqa: S102 - our own text, with users' values bound by name
        made: Load = namespace["load"]
        return made


def compile_load(fields: Sequence[Field]) -> Load:
    """The load of a whole object: every field comes out, by what was given or by its default."""
    source = Source()
    source.add(0, "if type(data) is not dict: return None", "get = data.get", "count = 0")
    if any(field.auto_now or field.auto_now_add for field in fields):
        source.add(0, "at = now()")
    entries = []
    for index, field in enumerate(fields):
        if field.generated:
            continue
        _full_field(source, field)
        source.add(0, f"v{index} = v")
        entries.append(f"{field.name!r}: v{index}")
    source.add(0, "if count != len(data): return None", f"return {{{', '.join(entries)}}}")
    return source.function()


def compile_partial(fields: Sequence[Field]) -> Load:
    """The load of a part of an object: what is given comes out, in the model's order."""
    source = Source()
    source.add(0, "if type(data) is not dict: return None", "get = data.get", "record = {}")
    for field in fields:
        if field.writable:
            source.add(0, f"v = get({field.name!r}, MISSING)", "if v is not MISSING:")
            _checks(source, 1, field)
            source.add(1, f"record[{field.name!r}] = v")
    source.add(0, "if len(record) != len(data): return None", "return record")
    return source.function()


def _full_field(source: Source, field: Field) -> None:
    """The lines that leave the field's value in `v`."""
    if not field.writable:
        source.add(0, f"v = {_absent(source, field)}")
        return
    source.add(0, f"v = get({field.name!r}, MISSING)", "if v is not MISSING:")
    source.add(1, "count += 1")
    _checks(source, 1, field)
    if field.required:
        source.add(0, "else: return None")
    else:
        source.add(0, f"else: v = {_absent(source, field)}")


def _absent(source: Source, field: Field) -> str:
    """The value, as an expression, of a field that was not given."""
    if field.auto_now or field.auto_now_add:
        return f"{source.bind(field.at)}(at)"
    if field.default is MISSING or field.default is None:
        return "None"
    if callable(field.default) or not field.kind.is_scalar:
        return f"{source.bind(field.initial)}()"
    return source.bind(field.default)


def _checks(source: Source, depth: int, field: Field) -> None:
    """The lines that make `v`, which was given, the field's typed value."""
    if not _is_known(field):
        source.add(depth, f"v = {source.bind(field.deserialize)}(v)")
        return
    if field.allow_none:
        source.add(depth, "if v is not None:")
        depth += 1
    lines = _INLINE.get(type(field).convert, ("if v is None: return None", "v = {convert}(v)"))
    convert = source.bind(field.convert)
    source.add(depth, *(line.replace("{convert}", convert) for line in lines))
    for rule in field.rules:
        misfit = rule.misfit.format(v="v", c=source.bind(rule.limit))
        source.add(depth, f"if {misfit}: return None")
    for runner in field.runners:
        source.add(depth, f"{source.bind(runner)}(v)")


def _is_known(field: Field) -> bool:
    """Whether nothing between the client's value and `convert` was overridden, nor the validators changed since."""
    cls = type(field)
    return (
        cls.deserialize is Field.deserialize
        and cls._deserialize is Field._deserialize
        and cls._validate is Field._validate
        and not (field.pre_load or field.post_load)
        and field.validators == [*field.rules, *field.runners]
    )
