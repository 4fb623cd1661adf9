"""What each field takes, what it makes of it, and what it says of the rest."""

from __future__ import annotations

import datetime
import enum
import uuid
from decimal import Decimal
from typing import Any

import marshmallow
import pytest
from marshmallow import validate as checks

from rest_kit import models
from rest_kit.errors import ConfigurationError, Fault, ValidationError
from rest_kit.models import Field, Model
from rest_kit.types import Kind

UTC = datetime.UTC
ONE = uuid.UUID(int=1)


def faults(field: Field, value: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(ValidationError) as caught:
        Model.of("One", [field]).load({field.name: value})
    return [(fault.code, fault.pointer, fault.detail) for fault in caught.value.faults]


def code(field: Field, value: Any) -> str:
    ((found, _, _),) = faults(field, value)
    return found


def load(field: Field, value: Any) -> Any:
    return Model.of("One", [field]).load({field.name: value})[field.name]


class Address(Model):
    fields = [
        models.StringField("street", required=True),
        models.DateField("since"),
        models.StringField("pin", write_only=True),
    ]
    validators = [lambda record: record["street"] != "nowhere"]


@pytest.mark.parametrize(
    ("field", "value", "typed"),
    [
        (models.IntegerField("f"), 2**63 - 1, 2**63 - 1),
        (models.FloatField("f"), 3, 3.0),
        (models.FloatField("f"), Decimal("1.5"), 1.5),
        (models.TimestampField("f"), 1, 1.0),
        (models.DecimalField("f", places=2), "9.5", Decimal("9.50")),
        (models.DecimalField("f", places=2), "9.500", Decimal("9.50")),
        (models.DecimalField("f"), 1.1, Decimal("1.1")),
        (models.DecimalField("f"), 7, Decimal("7")),
        (models.DecimalField("f"), "1e3", Decimal("1000")),
        (models.DecimalField("f", places=30), "1", Decimal("1." + "0" * 30)),
        (models.DecimalField("f", digits=4, places=2), "-99.99", Decimal("-99.99")),
        (models.BooleanField("f"), False, False),
        (models.StringField("f"), "é\n", "é\n"),
        (models.DateField("f"), "2024-02-29", datetime.date(2024, 2, 29)),
        (models.DateTimeField("f"), "2024-01-01T00:00:00+02:00", datetime.datetime(2023, 12, 31, 22, tzinfo=UTC)),
        (
            models.DateTimeField("f"),
            "2024-01-01t00:00:00.5z",
            datetime.datetime(2024, 1, 1, 0, 0, 0, 500000, tzinfo=UTC),
        ),
        (models.DateTimeField("f"), "2024-01-01 10:00", datetime.datetime(2024, 1, 1, 10, tzinfo=UTC)),
        (models.UUIDField("f"), str(ONE).upper(), ONE),
        (models.ChoiceField("f", choices=[1, 2]), 2, 2),
        (models.ListField("f"), [1, Decimal("1.5"), {"a": [None]}], [1, 1.5, {"a": [None]}]),
        (models.ListField("f", models.DateField()), ["2024-01-01"], [datetime.date(2024, 1, 1)]),
        (models.ListField("f", models.IntegerField(nullable=True)), [1, None], [1, None]),
        (models.DictField("f"), {"a": -0.0}, {"a": 0.0}),
        (models.NestedField("f", Address), {"street": "s"}, {"street": "s", "since": None, "pin": None}),
        (models.JsonField("f"), "text", "text"),
    ],
)
def test_taken(field: Field, value: Any, typed: Any) -> None:
    found = load(field, value)
    assert repr(found) == repr(typed)
    assert field.coerce(found) == typed
    assert field.parse(field.format(found)) == typed


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (models.IntegerField("f"), "5", "type"),
        (models.IntegerField("f"), True, "type"),
        (models.IntegerField("f"), 1.0, "type"),
        (models.IntegerField("f"), Decimal(1), "type"),
        (models.IntegerField("f"), 2**63, "range"),
        (models.IntegerField("f", required=True), None, "null"),
        (models.IntegerField("f", min=3), 2, "min"),
        (models.IntegerField("f", max=3), 4, "max"),
        (models.IntegerField("f", choices=[1, 2]), 3, "choices"),
        (models.FloatField("f"), "1.5", "type"),
        (models.FloatField("f"), float("inf"), "range"),
        (models.FloatField("f"), 10**400, "range"),
        (models.FloatField("f"), Decimal("1e400"), "range"),
        (models.DecimalField("f"), "abc", "type"),
        (models.DecimalField("f"), "٣", "type"),
        (models.DecimalField("f"), "NaN", "type"),
        (models.DecimalField("f"), True, "type"),
        (models.DecimalField("f", places=2), "1.001", "places"),
        (models.DecimalField("f", digits=4, places=2), "100", "digits"),
        (models.DecimalField("f"), 10**1000, "digits"),
        (models.DecimalField("f"), Decimal("1e999999"), "digits"),
        (models.DecimalField("f", min="0.5"), "0.4", "min"),
        (models.BooleanField("f"), 1, "type"),
        (models.BooleanField("f"), "true", "type"),
        (models.StringField("f"), 5, "type"),
        (models.StringField("f"), "a\0", "text"),
        (models.StringField("f"), "\ud800", "text"),
        (models.StringField("f", min_length=2), "a", "min_length"),
        (models.StringField("f", max_length=2), "😀😀😀", "max_length"),
        (models.StringField("f", regex="[a-z]+"), "ab1", "regex"),
        (models.StringField("f", regex="[a-z]+"), "ab\n", "regex"),
        (models.DateField("f"), "2023-02-29", "type"),
        (models.DateField("f"), "20240101", "type"),
        (models.DateField("f", min="2024-01-01"), "2023-12-31", "min"),
        (models.DateTimeField("f"), "2024-01-01", "type"),
        (models.DateTimeField("f"), 5, "type"),
        (models.DateTimeField("f"), "0001-01-01T00:00:00+01:00", "type"),
        (models.UUIDField("f"), "0" * 32, "type"),
        (models.ChoiceField("f", choices=["a"]), "b", "choices"),
        (models.ChoiceField("f", choices=[0, 1]), True, "type"),
        (models.ListField("f"), {}, "type"),
        (models.ListField("f"), [2**63], "invalid"),
        (models.ListField("f", min_length=1), [], "min_length"),
        (models.ListField("f", max_length=1), [1, 2], "max_length"),
        (models.DictField("f"), [], "type"),
        (models.DictField("f"), {"a": "\0"}, "invalid"),
        (models.NestedField("f", Address), [], "type"),
        (models.NestedField("f", Address), {"street": "nowhere"}, "invalid"),
        (models.StringPkField("f"), "", "min_length"),
        (models.StringPkField("f"), "..", "invalid"),
        (models.PkField("f"), 1, "read_only"),
        (models.UUIDPkField("f"), str(ONE), "read_only"),
        (models.IntForeign("f"), "1", "type"),
        (models.StringForeign("f", max_length=1), "ab", "max_length"),
    ],
)
def test_refused(field: Field, value: Any, expected: str) -> None:
    assert code(field, value) == expected


