"""A model: named fields in order, a primary key, and rules over the whole object.

The class is what a user declares; its instance (`PersonModel()`) is what stores and controllers use, with everything
that can be decided beforehand decided: names, the key, the compiled loads. JSON comes in through `load`, goes out
through `dump`; `check` runs the rules over a record before it is written.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import marshmallow

from rest_kit.errors import ConfigurationError, ValidationError
from rest_kit.models.compile import compile_load, compile_partial
from rest_kit.models.declaration import declaration_problems, key_of, stray_problems
from rest_kit.models.field import Field
from rest_kit.models.plain import PlainLoad, assigned
from rest_kit.models.rules import ObjectRule, UniqueTogether, run_rule
from rest_kit.models.schemas import schema_class_of
from rest_kit.query import Order
from rest_kit.types import Kind, Record


class Model:
    """Declares what a record looks like: `fields`, a list of named fields, and `validators` over the whole object.

    A validator is `UniqueTogether(...)`, or a function of the record that returns False or raises ValueError or
    ValidationError where it fails. A declaration that cannot be meant raises ConfigurationError with every mistake.
    """

    fields: ClassVar[Sequence[Field]] = ()
    validators: ClassVar[Sequence[UniqueTogether | ObjectRule]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        problems = stray_problems(vars(cls), dir(Model), cls.fields, cls.validators)
        problems += declaration_problems(cls.fields, cls.validators)
        if problems:
            raise ConfigurationError(problems, owner=cls.__name__)

    def __init__(self) -> None:
        self.name: str = type(self).__name__
        self.by_name: dict[str, Field] = {field.name: field for field in self.fields}
        self.names: tuple[str, ...] = tuple(self.by_name)
        self.pk: Field | None = key_of(self.fields)
        self.readable: tuple[str, ...] = tuple(f.name for f in self.fields if not f.write_only)
        self.writable: tuple[str, ...] = tuple(f.name for f in self.fields if f.writable)
        self.unique_sets: tuple[tuple[str, ...], ...] = self._unique_sets()
        self.rules: tuple[ObjectRule, ...] = tuple(_rules_of(self.validators))
        self._forms = [(f.name, f.to_json) for f in self.fields if not f.plain]
        self.dumps_plain: bool = not self._forms
        """Whether every value may go to the encoder as it is, so that `dump` has nothing to do."""
        self.concealed: frozenset[str] = frozenset()
        """The fields that clients neither see nor set, so that for them there are none of that name."""
        self.exact_numbers: bool = any(_is_exact(field) for field in self.fields)
        """Whether bodies must be parsed with `exact`, because a field takes more digits than a double has."""
        self._prepare()

    def _prepare(self) -> None:
        """Make the loads."""
        self._plain_load = PlainLoad(self.by_name, self.concealed)
        self._compiled_load = compile_load(self.fields)
        self._compiled_partial = compile_partial(self.fields)

    def _unique_sets(self) -> tuple[tuple[str, ...], ...]:
        alone = [(field.name,) for field in self.fields if field.unique and field is not self.pk]
        together = [tuple(rule.fields) for rule in self.validators if isinstance(rule, UniqueTogether)]
        return tuple(dict.fromkeys(alone + together))

    # --- making others ------------------------------------------------------------------------------------------------

    @classmethod
    def of(cls, name: str, fields: Sequence[Field], validators: Sequence[Any] = ()) -> Model:
        """A model made while the program runs: inferred, reflected, or extended (ConfigurationError)."""
        made = type(name, (cls,), {"fields": list(fields), "validators": list(validators), "__module__": __name__})
        model = made()
        assert isinstance(model, Model)
        return model

    @classmethod
    def from_schema(cls, schema: type[marshmallow.Schema] | marshmallow.Schema) -> Model:
        """The model that a marshmallow schema describes; it goes on loading through the schema (ConfigurationError)."""
        # the adapter extends this very class
        from rest_kit.models.adapted import model_of_schema

        return model_of_schema(schema)

    def with_pk(self, field: Field) -> Model:
        """The same model with a primary key put first, in place of a field of that name."""
        others = [other for other in self.fields if other.name != field.name]
        return self.of(self.name, [field, *others], self.validators)

    def seen_without(self, hidden: Collection[str], fixed: Collection[str]) -> Self:
        """The same model for somebody who may not read some fields, and not set some; its records are the same."""
        twin = copy.copy(self)
        vars(twin).pop("schema_class", None)
        twin.by_name = {
            name: field.named(
                name, load_only=field.load_only or name in hidden, dump_only=field.dump_only or name in fixed
            )
            for name, field in self.by_name.items()
        }
        vars(twin)["fields"] = tuple(twin.by_name.values())
        twin.pk = key_of(twin.fields)
        twin.readable = tuple(name for name in self.readable if name not in hidden)
        twin.writable = tuple(name for name in self.writable if name not in fixed)
        twin.concealed = frozenset(self.names).difference(twin.readable, twin.writable)
        twin._prepare()
        return twin

    @cached_property
    def schema_class(self) -> type[marshmallow.Schema]:
        """The fields as a marshmallow schema, for what reads schemas (apispec)."""
        return schema_class_of(self.name, self.fields)

    # --- reading ------------------------------------------------------------------------------------------------------

    def full_order(self, order: Sequence[Order]) -> tuple[Order, ...]:
        """The order with the primary key as its last tie-break."""
        assert self.pk is not None
        if any(key.field == self.pk.name for key in order):
            return tuple(order)
        return (*order, Order(self.pk.name))

    def dump(self, record: Record) -> Record:
        """The record, or some of its fields, with values that `jsonio.encode` writes as the field says.

        A model with `dumps_plain` returns the very record; any other a copy.
        """
        if self.dumps_plain:
            return record
        shown = dict(record)
        for name, to_json in self._forms:
            if shown.get(name) is not None:
                shown[name] = to_json(shown[name])
        return shown

    def json_value(self, name: str, value: Any) -> Any:
        """A field's typed value as JSON shows it: dates, UUIDs and exact numbers as text."""
        return None if value is None else self.by_name[name].to_json(value)

    # --- writing ------------------------------------------------------------------------------------------------------

    def load(self, data: Any, *, partial: bool = False) -> Record:
        """What a client sent, as typed values in the model's order (ValidationError with every fault at once).

        A whole object comes out with every field but a key that the store makes: what was not given has its default,
        or None. With `partial`, what was given comes out.
        """
        record = (self._compiled_partial if partial else self._compiled_load)(data)
        return self._plain_load(data, partial=partial) if record is None else record

    def assign(self, values: Mapping[str, Any], was: Mapping[str, Any]) -> Record:
        """What the server's own code gives to fields of a record, typed or as JSON, as typed values (ValidationError).

        They are held to what clients' values are held to, but that read-only fields may be set as well. `was` is the
        record before. A name that no field has is a LookupError.
        """
        return assigned(self.by_name, values, was)

    def touch(self, record: Record, now: datetime.datetime | None = None) -> None:
        """Set the fields that tell the time of the last write, in place."""
        now = datetime.datetime.now(datetime.UTC) if now is None else now
        for field in self.fields:
            if field.auto_now:
                record[field.name] = field.at(now)

    def check(self, record: Record) -> None:
        """Run the rules over the whole object (ValidationError); uniqueness is the store's to check."""
        faults = [fault for rule in self.rules for fault in run_rule(rule, record)]
        if faults:
            raise ValidationError(faults)

    def __repr__(self) -> str:
        return f"<{self.name}: {', '.join(self.names)}>"


def _rules_of(validators: Iterable[Any]) -> list[ObjectRule]:
    return [rule for rule in validators if not isinstance(rule, UniqueTogether)]


def _is_exact(field: Field) -> bool:
    """Whether an exact number may stand in the field, or somewhere within it."""
    if field.kind is Kind.DECIMAL:
        return True
    return (field.item is not None and _is_exact(field.item)) or (field.model is not None and field.model.exact_numbers)
