"""What is a list's own: its owner's rows, whatever their form, and its owner's hands in it while it is served."""

from __future__ import annotations

import collections
import copy
import datetime
import os
import random
import signal
import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datastores.python_list import PythonListDataStore, core
from datastores.python_list.code import NotCompiled
from datastores.python_list.find import find_plainly
from rest_kit import rows as reference
from rest_kit.errors import (
    ConfigurationError,
    Conflict,
    CursorGone,
    InvalidQuery,
    RecordNotFound,
    StoreCorrupt,
    StoreFull,
)
from rest_kit.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    FloatField,
    IntegerField,
    ListField,
    Model,
    PkField,
    StringField,
    StringPkField,
    UUIDField,
)
from rest_kit.query import All, Filter, Not, Order, Page, Query, Search, Where
from rest_kit.query import Any as Anyone
from rest_kit.testing.queries_suite import QueryMaker
from rest_kit.testing.store_samples import every_model, every_rows
from rest_kit.testing.store_suite import agree, check, delete, everything, insert, same, update
from rest_kit.types import INT64_MAX, Record


def books_model() -> Model:
    return Model.of(
        "Book",
        [PkField("id"), StringField("title"), FloatField("price"), DateField("published"), BooleanField("in_stock")],
    )


def books(count: int, *, text: bool = False) -> list[Record]:
    day = datetime.date(2020, 1, 1)
    found: list[Record] = []
    for n in range(1, count + 1):
        published: Any = day + datetime.timedelta(n % 7)
        found.append(
            {
                "id": n,
                "title": f"t{n % 5}",
                "price": n * 1.5 % 7,
                "published": published.isoformat() if text else published,
                "in_stock": n % 2 == 0,
            }
        )
    return found


def served(rows: list[Any], model: Model | None = None, **options: Any) -> PythonListDataStore:
    store = PythonListDataStore(rows, options)
    store.bind(model or books_model())
    return store


def pks(store: PythonListDataStore, query: Query | None = None) -> list[Any]:
    return [record["id"] for record in store.find(query or Query()).records]


# --- configuration ----------------------------------------------------------------------------------------------------


def test_every_mistake_in_the_options_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        PythonListDataStore({"url": "x"}, {"index": ["a"], "events": "yes"})  # type: ignore[arg-type]
    text = str(caught.value)
    assert "indexes" in text
    assert "events" in text
    assert "list of dicts" in text


def test_an_index_on_an_unknown_field_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'title'"):
        served([], indexes=["titel"])


def test_an_index_on_a_nested_value_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="tags"):
        served([], Model.of("Tagged", [PkField("id"), ListField("tags")]), indexes=["tags"])


def test_nothing_is_read_before_the_first_use() -> None:
    rows: list[Any] = ["not a dict"]
    store = served(rows)
    rows[:] = books(3)
    assert pks(store) == [1, 2, 3]


def test_a_model_is_inferred_and_a_key_added_where_there_is_none() -> None:
    rows: list[Record] = [{"name": "Ada", "born": datetime.date(1815, 12, 10)}, {"name": "Ada", "born": None}]
    store = PythonListDataStore(rows)
    assert store.find(Query()).records == [
        {"id": 1, "name": "Ada", "born": datetime.date(1815, 12, 10)},
        {"id": 2, "name": "Ada", "born": None},
    ]
    assert [row["id"] for row in rows] == [1, 2]


def test_rows_that_no_model_can_be_inferred_from_are_named() -> None:
    with pytest.raises(StoreCorrupt, match="row 1 is 5, not a dict"):
        PythonListDataStore([{"id": 1}, 5]).find(Query())  # type: ignore[list-item]


# --- the owner's forms ------------------------------------------------------------------------------------------------