def test_texts_name_the_bounds() -> None:
    assert faults(models.StringField("f", max_length=200), "x" * 201) == [
        ("max_length", "#/f", "must be at most 200 characters long")
    ]
    assert faults(models.DateField("f", max="2024-01-01"), "2024-01-02")[0][2] == "must be at most 2024-01-01"
    assert faults(models.ChoiceField("f", choices=["a", "b"]), "c")[0][2] == "must be one of a, b"
    assert faults(models.IntegerField("f"), "x")[0][2] == "is not an integer"
    assert faults(models.DecimalField("f", places=2), "0.001")[0][2] == "has more than 2 decimal places"


def test_own_texts_by_code() -> None:
    field = models.IntegerField(
        "f", min=1, messages={"min": "must be positive, {min} or more", "type": "{digits} only"}
    )
    assert faults(field, 0) == [("min", "#/f", "must be positive, 1 or more")]
    assert faults(field, "x") == [("type", "#/f", "{digits} only")]


def test_every_broken_constraint_is_reported() -> None:
    field = models.StringField("f", min_length=3, regex="[a-z]*", validate=lambda text: False)
    assert [found for found, _, _ in faults(field, "A")] == ["min_length", "regex", "invalid"]


def test_faults_within_lists_and_objects_name_the_way() -> None:
    field = models.ListField("f", models.NestedField(model=Address))
    found = faults(field, [{"street": "s"}, {"since": "x", "zip": 1}, None])
    assert [(one, pointer) for one, pointer, _ in found] == [
        ("unknown", "#/f/1/zip"),
        ("required", "#/f/1/street"),
        ("type", "#/f/1/since"),
        ("null", "#/f/2"),
    ]


