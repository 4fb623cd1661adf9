"""A marshmallow schema as a model: its own hooks, fields and validators, and rest_kit's strictness."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
import pytest
from marshmallow import fields, validate

from rest_kit import jsonio, models
from rest_kit.errors import ConfigurationError, ValidationError
from rest_kit.models import Model
from rest_kit.types import Kind


class Color(enum.Enum):
    RED = "r"


class Street(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    street = fields.Str(required=True)
    number = fields.Int()
    child = fields.Nested(lambda: Street())


class Shout(fields.Str):
    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.upper()


class Cents(fields.Int):
    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return int(Decimal(value) * 100)


class Book(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE
        exclude = ("hidden",)

    id = fields.Int(dump_only=True)
    hidden = fields.Str()
    title = fields.Str(required=True, validate=validate.Length(1, 9), error_messages={"required": "Give a title"})
    stars = fields.Int(validate=validate.Range(1, 5))
    weight = fields.Float()
    price = fields.Decimal(places=2)
    sold = fields.Bool(load_default=False)
    day = fields.Date()
    at = fields.NaiveDateTime()
    ref = fields.UUID()
    tags = fields.List(fields.Int())
    more = fields.Dict()
    place = fields.Nested(Street)
    places = fields.List(fields.Nested(Street))
    mail = fields.Email()
    color = fields.Enum(Color)
    hour = fields.Time()
    raw = fields.Raw()
    loud = Shout()
    cents = Cents()
    pin = fields.Str(load_only=True)
    inner = fields.Str(data_key="theKey")

    @ma.pre_load
    def unwrap(self, data: Any, **kwargs: Any) -> Any:
        return data["data"] if list(data) == ["data"] else data

    @ma.validates("stars")
    def lucky(self, value: int, **kwargs: Any) -> None:
        if value == 4:
            raise ma.ValidationError("unlucky")

    @ma.validates_schema
    def fair(self, data: Any, **kwargs: Any) -> None:
        if data.get("price", 0) > 100 and data.get("stars") == 1:
            raise ma.ValidationError("too dear")

    @ma.post_load
    def trim(self, data: Any, **kwargs: Any) -> Any:
        return {**data, "title": data["title"].strip()} if "title" in data else data


BOOK = Model.from_schema(Book)


def faults(body: Any, model: Model = BOOK, *, partial: bool = False) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        model.load(body, partial=partial)
    return [(fault.code, fault.pointer) for fault in caught.value.faults]


def load(**body: Any) -> Any:
    (name,) = body
    return BOOK.load({"title": "t", **body})[name]


def test_what_a_store_reads() -> None:
    assert BOOK.names[:2] == ("id", "title")
    assert "hidden" not in BOOK.names
    assert BOOK.names[-1] == "theKey"
    assert "pin" not in BOOK.readable
    assert BOOK.pk is not None
    assert BOOK.pk.generated
    assert BOOK.by_name["title"].max_length == 9
    assert BOOK.by_name["price"].places == 2
    kinds = {name: field.kind for name, field in BOOK.by_name.items()}
    assert kinds["id"] is Kind.INTEGER
    assert kinds["at"] is Kind.DATETIME
    assert kinds["mail"] is kinds["color"] is kinds["hour"] is Kind.STRING
    assert kinds["raw"] is kinds["place"] is Kind.DICT
    assert kinds["places"] is Kind.LIST
    assert BOOK.schema_class is Book


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("title", " a ", "a"),
        ("stars", 5, 5),
        ("weight", 1, 1.0),
        ("price", "1.5", Decimal("1.50")),
        ("day", "2024-01-01", datetime.date(2024, 1, 1)),
        ("at", "2024-01-01T10:00:00", datetime.datetime(2024, 1, 1, 10, tzinfo=datetime.UTC)),
        ("ref", str(uuid.UUID(int=1)), uuid.UUID(int=1)),
        ("tags", [1, 2], [1, 2]),
        ("place", {"street": "s", "child": {"street": "t"}}, {"street": "s", "child": {"street": "t"}}),
        ("places", [{"street": "s"}], [{"street": "s"}]),
        ("color", "RED", "RED"),
        ("hour", "10:00:00", "10:00:00"),
        ("cents", "1.50", 150),
        ("stars", None, None),
    ],
)
def test_taken(name: str, value: Any, typed: Any) -> None:
    found = load(**{name: value})
    assert repr(found) == repr(typed)
    assert BOOK.by_name[name].coerce(found) == typed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("required", "#/title")]),
        ({"title": None}, [("null", "#/title")]),
        ({"title": "x" * 10}, [("max_length", "#/title")]),
        ({"title": ""}, [("min_length", "#/title")]),
        ({"title": "a\0"}, [("type", "#/title")]),
        ({"title": "t", "stars": "5"}, [("type", "#/stars")]),
        ({"title": "t", "stars": "٣"}, [("type", "#/stars")]),
        ({"title": "t", "stars": 1.0}, [("type", "#/stars")]),
        ({"title": "t", "stars": True}, [("type", "#/stars")]),
        ({"title": "t", "stars": 6}, [("max", "#/stars")]),
        ({"title": "t", "stars": 0}, [("min", "#/stars")]),
        ({"title": "t", "stars": 4}, [("invalid", "#/stars")]),
        ({"title": "t", "stars": 1, "price": 101}, [("invalid", "#")]),
        ({"title": "t", "weight": "1"}, [("type", "#/weight")]),
        ({"title": "t", "sold": "yes"}, [("type", "#/sold")]),
        ({"title": "t", "price": "NaN"}, [("type", "#/price")]),
        ({"title": "t", "tags": [1, "2"]}, [("type", "#/tags/1")]),
        ({"title": "t", "place": {"street": "s", "number": True}}, [("type", "#/place/number")]),
        ({"title": "t", "place": {"street": "s", "more": 1}}, [("invalid", "#/place/more")]),
        ({"title": "t", "place": {"street": "s", "child": {"street": 5}}}, [("type", "#/place/child/street")]),
        ({"title": "t", "id": 1}, [("read_only", "#/id")]),
        ({"title": "t", "titel": 1}, [("unknown", "#/titel")]),
        ({"title": "t", "inner": "x"}, [("unknown", "#/inner")]),
        ([], [("type", "#")]),
    ],
)
def test_refused(body: Any, expected: list[tuple[str, str]]) -> None:
    found = faults(body)
    assert [pointer for _, pointer in found] == [pointer for _, pointer in expected]
    assert [code for code, _ in found] == [
        code if pointer != "#/place/more" else "unknown" for code, pointer in expected
    ]


def test_the_schemas_own_texts() -> None:
    with pytest.raises(ValidationError, match="Give a title"):
        BOOK.load({})
    with pytest.raises(ValidationError, match="no field 'titel'; did you mean 'title'"):
        BOOK.load({"title": "t", "titel": 1})


def test_a_hostile_body_gets_few_suggestions() -> None:
    assert len(faults({"title": "t", **{f"unknown{index}": 1 for index in range(5000)}})) == 20


def test_whole_and_part() -> None:
    whole = BOOK.load({"title": "t"})
    assert tuple(whole) == BOOK.names[1:]
    assert whole["sold"] is False
    assert whole["stars"] is None
    assert BOOK.load({"stars": 2}, partial=True) == {"stars": 2}
    assert BOOK.load({"data": {"title": "t", "theKey": "k"}})["theKey"] == "k"


def test_dump() -> None:
    record = BOOK.load({"title": "t", "loud": "a", "price": "1.5", "day": "2024-01-01", "at": "2024-01-01T10:00:00"})
    shown = json.loads(jsonio.encode(BOOK.dump(record)))
    assert shown == {name: BOOK.json_value(name, value) for name, value in record.items()}
    assert (shown["loud"], shown["price"], shown["at"]) == ("A", "1.50", "2024-01-01T10:00:00Z")
    assert record["loud"] == "a"
    assert not BOOK.dumps_plain
    assert Model.from_schema(ma.Schema.from_dict({"a": fields.Int(), "d": fields.Date()})).dumps_plain


BERLIN = ZoneInfo("Europe/Berlin")
NESTED = ma.Schema.from_dict({"at": fields.NaiveDateTime(), "n": fields.Int(as_string=True)})


@pytest.mark.parametrize(
    ("field", "given", "shown"),
    [
        (fields.NaiveDateTime(), "2020-01-01T00:00:00", "2020-01-01T00:00:00Z"),
        (fields.NaiveDateTime(), "2020-01-01T00:00:00+01:00", "2019-12-31T23:00:00Z"),
        (fields.NaiveDateTime(timezone=BERLIN), "2020-01-01T00:00:00", "2019-12-31T23:00:00Z"),
        (fields.NaiveDateTime(timezone=BERLIN), "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        (fields.NaiveDateTime("rfc"), "Wed, 01 Jan 2020 00:00:00 -0000", "Wed, 01 Jan 2020 00:00:00 +0000"),
        (fields.NaiveDateTime("timestamp", timezone=BERLIN), 1577836800, 1577836800.0),
        (fields.NaiveDateTime("%Y-%m-%d %H:%M", timezone=BERLIN), "2020-01-01 00:00", "2020-01-01 00:00"),
        (fields.AwareDateTime(), "2020-01-01T00:00:00+01:00", "2019-12-31T23:00:00Z"),
        (fields.AwareDateTime(default_timezone=BERLIN), "2020-01-01T00:00:00", "2019-12-31T23:00:00Z"),
        (fields.AwareDateTime("%Y-%m-%d %H:%M", default_timezone=BERLIN), "2020-01-01 00:00", "2020-01-01 00:00"),
        (fields.DateTime("rfc"), "Wed, 01 Jan 2020 00:00:00 +0000", "Wed, 01 Jan 2020 00:00:00 +0000"),
        (fields.DateTime("timestamp"), 1577836800, 1577836800.0),
        (fields.DateTime("timestamp_ms"), 1577836800000, 1577836800000.0),
        (fields.DateTime("%d.%m.%Y"), "01.01.2020", "01.01.2020"),
        (fields.Int(as_string=True), 5, "5"),
        (fields.Float(as_string=True), "5.5", "5.5"),
        (fields.Decimal(as_string=True), "5.50", "5.50"),
        (fields.Time(), "10:00", "10:00:00"),
        (fields.TimeDelta(), 5, 5.0),
        (fields.List(fields.NaiveDateTime(timezone=BERLIN)), ["2020-01-01T00:00:00"], ["2019-12-31T23:00:00Z"]),
        (fields.List(fields.Int(as_string=True)), [5], ["5"]),
        (fields.Nested(NESTED), {"at": "2020-01-01T00:00:00Z", "n": 5}, {"at": "2020-01-01T00:00:00", "n": "5"}),
    ],
)
def test_an_object_can_be_sent_back_as_it_was_read(field: Any, given: Any, shown: Any) -> None:
    model = Model.from_schema(ma.Schema.from_dict({"f": field}))
    record = model.load({"f": given})
    read = json.loads(jsonio.encode(model.dump(record)))
    assert read == {"f": shown}
    assert model.load(read) == record


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (fields.Int(as_string=True), "٣"),
        (fields.Int(as_string=True), "1.0"),
        (fields.Int(as_string=True), True),
        (fields.Float(as_string=True), "nan"),
        (fields.DateTime("timestamp"), "1577836800"),
        (fields.DateTime("timestamp"), True),
        (fields.NaiveDateTime("timestamp"), True),
        (fields.NaiveDateTime(), 1577836800),
        (fields.AwareDateTime(), {}),
    ],
)
def test_what_a_field_with_a_form_of_its_own_refuses(field: Any, value: Any) -> None:
    assert faults({"f": value}, Model.from_schema(ma.Schema.from_dict({"f": field}))) == [("type", "#/f")]


def test_the_schema_given_is_left_as_it_was() -> None:
    schema = Book()
    Model.from_schema(schema)
    assert schema.load({"title": "t", "stars": "5", "more": {}, "nope": 1})["stars"] == 5
    assert Book().load({"title": "t", "tags": ["5"], "place": {"street": "s", "x": 1}})["tags"] == [5]


def test_keys() -> None:
    keyed = Model.from_schema(ma.Schema.from_dict({"isbn": fields.Str(required=True, metadata={"primary_key": True})}))
    assert keyed.pk is keyed.by_name["isbn"]
    random = Model.from_schema(ma.Schema.from_dict({"id": fields.UUID(dump_only=True)}))
    assert type(random.load({})["id"]) is uuid.UUID
    assert Model.from_schema(Street).pk is None
    with_key = Model.from_schema(Street).with_pk(models.PkField())
    assert with_key.load({"street": "s"}) == {"street": "s", "number": None, "child": None}
    assert faults({"street": "s", "id": 1}, with_key) == [("read_only", "#/id")]


class Computed(ma.Schema):
    total = fields.Method("add")

    def add(self, obj: Any) -> int:
        return 1


class Object(ma.Schema):
    a = fields.Int()

    @ma.post_load
    def make(self, data: Any, **kwargs: Any) -> Any:
        return object()


def test_what_cannot_be_a_model() -> None:
    with pytest.raises(ConfigurationError, match="total is computed"):
        Model.from_schema(Computed)
    with pytest.raises(ConfigurationError, match="must load into a dict"):
        Model.from_schema(Object).load({"a": 1})
    with pytest.raises(ConfigurationError, match="primary key 'id'"):
        Model.from_schema(ma.Schema.from_dict({"id": fields.Int()}))


def test_nested_in_a_model_of_ours() -> None:
    model = Model.of("Home", [models.NestedField("at", Street)])
    assert model.load({"at": {"street": "s"}}) == {"at": {"street": "s", "number": None, "child": None}}
    assert faults({"at": {"street": "s", "number": "1"}}, model) == [("type", "#/at/number")]