def test_dates_in_text_leave_as_dates_and_stay_text() -> None:
    rows = books(10, text=True)
    store = served(rows)
    typed = books(10)
    check(store, books_model(), typed, Query())
    same(store.get(3), typed[2])
    day = datetime.date(2020, 1, 3)
    for op in ("eq", "gt", "lte", "ne"):
        check(store, books_model(), typed, Query(where=Filter("published", op, day), order=(Order("published", True),)))
    check(store, books_model(), typed, Query(where=Filter("published", "range", (day, day)), total=True))
    check(store, books_model(), typed, Query(order=(Order("published"),), page=Page(3, after=(day, 4))))
    [new] = insert(store, [{**typed[0], "id": None, "published": datetime.date(2022, 5, 6)}])
    update(store, 1, {"published": datetime.date(1999, 1, 1)})
    assert new["published"] == datetime.date(2022, 5, 6)
    assert rows[-1]["published"] == "2022-05-06"
    assert rows[0]["published"] == "1999-01-01"
    update(store, 1, {"published": None})
    assert rows[0]["published"] is None
    assert pks(store, Query(where=Filter("published", "isnull", True))) == [1]
    assert pks(store, Query(order=(Order("published"),), page=Page(1))) == [1]


def test_a_column_of_both_forms_compares_as_dates_and_each_row_keeps_its_own() -> None:
    rows = [*books(4), *books(8, text=True)[4:]]
    store = served(rows)
    check(store, books_model(), books(8), Query(where=Filter("published", "gte", datetime.date(2020, 1, 4))))
    check(store, books_model(), books(8), Query(order=(Order("published", True),)))
    update(store, 6, {"published": datetime.date(2000, 1, 1)})
    update(store, 1, {"published": datetime.date(2000, 1, 1)})
    assert (rows[5]["published"], rows[0]["published"]) == ("2000-01-01", datetime.date(2000, 1, 1))


def test_values_of_every_form_leave_typed() -> None:
    model = Model.of(
        "Forms",
        [
            PkField("id"),
            FloatField("float"),
            DecimalField("decimal", places=2),
            DateTimeField("moment"),
            UUIDField("uuid"),
            IntegerField("integer"),
        ],
    )
    key = uuid.UUID(int=5)
    offset = "2020-01-01T01:00:00+01:00"
    rows: list[Record] = [
        {"id": 1, "float": 1, "decimal": "9.5", "moment": offset, "uuid": str(key), "integer": "7"},
        {"id": 2, "float": -0.0, "decimal": Decimal("1E+2"), "moment": datetime.datetime(2020, 1, 1), "uuid": key},
    ]
    store = served(rows, model)
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    typed: list[Record] = [
        {"id": 1, "float": 1.0, "decimal": Decimal("9.50"), "moment": moment, "uuid": key, "integer": 7},
        {"id": 2, "float": 0.0, "decimal": Decimal("100.00"), "moment": moment, "uuid": key, "integer": None},
    ]
    same(everything(store), typed)
    for name in ("float", "decimal", "moment", "uuid", "integer"):
        check(store, model, typed, Query(where=Filter(name, "eq", typed[0][name]), order=(Order(name, True),)))


def test_a_value_that_became_unreadable_can_be_replaced() -> None:
    rows = books(3, text=True)
    store = served(rows)
    store.ping()
    rows[1]["published"] = "soon"
    day = datetime.date(2020, 5, 6)
    assert update(store, 2, {"published": day})["published"] == day


def test_missing_keys_read_as_the_default_or_none() -> None:
    model = Model.of("Sparse", [PkField("id"), StringField("a"), IntegerField("b", default=5), DateField("c")])
    rows: list[Record] = [{"id": 1}, {"a": "x", "id": 2, "b": 7, "more": "not shown"}, {"id": 3, "c": "2020-01-01"}]
    store = served(rows, model)
    day = datetime.date(2020, 1, 1)
    typed: list[Record] = [
        {"id": 1, "a": None, "b": 5, "c": None},
        {"id": 2, "a": "x", "b": 7, "c": None},
        {"id": 3, "a": None, "b": 5, "c": day},
    ]
    conditions: list[Where] = [
        Filter("a", "isnull", True),
        Filter("a", "startswith", "x"),
        Filter("b", "eq", 5),
        Filter("b", "gt", 5),
        Not(Filter("c", "gt", datetime.date(2019, 1, 1))),
    ]
    for where in conditions:
        check(store, model, typed, Query(where=where, order=(Order("c"), Order("b", True))))
    same(update(store, 1, {"a": "now"}), {**typed[0], "a": "now"})
    assert rows[0] == {"id": 1, "a": "now"}
    with pytest.raises(ZeroDivisionError):
        store.atomic(lambda tx: (tx.update(3, {"a": "gone"}), 1 / 0))
    assert rows[2] == {"id": 3, "c": "2020-01-01"}