def refuses_with_marshmallow(value: object) -> None:
    raise marshmallow.ValidationError(["one", "two"])


def refuses_with_fault(value: object) -> None:
    raise ValidationError([Fault("isbn", "is no ISBN", ("part",))])


def refuses_with_value_error(value: object) -> None:
    raise ValueError("not on a Sunday")


@pytest.mark.parametrize(
    ("validate", "expected"),
    [
        (lambda value: False, [("invalid", "#/f", "is not valid")]),
        (refuses_with_value_error, [("invalid", "#/f", "not on a Sunday")]),
        (refuses_with_fault, [("isbn", "#/f/part", "is no ISBN")]),
        (refuses_with_marshmallow, [("invalid", "#/f", "one"), ("invalid", "#/f", "two")]),
    ],
)
def test_own_validators(validate: Any, expected: Any) -> None:
    assert faults(models.IntegerField("f", validate=[lambda value: None, validate]), 0) == expected


def test_a_validator_of_marshmallow_returns_the_value_which_may_be_false() -> None:
    assert load(models.BooleanField("f", validate=checks.OneOf([False])), False) is False
    assert code(models.BooleanField("f", validate=checks.OneOf([False])), True) == "invalid"


def test_null_where_nothing_else_is_said() -> None:
    assert models.IntegerField("f").nullable
    assert not models.IntegerField("f", required=True).nullable
    assert not models.IntegerField("f", default=1).nullable
    assert models.IntegerField("f", default=None).nullable
    assert models.IntegerField("f", required=True, nullable=True).nullable
    assert not models.DateTimeField("f", auto_now=True).nullable
    assert not models.PkField().nullable
    assert models.IntegerField("f", nullable=False).required
    assert not models.IntegerField("f", nullable=False, read_only=True).required


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: models.StringField("f", max_lenght=3), "did you mean 'max_length'"),
        (lambda: models.IntegerField("f", max_length=3), "no option 'max_length'"),
        (lambda: models.StringField(3), "name must be a text"),
        (lambda: models.IntegerField("f", required=1), "required must be True or False, not 1"),
        (lambda: models.IntegerField("f", default="5"), "default='5' is not an integer"),
        (lambda: models.IntegerField("f", default=True), "default=True"),
        (lambda: models.IntegerField("f", required=True, default=1), "exclude one another"),
        (lambda: models.IntegerField("f", min=2, max=1), "min=2 is more than max=1"),
        (lambda: models.IntegerField("f", min=2, default=1), "default=1 must be at least 2"),
        (lambda: models.IntegerField("f", default=None, nullable=False), "nullable=True"),
        (lambda: models.IntegerField("f", choices=[]), "at least one"),
        (lambda: models.StringField("f", choices="abc"), "a list of values"),
        (lambda: models.StringField("f", regex="("), "not a pattern"),
        (lambda: models.StringField("f", min_length=3, max_length=2), "min_length=3 is more than max_length=2"),
        (lambda: models.StringField("f", max_length=-1), "a count"),
        (lambda: models.StringField("f", validate="x"), "callable"),
        (lambda: models.StringField("f", messages={"regex": "{nope}"}, regex="a"), "cannot be formatted"),
        (lambda: models.StringField("f", read_only=True, write_only=True), "exclude one another"),
        (lambda: models.DateField("f", min="2024-13-01"), "min='2024-13-01' is not a date"),
        (lambda: models.DecimalField("f", digits=1, places=2), "places=2 is more than digits=1"),
        (lambda: models.ChoiceField("f"), "choices must be given"),
        (lambda: models.ChoiceField("f", choices=["a", 1]), "all strings or all integers"),
        (lambda: models.ListField("f", models.IntegerField), "item must be a field"),
        (lambda: models.NestedField("f"), "must be a Model class"),
        (lambda: models.IntForeign("f", references="users"), "table.column"),
        (lambda: models.StringField("f", messages={"requird": "x"}), "no code 'requird'; did you mean 'required'"),
        (lambda: models.StringField("f", messages={"min": "x"}), "no code 'min'"),
        (lambda: models.UUIDField("f", messages={"invalid_uuid": "x"}), "no code 'invalid_uuid'"),
    ],
)
def test_a_wrong_declaration_names_the_mistake(make: Any, part: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (
            lambda: models.IntegerField("f", min="1", default="x", choices=[1, "a"], unique="yes", nope=1),
            [
                "unique must be True or False, not 'yes'",
                "no option 'nope'",
                "choices='a' is not an integer",
                "min='1' is not an integer",
                "default='x' is not an integer",
            ],
        ),
        (
            lambda: models.StringField(
                "f", regex="(", messages={"regx": "x"}, max_length=-1, default=None, required=True
            ),
            [
                "max_length must be a count",
                "messages: no code 'regx'; did you mean 'regex'",
                "required and default exclude",
                "regex='(' is not a pattern",
            ],
        ),
        (
            lambda: models.DateField("f", min="2024-02-30", max="tomorrow", default="2024-13-01", read_only="x"),
            ["read_only must be", "min='2024-02-30'", "max='tomorrow'", "default='2024-13-01'"],
        ),
        (
            lambda: models.ChoiceField("f", choices=["a", 1], unique=1),
            ["unique must be True or False", "all strings or all integers"],
        ),
        (
            lambda: models.IntegerField("f", min=2, default=1, max=5, choices=[9, None], messages={"min": "{no}"}),
            ["cannot be formatted"],
        ),
        (
            lambda: models.StringForeign("f", references="users", resource=5, min_length=3, max_length=2),
            ["resource must be a name", "min_length=3 is more than max_length=2", "table.column"],
        ),
        (lambda: models.StringField(3, unique="x"), ["name must be a text", "unique must be"]),  # type: ignore[arg-type]
    ],
)
def test_every_mistake_of_a_field_at_once(make: Any, parts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert len(caught.value.problems) == len(parts), caught.value.problems
    assert all(any(part in problem for problem in caught.value.problems) for part in parts), caught.value.problems


def test_a_class_with_codes_of_its_own() -> None:
    class Lucky(models.IntegerField):
        default_error_messages = {"unlucky": "brings bad luck"}

        def convert(self, value: Any) -> int:
            if value == 13:
                raise self.make_error("unlucky")
            return super().convert(value)

    assert faults(Lucky("f"), 13) == [("unlucky", "#/f", "brings bad luck")]
    assert faults(Lucky("f", messages={"unlucky": "no"}), 13) == [("unlucky", "#/f", "no")]


class Level(enum.IntEnum):
    LOW = 1


class Stamp(datetime.datetime):
    pass


@pytest.mark.parametrize(
    ("field", "kept", "typed"),
    [
        (models.IntegerField(), Level.LOW, 1),
        (models.IntegerField(), "12", 12),
        (models.FloatField(), 2, 2.0),
        (models.FloatField(), -0.0, 0.0),
        (models.DecimalField(places=1), 2, Decimal("2.0")),
        (models.DecimalField(), Decimal("1E+2"), Decimal("100")),
        (models.DecimalField(), Decimal("-0.0"), Decimal("0.0")),
        (models.DateTimeField(), datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, tzinfo=UTC)),
        (models.DateTimeField(), Stamp(2024, 1, 1), datetime.datetime(2024, 1, 1, tzinfo=UTC)),
        (models.UUIDField(), str(ONE), ONE),
        (models.ListField(), (1, [datetime.date(2024, 1, 1)]), [1, ["2024-01-01"]]),
        (models.ListField(), '[1, {"a": 2}]', [1, {"a": 2}]),
        (models.ListField(item=models.DecimalField()), "[1.10]", [Decimal("1.10")]),
        (
            models.NestedField(model=Address),
            {"since": "2024-01-01", "more": 1},
            {"street": None, "since": datetime.date(2024, 1, 1), "pin": None},
        ),
        (models.StringField(), "a\0", "a\0"),
    ],
)
def test_coerce(field: Field, kept: Any, typed: Any) -> None:
    assert repr(field.coerce(kept)) == repr(typed)


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        (models.IntegerField(), True),
        (models.IntegerField(), 2**63),
        (models.IntegerField(), "1.0"),
        (models.FloatField(), float("nan")),
        (models.DecimalField(places=1), Decimal("1.55")),
        (models.DecimalField(), Decimal("Infinity")),
        (models.BooleanField(), 1),
        (models.StringField(), 5),
        (models.DateField(), datetime.datetime(2024, 1, 1)),
        (models.DateTimeField(), datetime.date(2024, 1, 1)),
        (models.ListField(), {"a": 1}),
        (models.ListField(), [object()]),
        (models.ListField(), "not json"),
        (models.DictField(), "[1]"),
    ],
)
def test_coerce_refuses(field: Field, kept: Any) -> None:
    with pytest.raises(ValueError):
        field.coerce(kept)


