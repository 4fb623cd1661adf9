"""An owner's rows keep their form under every write, down to the parts of lists and objects."""

from __future__ import annotations

import copy
import datetime
import uuid
from decimal import Decimal
from typing import Any

import marshmallow
import pytest
from marshmallow import fields as ma

from datastores.python_list import PythonListDataStore
from rest_kit.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    FloatField,
    IntegerField,
    JsonField,
    ListField,
    Model,
    NestedField,
    PkField,
    StringField,
    UUIDField,
)
from rest_kit.testing.store_suite import everything, insert, same, update
from rest_kit.types import Record


def served(rows: list[Record], model: Model) -> PythonListDataStore:
    """A store over these very rows."""
    store = PythonListDataStore(rows)
    store.bind(model)
    return store


def json_columns() -> list[Model | None]:
    """Models under which one column holds any JSON: declared, inferred, and of marshmallow's."""
    declared = Model.of("Json", [PkField("id"), JsonField("j"), IntegerField("n")])
    schema = marshmallow.Schema.from_dict({"id": ma.Integer(dump_only=True), "j": ma.Raw(), "n": ma.Integer()})
    return [declared, None, Model.from_schema(schema)]


@pytest.mark.parametrize("model", json_columns(), ids=["declared", "inferred", "marshmallow"])
def test_a_json_value_that_is_text_stays_that_text(model: Model | None) -> None:
    rows: list[Record] = [{"id": 1, "j": "text", "n": 0}, {"id": 2, "j": '"text"', "n": 0}, {"id": 3, "j": 5, "n": 0}]
    before = copy.deepcopy(rows)
    store = PythonListDataStore(rows)
    if model is not None:
        store.bind(model)
    for record in everything(store):
        update(store, record["id"], {"n": 0})
        update(store, record["id"], record)
    same(rows, before)
    for value in ({"a": 1}, [1], "[1]", None, 5, True, "text"):
        [new] = insert(store, [{"j": value, "n": 1}])
        same((new["j"], rows[-1]["j"], store.get(new["id"])["j"]), (value, value, value))
        same(update(store, 1, {"j": value})["j"], value)
        same(rows[0]["j"], value)


def order_model() -> Model:
    """A model of lists and objects with typed parts, and of a number to change beside them."""
    line = Model.of("Line", [StringField("what"), DateField("due"), DecimalField("price", places=2)])
    parts = Model.of("Parts", [DateField("since"), ListField("days", DateField("day")), NestedField("line", line)])
    return Model.of(
        "Order",
        [
            PkField("id"),
            ListField("days", DateField("day")),
            NestedField("parts", parts),
            ListField("lines", NestedField("line", line)),
            DictField("free"),
            IntegerField("n"),
        ],
    )


def orders() -> list[Record]:
    """Rows of `order_model` in their owner's form: JSON, with members that the model does not know."""
    return [
        {
            "id": 1,
            "days": ["2020-01-01", "2020-01-02"],
            "parts": {"since": "2020-01-01", "line": {"due": "2020-01-01", "own": [1], "price": 1.5}, "own": "x"},
            "lines": [{"what": "a", "price": "1.50", "own": 1}, {"what": "b", "due": "2020-01-01", "own": 2}],
            "free": {"on": datetime.date(2020, 1, 1), "at": (1, 2)},
            "n": 0,
            "own": {"kept": True},
        },
        {"id": 2, "days": '["2020-01-01"]', "parts": None, "lines": [], "n": 0},
    ]


def test_an_update_leaves_alone_what_does_not_change_within_lists_and_objects_too() -> None:
    rows, before = orders(), orders()
    store = served(rows, order_model())
    for record in everything(store):
        same(update(store, record["id"], record), record)
    same(rows, before)
    for record in everything(store):
        same(update(store, record["id"], {**record, "n": 1}), {**record, "n": 1})
    same(rows, [{**row, "n": 1} for row in before])