def test_rows_without_a_key_get_one_above_all_others() -> None:
    rows: list[Record] = [{"title": "a"}, {"id": 7, "title": "b"}, {"title": "c", "id": None}]
    store = served(rows)
    assert sorted(pks(store)) == [7, 8, 9]
    assert [row["id"] for row in rows] == [8, 7, 9]
    rows.append({"title": "d"})
    assert pks(store) == [7, 8, 9, 10]


def test_subclasses_of_dict_are_served() -> None:
    rows: list[Any] = [collections.OrderedDict(row) for row in books(3)]
    rows[1] = collections.defaultdict(int, rows[1])
    store = served(rows)
    same(everything(store), books(3))
    assert type(store.get(2)) is dict


@pytest.mark.parametrize(
    ("position", "row", "told"),
    [
        (0, "text", "row 0 of the list is not a dict but str"),
        (3, {"id": 4, "price": "a lot"}, "row 3 of the list, field 'price'"),
        (5, {"id": 6, "price": float("nan")}, "row 5 of the list, field 'price'"),
        (5, {"id": 6, "price": float("inf")}, "row 5 of the list, field 'price'"),
        (2, {"id": 3, "title": "\ud800"}, "row 2 of the list, field 'title'"),
        (2, {"id": 3, "title": 5}, "row 2 of the list, field 'title'"),
        (2, {"id": 3, "in_stock": 1}, "row 2 of the list, field 'in_stock'"),
        (2, {"id": 3, "published": "2020-02-30"}, "row 2 of the list, field 'published'"),
        (2, {"id": 2**63}, "row 2 of the list, field 'id'"),
        (4, {"id": 1}, "two rows of the list have the id 1"),
    ],
)
def test_a_row_that_fits_no_form_is_named(position: int, row: Any, told: str) -> None:
    rows: list[Any] = books(8)
    whole = rows[position]
    rows[position] = row
    store = served(rows)
    for use in (store.ping, lambda: store.get(1), lambda: store.find(Query()), lambda: insert(store, books(1))):
        with pytest.raises(StoreCorrupt, match=told.replace("(", r"\(")):
            use()
    rows[position] = whole
    same(everything(store), books(8))


def test_a_missing_key_that_nobody_generates_is_named() -> None:
    store = served([{"code": "a"}, {"number": 1}], Model.of("Coded", [StringPkField("code"), IntegerField("number")]))
    with pytest.raises(StoreCorrupt, match="row 1 of the list has no code"):
        store.get("a")


# --- the owner's hands ------------------------------------------------------------------------------------------------


def test_writes_show_in_the_owners_list_and_their_dicts_stay_the_same() -> None:
    rows = books(4)
    kept = list(rows)
    store = served(rows)
    update(store, 2, {"title": "new"})
    assert rows[1] is kept[1]
    assert kept[1]["title"] == "new"
    delete(store, 1)
    assert [row is old for row, old in zip(rows, kept[1:], strict=True)] == [True] * 3
    [new] = insert(store, [{"title": "last", "price": 1.0, "published": None, "in_stock": True}])
    assert rows[-1] == new
    assert rows[-1] is not new