def test_coerce_copies() -> None:
    kept = [{"a": [1]}]
    models.ListField().coerce(kept)[0]["a"].append(2)
    assert kept == [{"a": [1]}]


def test_a_nested_value_is_stored_whole_and_shown_without_what_is_write_only() -> None:
    field = models.NestedField("f", Address)
    value = load(field, {"street": "s", "since": "2024-01-01", "pin": "1"})
    assert field.format(value) == '{"street":"s","since":"2024-01-01","pin":"1"}'
    assert field.parse(field.format(value)) == value
    assert field.to_json(value) == {"street": "s", "since": "2024-01-01"}
    assert not field.plain


def test_kinds_and_keys() -> None:
    assert models.ChoiceField(choices=["a"]).kind is Kind.STRING
    assert models.ChoiceField(choices=[1]).kind is Kind.INTEGER
    assert models.TimestampField().kind is Kind.FLOAT
    assert (models.PkField().generated, models.PkField().assigned) == (True, True)
    assert (models.UUIDPkField().generated, models.UUIDPkField().assigned) == (False, True)
    assert (models.StringPkField().required, models.StringPkField().assigned) == (True, False)
    foreign = models.IntForeign("author", resource="authors", references="authors.id")
    assert (foreign.resource, foreign.references) == ("authors", "authors.id")
    assert models.PkField(required=True).required is False


def test_a_filter_may_ask_for_a_number_that_no_record_holds() -> None:
    field = models.DecimalField(places=2)
    assert str(field.parse("9.5")) == "9.50"
    assert str(field.parse("9.555")) == "9.555"
