"""The fields of one value each: numbers, text, truth, time, UUIDs, choices.

Strict both ways: "5" is not 5, true is not 1, 1.0 is not the integer 1, and what comes out has the exact type.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Unpack

from marshmallow import fields as ma

from rest_kit.models import coercion, scalars
from rest_kit.models.constraints import AtLeast, AtMost, Constraint, FullMatch, LongEnough, ShortEnough
from rest_kit.models.field import Field
from rest_kit.models.options import (
    BoundOptions,
    DecimalOptions,
    FieldOptions,
    TextOptions,
    TimeOptions,
)
from rest_kit.types import INT64_MAX, INT64_MIN, Kind


class OrderedField(Field):
    """A field whose values have an order: `min` and `max` are both allowed themselves."""

    option_names = BoundOptions.__annotations__
    texts: ClassVar[Mapping[str, str]] = {
        "min": "must be at least {min}",
        "max": "must be at most {max}",
    }

    def constraints(self) -> list[Constraint]:
        found = super().constraints()
        if self.min is not None:
            found.append(self.spoken(AtLeast(self.min), self.format(self.min)))
        if self.max is not None:
            found.append(self.spoken(AtMost(self.max), self.format(self.max)))
        return found


class IntegerField(OrderedField, ma.Integer):
    """A 64-bit integer."""

    kind = Kind.INTEGER
    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not an integer",
        "range": "is beyond the 64 bits of an integer",
    }

    def __init__(self, name: str = "", **options: Unpack[BoundOptions]) -> None:
        super().__init__(name, **options)

    def convert(self, value: Any) -> int:
        if type(value) is not int:
            raise self.make_error("type")
        if not INT64_MIN <= value <= INT64_MAX:
            raise self.make_error("range")
        return value


class FloatField(OrderedField, ma.Float):
    """A finite double; an integer is taken as one."""

    kind = Kind.FLOAT
    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not a number",
        "range": "is beyond the range of a double",
    }

    def __init__(self, name: str = "", **options: Unpack[BoundOptions]) -> None:
        super().__init__(name, **options)

    def convert(self, value: Any) -> float:
        if type(value) not in (int, float, Decimal):
            raise self.make_error("type")
        try:
            return coercion.to_float(value)
        except ValueError as exc:
            raise self.make_error("range") from exc


class DecimalField(OrderedField, ma.Decimal):
    """An exact number of at most `digits` digits, `places` of them behind the point (None: any); shown as a string.

    Taken from a string or from a number's own digits; fewer places are filled up with zeros, more are refused.
    """

    kind = Kind.DECIMAL
    option_names = DecimalOptions.__annotations__
    digits: int | None
    places: int | None  # type: ignore[assignment]
    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not a number",
        "digits": "has more than {digits} digits",
        "places": "has more than {places} decimal places",
    }

    def __init__(self, name: str = "", **options: Unpack[DecimalOptions]) -> None:
        super().__init__(name, **options)

    def settle(self, options: Mapping[str, Any]) -> None:
        self.digits = options.get("digits")
        self.places = options.get("places")
        super().settle(options)

    def typed_option(self, option: str, value: Any) -> Any:
        # a bound may be one that no value reaches, and so have more digits than a value
        return coercion.to_decimal(value) if option in ("min", "max") else super().typed_option(option, value)

    @property
    def plain(self) -> bool:
        # str(Decimal) turns to an exponent from the seventh place on, and the encoder writes str
        return self.places is not None and self.places <= 6 and self.shown_as(DecimalField)

    def convert(self, value: Any) -> Decimal:
        if type(value) not in (str, int, float, Decimal):
            raise self.make_error("type")
        try:
            number = coercion.to_decimal(value)
        except ValueError as exc:
            raise self._too_long() if _is_number(value) else self.make_error("type") from exc
        return self._sized(number)

    def _sized(self, number: Decimal) -> Decimal:
        if self.places is not None:
            try:
                number = scalars.with_places(number, self.places)
            except ValueError as exc:
                raise self.make_error("places", places=self.places) from exc
        if self.digits is not None and scalars.count_digits(number) > self.digits:
            raise self._too_long()
        return number

    def _too_long(self) -> Exception:
        return self.make_error("digits", digits=self.digits or scalars.MAX_DECIMAL_DIGITS)

    def coerce(self, value: Any) -> Any:
        number = super().coerce(value)
        return number if number is None or self.places is None else scalars.with_places(number, self.places)

    def parse(self, text: str) -> Any:
        number = scalars.parse_decimal(text)
        try:
            return number if self.places is None else scalars.with_places(number, self.places)
        except ValueError:
            return number  # in a filter, a number that no record can hold is a question like any other

    def to_json(self, value: Any) -> Any:
        return scalars.format_decimal(value)


def _is_number(value: Any) -> bool:
    """Whether a value that could not be taken is one all the same, only too long."""
    return type(value) is int or (type(value) is Decimal and value.is_finite())


class BooleanField(Field, ma.Boolean):
    """true or false."""

    kind = Kind.BOOLEAN
    texts: ClassVar[Mapping[str, str]] = {"type": "is not a boolean"}
    spelling: tuple[str, str] = ("true", "false")
    """How text spells the two; `True` and `False` in some files."""

    def __init__(self, name: str = "", **options: Unpack[FieldOptions]) -> None:
        super().__init__(name, **options)

    def parse(self, text: str) -> bool:
        return text == self.spelling[0] if text in self.spelling else scalars.parse_boolean(text)

    def format(self, value: Any) -> str:
        return self.spelling[0] if value else self.spelling[1]

    def convert(self, value: Any) -> bool:
        if type(value) is not bool:
            raise self.make_error("type")
        return value


class StringField(Field, ma.String):
    """Text; `min_length` and `max_length` count code points, `regex` must match the whole of it."""

    kind = Kind.STRING
    option_names = TextOptions.__annotations__
    min_length: int | None
    max_length: int | None
    regex: re.Pattern[str] | None
    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not a string",
        "text": "holds a NUL or a lone surrogate",
        "min_length": "must be at least {min_length} characters long",
        "max_length": "must be at most {max_length} characters long",
        "regex": "does not have the required form",
    }

    def __init__(self, name: str = "", **options: Unpack[TextOptions]) -> None:
        super().__init__(name, **options)

    def settle(self, options: Mapping[str, Any]) -> None:
        self.min_length = options.get("min_length")
        self.max_length = options.get("max_length")
        try:
            self.regex = None if options.get("regex") is None else re.compile(options["regex"])
        except (re.error, TypeError) as exc:
            self.regex = None
            self._note(f"regex={options['regex']!r} is not a pattern: {exc}")
        super().settle(options)

    def constraints(self) -> list[Constraint]:
        found = super().constraints()
        if self.min_length:
            found.append(self.spoken(LongEnough(self.min_length), str(self.min_length)))
        if self.max_length is not None:
            found.append(self.spoken(ShortEnough(self.max_length), str(self.max_length)))
        if self.regex is not None:
            found.append(self.spoken(FullMatch(self.regex), self.regex.pattern))
        return found

    def convert(self, value: Any) -> str:
        if type(value) is not str:
            raise self.make_error("type")
        if not scalars.storable(value):
            raise self.make_error("text")
        return value


class TextField(StringField):
    """Text of any length; a store may keep it apart from short strings."""


class ChoiceField(Field):
    """One of a few values, all of them strings or all of them integers."""

    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not one of the choices",
        "text": "is not one of the choices",
        "range": "is not one of the choices",
    }

    def __init__(self, name: str = "", **options: Unpack[FieldOptions]) -> None:
        super().__init__(name, **options)

    def settle(self, options: Mapping[str, Any]) -> None:
        choices = tuple(options.get("choices") or ())
        kinds = {type(choice) for choice in choices}
        alike = kinds in ({str}, {int})
        if not alike:
            self._note("choices must be given, either all strings or all integers")
        self.kind = Kind.INTEGER if kinds == {int} else Kind.STRING
        super().settle({**options, "choices": choices if alike else None})

    def convert(self, value: Any) -> Any:
        if type(value) is not self.kind.python_type:
            raise self.make_error("type")
        if self.choices is not None and value not in self.choices:
            raise self.make_error("choices", choices=self.shown_choices())
        return value


class UUIDField(Field, ma.UUID):
    """A UUID, written in its 36 characters."""

    kind = Kind.UUID
    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not a UUID",
    }

    def __init__(self, name: str = "", **options: Unpack[FieldOptions]) -> None:
        super().__init__(name, **options)

    def convert(self, value: Any) -> uuid.UUID:
        if type(value) is not str:
            raise self.make_error("type")
        try:
            return scalars.parse_uuid(value)
        except ValueError as exc:
            raise self.make_error("type") from exc

    @property
    def plain(self) -> bool:
        return self.shown_as(UUIDField)

    def to_json(self, value: Any) -> Any:
        return str(value)


class TimeField(OrderedField):
    """A field that can set itself: `auto_now` at every write, `auto_now_add` at the first; clients then never do."""

    option_names = TimeOptions.__annotations__

    def __init__(self, name: str = "", **options: Any) -> None:
        if options.get("auto_now") or options.get("auto_now_add"):
            options = {"nullable": False, **options, "read_only": True}
        super().__init__(name, **options)

    def settle(self, options: Mapping[str, Any]) -> None:
        self.auto_now = options.get("auto_now", False)
        self.auto_now_add = options.get("auto_now_add", False)
        super().settle(options)


class DateField(TimeField, ma.Date):  # type: ignore[misc]
    """A calendar date, `YYYY-MM-DD`."""

    kind = Kind.DATE
    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not a date of the form YYYY-MM-DD",
    }

    def __init__(self, name: str = "", **options: Unpack[TimeOptions]) -> None:
        super().__init__(name, **options)

    def convert(self, value: Any) -> datetime.date:
        if type(value) is not str:
            raise self.make_error("type")
        try:
            return scalars.parse_date(value)
        except ValueError as exc:
            raise self.make_error("type") from exc

    @property
    def plain(self) -> bool:
        return self.shown_as(DateField)

    def to_json(self, value: Any) -> Any:
        return value.isoformat()

    def at(self, now: datetime.datetime) -> datetime.date:
        return now.date()


class DateTimeField(TimeField, ma.DateTime):  # type: ignore[misc]
    """A moment as in RFC 3339, kept in UTC; without an offset it is UTC."""

    kind = Kind.DATETIME
    texts: ClassVar[Mapping[str, str]] = {
        "type": "is not a date and time as in RFC 3339",
    }

    def __init__(self, name: str = "", **options: Unpack[TimeOptions]) -> None:
        super().__init__(name, **options)

    def convert(self, value: Any) -> datetime.datetime:
        if type(value) is not str:
            raise self.make_error("type")
        try:
            return scalars.parse_datetime(value)
        except ValueError as exc:
            raise self.make_error("type") from exc

    @property
    def plain(self) -> bool:
        return self.shown_as(DateTimeField)

    def to_json(self, value: Any) -> Any:
        return scalars.format_datetime(value)

    def _bind_to_schema(self, field_name: str, parent: Any) -> None:
        # what is bound is a schema's copy, in which apispec looks for marshmallow's format string: none is ISO
        super()._bind_to_schema(field_name, parent)  # type: ignore[no-untyped-call]
        vars(self)["format"] = None


class TimestampField(TimeField, FloatField):
    """A moment as seconds since the epoch, a float."""

    option_names = TimeOptions.__annotations__

    def __init__(self, name: str = "", **options: Unpack[TimeOptions]) -> None:
        super().__init__(name, **options)

    def at(self, now: datetime.datetime) -> float:
        return now.timestamp()