def test_what_the_owner_appends_and_removes_is_noticed() -> None:
    rows = books(5)
    store = served(rows, indexes=["title"])
    assert len(pks(store)) == 5
    rows.append({**books(1)[0], "id": 50, "title": "appended"})
    assert store.get(50)["title"] == "appended"
    assert pks(store, Query(where=Filter("title", "eq", "appended"))) == [50]
    assert insert(store, [{**books(1)[0], "id": None}])[0]["id"] == 51
    del rows[1]
    assert pks(store) == [1, 3, 4, 5, 50, 51]
    with pytest.raises(RecordNotFound):
        store.get(2)
    rows.pop(0)
    rows.append({**books(1)[0], "id": 60})
    assert pks(store) == [3, 4, 5, 50, 51, 60]
    rows.clear()
    assert pks(store) == []
    assert insert(store, [{**books(1)[0], "id": None}])[0]["id"] == 61


def test_an_order_that_the_owner_changed_is_noticed_where_it_shows() -> None:
    rows = books(30)
    store = served(rows)
    assert store.get(3)["id"] == 3
    rows.reverse()
    assert [store.get(n)["id"] for n in (1, 15, 30)] == [1, 15, 30]
    assert pks(store) == list(range(1, 31))
    random.Random(1).shuffle(rows)
    store.refresh()
    assert pks(store, Query(page=Page(3, after=(7,)))) == [8, 9, 10]
    assert pks(store, Query(order=(Order("id", True),), page=Page(3))) == [30, 29, 28]


def test_a_row_replaced_by_another_is_found_by_neither_old_key() -> None:
    rows = books(5)
    store = served(rows, indexes=["title"])
    store.ping()
    rows[2] = {**rows[2], "id": 99, "title": "other"}
    with pytest.raises(RecordNotFound):
        store.get(3)
    assert store.get(99)["title"] == "other"
    assert pks(store, Query(where=Filter("title", "eq", "other"))) == [99]


def test_values_changed_in_place_are_served_as_they_are() -> None:
    rows = books(5)
    store = served(rows)
    store.ping()
    rows[2]["title"] = "changed"
    assert store.get(3)["title"] == "changed"
    assert pks(store, Query(where=Filter("title", "eq", "changed"))) == [3]


def test_an_index_offers_only_what_still_fits() -> None:
    rows = books(100)
    store = served(rows, indexes=["title"])
    rows[4]["title"] = "rare"
    assert pks(store, Query(where=Filter("title", "eq", "rare"))) == [5]
    rows[4]["title"] = "changed"
    assert pks(store, Query(where=Filter("title", "eq", "rare"))) == []
    store.refresh()
    assert pks(store, Query(where=Filter("title", "eq", "changed"))) == [5]


def test_a_row_that_grows_in_place_shows_no_more_than_the_model() -> None:
    rows = books(5)
    store = served(rows)
    store.ping()
    rows[2]["password"] = "secret"
    for record in (store.get(3), *store.find(Query()).records, *store.find(Query(where=Filter("id", "gt", 1))).records):
        assert "password" not in record


@pytest.mark.parametrize(
    "damage",
    [
        lambda rows: rows[2].update(price=None),
        lambda rows: rows[2].update(title=None),
        lambda rows: rows[2].pop("title"),
        lambda rows: rows.__setitem__(2, {"id": 3}),
    ],
)
def test_rows_that_change_their_form_in_place_are_looked_at_again(damage: Any) -> None:
    queries = [
        Query(where=Filter("title", "startswith", "t"), order=(Order("title"),)),
        Query(where=Filter("price", "gte", 1.0), order=(Order("price", True), Order("title"))),
        Query(where=Filter("published", "gt", datetime.date(2020, 1, 2)), order=(Order("published"),)),
        Query(search=Search(("t",), ("title",))),
    ]
    for query in queries:
        rows = books(6)
        store = served(rows)
        store.find(query)
        damage(rows)
        fresh = served(copy.deepcopy(rows))
        agree(store.find(query), fresh.find(query), query)


def test_who_changes_the_form_of_values_in_place_says_so() -> None:
    rows = books(6)
    store = served(rows)
    store.ping()
    rows[2].update(price=3, published="2020-01-05")
    store.refresh()
    same(store.get(3), {**books(6)[2], "price": 3.0, "published": datetime.date(2020, 1, 5)})


