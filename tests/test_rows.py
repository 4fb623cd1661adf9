"""The reference says what a query means; these are the sentences of the contract, one by one."""

from __future__ import annotations

import datetime
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rest_kit import rows
from rest_kit.errors import InvalidQuery
from rest_kit.models import DictField, IntegerField, Model, PkField, StringField
from rest_kit.query import All, Filter, Not, Order, Page, Query, Search
from rest_kit.query import Any as AnyOf
from rest_kit.types import Record

MODEL = Model.of("Row", [PkField("id"), StringField("text"), IntegerField("number"), DictField("data")])


def row(pk: int, text: str | None = None, number: int | None = None) -> Record:
    return {"id": pk, "text": text, "number": number, "data": None}


def ids(query: Query, *records: Record) -> list[object]:
    return [record["id"] for record in rows.find(records, query, MODEL).records]


@given(st.text())
def test_fold_is_code_point_by_code_point(text: str) -> None:
    assert rows.fold(text) == "".join(rows.fold(char) for char in text)


def test_fold_is_lower_for_every_code_point_with_a_single_lower_case() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        lower = char.lower()
        assert rows.fold(char) == (lower if len(lower) == 1 and char != "İ" else "i")


def test_fold_knows_no_final_sigma() -> None:
    assert rows.fold("ΟΔΟΣ") == rows.fold("ΟΔΟσ") != rows.fold("ΟΔΟς")


@pytest.mark.parametrize("operator", sorted(set(rows.COMPARISONS) - {"range", "in", "notin"}))
def test_a_comparison_with_none_is_false(operator: str) -> None:
    assert not rows.matches(Filter("text", operator, "a"), row(1))
    assert rows.matches(Not(Filter("text", operator, "a")), row(1))
    assert not rows.matches(Filter("text", operator, None), row(1, "a"))


def test_none_is_in_no_set_and_outside_of_none() -> None:
    for operator, value in (("in", ("a", None)), ("notin", ()), ("notin", ("a",)), ("range", ("", "z"))):
        assert not rows.matches(Filter("text", operator, value), row(1))
    assert rows.matches(Filter("text", "notin", ()), row(1, ""))
    assert not rows.matches(Filter("text", "in", ()), row(1, ""))


def test_range_includes_both_ends() -> None:
    found = ids(Query(where=Filter("number", "range", (2, 3))), *(row(n, number=n) for n in range(1, 6)))
    assert found == [2, 3]


def test_wildcards_are_letters() -> None:
    texts = ("50%", "500", "a_b", "axb", "\\")
    records = [row(n, text) for n, text in enumerate(texts)]
    assert ids(Query(where=Filter("text", "contains", "%")), *records) == [0]
    assert ids(Query(where=Filter("text", "contains", "_")), *records) == [2]
    assert ids(Query(where=Filter("text", "endswith", "\\")), *records) == [4]
    assert ids(Query(where=Filter("text", "contains", "")), *records) == [0, 1, 2, 3, 4]


def test_all_of_nothing_holds_and_any_of_nothing_does_not() -> None:
    assert rows.matches(All(), row(1))
    assert not rows.matches(AnyOf(), row(1))


def test_an_unknown_operator_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidQuery, match="icontains"):
        rows.matches(Filter("text", "icontain", "a"), row(1, "a"))


def test_none_is_smaller_than_everything() -> None:
    records = [row(1, number=-5), row(2), row(3, number=0)]
    assert ids(Query(order=(Order("number"),)), *records) == [2, 1, 3]
    assert ids(Query(order=(Order("number", True),)), *records) == [3, 1, 2]


def test_text_is_ordered_by_code_point_and_ties_by_key() -> None:
    records = [row(4, "b"), row(3, "😀"), row(2, "\uffee"), row(1, "b"), row(5, "B")]
    assert ids(Query(order=(Order("text"),)), *records) == [5, 1, 4, 2, 3]
    assert ids(Query(order=(Order("text", True),)), *records) == [3, 2, 1, 4, 5]


def test_every_word_is_in_one_of_the_fields() -> None:
    model = Model.of("Two", [PkField("id"), StringField("a"), StringField("b")])
    texts = (("Ada L", None), ("x", "ada"), (None, None))
    records: list[Record] = [{"id": n, "a": a, "b": b} for n, (a, b) in enumerate(texts, 1)]

    def found(*words: str) -> list[object]:
        query = Query(search=Search(words, ("a", "b")))
        return [record["id"] for record in rows.find(records, query, model).records]

    assert found("ADA") == [1, 2]
    assert found("ada", "X") == [2]
    assert found("") == [1, 2]
    assert found() == [1, 2, 3]


def test_pages_by_offset_and_how_to_know_of_more() -> None:
    records = [row(n) for n in range(5)]
    result = rows.find(records, Query(page=Page(2, 2), total=True), MODEL)
    assert ([r["id"] for r in result.records], result.more, result.total) == ([2, 3], True, 5)
    result = rows.find(records, Query(page=Page(2, 3)), MODEL)
    assert ([r["id"] for r in result.records], result.more, result.total) == ([3, 4], False, None)
    assert rows.find(records, Query(page=Page(0)), MODEL).more
    assert not rows.find(records, Query(page=Page(None, 4)), MODEL).more


def test_pages_behind_and_ahead_of_a_place() -> None:
    records = [row(1, number=2), row(2, number=None), row(3, number=2), row(4, number=7)]
    order = (Order("number", True),)
    assert ids(Query(order=order), *records) == [4, 1, 3, 2]
    assert ids(Query(order=order, page=Page(9, after=(2, 1))), *records) == [3, 2]
    assert ids(Query(order=order, page=Page(9, after=(2, 3), before=True)), *records) == [4, 1]
    assert ids(Query(order=order, page=Page(1, after=(None, 2), before=True)), *records) == [3]
    assert ids(Query(order=order, page=Page(9, after=(None, 2))), *records) == []
    assert ids(Query(order=order, page=Page(9, after=(5, 0))), *records) == [1, 3, 2]
    assert ids(Query(order=order, page=Page(2, before=True)), *records) == [3, 2]


def test_a_record_is_a_copy_of_the_fields_asked_for() -> None:
    kept: Record = {"id": 1, "text": "a", "number": 1, "data": {"list": [1]}}
    [found] = rows.find([kept], Query(fields=("data", "id")), MODEL).records
    assert list(found) == ["data", "id"]
    found["data"]["list"].append(2)
    assert kept["data"] == {"list": [1]}


@given(st.lists(st.one_of(st.none(), st.integers(-3, 3)), max_size=12), st.booleans(), st.integers(1, 4))
def test_walking_by_place_sees_each_record_once(numbers: list[int | None], descending: bool, size: int) -> None:
    records = [row(n, number=number) for n, number in enumerate(numbers)]
    order = (Order("number", descending),)
    seen: list[object] = []
    page = Page(size)
    while True:
        result = rows.find(records, Query(order=order, page=page), MODEL)
        seen += [r["id"] for r in result.records]
        if not result.more:
            break
        last = result.records[-1]
        page = Page(size, after=(last["number"], last["id"]))
    assert seen == ids(Query(order=order), *records)


def test_dates_compare_as_dates() -> None:
    day = datetime.date(2020, 1, 1)
    assert rows.matches(Filter("day", "gte", day), {"day": day})
