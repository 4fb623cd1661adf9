"""The compiled load and the plain one agree: on every schema, every constraint, every body, whole and partial."""

from __future__ import annotations

import datetime
import math
import uuid
from decimal import Decimal
from typing import Any

import marshmallow
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from marshmallow import validate as checks

from rest_kit import models
from rest_kit.errors import Fault, ValidationError
from rest_kit.models import Field, Model

NAMES = ["a", "b c", "class", "x.y", "'\"\\", "é", "data", "v", "get"]


def is_odd(value: int) -> bool:
    return value % 2 == 1


def no_x(value: str) -> None:
    if "x" in value:
        raise ValueError("may not hold an x")


def refuse_zero(value: float) -> None:
    if value == 0:
        raise ValidationError(Fault("zero", "may not be zero"))


class Shouted(models.StringField):
    """A field that converts in its own way."""

    def convert(self, value: Any) -> str:
        return super().convert(value).upper()


class Even(models.IntegerField):
    """A field whose conversion fails with ValueError."""

    def convert(self, value: Any) -> int:
        if super().convert(value) % 2:
            raise ValueError("is odd")
        return int(value)


class Address(Model):
    fields = [models.StringField("street", required=True, max_length=5), models.DateField("since")]


MOMENT = datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)
common = {"nullable": st.sampled_from([None, True, False])}