def test_a_row_that_becomes_unreadable_is_named_and_healed() -> None:
    rows = books(6)
    store = served(rows)
    query = Query(where=Filter("price", "gte", 1.0))
    store.find(query)
    rows[2]["price"] = "much"
    with pytest.raises(StoreCorrupt, match="row 2 of the list, field 'price'"):
        store.find(query)
    rows[2]["price"] = 5.0
    check(store, books_model(), rows, query)


def test_an_owner_who_changes_rows_all_the_time_never_breaks_a_reader() -> None:
    rows = books(200)
    store = served(rows)
    stop = threading.Event()

    def disturb() -> None:
        dice = random.Random(1)
        while not stop.is_set():
            row = dice.choice(rows)
            row.update(dice.choice([{"title": "x"}, {"price": None}, {"more": 1}]))
            row.pop(dice.choice(["title", "more", "nothing"]), None)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(60):
            for query in (
                Query(page=Page(20)),
                Query(where=Filter("title", "contains", "x"), order=(Order("price", True),)),
                Query(where=Filter("price", "gt", 1.0), fields=("title",)),
            ):
                store.find(query)
    finally:
        stop.set()
        thread.join()


# --- sharing, transactions, events ------------------------------------------------------------------------------------


def test_stores_over_one_list_share_it_through_different_models() -> None:
    rows = books(3, text=True)
    one = served(rows)
    slim = Model.of("Slim", [PkField("id"), StringField("title"), StringField("published")])
    other = served(rows, slim, indexes=["title"])
    assert other.get(1)["published"] == "2020-01-02"
    [new] = insert(one, [{"title": "n", "price": 1.0, "published": datetime.date(2020, 1, 1), "in_stock": True}])
    assert other.get(new["id"]) == {"id": 4, "title": "n", "published": "2020-01-01"}
    update(other, 4, {"title": "m"})
    assert one.get(4)["title"] == "m"
    delete(one, 2)
    assert pks(other, Query(where=Filter("title", "in", ("t1", "m", "t2")))) == [1, 4]
    log = other.changes()
    assert log is not None
    assert [event.action for event in log.read(0)] == ["created", "updated", "deleted"]
    first = log.read(0)[0].after
    assert first == {"id": 4, "title": "n", "published": "2020-01-01"}


def test_events_are_typed_whatever_the_form_that_their_rows_had() -> None:
    rows = books(2, text=True)
    store, idle = served(rows), served(rows)
    for pk in (1, 2):
        update(store, pk, {"published": None})
        rows[pk - 1]["published"] = datetime.date(2020, 1, 1)
    store.refresh()
    day = datetime.date(2020, 1, 2)
    for log in (idle.changes(), store.changes()):
        assert log is not None
        assert [(event.before or {})["published"] for event in log.read(0)] == [day, day + datetime.timedelta(1)]


def test_what_one_model_writes_and_another_cannot_read_is_named_there() -> None:
    rows: list[Record] = [{"id": 1, "code": "7"}]
    texts = served(rows, Model.of("Text", [PkField("id"), StringField("code")]))
    numbers = served(rows, Model.of("Number", [PkField("id"), IntegerField("code")]), indexes=["code"])
    assert numbers.get(1)["code"] == 7
    [new] = insert(texts, [{"code": "seven"}])
    update(texts, 1, {"code": "8"})
    assert [record["code"] for record in everything(texts)] == ["8", "seven"]
    with pytest.raises(StoreCorrupt, match="row 1 of the list, field 'code'"):
        numbers.get(1)
    update(texts, new["id"], {"code": "9"})
    assert [record["code"] for record in everything(numbers)] == [8, 9]
    delete(texts, 1)
    assert pks(numbers, Query(where=Filter("code", "eq", 9))) == [2]


