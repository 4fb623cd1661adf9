"""Conformance in reading: each operator, order, page and search means what `rest_kit.rows` says."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from rest_kit import rows as reference
from rest_kit.errors import RecordNotFound, Unsupported
from rest_kit.models import Model
from rest_kit.query import OPERATORS, All, Arity, Filter, Not, OperatorClass, Order, Page, Query, Search, Where
from rest_kit.query import Any as AnyOf
from rest_kit.store import DataStore
from rest_kit.testing.store_samples import POOLS, TEXTS, every_model, every_rows, people, person_model
from rest_kit.testing.store_suite import (
    StoreSuite,
    check,
    delete,
    everything,
    insert,
    person,
    place,
    refuses_writes,
    same,
    update,
)
from rest_kit.types import Record

ORDERS: tuple[tuple[Order, ...], ...] = (
    (),
    (Order("id", True),),
    (Order("name"),),
    (Order("name", True),),
    (Order("nick"), Order("age", True)),
    (Order("score", True), Order("name")),
    (Order("age", True), Order("id", True)),
    (Order("age"), Order("id", True)),
)


TEXT_OPERATORS = sorted(name for name, operator in OPERATORS.items() if operator.applies_to is OperatorClass.TEXT)


class ReadingSuite(StoreSuite):
    """What a store finds."""

    def _listed_every(self, count: int = 40) -> tuple[DataStore, Model, list[Record]]:
        model, rows = every_model(), every_rows(count)
        return self.make_store(model, rows), model, rows

    def _listed_people(self, count: int = 23) -> tuple[DataStore, Model, list[Record]]:
        model, rows = person_model(), people(count)
        return self.make_store(model, rows), model, rows

    def test_everything_comes_back_in_the_order_of_the_key(self) -> None:
        store, model, rows = self._listed_every()
        same(everything(store), rows)
        check(store, model, rows, Query())

    def test_an_empty_place_answers(self) -> None:
        model = person_model()
        store = self.make_store(model, [])
        for query in (Query(), Query(page=Page(1)), Query(where=Filter("age", "eq", 1), order=(Order("name"),))):
            check(store, model, [], query)
        with pytest.raises(RecordNotFound):
            store.get(1)

    @pytest.mark.parametrize("operator", sorted(OPERATORS))
    def test_operator(self, operator: str) -> None:
        store, model, rows = self._listed_every()
        for condition in conditions(model, operator):
            check(store, model, rows, Query(where=condition, fields=("id",)))
            check(store, model, rows, Query(where=Not(condition), fields=("id",)))

    @pytest.mark.parametrize("operator", TEXT_OPERATORS)
    def test_text_operator_takes_every_text_literally(self, operator: str) -> None:
        store, model, rows = self._listed_every(80)
        for text in ("", *TEXTS):
            check(store, model, rows, Query(where=Filter("text", operator, text), fields=("id", "text")))

    def test_an_empty_set_holds_nothing(self) -> None:
        store, model, rows = self._listed_every()
        for name in ("text", "integer", "date"):
            for operator in ("in", "notin"):
                check(store, model, rows, Query(where=Filter(name, operator, ()), fields=("id",), total=True))

    def test_many_values_and_many_conditions(self) -> None:
        store, model, rows = self._listed_every()
        some = tuple(range(2, 5000))
        either: list[Where] = [Filter("integer", "eq", number) for number in range(3, 200)]
        for where in (Filter("integer", "in", some), Filter("integer", "notin", some), AnyOf(*either), All(*either)):
            check(store, model, rows, Query(where=where, fields=("id",), total=True))

    def test_not_knows_no_third_truth(self) -> None:
        store, model, rows = self._listed_every()
        leaf, other = Filter("integer", "gt", 1), Filter("text", "contains", "a")
        trees: list[Where] = [
            Not(leaf),
            Not(Not(leaf)),
            Not(All(leaf, other)),
            Not(AnyOf(leaf, other)),
            AnyOf(Not(leaf), Not(other)),
            All(Not(leaf), AnyOf(other, Not(other))),
            All(),
            AnyOf(),
            Not(All()),
            Not(AnyOf()),
            All(AnyOf(), leaf),
        ]
        for tree in trees:
            check(store, model, rows, Query(where=tree, fields=("id",), total=True))

    def test_filters_commute(self) -> None:
        store, model, rows = self._listed_every()
        some: list[Where] = [
            Filter("text", "icontains", "a"),
            Filter("integer", "gte", 1),
            Filter("float", "ne", 0.1),
            Filter("boolean", "eq", True),
            Filter("date", "isnull", False),
            Filter("title", "in", ("a", "ß", "")),
            Not(Filter("decimal", "range", (POOLS["decimal"][1], POOLS["decimal"][4]))),
        ]
        for one, two in itertools.permutations(some, 2):
            check(store, model, rows, Query(where=All(one, two), fields=("id",), total=True))
            check(store, model, rows, Query(where=AnyOf(one, two), fields=("id",), total=True))

    @pytest.mark.parametrize("name", [name for name in POOLS if name not in ("list", "dict")])
    def test_order_by_each_kind(self, name: str) -> None:
        store, model, rows = self._listed_every(60)
        for descending in (False, True):
            check(store, model, rows, Query(order=(Order(name, descending),), fields=("id", name)))

    def test_orders_with_ties(self) -> None:
        store, model, rows = self._listed_people()
        for order in ORDERS:
            check(store, model, rows, Query(order=order))

    @pytest.mark.parametrize("size", range(1, 10))
    def test_pages_by_offset(self, size: int) -> None:
        store, model, rows = self._listed_people()
        for order, offset in itertools.product(ORDERS[:4], range(0, 26, size)):
            check(store, model, rows, Query(order=order, page=Page(size, offset), total=True, fields=("id", "name")))

    def test_a_page_of_nothing_and_one_without_end(self) -> None:
        store, model, rows = self._listed_people()
        for page in (Page(0), Page(0, 5), Page(0, 23), Page(None, 20), Page(5, 23), Page(5, 1000), Page(5, 2**40)):
            check(store, model, rows, Query(page=page, total=True))

    @pytest.mark.parametrize("size", range(1, 10))
    def test_pages_behind_and_ahead_of_a_place(self, size: int) -> None:
        store, model, rows = self._listed_people()
        if refuses_keyset(store):
            return
        for order in ORDERS:
            full = model.full_order(order)
            for record in rows[:: 1 + size // 2]:
                for before in (False, True):
                    page = Page(size, after=place(record, full), before=before)
                    check(store, model, rows, Query(order=order, page=page, fields=("id",)))

    def test_a_place_need_not_exist(self) -> None:
        store, model, rows = self._listed_people()
        if refuses_keyset(store):
            return
        order = (Order("nick", True), Order("score"))
        places = [(None, None, 0), ("n1", None, 99), ("zz", 1.0, 5), ("", 0.0, 1), (None, 1e300, 3)]
        for after, before in itertools.product(places, (False, True)):
            page = Page(4, after=after, before=before)
            check(store, model, rows, Query(order=order, page=page, where=Filter("age", "lt", 5), total=True))

    @pytest.mark.parametrize("size", range(1, 10))
    @pytest.mark.parametrize("order", ORDERS[:6])
    def test_a_walk_by_cursor_sees_each_record_once(self, size: int, order: tuple[Order, ...]) -> None:
        store, model, rows = self._listed_people(13)
        if refuses_keyset(store):
            return
        full = model.full_order(order)
        expected = [r["id"] for r in reference.sort(rows, full)]
        seen: list[int] = []
        page = Page(size)
        for _ in range(20):
            result = store.find(Query(order=order, page=page))
            seen += [record["id"] for record in result.records]
            if not result.more:
                break
            page = Page(size, after=place(result.records[-1], full))
        same(seen, expected, f"pages of {size} by {order}")

    @pytest.mark.parametrize("size", range(1, 10))
    @pytest.mark.parametrize("before", [False, True])
    def test_a_walk_by_cursor_while_rows_come_and_go(self, size: int, before: bool) -> None:
        store, model, rows = self._listed_people(17)
        if refuses_keyset(store) or refuses_writes(store):
            return
        order = (Order("name", True),)
        full = model.full_order(order)
        expected = [r["id"] for r in reference.sort(rows, full)]
        seen: list[int] = []
        page = Page(size, after=("", 0) if before else None, before=before)
        for step in range(60):
            result = store.find(Query(order=order, page=page))
            records = result.records[::-1] if before else result.records
            seen += [record["id"] for record in records]
            if not result.more:
                break
            page = Page(size, after=place(records[-1], full), before=before)
            delete(store, records[-1]["id"])
            insert(store, [person("name 95" if step % 2 else "name 00")])
        stayed = [pk for pk in seen if pk <= len(rows)]
        same(stayed, expected[::-1] if before else expected, "the records that were there all the time")
        assert len(seen) == len(set(seen)), "a record came twice"

    @pytest.mark.parametrize("size", range(1, 10))
    def test_pages_by_offset_while_rows_come_and_go(self, size: int) -> None:
        store, model, rows = self._listed_people(12)
        if refuses_writes(store):
            return
        order = (Order("name"), Order("age", True))
        for step in range(12):
            rows += insert(store, [person(f"name {step % 4}", age=step % 3)])
            delete(store, rows.pop((step * 5) % len(rows))["id"])
            for offset in range(0, 14, size):
                check(store, model, rows, Query(order=order, page=Page(size, offset), total=True, fields=("id",)))

    def test_search(self) -> None:
        store, model, rows = self._listed_every(80)
        if not store.capabilities.search:
            with pytest.raises(Unsupported):
                store.find(Query(search=Search(("a",), ("title",))))
            return
        words: list[tuple[str, ...]] = [(text,) for text in TEXTS if " " not in text]
        words += [("a", "b"), ("STRASSE", "a"), ("i", "%"), ("nowhere-at-all",), ("a", "a")]
        for some in words:
            for fields in (("title",), ("title", "text"), ("text", "long", "title")):
                check(store, model, rows, Query(search=Search(some, fields), fields=("id",), total=True))

    def test_search_and_filter_both_hold(self) -> None:
        store, model, rows = self._listed_every(60)
        if not store.capabilities.search:
            return self.test_search()
        query = Query(
            where=Filter("integer", "gte", 1),
            search=Search(("a",), ("title", "text")),
            order=(Order("text", True),),
            page=Page(3, 1),
            total=True,
        )
        return check(store, model, rows, query)

    def test_total_counts_what_matches_and_not_the_page(self) -> None:
        store, model, rows = self._listed_people()
        if not store.capabilities.total:
            with pytest.raises(Unsupported):
                store.find(Query(total=True))
            return
        for where in (None, Filter("age", "eq", 3), Filter("nick", "isnull", True), Filter("age", "eq", 99)):
            for page in (Page(2), Page(2, 4), Page(100), Page(0)):
                check(store, model, rows, Query(where=where, page=page, total=True))
        assert store.find(Query()).total is None, "a total that nobody asked for"

    def test_fields_come_in_the_order_asked(self) -> None:
        store, model, rows = self._listed_every(10)
        for names in (("id",), ("title", "id"), ("dict", "list", "date"), tuple(reversed(model.names)), model.names):
            check(store, model, rows, Query(fields=names))
            check(store, model, rows, Query(fields=names, where=Filter("id", "gt", 3), order=(Order("float"),)))

    def test_a_record_is_the_callers_to_change(self) -> None:
        store, model, rows = self._listed_every(20)
        some = Query(fields=("id", "list", "dict"))
        for query in (Query(), some, Query(where=Filter("id", "gte", 1), order=(Order("text"),))):
            for record in store.find(query).records:
                spoil(record)
        spoil(store.get(1))
        check(store, model, rows, Query())
        same(store.get(1), rows[0])

    def test_get(self) -> None:
        store, _, rows = self._listed_every(20)
        for row in rows:
            same(store.get(row["id"]), row)
        for missing in (0, -1, 21, 2**62):
            with pytest.raises(RecordNotFound):
                store.get(missing)

    def test_get_within_a_scope(self) -> None:
        store, _, rows = self._listed_people()
        scopes: list[Where] = [Filter("age", "gt", 3), Not(Filter("score", "gt", 2.0)), All(), AnyOf()]
        for row, scope in itertools.product(rows, scopes):
            if reference.matches(scope, row):
                same(store.get(row["id"], scope), row)
            else:
                with pytest.raises(RecordNotFound):
                    store.get(row["id"], scope)

    def test_get_within_a_transaction(self) -> None:
        store, _, rows = self._listed_people()
        if refuses_writes(store):
            return
        same(store.atomic(lambda tx: tx.get(3)), rows[2])
        same(store.atomic(lambda tx: tx.get(3, Filter("id", "eq", 3))), rows[2])
        for pk, scope in ((99, None), (3, Filter("id", "eq", 4))):
            with pytest.raises(RecordNotFound):
                store.atomic(lambda tx, pk=pk, scope=scope: tx.get(pk, scope))  # type: ignore[misc]

    def test_reading_again_after_reopening(self) -> None:
        store, model, rows = self._listed_every(20)
        again = self.reopen(store)
        check(again, model, rows, Query())
        again.ping()
        if not refuses_writes(again):
            update(again, 3, {"title": "new"})
            same(everything(self.reopen(again))[2], {**rows[2], "title": "new"})


def refuses_keyset(store: DataStore) -> bool:
    """False for a store that pages by place; for any other, having made sure that it refuses."""
    if store.capabilities.keyset:
        return False
    with pytest.raises(Unsupported):
        store.find(Query(page=Page(2, after=(1,))))
    return True


def spoil(record: Record) -> None:
    """Change a record in every way, nested values too."""
    for value in record.values():
        if isinstance(value, list):
            value.append("spoilt")
            for item in value:
                if isinstance(item, list):
                    item.append("spoilt")
        elif isinstance(value, dict):
            value["spoilt"] = True
            for item in list(value.values()):
                if isinstance(item, dict):
                    item["spoilt"] = True
    record.clear()


def conditions(model: Model, operator: str) -> list[Filter]:
    """The operator with several values on every field that it applies to."""
    found: list[Filter] = []
    for name, pool in POOLS.items():
        if OPERATORS[operator].fits(model.by_name[name].kind):
            found += [Filter(name, operator, value) for value in values_for(operator, pool)]
    return found


def values_for(operator: str, pool: Any) -> list[Any]:
    """Some values of the pool in the form that the operator takes."""
    some = list(pool[:: max(len(pool) // 5, 1)])
    arity = OPERATORS[operator].arity
    if arity is Arity.BOOLEAN:
        return [True, False]
    if arity is Arity.MANY:
        return [(some[0],), tuple(some[:3]), tuple(some)]
    if arity is Arity.TWO:
        return [(some[0], some[-1]), (some[-1], some[0]), (some[0], some[0])]
    return some
