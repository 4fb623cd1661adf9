"""A model: checked when it is declared, loading whole objects, parts and many, showing records as JSON."""

from __future__ import annotations

import datetime
import json
import time
import uuid
from decimal import Decimal
from typing import Any

import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from hypothesis import given, settings
from hypothesis import strategies as st

from rest_kit import jsonio, models
from rest_kit.errors import ConfigurationError, ValidationError
from rest_kit.models import Field, Model, UniqueTogether
from rest_kit.query import Order


def later(record: dict[str, Any]) -> None:
    if record["died"] is not None and record["born"] is not None and record["died"] < record["born"]:
        raise ValueError("died before born")


class Author(Model):
    fields = [
        models.PkField(name="id", required=True),
        models.StringField("first", required=True),
        models.StringField("last", default="?"),
        models.IntegerField("born"),
        models.IntegerField("died"),
        models.StringField("slug", unique=True, read_only=True),
        models.StringField("secret", write_only=True),
        models.ListField("tags", default=list),
        models.DateTimeField("made", auto_now_add=True),
        models.TimestampField("touched", auto_now=True),
    ]
    validators = [UniqueTogether("first", "last"), later, lambda record: record["first"] != record["last"]]


AUTHOR = Author()


def faults(load: Any, *args: Any, **kwargs: Any) -> list[tuple[str, tuple[str | int, ...]]]:
    with pytest.raises(ValidationError) as caught:
        load(*args, **kwargs)
    return [(fault.code, fault.path) for fault in caught.value.faults]


def test_what_a_store_reads() -> None:
    assert AUTHOR.name == "Author"
    assert AUTHOR.names[:3] == ("id", "first", "last")
    assert AUTHOR.pk is AUTHOR.by_name["id"]
    assert AUTHOR.unique_sets == (("slug",), ("first", "last"))
    assert "secret" not in AUTHOR.readable
    assert AUTHOR.writable == ("first", "last", "born", "died", "secret", "tags")
    assert AUTHOR.full_order(()) == (Order("id"),)
    assert AUTHOR.full_order((Order("last", True),)) == (Order("last", True), Order("id"))
    assert AUTHOR.full_order((Order("id", True),)) == (Order("id", True),)


def test_a_whole_object() -> None:
    before = datetime.datetime.now(datetime.UTC)
    record = AUTHOR.load({"born": 1, "first": "Ada"})
    assert list(record) == list(AUTHOR.names[1:])
    made = record.pop("made")
    assert before <= made <= datetime.datetime.now(datetime.UTC)
    assert record.pop("touched") == made.timestamp()
    assert record == {
        "first": "Ada", "last": "?", "born": 1, "died": None, "slug": None, "secret": None, "tags": [],
    }  # fmt: skip


def test_defaults_are_not_shared() -> None:
    AUTHOR.load({"first": "a"})["tags"].append(1)
    assert AUTHOR.load({"first": "a"})["tags"] == []
    kept = Model.of("Kept", [models.ListField("tags", default=[[1]])])
    kept.load({})["tags"][0].append(2)
    assert kept.load({})["tags"] == [[1]]


def test_a_part() -> None:
    assert AUTHOR.load({"last": "x", "first": "y"}, partial=True) == {"first": "y", "last": "x"}
    assert list(AUTHOR.load({"last": "x", "first": "y"}, partial=True)) == ["first", "last"]
    assert AUTHOR.load({}, partial=True) == {}


def test_all_faults_at_once() -> None:
    body = {"id": 1, "frist": "a", "born": "x", "died": True, "slug": "s", "made": "2024-01-01T00:00:00Z"}
    expected = [
        ("read_only", ("id",)), ("read_only", ("slug",)), ("read_only", ("made",)), ("unknown", ("frist",)),
        ("required", ("first",)), ("type", ("born",)), ("type", ("died",)),
    ]  # fmt: skip
    assert faults(AUTHOR.load, body) == expected
    expected.remove(("required", ("first",)))
    assert faults(AUTHOR.load, body, partial=True) == expected


def test_an_unknown_name_gets_the_nearest_valid_one() -> None:
    with pytest.raises(ValidationError, match="no field 'frist'; did you mean 'first'"):
        AUTHOR.load({"first": "a", "frist": "a"})


@pytest.mark.parametrize("body", [None, [], "a", 1])
def test_not_an_object(body: Any) -> None:
    assert faults(AUTHOR.load, body) == [("type", ())]
    assert faults(AUTHOR.load, body, partial=True) == [("type", ())]


def test_a_hostile_body_gets_few_suggestions() -> None:
    body = {f"unknown{index}": 1 for index in range(50_000)}
    started = time.process_time()
    assert len(faults(AUTHOR.load, body)) == 21
    assert time.process_time() - started < 0.5