@pytest.mark.parametrize("value", [["unhashable"], None, 5, "gone"])
def test_a_row_damaged_in_place_can_be_mended_and_removed(value: Any) -> None:
    model = Model.of("Mail", [PkField("id"), StringField("mail", unique=True), IntegerField("number")])
    rows: list[Record] = [{"id": n, "mail": f"m{n}", "number": n} for n in range(1, 6)]
    store = served(rows, model, indexes=["number"])
    for pk in (2, 3):
        store.ping()
        rows[pk - 1]["mail"] = value
        if value == "gone":
            del rows[pk - 1]["mail"]
        try:
            update(store, pk, {"mail": f"m{pk}"})
        except StoreCorrupt:
            rows[pk - 1]["mail"] = f"m{pk}"
            store.refresh()
    delete(store, 2)
    assert pks(store, Query(where=Filter("mail", "in", ("m2", "m3")))) == [3]
    with pytest.raises(Conflict):
        insert(store, [{"mail": "m3", "number": 1}])


def test_a_transaction_within_a_transaction_is_a_part_of_it() -> None:
    rows = books(3)
    store = served(rows)
    log = store.changes()
    assert log is not None

    def work(tx: Any) -> None:
        tx.update(1, {"title": "outer"})
        with pytest.raises(RecordNotFound):
            store.atomic(lambda inner: (inner.update(2, {"title": "inner"}), inner.delete(99)))
        update(store, 3, {"title": "kept"})

    store.atomic(work)
    assert [row["title"] for row in rows] == ["outer", "t2", "kept"]
    with pytest.raises(ZeroDivisionError):
        store.atomic(lambda tx: (update(store, 3, {"title": "lost"}), 1 / 0))
    assert rows[2]["title"] == "kept"
    assert [event.pk for event in log.read(0)] == [1, 3]


def test_readers_do_not_wait_for_a_transaction_that_has_not_written() -> None:
    store = served(books(3))
    inside, done = threading.Event(), threading.Event()

    def work(tx: Any) -> None:
        tx.get(1)
        inside.set()
        assert done.wait(20)
        tx.update(1, {"title": "late"})

    writer = threading.Thread(target=lambda: store.atomic(work))
    writer.start()
    assert inside.wait(20)
    assert store.get(1)["title"] == "t1"
    done.set()
    writer.join()
    assert store.get(1)["title"] == "late"


def test_a_transaction_is_of_no_use_after_its_end() -> None:
    store = served(books(2))
    tx = store.atomic(lambda tx: tx)
    with pytest.raises(RuntimeError, match="after its end"):
        tx.delete(1)


def test_the_rows_of_a_failed_transaction_are_back_in_their_places() -> None:
    rows = books(400)
    before = copy.deepcopy(rows)
    store = served(rows, indexes=["title"])
    random.Random(2).shuffle(rows)
    shuffled = copy.deepcopy(rows)

    def work(tx: Any) -> None:
        for pk in range(1, 400, 2):
            tx.delete(pk)
        tx.insert([{**before[0], "id": None}])
        tx.update(2, {"title": "x"})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.atomic(work)
    assert rows == shuffled
    assert [store.get(row["id"]) for row in before] == before
    check(store, books_model(), before, Query(where=Filter("title", "eq", "t1"), total=True))


def test_the_last_key_is_given_only_once() -> None:
    store = served([{**books(1)[0], "id": INT64_MAX}])
    with pytest.raises(StoreFull):
        insert(store, [{**books(1)[0], "id": None}])


def test_deleting_much_of_an_unordered_list_keeps_every_row_findable() -> None:
    rows = books(1500)
    random.Random(3).shuffle(rows)
    store = served(rows)
    for pk in range(1, 1500, 2):
        delete(store, pk)
        assert store.get(pk + 1)["id"] == pk + 1
    assert pks(store) == list(range(2, 1501, 2))


@pytest.mark.parametrize("field", [DecimalField("price", places=2), DecimalField("price", digits=40, places=2)])
def test_a_number_may_have_as_many_digits_as_its_field(field: DecimalField) -> None:
    price = Decimal("1" * 30 + ".05")
    store = served([{"id": 1, "price": price}, {"id": 2, "price": str(price)}], Model.of("Priced", [PkField(), field]))
    assert [record["price"] for record in store.find(Query()).records] == [price, price]


