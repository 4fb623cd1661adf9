"""A list is looked at in bulk before the first answer, with the outcome of a look at each value."""

from __future__ import annotations

import datetime
import sys
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastores.python_list import PythonListDataStore
from datastores.python_list.columns import Column
from rest_kit.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    FloatField,
    IntegerField,
    Model,
    PkField,
    StringField,
    UUIDField,
)
from rest_kit.types import INT64_MAX, Record
from tests.undisturbed import undisturbed

KINDS: tuple[Field, ...] = (
    *(IntegerField("f"), FloatField("f"), BooleanField("f"), StringField("f"), DateField("f"), DateTimeField("f")),
    *(UUIDField("f"), DecimalField("f"), DecimalField("f", places=0), DecimalField("f", places=2)),
)
EAST = datetime.timezone(datetime.timedelta(hours=1))
ODD_VALUES: tuple[Any, ...] = (
    *(0, 1, -1, 2**53 + 1, INT64_MAX, INT64_MAX + 1, 10**400, True, False),
    *(0.0, -0.0, 1.5, 0.1, 1e308, float("nan"), float("inf")),
    *map(
        Decimal, ("0", "-0", "-0.00", "1.50", "1.5", "1.500", "1E+2", "1E+999", "1E-999", "9" * 999, "NaN", "Infinity")
    ),
    *("text", "", "1", "-1", "+1", "1.5", "1.50", "1.500", "1.", ".5", "1e3", "٣", "1\n", "9" * 400, "9" * 1001, "nan"),
    *("0." + "1" * 400, "0." + "1" * 1001, "-0", "-0.00", "true", "True", "\ud800", "a\0b"),
    *("2020-01-01", "2020-02-30", "20200101", "2020-W01-1", "0000-01-01", "２０20-01-01", "2020-01-01\n"),
    *(
        "2020-01-01T00:00:00Z",
        "2020-01-01 00:00",
        "2020-01-01t00:00:00z",
        "2020-01-01T00:00:00.1",
        "2020-01-01T25:00:00",
    ),
    *(
        "2020-01-01T00:00:00+01:00",
        "2020-01-01T00:00:00-0130",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ),
    *("2020-01-01T00:00:00,5Z", "2020-01-01T00Z", "2020-01-01T00:00:00.1234567Z", "2020-01-01T00:00:00+24:00"),
    *(
        "12345678-9abc-def0-1234-56789abcdef0",
        "12345678-9ABC-DEF0-1234-56789ABCDEF0",
        "{12345678-9abc-def0-1234-56789ab}",
    ),
    *("123456789abcdef0123456789abcdef0", uuid.UUID(int=5)),
    *(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=EAST)),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(0), "other")),
    datetime.datetime(1, 1, 1, tzinfo=EAST),
)


@pytest.mark.parametrize("field", KINDS, ids=repr)
@given(data=st.data())
def test_many_values_are_looked_at_with_the_outcome_of_each_alone(field: Field, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.sampled_from(ODD_VALUES), min_size=1, max_size=3))
    agrees_one_by_one(field, values)


@pytest.mark.parametrize("field", KINDS, ids=repr)
def test_every_odd_value_is_looked_at_with_the_outcome_of_it_alone(field: Field) -> None:
    for value in ODD_VALUES:
        agrees_one_by_one(field, [value])


def agrees_one_by_one(field: Field, values: list[Any]) -> None:
    """Fail unless a column makes the same of the values at once and of each by itself."""
    many, single = Column(field, 0), Column(field, 0)
    try:
        for value in values:
            single._study_one(value)
    except ValueError:
        with pytest.raises(ValueError):
            many.study(values)
        return
    many.study(values)
    assert many.state() == single.state(), values


@pytest.mark.parametrize("form", ["typed", "text"])
def test_the_first_look_at_a_list_calls_nothing_for_each_row(form: str) -> None:
    model = Model.of(
        "Typed",
        [
            *(PkField("id"), StringField("text"), FloatField("float"), DecimalField("decimal", places=2)),
            *(DateField("date"), DateTimeField("moment"), UUIDField("uuid"), BooleanField("boolean")),
        ],
    )

    def rows(count: int) -> list[Record]:
        made = [
            {
                "id": n,
                "text": f"t{n}",
                "float": n if n % 3 else n / 2,
                "decimal": Decimal(n).scaleb(-2),
                "date": datetime.date(2020, 1, 1 + n % 28),
                "moment": datetime.datetime(2020, 1, 1 + n % 28, tzinfo=datetime.UTC),
                "uuid": uuid.UUID(int=n),
                "boolean": None if n % 5 else True,
            }
            for n in range(1, count + 1)
        ]
        if form == "typed":
            return made
        in_text = ("decimal", "date", "moment", "uuid")
        return [{**row, **{name: model.by_name[name].format(row[name]) for name in in_text}} for row in made]

    assert calls_of_look(model, rows(3000)) == calls_of_look(model, rows(300))


def calls_of_look(model: Model, rows: list[Record]) -> int:
    """How many Python functions are called at the first look at a list."""
    store = PythonListDataStore(rows)
    store.bind(model)
    seen: list[str] = []
    before = sys.getprofile()
    with undisturbed():
        sys.setprofile(lambda frame, event, argument: seen.append(event) if event == "call" else None)
        try:
            store.ping()
        finally:
            sys.setprofile(before)
    return len(seen)
