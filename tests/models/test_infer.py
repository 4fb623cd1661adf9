"""Models read off rows and text: kinds that hold for every value, and a key that names every row."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rest_kit.errors import ConfigurationError
from rest_kit.models import Field, PkField, StringPkField
from rest_kit.models import infer_text as text_room
from rest_kit.models.infer import infer_rows
from rest_kit.models.infer_text import TextInference

NOW = datetime.datetime(2024, 1, 1)


def column(*values: Any) -> tuple[str, bool]:
    """The class of field for a column that cannot be the key, and whether it is nullable."""
    rows = [{"id": index, "x": value} for index, value in enumerate(values)]
    field = infer_rows(rows, "T").by_name["x"]
    return type(field).__name__, field.nullable


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], ("IntegerField", False)),
        ([1, None], ("IntegerField", True)),
        ([1, 2.5], ("FloatField", False)),
        ([1, 2**63], ("DecimalField", False)),
        ([1, Decimal(2)], ("DecimalField", False)),
        ([True, False], ("BooleanField", False)),
        ([True, 1], ("JsonField", False)),
        (["a", 1], ("JsonField", False)),
        (["2024-01-01", "true"], ("StringField", False)),
        ([NOW, NOW], ("DateTimeField", False)),
        ([NOW.date(), NOW.date()], ("DateField", False)),
        ([NOW, NOW.date()], ("JsonField", False)),
        ([uuid.UUID(int=1), uuid.UUID(int=2)], ("UUIDField", False)),
        ([[1], (2,)], ("ListField", False)),
        ([{}, {"a": 1}], ("DictField", False)),
        ([None, None], ("StringField", True)),
        ([object()], ("JsonField", False)),
    ],
)
def test_kinds_of_rows(values: list[Any], expected: tuple[str, bool]) -> None:
    assert column(*values) == expected


def key(*rows: dict[str, Any]) -> str:
    return repr(infer_rows(rows, "T").pk)


def test_keys_of_rows() -> None:
    assert key({"a": 1, "id": 1}, {"a": 2, "id": 2}) == "PkField('id')"
    assert key({"a": 1, "id": "x"}) == "StringPkField('id')"
    assert key({"a": 1, "id": uuid.UUID(int=1)}) == "UUIDPkField('id')"
    assert key({"a": 1, "b": "x"}, {"a": 1, "b": "y"}) == "StringPkField('b')"
    assert key({"a": 1.5, "b": True, "c": 3}) == "PkField('c')"
    assert key({"a": 1}, {"a": None}, {"b": 1}) == "None"
    assert key({"a": ""}, {"a": "x"}) == "None"
    assert key({"a": ".."}, {"a": "x"}) == "None"
    assert key() == "None"


def test_a_name_that_some_rows_lack() -> None:
    model = infer_rows([{"id": 1}, {"b": 2, "id": 2}], "T")
    assert model.names == ("id", "b")
    assert model.by_name["b"].nullable
    assert model.load({}) == {"b": None}


@pytest.mark.parametrize("rows", [[1], [{"a": 1}, None], [{1: 2}], [{"": 1}], [{"resource_uri": "/x/"}]])
def test_rows_that_are_no_records(rows: Any) -> None:
    with pytest.raises(ConfigurationError):
        infer_rows(rows, "T")


def cells(*given: str, null: str = "") -> Field:
    """The field for a column that cannot be the key."""
    inference = TextInference(["k", "x"], null=null)
    for index, cell in enumerate(given):
        inference.feed([f"k{index}", cell])
        inference.feed([f"l{index}", cell])
    return inference.fields()[1]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["0", "-5", "9223372036854775807"], "IntegerField"),
        (["007", "1"], "StringField"),
        (["+1"], "StringField"),
        (["-0"], "StringField"),
        (["9223372036854775808"], "StringField"),
        (["٣"], "StringField"),
        (["1", "31.95376472"], "FloatField"),
        (["1.50"], "FloatField"),
        (["1e5"], "StringField"),
        (["1."], "StringField"),
        ([".5"], "StringField"),
        (["00.5"], "StringField"),
        (["1234567890123456", "1.5"], "DecimalField"),
        (["1.12345678901234567890"], "DecimalField"),
        (["1.5", "1.12345678901234567890", "7"], "DecimalField"),
        (["0.1", "0.3000000000000000444"], "DecimalField"),
        (["0.30000000000000004", "9007199254740993.0"], "DecimalField"),
        (["0.30000000000000004", "-123456789.87654321"], "FloatField"),
        (["1.50000000000000000000000000"], "FloatField"),
        (["1.12345678901234567890", "x"], "StringField"),
        (["1.12345678901234567890", "9223372036854775808"], "StringField"),
        (["nan", "1.5"], "StringField"),
        (["inf"], "StringField"),
        (["NA", "1"], "StringField"),
        (["true", "false"], "BooleanField"),
        (["True", "False"], "BooleanField"),
        (["True", "false"], "StringField"),
        (["1", "true"], "StringField"),
        (["2024-02-29"], "DateField"),
        (["2023-02-29"], "StringField"),
        (["2024-01-01T00:00:00Z", "2024-01-01 10:00+02:00"], "DateTimeField"),
        (["2024-01-01T00:00:00"], "StringField"),
        (["2024-01-01", "2024-01-01T00:00:00Z"], "StringField"),
        ([str(uuid.UUID(int=1))], "StringField"),
        (["", ""], "StringField"),
    ],
)
def test_kinds_of_text(given: list[str], expected: str) -> None:
    assert type(cells(*given)).__name__ == expected


def test_null_in_text() -> None:
    assert cells("1", "").nullable
    assert not cells("1").nullable
    assert cells("", "").nullable
    text = cells("a", "")
    assert (text.nullable, text.default) == (False, "")
    assert cells("a").required
    assert cells("a", "NULL", null="NULL").nullable
    assert type(cells("1", "NULL", null="NULL")).__name__ == "IntegerField"
    assert type(cells("1", "", null="NULL")).__name__ == "StringField"


def test_booleans_keep_their_spelling() -> None:
    field = cells("True", "False")
    assert [field.format(True), field.format(False)] == ["True", "False"]
    assert [field.parse("True"), field.parse("False"), field.parse("true")] == [True, False, True]
    with pytest.raises(ValueError):
        field.parse("TRUE")


def text_key(names: list[str], *rows: list[str]) -> list[str]:
    inference = TextInference(names)
    for row in rows:
        inference.feed(row)
    return [repr(field) for field in inference.fields() if isinstance(field, PkField | StringPkField)]


def test_keys_of_text() -> None:
    assert text_key(["a", "id"], ["1", "1"], ["2", "2"]) == ["PkField('id')"]
    assert text_key(["a", "b"], ["1", "x"], ["1", "y"]) == ["StringPkField('b')"]
    assert text_key(["a", "b"], ["007", "1"], ["008", "2"]) == ["StringPkField('a')"]
    assert text_key(["a", "b"], ["1.5", "true"], ["2.5", "false"]) == []
    assert text_key(["a"], ["x"], [""]) == []
    assert text_key(["a"], ["x"], ["."]) == []
    assert text_key(["a", "b"], ["x", "y"], ["z"]) == ["StringPkField('a')"]
    assert text_key(["a"]) == []


def test_a_header_alone() -> None:
    assert text_key(["a", "id"]) == ["PkField('id')"]
    assert all(field.nullable and not field.required for field in TextInference(["a", "id"]).fields()[:1])
    named = TextInference(["id", "code"], key="code").fields()
    assert [type(field).__name__ for field in named] == ["StringField", "StringPkField"]
    assert named[0].nullable


def test_a_key_that_is_named() -> None:
    inference = TextInference(["id", "code", "x"], key="code")
    inference.feed(["1", "a", "b"])
    assert [repr(field) for field in inference.fields()] == [
        "IntegerField('id')",
        "StringPkField('code')",
        "StringField('x')",
    ]


@pytest.mark.parametrize("last", ["0", "x"])
def test_a_column_is_judged_by_all_its_batches(monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    monkeypatch.setattr(text_room, "BATCH", 2)
    found = text_key(["a"], ["0"], ["1"], ["2"], ["3"], [last])
    assert found == ([] if last == "0" else ["StringPkField('a')"])


def test_many_columns_that_could_be_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_room, "BATCH", 1)
    names = [f"c{index}" for index in range(20)] + ["id"]
    assert text_key(names, ["1"] * 21, ["2"] * 21) == ["PkField('id')"]


cell = st.sampled_from(
    ["", "0", "7", "-1", "1.5", "007", "true", "True", "2024-01-01", "x", "1234567890123456", "1.10000000000000000001"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(cell, min_size=2, max_size=2), max_size=12), st.integers(1, 5))
def test_batches_change_nothing_and_every_cell_is_read(rows: list[list[str]], batch: int) -> None:
    found = []
    for size in (batch, 4096):
        text_room.BATCH, kept = size, text_room.BATCH  # type: ignore[misc]
        inference = TextInference(["a", "b"])
        for row in rows:
            inference.feed(row)
        text_room.BATCH = kept  # type: ignore[misc]
        found.append(inference.fields())
    assert [(repr(f), f.nullable, f.required) for f in found[0]] == [
        (repr(f), f.nullable, f.required) for f in found[1]
    ]
    for row in rows:
        for field, text in zip(found[0], row, strict=True):
            assert field.nullable or text or field.kind.is_text
            assert not text or field.parse(text) is not None