def test_a_cursor_from_before_a_restart_is_refused() -> None:
    old = served(books(1)).changes()
    assert old is not None
    rows = books(1)
    store = served(rows)
    update(store, 1, {"title": "a"})
    log = store.changes()
    assert log is not None
    for foreign in (1, 12345, log.last() + 1):
        with pytest.raises(CursorGone):
            log.read(foreign)
    assert len(log.read(0)) == 1
    assert old.last() == 0


def test_exactly_as_many_events_as_asked_for_are_kept() -> None:
    store = served(books(1), retention=3)
    log = store.changes()
    assert log is not None
    for price in range(5):
        update(store, 1, {"price": float(price)})
    last = log.last()
    assert [event.seq for event in log.read(last - 3)] == [last - 2, last - 1, last]
    for gone in (0, last - 4):
        with pytest.raises(CursorGone):
            log.read(gone)


def test_a_child_process_starts_with_free_locks_and_whole_transactions() -> None:
    rows = books(3)
    store = served(rows)
    written, done = threading.Event(), threading.Event()

    def work(tx: Any) -> None:
        tx.update(1, {"title": "half"})
        written.set()
        assert done.wait(20)

    writer = threading.Thread(target=lambda: store.atomic(work))
    writer.start()
    assert written.wait(20)
    child = os.fork()
    if child == 0:
        os._exit(0 if store.get(1)["title"] == "t1" and update(store, 2, {"title": "mine"})["title"] == "mine" else 1)
    done.set()
    writer.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [row["title"] for row in rows] == ["half", "t2", "t3"]


def test_a_child_process_can_open_a_list_although_its_parent_was_just_opening_one() -> None:
    with core._cores._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(0 if served(books(1)).get(1)["id"] == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# --- fast and plain ---------------------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[Any], Any]] = {
    "date": lambda value: value.isoformat(),
    "moment": lambda value: value.isoformat(),
    "uuid": str,
    "decimal": str,
    "float": lambda value: int(value) if value.is_integer() and abs(value) < 1e15 else value,
}


def owned(rows: list[Record], seed: int) -> list[Record]:
    """The rows as an owner might keep them: some columns in text, some keys missing, in another order."""
    dice = random.Random(seed)
    in_text = {name: dice.choice((0.0, 1.0, 0.5)) for name in FORMS}
    sparse = dice.random() < 0.5
    found = []
    for row in rows:
        kept = {}
        for name, value in copy.deepcopy(row).items():
            if value is None and sparse and dice.random() < 0.5:
                continue
            textual = value is not None and dice.random() < in_text.get(name, 0.0)
            kept[name] = FORMS[name](value) if textual else value
        found.append(kept)
    if dice.random() < 0.5:
        dice.shuffle(found)
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_the_fast_path_agrees_with_the_plain_one(seed: int, indexed: bool) -> None:
    model, rows = every_model(), every_rows(40, seed)
    indexes = ["title", "integer", "date"] if indexed else []
    store = served(owned(rows, seed), model, indexes=indexes)
    for number in range(8):
        query = QueryMaker(seed * 8 + number, model, rows, store).query()
        agree(store.find(query), reference.find(rows, query, model), query)
        agree(store.find(query), find_plainly(store._open(), query), query)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_fast_and_plain_agree_while_rows_come_and_go(seed: int) -> None:
    dice = random.Random(seed)
    model = every_model()
    rows = {row["id"]: row for row in every_rows(20, seed)}
    mine = owned(list(rows.values()), seed)
    store = served(mine, model, indexes=["integer", "text"])
    for step, new in enumerate(every_rows(12, seed + 1)):
        pk = dice.choice(sorted(rows))
        what = dice.randrange(4)
        if what == 0:
            delete(store, pk)
            del rows[pk]
        elif what == 1:
            rows[pk] = update(store, pk, {**new, "id": pk})
        elif what == 2:
            [added] = insert(store, [{**new, "id": None}])
            rows[added["id"]] = added
        else:
            rows[1000 + step] = {**new, "id": 1000 + step}
            mine.append(copy.deepcopy(rows[1000 + step]))
        query = QueryMaker(seed + step, model, list(rows.values()), store).query()
        agree(store.find(query), reference.find(rows.values(), query, model), query)