def options(**own: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    presence = st.sampled_from([{}, {"required": True}, {"read_only": True}])
    return st.builds(
        lambda base, more: {**base, **more}, presence, st.fixed_dictionaries({}, optional={**common, **own})
    )


def field(cls: Any, **own: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return options(**own).map(lambda chosen: lambda name: cls(name, **without_clash(chosen)))


def without_clash(chosen: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in chosen.items() if not (k == "default" and chosen.get("required"))}


fields = st.one_of(
    field(
        models.IntegerField,
        min=st.integers(-3, 0),
        max=st.integers(1, 3),
        default=st.just(1),
        validate=st.sampled_from([is_odd, [is_odd, refuse_zero], checks.NoneOf([3])]),
    ),
    field(
        models.StringField,
        min_length=st.integers(0, 1),
        max_length=st.integers(3, 4),
        regex=st.sampled_from(["[a-z]*", "a|ab"]),
        validate=st.just(no_x),
        default=st.just(str),
    ),
    field(models.StringField, choices=st.just(["a", "b", ""])),
    field(models.FloatField, min=st.just(-1), max=st.just(1.5), validate=st.just(refuse_zero), default=st.just(0.5)),
    field(models.BooleanField, default=st.booleans(), validate=st.just(checks.OneOf([False, True]))),
    field(models.DateField, min=st.just("2000-01-01"), max=st.just(datetime.date(2024, 1, 2))),
    field(models.DateTimeField, max=st.just("2024-01-02T00:00:00Z"), default=st.just(lambda: MOMENT)),
    field(models.TimestampField, min=st.just(0)),
    field(models.DecimalField, places=st.integers(0, 2), digits=st.integers(2, 4), min=st.just(-1)),
    field(models.UUIDField),
    field(lambda name, **o: models.ChoiceField(name, **{"choices": ["a", "b"], **o}), choices=st.just([1, 2])),
    field(models.DictField, default=st.just(dict)),
    field(models.ListField, max_length=st.integers(0, 2), default=st.just(list)),
    field(lambda name, **o: models.ListField(name, models.IntegerField(min=0), **o)),
    field(lambda name, **o: models.NestedField(name, Address, **o)),
    field(Shouted, max_length=st.integers(1, 3)),
    field(Even),
    field(models.JsonField),
    st.just(models.PkField),
    st.just(models.UUIDPkField),
    st.just(models.StringPkField),
)

VALUES: list[Any] = [
    *(None, True, False, -4, -1, 0, 1, 2, 3, 2**63, -(2**63), 2**63 - 1, 10**400),
    *(0.0, -0.0, 1.0, 1.5, -1.5, math.nan, math.inf, 1e308),
    *(Decimal("0.5"), Decimal("1e500"), Decimal("NaN"), Decimal("-0.0"), Decimal("1.25"), Decimal(1)),
    *("", "a", "ab", "ab\n", "x", "abcd", "é", "a\0", "\ud800", "1", "1.5", "-0", "1e5", ".", "..", "NaN"),
    *("2024-01-01", "2024-01-02", "2024-02-30", "1999-12-31", "20240101", "2024-W01-1", "２０２４-01-01"),
    *("2024-01-01T00:00:00Z", "2024-01-02T01:00:00+01:00", "2024-01-01 10:00", "0001-01-01T00:00:00+14:00"),
    *(str(uuid.UUID(int=7)), "{" + str(uuid.UUID(int=7)) + "}"),
    *([], [1], [1, -1, None], ["a"], {}, {"a": [1.5]}, {"a": {1}}),
    *({"street": "s"}, {"street": "s", "since": "x"}, {"street": None}, {"zip": 1}),
]
values = st.sampled_from(VALUES)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Model, dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    made = [draw(fields)(name) for name in names]
    keys = [one for one in made if one.primary_key]
    kept = [one for one in made if not one.primary_key or one is keys[0]]
    body = draw(st.fixed_dictionaries({}, optional={**dict.fromkeys(names, values), "unknown": st.none()}))
    return Model.of("Random", kept), body


def plain(model: Model, body: Any, *, partial: bool) -> Any:
    try:
        return model._plain_load(body, partial=partial)
    except ValidationError:
        return None


def comparable(record: Any) -> Any:
    """Random keys aside, in a form that tells -0.0 from 0.0 and shows the order of names."""
    return None if record is None else repr({k: v for k, v in record.items() if not is_random(v)})


def is_random(value: Any) -> bool:
    return isinstance(value, uuid.UUID) and value.version == 4


@settings(max_examples=700, deadline=None)
@given(cases(), st.booleans())
def test_compiled_and_plain_agree(case: tuple[Model, dict[str, Any]], partial: bool) -> None:
    model, body = case
    compiled = (model._compiled_partial if partial else model._compiled_load)(body)
    expected = plain(model, body, partial=partial)
    note([(type(one), one.required, one.nullable, one.default, one.read_only, one.validators) for one in model.fields])
    assert comparable(compiled) == comparable(expected)


@pytest.mark.parametrize("nullable", [True, False, None])
@settings(max_examples=150, deadline=None)
@given(made=fields)
def test_every_value_in_every_field(made: Any, nullable: bool | None) -> None:
    one = made("f")
    if nullable is not None and not one.primary_key:
        one = one.named("f", nullable=nullable, allow_none=nullable)
    note((type(one), one.required, one.nullable, one.default, one.read_only, one.validators))
    model = Model.of("One", [one])
    for value in VALUES:
        for partial, compiled in ((True, model._compiled_partial), (False, model._compiled_load)):
            body = {"f": value}
            assert comparable(compiled(body)) == comparable(plain(model, body, partial=partial)), value


@settings(max_examples=300, deadline=None)
@given(cases())
def test_what_is_loaded_has_the_exact_types_of_the_kinds(case: tuple[Model, dict[str, Any]]) -> None:
    model, body = case
    record = plain(model, body, partial=False)
    if record is None:
        return
    assert list(record) == [one.name for one in model.fields if not one.generated]
    for name, value in record.items():
        one = model.by_name[name]
        if value is not None and not isinstance(one, models.JsonField):
            assert type(value) is one.kind.python_type
            assert one.parse(one.format(value)) == value or not one.kind.is_scalar
            assert one.coerce(value) == value


def agree_on(one: Field, value: Any) -> Any:
    model = Model.of("One", [one])
    compiled, expected = model._compiled_load({one.name: value}), plain(model, {one.name: value}, partial=False)
    assert comparable(compiled) == comparable(expected)
    return None if compiled is None else compiled[one.name]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_any_text_as_a_date_a_time_a_string(text: str) -> None:
    agree_on(models.DateField("x"), text)
    agree_on(models.DateTimeField("x"), text)
    agree_on(models.StringField("x"), text)


@settings(max_examples=300, deadline=None)
@given(
    st.from_regex(
        r"[0-9]{4}-?(W?[0-9]{2})-?[0-9]{1,2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?Z?)?", fullmatch=True
    )
)
def test_what_looks_like_a_time(text: str) -> None:
    agree_on(models.DateField("x"), text)
    agree_on(models.DateTimeField("x"), text)


@settings(max_examples=200, deadline=None)
@given(st.integers() | st.floats() | st.decimals())
def test_any_number(number: Any) -> None:
    agree_on(models.IntegerField("x"), number)
    agree_on(models.FloatField("x"), number)
    agree_on(models.DecimalField("x"), number)


def test_a_misfit_makes_the_compiled_load_answer_none() -> None:
    model = Model.of("One", [models.IntegerField("a", required=True)])
    assert model._compiled_load({"a": 1}) == {"a": 1}
    for body in ({}, {"a": "1"}, {"a": 1, "b": 2}, [], None, "a"):
        assert model._compiled_load(body) is None


def test_no_text_of_a_users_becomes_code() -> None:
    name = "x'] = __import__('os').abort() #\n"
    model = Model.of("Bad", [models.StringField(name, default="'\"\n\\"), models.StringField("{v}", choices=["{c}"])])
    assert model.load({"{v}": "{c}"}) == {name: "'\"\n\\", "{v}": "{c}"}


def test_a_field_whose_deserialize_is_overridden_is_asked() -> None:
    class Trimmed(models.StringField):
        def deserialize(self, value: Any, attr: Any = None, data: Any = None, **kwargs: Any) -> Any:
            return super().deserialize(value.strip() if isinstance(value, str) else value, attr, data, **kwargs)

    assert agree_on(Trimmed("a", max_length=2), "  ab ") == "ab"
    assert agree_on(Trimmed("a", max_length=2), "abc") is None


def test_an_error_that_is_no_verdict_is_not_swallowed() -> None:
    def broken(value: int) -> object:
        return value / 0

    model = Model.of("Broken", [models.IntegerField("a", validate=broken)])
    with pytest.raises(ZeroDivisionError):
        model.load({"a": 1})


def test_a_marshmallow_error_from_a_validator() -> None:
    def never(value: object) -> None:
        raise marshmallow.ValidationError("never")

    assert agree_on(models.IntegerField("a", validate=never), 1) is None
