"""How values are written as text: one spelling out, a strict set of spellings in."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rest_kit.models import scalars
from rest_kit.types import Kind

VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    Kind.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False).filter(lambda d: abs(d.adjusted()) < 900),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.dates(),
    Kind.DATETIME: st.datetimes(timezones=st.just(datetime.UTC)),
    Kind.UUID: st.uuids(),
}


@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read(kind: Kind, data: st.DataObject) -> None:
    value = data.draw(VALUES[kind])
    text = scalars.FORMATTERS[kind](value)
    again = scalars.PARSERS[kind](text)
    assert again == value
    assert type(again) is kind.python_type


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.INTEGER, "1.0"),
        (Kind.INTEGER, "+1"),
        (Kind.INTEGER, " 1"),
        (Kind.INTEGER, "1_000"),
        (Kind.INTEGER, "٣"),
        (Kind.INTEGER, "9223372036854775808"),
        (Kind.INTEGER, "9" * 5000),
        (Kind.INTEGER, ""),
        (Kind.FLOAT, "nan"),
        (Kind.FLOAT, "inf"),
        (Kind.FLOAT, "1e999"),
        (Kind.FLOAT, ".5"),
        (Kind.DECIMAL, "NaN"),
        (Kind.DECIMAL, "1e1000"),
        (Kind.DECIMAL, "1" * 1001),
        (Kind.BOOLEAN, "True"),
        (Kind.BOOLEAN, "1"),
        (Kind.STRING, "a\0"),
        (Kind.STRING, "\udfff"),
        (Kind.DATE, "2024-1-1"),
        (Kind.DATE, "2023-02-29"),
        (Kind.DATE, "2024-01-01\n"),
        (Kind.DATETIME, "2024-01-01"),
        (Kind.DATETIME, "2024-01-01T24:00:00Z"),
        (Kind.DATETIME, "2024-01-01T00:00:00+25:00"),
        (Kind.DATETIME, "9999-12-31T23:59:59-01:00"),
        (Kind.UUID, uuid.UUID(int=1).hex),
    ],
)
def test_what_is_not_read(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        scalars.PARSERS[kind](text)


def test_decimals_are_plain() -> None:
    assert scalars.format_decimal(scalars.parse_decimal("1e3")) == "1000"
    assert scalars.format_decimal(scalars.parse_decimal("1e-9")) == "0.000000001"
    assert str(scalars.parse_decimal("-0.0")) == "0.0"
    assert str(scalars.with_places(Decimal("1.5"), 3)) == "1.500"
    assert [scalars.count_digits(Decimal(text)) for text in ("0.05", "120", "12.50", "0")] == [2, 3, 4, 1]