def test_parts_that_change_take_the_form_of_those_around_them() -> None:
    rows = orders()
    [own, _] = orders()
    store = served(rows, order_model())
    day = datetime.date(2021, 2, 3)
    record = store.get(1)
    lines = [record["lines"][1], record["lines"][1], {"what": "c", "due": day, "price": Decimal("2.00")}]
    parts = {**record["parts"], "days": [day], "line": {**record["parts"]["line"], "due": day}}
    changed = {**record, "days": [day, *record["days"]], "parts": parts, "lines": lines}
    same(update(store, 1, copy.deepcopy(changed)), changed)
    same(rows[0]["days"], ["2021-02-03", "2020-01-01", "2020-01-02"])
    same(
        rows[0]["parts"],
        {**own["parts"], "line": {**own["parts"]["line"], "due": "2021-02-03"}, "days": ["2021-02-03"]},
    )
    same(rows[0]["lines"], [own["lines"][1]] * 2 + [{"what": "c", "due": "2021-02-03", "price": "2.00"}])
    assert rows[0]["lines"][0] is not rows[0]["lines"][1]
    update(store, 2, {"days": [day]})
    assert rows[1]["days"] == '["2021-02-03"]'
    update(store, 1, {"days": None, "parts": None})
    assert (rows[0]["days"], rows[0]["parts"]) == (None, None)


@pytest.mark.parametrize("typed", [True, False])
def test_a_new_row_has_the_form_of_the_others_within_lists_too(typed: bool) -> None:
    day: Any = datetime.date(2020, 1, 1)
    kept = [day] if typed else ["2020-01-01"]
    rows: list[Record] = [{"id": 1, "days": [], "n": 1}, {"id": 2, "days": kept, "n": 1}]
    store = served(rows, Model.of("Days", [PkField("id"), ListField("days", DateField("day")), IntegerField("n")]))
    [new] = insert(store, [{"days": [day], "n": 2}])
    same(new, {"id": 3, "days": [day], "n": 2})
    same(rows[2]["days"], kept)
    assert rows[2]["days"] is not kept
    update(store, 1, {"days": [day]})
    same(rows[0]["days"], kept)


def test_an_update_leaves_alone_every_value_that_reads_the_same() -> None:
    model = Model.of(
        "Forms",
        [
            PkField("id"),
            FloatField("float"),
            DecimalField("decimal", places=2),
            DateTimeField("moment"),
            UUIDField("uuid"),
            BooleanField("boolean"),
            IntegerField("missing", default=5),
            StringField("text"),
        ],
    )
    moment = datetime.datetime(2020, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    upper = "12345678-9ABC-DEF0-1234-56789ABCDEF0"
    rows: list[Record] = [
        {"id": 1, "float": 1, "decimal": 9.5, "moment": "2020-01-01T01:00:00+01:00", "uuid": upper, "boolean": "true"},
        {"id": 2, "float": "1e3", "decimal": "9.5", "moment": moment, "uuid": uuid.UUID(upper), "text": "x"},
        {"id": 3, "float": Decimal("0.5"), "decimal": Decimal("1E+2"), "moment": datetime.datetime(2020, 1, 1)},
    ]
    before = copy.deepcopy(rows)
    store = served(rows, model)
    for record in everything(store):
        same(update(store, record["id"], record), record)
    same(rows, before)
    update(store, 1, {**store.get(1), "missing": None, "float": 1.5})
    same(rows[0], {**before[0], "float": 1.5, "missing": None})
    update(store, 3, {**store.get(3), "missing": 7, "text": "new"})
    same(rows[2], {**before[2], "missing": 7, "text": "new"})


def test_what_another_model_writes_within_a_list_is_read_typed() -> None:
    day = datetime.date(2020, 1, 1)
    rows: list[Record] = [{"id": 1, "days": [day]}]
    typed = served(rows, Model.of("Typed", [PkField("id"), ListField("days", DateField("day"))]))
    free = served(rows, Model.of("Free", [PkField("id"), ListField("days")]))
    same(typed.get(1)["days"], [day])
    [new] = insert(free, [{"days": ["2020-01-02"]}])
    same(typed.get(new["id"])["days"], [datetime.date(2020, 1, 2)])