def test_names_that_are_no_identifiers_are_only_ever_names() -> None:
    names = ["a b", "x'] + r['id", 'q"uote', "back\\slash", "naïve", "class", "{x}", "{v}", "v0", "nul\0", "new\nline"]
    model = Model.of("Odd", [PkField("id"), *(StringField(name) for name in names)])
    rows: list[Record] = [{"id": n, **{name: f"{name}{n % 2}" for name in names}} for n in range(1, 6)]
    rows.append({"id": 6, **dict.fromkeys(names)})
    store = served(copy.deepcopy(rows), model)
    for name in names:
        query = Query(where=Filter(name, "endswith", "1"), order=(Order(name, True),), fields=(name, "id"), total=True)
        check(store, model, rows, query)
        check(store, model, rows, Query(where=Not(Filter(name, "range", (name, f"{name}0")))))
        check(store, model, rows, Query(search=Search((name[:2],), tuple(names)), order=(Order(name),), page=Page(2)))


def test_an_unknown_field_is_refused_with_the_nearest() -> None:
    store = served(books(2))
    for query in (
        Query(where=Filter("titel", "eq", "a")),
        Query(order=(Order("titel"),)),
        Query(fields=("titel",)),
        Query(search=Search(("a",), ("titel",))),
    ):
        with pytest.raises(InvalidQuery, match="title"):
            store.find(query)


def test_conditions_too_deep_to_compile_are_answered_all_the_same() -> None:
    rows = books(10)
    store = served(rows)
    where: Where = Filter("price", "gt", 2.0)
    for _ in range(41):
        where = Not(where)
    with pytest.raises(NotCompiled):
        store._open().code.select(where, None)
    check(store, books_model(), rows, Query(where=where, total=True))


@pytest.mark.parametrize("count", [195, 1500])
def test_a_question_about_very_many_fields_is_answered(count: int) -> None:
    names = [f"c{number}" for number in range(count)]
    model = Model.of("Wide", [PkField("id"), *(StringField(name) for name in names)])
    rows: list[Record] = [{"id": n, **dict.fromkeys(names, None if n == 3 else f"t{n % 2}")} for n in range(1, 6)]
    rows[1][names[-1]] = "Last"
    store = served(copy.deepcopy(rows), model)
    order = tuple(Order(name, number % 2 == 1) for number, name in enumerate(names))
    after = tuple(rows[0][key.field] for key in model.full_order(order))
    for page in (Page(2), Page(2, after=after), Page(2, after=after, before=True)):
        check(store, model, rows, Query(order=order, page=page))
    check(store, model, rows, Query(search=Search(("t1", "LAST"), tuple(names)), fields=("id", names[-1])))
    check(store, model, rows, Query(search=Search(("t1",), tuple(names)), where=Filter("id", "gt", 1), total=True))
    parts = [Filter(name, "startswith", "t") for name in names]
    for where in (All(*parts), Anyone(*parts), Not(All(*map(Not, parts)))):
        check(store, model, rows, Query(where=where, total=True))


def test_values_that_look_like_code_are_values() -> None:
    rows = books(3)
    rows[1]["title"] = "__import__('os').abort()"
    store = served(rows)
    assert pks(store, Query(where=Filter("title", "eq", "__import__('os').abort()"))) == [2]
    assert pks(store, Query(where=Filter("title", "in", ("'] or True or r['", "t1")))) == [1]


def test_a_unique_value_is_found_without_a_scan_and_checked_again() -> None:
    model = Model.of("Mail", [PkField("id"), StringField("mail", unique=True), DictField("more")])
    rows: list[Record] = [{"id": n, "mail": f"m{n}", "more": {}} for n in range(50)]
    store = served(rows, model)
    with pytest.raises(Conflict):
        insert(store, [{"mail": "m7", "more": None}])
    rows[7]["mail"] = "freed in place"
    assert insert(store, [{"mail": "m7", "more": None}])[0]["mail"] == "m7"
    assert pks(store, Query(where=Filter("mail", "in", ("m7", "m8", None)))) == [8, 50]