def test_rules_over_the_whole_object() -> None:
    AUTHOR.check({"first": "a", "last": "b", "born": 1, "died": 2})
    with pytest.raises(ValidationError) as caught:
        AUTHOR.check({"first": "a", "last": "a", "born": 2, "died": 1})
    assert [(f.code, f.detail, f.path) for f in caught.value.faults] == [
        ("invalid", "died before born", ()),
        ("invalid", "the object is not valid", ()),
    ]


def test_touch() -> None:
    now = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    record = {"first": "a", "made": None, "touched": 0.0}
    AUTHOR.touch(record, now)
    assert record == {"first": "a", "made": None, "touched": now.timestamp()}


def test_a_hostile_list_is_read_no_further_than_a_hundred_faults() -> None:
    nested = Model.of("Many", [models.ListField("rows", models.NestedField(model=AUTHOR))])
    rows = [{f"unknown{index}": 1} for index in range(20_000)]
    started = time.process_time()
    assert len(faults(nested.load, {"rows": rows})) == 100
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("fields", "validators", "part"),
    [
        ("abc", [], "must be a list of fields"),
        ([models.PkField], [], "fields[0] holds the class PkField; it must be an instance"),
        ([models.StringField()], [], "without a name"),
        ([5], [], "not a field"),
        ([models.StringField("a"), models.IntegerField("a")], [], "two fields are named 'a'"),
        ([models.PkField("a"), models.StringPkField("b")], [], "two primary keys: 'a', 'b'"),
        ([models.IntegerField("id")], [], "PkField"),
        ([models.FloatField("id", required=True)], [], "must be an integer, a string or a UUID"),
        ([models.StringField("resource_uri")], [], "resource_uri"),
        ([models.StringField("name")], [UniqueTogether("nmae", "name")], "did you mean 'name'"),
        ([models.StringField("name")], [UniqueTogether("name")], "unique=True"),
        ([models.StringField("name")], [UniqueTogether], "neither"),
        ([models.StringField("name")], 5, "validators must be a list"),
    ],
)
def test_a_wrong_declaration(fields: Any, validators: Any, part: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        type("Wrong", (Model,), {"fields": fields, "validators": validators})
    assert part in str(caught.value)


def test_every_mistake_of_a_declaration_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        type("Wrong", (Model,), {"fields": [5, models.StringField()], "validators": [5], "a": models.StringField("a")})
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("attributes", "part"),
    [
        ({"feilds": [models.StringField("a")]}, "feilds: did you mean 'fields'"),
        ({"field": models.StringField}, "field: did you mean 'fields'"),
        ({"Fields": ()}, "Fields: did you mean 'fields'"),
        ({"columns": [models.StringField("a")]}, "columns holds fields; they go into the list `fields`"),
        ({"validator": [UniqueTogether("a", "b")]}, "validator: did you mean 'validators'"),
        ({"validations": []}, "validations: did you mean 'validators'"),
        ({"rules": [UniqueTogether("a", "b")]}, "rules holds UniqueTogether"),
    ],
)
def test_a_misspelt_attribute_is_refused(attributes: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        type("Wrong", (Model,), {"fields": [models.StringField("b")], **attributes})
    assert [part in problem for problem in caught.value.problems] == [True]


def test_what_is_no_slip_may_stand_beside_the_fields() -> None:
    class Fine(Model):
        names_and_dates = [models.StringField("a"), models.DateField("b")]
        fields = [*names_and_dates, models.PkField("id")]
        table = "fine"
        _feilds = 1

        def load(self, data: Any, *, partial: bool = False) -> Any:
            return super().load(data, partial=partial)

        def full_name(self) -> str:
            return self.name

    assert Fine().names == ("a", "b", "id")


def test_a_model_extends_another() -> None:
    class Writer(Author):
        fields = [*Author.fields, models.IntegerField("books")]

    assert Writer().names == (*AUTHOR.names, "books")
    assert Writer().unique_sets == AUTHOR.unique_sets


def test_names_may_be_any_text() -> None:
    model = Model.of("Odd", [models.StringField("first name"), models.IntegerField("a__gt"), models.StringField("a.b")])
    assert model.load({"a.b": "x", "a__gt": 1}) == {"first name": None, "a__gt": 1, "a.b": "x"}
    assert {field.data_key or name for name, field in model.schema_class().fields.items()} == set(model.names)


def test_with_another_key() -> None:
    model = Model.of("Row", [models.StringField("name", required=True), models.StringField("id", required=True)])
    keyed = model.with_pk(models.PkField("id"))
    assert keyed.names == ("id", "name")
    assert keyed.pk is not None
    assert keyed.pk.generated
    assert keyed.load({"name": "x"}) == {"name": "x"}


def test_a_random_key_is_made_by_the_load() -> None:
    model = Model.of("Row", [models.UUIDPkField("id"), models.StringField("name")])
    first, second = model.load({}), model.load({})
    assert type(first["id"]) is uuid.UUID
    assert first["id"] != second["id"]


class Address(Model):
    fields = [models.DateField("since"), models.StringField("pin", write_only=True)]


def every_kind(**places: int) -> Model:
    return Model.of("Every", [
        models.IntegerField("i"), models.FloatField("f"), models.BooleanField("b"), models.StringField("s"),
        models.DateField("d"), models.DateTimeField("t"), models.UUIDField("u"), models.ListField("l"),
        models.DictField("o"), models.DecimalField("n", **places), models.ListField("ds", models.DateField()),
    ])  # fmt: skip


bodies = st.fixed_dictionaries({
    "i": st.integers(-(2**63), 2**63 - 1), "f": st.floats(allow_nan=False, allow_infinity=False), "b": st.booleans(),
    "s": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    "d": st.dates().map(str), "t": st.datetimes(timezones=st.just(datetime.UTC)).map(lambda t: t.isoformat()),
    "u": st.uuids().map(str), "l": st.lists(st.none() | st.floats(0, 1)), "o": st.just({"a": 1}),
    "n": st.decimals(-999, 999, places=6).map(str), "ds": st.lists(st.dates().map(str), max_size=2),
})  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(bodies, st.sampled_from([{"places": 6}, {"places": 7}, {}]))
def test_what_is_dumped_is_what_the_fields_say(body: dict[str, Any], places: dict[str, int]) -> None:
    model = every_kind(**places)
    record = model.load(body)
    said = {name: model.json_value(name, value) for name, value in record.items()}
    assert json.loads(jsonio.encode(model.dump(record))) == said
    assert model.load(said) == record
    assert model.dumps_plain is (places == {"places": 6})
    assert "E" not in said["n"]


def test_dump_of_some_fields_leaves_the_record_alone() -> None:
    model = Model.of("Row", [models.DecimalField("n"), models.NestedField("a", Address), models.StringField("s")])
    record = {"a": {"since": None, "pin": "1"}, "n": Decimal("0.0000001")}
    assert model.dump(record) == {"a": {"since": None}, "n": "0.0000001"}
    assert record == {"a": {"since": None, "pin": "1"}, "n": Decimal("0.0000001")}
    assert model.dump({"n": None}) == {"n": None}
    assert not model.dumps_plain


@pytest.mark.parametrize("base", [models.StringField, models.DateField, models.UUIDField, models.ListField])
def test_a_field_with_a_form_of_its_own(base: type[Field]) -> None:
    shouted = type("Shouted", (base,), {"to_json": lambda self, value: str(value).upper()})
    model = Model.of("Row", [shouted("x")])
    assert model.dump({"x": "a"}) == {"x": "A"}
    assert not model.dumps_plain


def test_a_field_is_told_how_to_be_shown() -> None:
    with pytest.raises(ConfigurationError, match="to_json"):
        type("Shouted", (models.StringField,), {"_serialize": lambda self, value, attr, obj, **kwargs: value})


def test_which_models_need_exact_numbers() -> None:
    price = Model.of("Price", [models.DecimalField("n")])
    assert price.exact_numbers
    assert Model.of("A", [models.NestedField("p", price)]).exact_numbers
    assert Model.of("A", [models.ListField("p", models.DecimalField())]).exact_numbers
    assert not AUTHOR.exact_numbers


def test_apispec_reads_the_schema() -> None:
    spec = APISpec("t", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    model = Model.of("Book", [
        models.PkField(), models.StringField("title", max_length=9, min_length=2, required=True, help="Its name"),
        models.IntegerField("stars", min=1, max=5, default=3), models.DateTimeField("made", auto_now=True),
        models.ChoiceField("size", choices=["s", "m"], required=True), models.ListField("tags", models.DateField()),
    ])  # fmt: skip
    spec.components.schema("Book", schema=model.schema_class)
    properties = spec.to_dict()["components"]["schemas"]["Book"]["properties"]
    assert properties["id"] == {"type": "integer", "readOnly": True}
    assert properties["title"] == {
        "type": "string", "minLength": 2, "maxLength": 9, "description": "Its name",
    }  # fmt: skip
    assert properties["stars"] == {"type": "integer", "minimum": 1, "maximum": 5, "default": 3}
    assert properties["made"] == {"type": "string", "format": "date-time", "readOnly": True}
    assert properties["size"]["enum"] == ["s", "m"]
    assert properties["tags"]["items"] == {"type": "string", "format": "date"}
