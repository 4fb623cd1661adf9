"""A table that an application has declared to SQLAlchemy: what its types say beyond what the catalogue does.

Enumerations name their choices, `Uuid` lies in text where a database has no such type, and a `TypeDecorator` turns
values into others: what it does is done here too. Defaults that SQLAlchemy would fill in become the model's.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import sqlalchemy
from sqlalchemy.engine import Engine
from sqlalchemy.exc import NoInspectionAvailable, SQLAlchemyError
from sqlalchemy.orm import Mapper
from sqlalchemy.schema import ColumnDefault
from sqlalchemy.sql import functions
from sqlalchemy.types import TypeDecorator

from datastores.sql.catalogue import TableName
from datastores.tables.columns import Column
from datastores.tables.storage import MISFITS, Storage, hexadecimal
from rest_kit.errors import ConfigurationError, Fault, StoreUnavailable, ValidationError
from rest_kit.models import fields as made
from rest_kit.models.field import Field
from rest_kit.models.model import Model
from rest_kit.models.rules import UniqueTogether
from rest_kit.models.simple import TimeField
from rest_kit.types import MISSING

_FIELDS: Final[dict[type, type[Field]]] = {
    field.kind.python_type: field
    for field in (
        made.IntegerField,
        made.FloatField,
        made.DecimalField,
        made.BooleanField,
        made.TextField,
        made.DateField,
        made.DateTimeField,
        made.UUIDField,
        made.ListField,
        made.DictField,
    )
}
"""For the Python type that a type decorator says it has, the field."""

_NOW: Final = (
    functions.now,
    functions.current_timestamp,
    functions.localtimestamp,
    functions.sysdate,
    functions.current_date,
)
"""SQL's functions for the time at which a statement runs."""


def declared_table(given: Any) -> sqlalchemy.Table:
    """The table that is given, or that a class is mapped to (ConfigurationError)."""
    if isinstance(given, sqlalchemy.Table):
        return given
    try:
        mapper = sqlalchemy.inspect(given)
    except NoInspectionAvailable:
        mapper = None
    if isinstance(mapper, Mapper) and isinstance(mapper.local_table, sqlalchemy.Table):
        return mapper.local_table
    raise ConfigurationError(f"resource['table'] must be a name, a Table, or a mapped class, not {given!r}")


def unserved(table: sqlalchemy.Table) -> list[str]:
    """A sentence for each column whose value only an insert or update of SQLAlchemy's own would fill in."""
    found = [
        (_by_context(table), "a default that is made of SQLAlchemy's context"),
        (_set_at_updates(table), "an onupdate that is not the moment of the write"),
    ]
    remedy = "not served: let the database do it, or name the table by its name, with a model that does it"
    return [
        f"resource['table'], {table.name!r}, has {what} for {', '.join(map(repr, names))}, which is {remedy}"
        for names, what in found
        if names
    ]


def _by_context(table: sqlalchemy.Table) -> list[str]:
    return [one.name for one in table.columns if one.default is not None and _takes_context(one.default)]


def _set_at_updates(table: sqlalchemy.Table) -> list[str]:
    """The columns that SQLAlchemy sets at every update, to something else than the time."""
    return [one.name for one in table.columns if one.onupdate is not None and not _tells_the_time(one, one.onupdate)]


def _tells_the_time(column: sqlalchemy.Column[Any], default: Any) -> bool:
    """Whether a date or moment is set to that of the write, by SQL or by a function that takes nothing."""
    if not isinstance(column.type, sqlalchemy.Date | sqlalchemy.DateTime):
        return False
    return isinstance(default.arg, _NOW) or (default.is_callable and not _takes_context(default))


def _takes_context(default: Any) -> bool:
    """Whether a default is a function that takes a context: those that take nothing SQLAlchemy wraps in one of its."""
    wrapped = getattr(getattr(default, "arg", None), "__globals__", {}).get("__name__") == ColumnDefault.__module__
    return default.is_callable and not wrapped


