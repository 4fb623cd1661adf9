"""The field that all others extend: a marshmallow field with a name, a kind, and options checked when it is declared.

A value goes in as JSON (`deserialize`: null checked, converted strictly, held against the constraints and the
validators) and comes out as the Python type of the field's kind. Stores use `parse`, `format` and `coerce`, which
know the kind but not the constraints: what is stored already is not validated again.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Self

import marshmallow
import msgspec
from marshmallow import fields as ma
from marshmallow import validate as checks

from rest_kit.errors import ConfigurationError, Fault, ValidationError
from rest_kit.models import scalars
from rest_kit.models.coercion import COERCERS
from rest_kit.models.constraints import Constraint, Message, OneOf
from rest_kit.models.faults import faults_of
from rest_kit.models.options import FieldOptions, Validator, contradictions, misfits_of, unknown_codes
from rest_kit.types import MISSING, Kind, Missing


class NotAKey(msgspec.Struct, frozen=True):
    """Stands in a body for a value that is no key of the resource meant, and says why, to whatever field gets it."""

    detail: str


class Field(ma.Field[Any]):
    """One named value of a record.

    `required`: a create must bring it. `default`: a value, or a callable without arguments, for when it is left out.
    `nullable`: null is a value; unless said, true where the field is neither required nor has a default.
    `read_only`: clients never set it; `write_only`: they never see it. `unique`: no two records share it (nulls
    aside). `choices`: the only values allowed. `validate`: one or more callables taking the typed value; one that
    raises ValueError or ValidationError, or returns False, fails. `messages`: own texts, by error code. `help`: a
    sentence for the documentation. A wrong option raises ConfigurationError.
    """

    name: str
    kind: Kind = Kind.STRING
    primary_key: bool = False
    generated: bool = False
    """Whether the store makes the value when a record is inserted."""
    auto_now: bool = False
    """Whether the value is the time of the last write."""
    auto_now_add: bool = False
    """Whether the value is the time of the first write."""
    min: Any = None
    max: Any = None
    max_length: int | None = None
    digits: int | None = None
    places: int | None = None
    """Of an exact number: how many digits in all, and how many behind the point; None where any number will do."""
    item: Field | None = None
    """Of a list: the field of its values; None where they are any JSON."""
    model: Any = None
    """Of an object: its Model; None where it is any JSON."""
    comparable: bool = True
    """Whether lists can be searched, ordered and filtered by its values; where not, by whether there is one."""
    resource: str | None = None
    references: str | None = None
    """Of a reference: the resource, and the `table.column`, that it refers to."""
    related_name: str | None = None
    on_delete: str = "restrict"
    """Of a reference: what the other resource calls those that refer to it, and what becomes of them."""
    option_names: ClassVar[Collection[str]] = FieldOptions.__annotations__
    """Which options the class takes."""
    texts: ClassVar[Mapping[str, str]] = {
        "required": "is missing",
        "null": "may not be null",
        "invalid": "is not valid",
        "choices": "must be one of {choices}",
    }
    """What is said, by code; a class adds its own to those that it extends."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "_serialize" in vars(cls):
            problem = "how values are shown is for `to_json` to say; `_serialize` would not be asked"
            raise ConfigurationError(problem, owner=cls.__name__)

    def __init__(self, name: str = "", **options: Any) -> None:
        misfits = misfits_of(options, self.option_names) | unknown_codes(options, self._codes())
        usable = {key: value for key, value in options.items() if key not in misfits}
        self._problems = [] if isinstance(name, str) else [f"a field's name must be a text, not {name!r}"]
        self._problems += [*misfits.values(), *contradictions(usable)]
        super().__init__(**self._for_marshmallow(usable))
        vars(self).pop("format", None)  # marshmallow's fields of time keep a format string under this name
        self.name = name
        self._take(usable)
        if self._problems:
            raise ConfigurationError(self._problems, owner=repr(self))

    def _take(self, options: Mapping[str, Any]) -> None:
        self.unique: bool = options.get("unique", False)
        self.help: str = options.get("help", "")
        self.nullability: bool | None = options.get("nullable")
        self.settle(options)
        self._take_validators(options.get("validate", ()))

    def _for_marshmallow(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options in marshmallow's words."""
        given = {"description": options["help"]} if options.get("help") else {}
        return {
            "required": options.get("required", False),
            "dump_only": options.get("read_only", False),
            "load_only": options.get("write_only", False),
            "error_messages": self._texts() | dict(options.get("messages", {})),
            "metadata": given,
        }

    def _texts(self) -> dict[str, str]:
        """The texts of the class and of those that it extends, by code."""
        found: dict[str, str] = {}
        for cls in reversed(type(self).__mro__):
            found.update(vars(cls).get("texts", {}))
        return found

    def _codes(self) -> set[str]:
        """The codes of the errors that the field can make; marshmallow's own are not among them."""
        codes = set(self._texts())
        for cls in type(self).__mro__:
            if not cls.__module__.startswith("marshmallow."):
                codes.update(vars(cls).get("default_error_messages", {}))
        return codes

    def settle(self, options: Mapping[str, Any]) -> None:
        """Keep the options as typed values; what a class adds to the options it keeps here, before its parent does."""
        self.choices = self._settle_choices(options.get("choices"))
        self.min = self._declared("min", options.get("min"))
        self.max = self._declared("max", options.get("max"))
        if self.min is not None and self.max is not None and self.min > self.max:
            self._note(f"min={self.min} is more than max={self.max}")
        self.default: Any | Missing = options.get("default", MISSING)
        self._settle_null()

    def _settle_choices(self, choices: Iterable[Any] | None) -> tuple[Any, ...] | None:
        if choices is None:
            return None
        given = tuple(choices)
        if not given:
            self._note("choices must name at least one value")
        typed = [(value, self._declared("choices", value)) for value in given]
        return tuple(choice for value, choice in typed if choice is not None or value is None)

    def _settle_null(self) -> None:
        absent_is_null = not self.required and self.default is MISSING and not self.assigned
        self.nullable: bool = absent_is_null or self.default is None if self.nullability is None else self.nullability
        self.allow_none = self.nullable
        if not self.nullable and self.default is MISSING and self.writable:
            self.required = True  # nothing could take its place
        if self.default is None and not self.nullable:
            self._note("default=None needs nullable=True")
        if not callable(self.default) and self.default is not MISSING:
            self.default = self._declared("default", self.default)
        if self.default is not MISSING:
            self.load_default = self.default

    def _take_validators(self, given: Any) -> None:
        """The field's own constraints first, then the user's validators."""
        self.own_validators: tuple[Validator, ...] = (given,) if callable(given) else tuple(given)
        self.rules: tuple[Constraint, ...] = ()
        try:
            self.rules = tuple(self.constraints())
        except (KeyError, IndexError, ValueError) as exc:
            self._note(f"messages: a text cannot be formatted: {exc!r}")
        self.runners: tuple[Validator, ...] = tuple(map(self._runner, self.own_validators))
        self.validators = [*self.rules, *self.runners]
        if self.default is not MISSING and self.default is not None and not callable(self.default):
            broken = [rule.message for rule in self.rules if not rule.holds(self.default)]
            self._note(*(f"default={self.default!r} {message}" for message in broken))

    def _note(self, *problems: str) -> None:
        """Keep what is wrong with the declaration, to be told with all the rest when it has been read."""
        self._problems += problems

    def typed_option(self, option: str, value: Any) -> Any:
        """A value from the declaration, given as the Python type or as JSON would write it, as the Python type."""
        return self.coerce(value) if isinstance(value, self.kind.python_type) else self.convert(value)

    def _declared(self, option: str, value: Any) -> Any:
        """The same; None where there is none, or where it does not fit, which is noted."""
        if value is None:
            return None
        try:
            return self.typed_option(option, value)
        except marshmallow.ValidationError as exc:
            self._note(*(f"{option}={value!r} {fault.detail}" for fault in faults_of(exc.messages)))
        except ValueError as exc:
            self._note(f"{option}={value!r} does not fit: {exc}")
        return None

    # --- what is known of it ------------------------------------------------------------------------------------------

    @property
    def assigned(self) -> bool:
        """Whether the server makes the value: clients never bring it, not even in a create."""
        return self.generated

    @property
    def read_only(self) -> bool:
        """Whether clients never set it."""
        return self.dump_only

    @property
    def write_only(self) -> bool:
        """Whether clients never see it."""
        return self.load_only

    @property
    def writable(self) -> bool:
        """Whether clients may set it."""
        return not (self.dump_only or self.assigned)

    @property
    def plain(self) -> bool:
        """Whether msgspec writes the typed value as the very JSON that `to_json` says."""
        return self.shown_as(Field)

    def shown_as(self, cls: type[Field]) -> bool:
        """Whether values are shown as those of that class, no subclass having a form of its own."""
        return type(self).to_json is cls.to_json

    def constraints(self) -> list[Constraint]:
        """What is demanded of a typed value."""
        if self.choices is None:
            return []
        return [self.spoken(OneOf(self.choices), self.shown_choices())]

    def shown_choices(self) -> str:
        """The first twenty choices as a user would write them."""
        choices = self.choices or ()
        more = ", …" if len(choices) > 20 else ""
        return ", ".join(self.format(choice) for choice in choices[:20]) + more

    def spoken(self, rule: Constraint, shown: str) -> Constraint:
        """The constraint with the field's text for it; `shown` is its limit as a user would write it."""
        rule.say(str(self.error_messages[rule.code]), shown)
        return rule

    def named(self, name: str, **changes: Any) -> Self:
        """A copy under another name, with a few attributes changed."""
        twin = copy.copy(self)
        vars(twin).update(changes, name=name)
        return twin

    # --- from JSON and back -------------------------------------------------------------------------------------------

    def _runner(self, validator: Validator) -> Validator:
        """A user's validator, made to raise marshmallow's error when it returns False or raises ValueError."""
        # marshmallow's own validators return the value, which may well be False, and fail by raising alone
        may_return_false = isinstance(validator, checks.Validator)

        def run(value: Any) -> None:
            try:
                fine = validator(value) is not False or may_return_false
            except ValidationError as exc:
                raise as_marshmallow(exc.faults) from exc
            except ValueError as exc:
                raise marshmallow.ValidationError([Message(str(exc), "invalid")]) from exc
            if not fine:
                raise marshmallow.ValidationError([Message(str(self.error_messages["invalid"]), "invalid")])

        return run

    def make_error(self, key: str, **kwargs: Any) -> marshmallow.ValidationError:
        """marshmallow's error for one of the field's messages, carrying the key as its code."""
        text = str(self.error_messages[key])
        return marshmallow.ValidationError([Message(text.format(**kwargs) if kwargs else text, key)])

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, NotAKey):
            raise marshmallow.ValidationError([Message(value.detail, "reference")])
        try:
            return self.convert(value)
        except ValidationError as exc:
            raise as_marshmallow(exc.faults) from exc
        except ValueError as exc:
            raise marshmallow.ValidationError([Message(str(exc), "invalid")]) from exc

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else self.to_json(value)

    def convert(self, value: Any) -> Any:
        """A JSON value as the field's Python type; never given None (a ValidationError, or ValueError)."""
        raise NotImplementedError(f"{type(self).__name__} must say how JSON becomes its value")

    def to_json(self, value: Any) -> Any:
        """A typed value as JSON shows it: dict, list, text, number, boolean."""
        return value

    def as_sent(self, value: Any) -> Any:
        """A typed value as `convert` takes it back, for what a client leaves as it is."""
        return self.to_json(value)

    def as_given(self, value: Any, was: Any) -> Any:
        """A typed value that the server's own code gives in place of `was`, as `convert` takes it (ValueError)."""
        return self.as_sent(self.coerce(value))

    def to_stored(self, value: Any) -> Any:
        """A typed value as JSON that a store keeps: all of it, what clients never see included."""
        return self.to_json(value)

    def initial(self) -> Any:
        """The value of a record that leaves the field out, a fresh one each time (None without a default)."""
        if self.default is MISSING:
            return None
        if not callable(self.default):
            return self.coerce(self.default)
        made = self.default()
        try:
            return self.coerce(made)
        except ValueError as exc:
            raise ConfigurationError(f"default() returned {made!r}, {exc}", owner=repr(self)) from exc

    def at(self, now: datetime.datetime) -> Any:
        """The value that says `now` (aware, in UTC), for a field that sets itself."""
        return now

    # --- from text and back -------------------------------------------------------------------------------------------

    def parse(self, text: str) -> Any:
        """A value written as text, in a query string or a CSV cell (ValueError with a sentence)."""
        return scalars.PARSERS[self.kind](text)

    def format(self, value: Any) -> str:
        """A value as text, so that `parse` reads it back."""
        return scalars.FORMATTERS[self.kind](value)

    def coerce(self, value: Any) -> Any:
        """A value as its owner keeps it (typed, or text), as the field's Python type; None stays None (ValueError).

        The result is the caller's own: lists and dicts are copied.
        """
        if value is None:
            return None
        return COERCERS[self.kind](value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def as_marshmallow(faults: list[Fault]) -> marshmallow.ValidationError:
    """rest_kit's faults as the error that marshmallow gathers."""
    return marshmallow.ValidationError([Message(fault.detail, fault.code, fault.path) for fault in faults])