class DeclaredTable:
    """What is known of a table by its declaration."""

    def __init__(self, table: sqlalchemy.Table, engine: Engine) -> None:
        self.table = table
        self.name = TableName(table.name, table.schema)
        self._engine = engine

    def create(self) -> None:
        """Make the table as it is declared, where it is not there (StoreUnavailable)."""
        try:
            self.table.create(self._engine, checkfirst=True)
        except SQLAlchemyError as exc:
            raise StoreUnavailable(f"the table {self.table.name!r} cannot be made as it is declared") from exc

    def refine(self, model: Model) -> Model:
        """A model read off the catalogue, with the fields that the declaration knows better."""
        fields = [self._refined(field) for field in model.fields]
        together = [rule for rule in model.validators if isinstance(rule, UniqueTogether)]
        return Model.of(model.name, fields, together)

    def _refined(self, field: Field) -> Field:
        column = self.table.columns.get(field.name)
        if column is None or field.primary_key:
            return field
        told, default = _told(column), _default(column)
        if told is not None:
            kind, options = told
            field = kind(
                field.name, nullable=field.nullable, required=field.required, unique=field.unique, **options
            )  # fmt: skip
        if isinstance(field, TimeField):
            field = _timed(field, column)
        if default is MISSING or field.auto_now:
            return field
        return field.named(field.name, default=default, load_default=default, required=False)

    def column(self, field: Field, stored: str, lie: Callable[[Field], Column | None]) -> Column | None:
        """How a field lies in a column of a type, where `lie` says how one of plain values would."""
        column = self.table.columns.get(field.name)
        if column is not None and isinstance(column.type, TypeDecorator):
            plain = lie(_plain_field(field.name, column.type))
            wrap = _Decorated(field, column.type, self._engine.dialect)
            return None if plain is None else replace(plain, storage=wrap.storage(plain.storage))
        if column is not None and isinstance(column.type, sqlalchemy.Uuid) and "uuid" not in stored.lower():
            plain = lie(made.TextField(field.name))
            return None if plain is None else replace(plain, storage=hexadecimal(plain.storage))
        return lie(field)


def _told(column: sqlalchemy.Column[Any]) -> tuple[type[Field], dict[str, Any]] | None:
    """The field that a declared type asks for, where the catalogue would not tell it."""
    if isinstance(column.type, sqlalchemy.Enum):
        return made.ChoiceField, {"choices": tuple(column.type.enums)}
    if isinstance(column.type, sqlalchemy.Uuid):
        return made.UUIDField, {}
    if isinstance(column.type, TypeDecorator):
        kind = _FIELDS.get(column.type.python_type)
        return None if kind is None else (kind, {})
    return None


def _timed(field: Field, column: sqlalchemy.Column[Any]) -> Field:
    """A date or moment, set as SQLAlchemy would: at every write, or where it is left out at the first."""
    if column.onupdate is not None:
        return field.named(field.name, auto_now=True, dump_only=True, required=False)
    if column.default is not None and isinstance(getattr(column.default, "arg", None), _NOW):
        now = partial(_now, field)
        return field.named(field.name, default=now, load_default=now, required=False)
    return field


def _now(field: Field) -> Any:
    return field.at(datetime.datetime.now(datetime.UTC))


def _default(column: sqlalchemy.Column[Any]) -> Any:
    """What SQLAlchemy would fill in, a value or a function of no arguments; MISSING where that is SQL or nothing."""
    default = column.default
    if default is None or not (default.is_scalar or default.is_callable):
        return MISSING
    given = default.arg  # type: ignore[attr-defined]
    return (lambda: given(None)) if default.is_callable else given


def _plain_field(name: str, decorator: TypeDecorator[Any]) -> Field:
    """The field of the values that a decorator keeps."""
    kind = _FIELDS.get(decorator.impl_instance.python_type, made.TextField)
    return kind(name)


class _Decorated:
    """Values as a type decorator keeps them. Equality is that of what is kept, and so are order and text operators."""

    def __init__(self, field: Field, decorator: TypeDecorator[Any], dialect: Any) -> None:
        self.field = field
        self.decorator = decorator
        self.dialect = dialect

    def storage(self, plain: Storage) -> Storage:
        """The storage of plain values, with the decorator's processing around it."""

        def encode(value: Any) -> Any:
            kept = self._kept(value)
            return kept if plain.encode is None or kept is None else plain.encode(kept)

        def decode(value: Any) -> Any:
            kept = value if plain.decode is None else plain.decode(value)
            return self.field.coerce(self.decorator.process_result_value(kept, self.dialect))

        return Storage(plain.declared, plain.types, encode, decode, collation=plain.collation)

    def _kept(self, value: Any) -> Any:
        try:
            return self.decorator.process_bind_param(value, self.dialect)
        except MISFITS as exc:
            raise ValidationError(Fault("invalid", "is not what the column keeps")) from exc
