"""Conformance in writing: what is stored, what conflicts, what is kept of a transaction that fails."""

from __future__ import annotations

import copy
import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal

import pytest

from rest_kit.errors import Conflict, RecordNotFound, Unsupported
from rest_kit.query import Filter, Order, Page, Query
from rest_kit.store import DataStore, Tx
from rest_kit.testing.reading_suite import spoil
from rest_kit.testing.store_samples import (
    EXTREMES,
    JSON_VALUES,
    every_model,
    every_rows,
    json_model,
    nested_model,
    people,
    person_model,
    text_key_model,
    unique_model,
    uuid_key_model,
)
from rest_kit.testing.store_suite import (
    StoreSuite,
    check,
    delete,
    everything,
    insert,
    person,
    refuses_transactions,
    refuses_writes,
    same,
    update,
)
from rest_kit.types import Record


class Boom(Exception):
    """What the suite raises in the middle of a transaction."""


def unique(email: str | None, first: str | None = None, second: int | None = None) -> Record:
    """A record of `unique_model` without a key."""
    return {"email": email, "first": first, "second": second}


class WritingSuite(StoreSuite):
    """What a store keeps."""

    def _stored_people(self, count: int = 8) -> tuple[DataStore, list[Record]]:
        rows = people(count)
        return self.make_store(person_model(), rows), rows

    def test_a_store_that_is_read_only_refuses_every_write(self) -> None:
        store, rows = self._stored_people()
        refuses_writes(store)
        same(everything(store), rows)

    def test_insert_generates_keys_above_all_others(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return
        [one] = insert(store, [person("one", age=1)])
        assert type(one["id"]) is int
        assert one["id"] > 8, f"the generated key {one['id']} is not new"
        same(one, {"id": one["id"], **person("one", age=1)})
        same(store.get(one["id"]), one)
        same(everything(store), [*rows, one])

    def test_insert_many_at_once(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return
        new = insert(store, [person(f"new {n}") for n in range(50)])
        assert len({record["id"] for record in new}) == 50
        same([record["name"] for record in new], [f"new {n}" for n in range(50)])
        same(everything(store), rows + sorted(new, key=lambda record: record["id"]))
        same(insert(store, []), [])

    def test_insert_honours_a_key_that_is_brought(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return
        if not store.capabilities.brings_keys:
            with pytest.raises(Unsupported):
                insert(store, [{"id": 1000, **person("given")}])
            same(everything(store), rows)
            return
        [given] = insert(store, [{"id": 1000, **person("given")}])
        assert given["id"] == 1000
        [next_one] = insert(store, [person("next")])
        assert next_one["id"] > 1000, "a generated key below one that was brought"
        with pytest.raises(Conflict) as caught:
            insert(store, [{"id": 1000, **person("again")}])
        assert caught.value.fields == ("id",)
        assert store.get(1000)["name"] == "given"

    def test_many_records_that_bring_their_keys(self) -> None:
        """As when rows are copied: more than one statement takes, and in no order."""
        store = self.make_store(every_model(), every_rows(3))
        if refuses_writes(store) or not store.capabilities.brings_keys:
            return
        given = [{**row, "id": row["id"] + 1000} for row in reversed(every_rows(600))]
        same(insert(store, given), given)
        same(everything(store), every_rows(3) + sorted(given, key=lambda row: row["id"]))
        [next_one] = insert(store, [{**given[0], "id": None}])
        assert next_one["id"] > 1600, "a generated key below one that was brought"
        for place, spoilt in ((599, 1001), (0, 1002), (300, 1300)):
            taken = [{**row, "id": row["id"] + 2000} for row in every_rows(600)]
            taken[place]["id"] = spoilt
            with pytest.raises(Conflict) as caught:
                insert(store, taken)
            assert (caught.value.fields, caught.value.index) == (("id",), place)
            same(everything(store)[603:], [next_one])

    def test_a_text_key(self) -> None:
        rows: list[Record] = [{"code": code, "number": n} for n, code in enumerate(("A", "a", "ä", "é/ö", "007"))]
        store = self.make_store(text_key_model(), rows)
        for row in rows:
            same(store.get(row["code"]), row)
        for missing in ("", "7", "Ä", "B", "A ", "%"):
            with pytest.raises(RecordNotFound):
                store.get(missing)
        check(store, text_key_model(), rows, Query())
        if refuses_writes(store):
            return
        same(update(store, "ä", {"number": 50}), {"code": "ä", "number": 50})
        with pytest.raises(Conflict) as caught:
            insert(store, [{"code": "b", "number": 1}, {"code": "a", "number": 2}])
        assert caught.value.fields == ("code",)
        assert caught.value.index == 1
        assert len(everything(store)) == 5, "a part of a refused insert was kept"
        insert(store, [{"code": " a", "number": 1}, {"code": "7", "number": 2}])
        delete(store, "a")
        same(sorted(r["code"] for r in everything(store)), sorted(["A", "ä", "é/ö", "007", " a", "7"]))

    def test_a_uuid_key(self) -> None:
        keys = [uuid.UUID(int=n << 90) for n in (1, 2, 500)]
        store = self.make_store(uuid_key_model(), [{"key": key, "number": n} for n, key in enumerate(keys)])
        same(store.get(keys[1]), {"key": keys[1], "number": 1})
        with pytest.raises(RecordNotFound):
            store.get(uuid.UUID(int=7))
        if refuses_writes(store):
            return
        new = uuid.UUID(int=3)
        if not store.capabilities.brings_keys:
            [made] = insert(store, [{"key": new, "number": None}])
            assert type(made["key"]) is uuid.UUID
            assert made["key"] not in (new, *keys)
            same(store.get(made["key"]), made)
            return
        same(insert(store, [{"key": new, "number": None}]), [{"key": new, "number": None}])
        same([record["key"] for record in everything(store)], [new, *keys])
        with pytest.raises(Conflict):
            insert(store, [{"key": new, "number": 5}])

    def test_update_replaces_fields(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return
        changed = update(store, 3, {"name": "other", "nick": "n", "age": None, "score": 0.1})
        same(changed, {"id": 3, "name": "other", "nick": "n", "age": None, "score": 0.1})
        same(everything(store), [*rows[:2], changed, *rows[3:]])

    def test_update_of_some_fields_leaves_the_rest(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return
        same(update(store, 4, {"age": 99}), {**rows[3], "age": 99})
        same(update(store, 4, {"score": None, "nick": "x"}), {**rows[3], "age": 99, "score": None, "nick": "x"})
        same(update(store, 5, {}), rows[4])
        same(update(store, 6, {"id": 6, "age": 1}), {**rows[5], "age": 1})
        same(update(store, 7, {"id": 8, "age": 1}), {**rows[6], "age": 1}, "a key changed")
        same(store.get(4), {**rows[3], "age": 99, "score": None, "nick": "x"})
        assert len(everything(store)) == 8

    def test_delete(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return
        for pk in (1, 5, 8):
            delete(store, pk)
            with pytest.raises(RecordNotFound):
                store.get(pk)
        same(everything(store), [row for row in rows if row["id"] not in (1, 5, 8)])
        same(store.find(Query(total=True, page=Page(1))).total, 5)

    def test_what_is_not_there_cannot_be_changed(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return
        delete(store, 2)
        for pk in (2, 0, 999):
            with pytest.raises(RecordNotFound):
                update(store, pk, {"age": 1})
            with pytest.raises(RecordNotFound):
                delete(store, pk)
        same(everything(store), [rows[0], *rows[2:]])

    def test_generated_keys_are_never_used_again(self) -> None:
        store, _ = self._stored_people(3)
        if refuses_writes(store):
            return
        used = {1, 2, 3}
        for _ in range(3):
            new = insert(store, [person("new"), person("newer")])
            keys = {record["id"] for record in new}
            assert not keys & used, f"the keys {keys & used} were used before"
            used |= keys
            for record in new:
                delete(store, record["id"])
            store = self.reopen(store)

    def test_generated_keys_are_never_used_again_after_everything_went(self) -> None:
        store, _ = self._stored_people(3)
        if refuses_writes(store):
            return
        for pk in (1, 2, 3):
            delete(store, pk)
        store = self.reopen(store)
        [new] = insert(store, [person("new")])
        assert new["id"] > 3, f"the key {new['id']} was used before"

    def test_unique_fields(self) -> None:
        store = self.make_store(unique_model(), [{"id": 1, **unique("a@b")}, {"id": 2, **unique("c@d")}])
        if refuses_writes(store):
            return
        with pytest.raises(Conflict) as caught:
            insert(store, [unique("new"), unique("a@b")])
        assert (caught.value.code, caught.value.fields, caught.value.index) == ("unique", ("email",), 1)
        with pytest.raises(Conflict) as caught:
            update(store, 2, {"email": "a@b"})
        assert caught.value.fields == ("email",)
        assert len(everything(store)) == 2, "a part of a refused insert was kept"
        update(store, 2, unique("c@d", "own value", 1))
        insert(store, [unique("A@B"), unique("a@b "), unique(None), unique(None)])
        delete(store, 1)
        insert(store, [unique("a@b")])

    def test_unique_within_one_insert(self) -> None:
        store = self.make_store(unique_model(), [])
        if refuses_writes(store):
            return
        with pytest.raises(Conflict) as caught:
            insert(store, [unique("x"), unique("y"), unique("x")])
        assert caught.value.index == 2
        same(everything(store), [])

    def test_unique_together(self) -> None:
        store = self.make_store(unique_model(), [{"id": 1, **unique(None, "a", 1)}, {"id": 2, **unique(None, "a", 2)}])
        if refuses_writes(store):
            return
        for record in (unique("new", "a", 1), unique(None, "a", 2)):
            with pytest.raises(Conflict) as caught:
                insert(store, [record])
            assert set(caught.value.fields) == {"first", "second"}
        with pytest.raises(Conflict):
            update(store, 1, {"second": 2})
        insert(store, [unique(None, "a", None), unique(None, "a", None), unique(None, None, 1), unique(None, None, 1)])
        update(store, 1, {"first": "b"})
        update(store, 2, {"first": "a", "second": 1})
        assert len(everything(store)) == 6

    def test_a_transaction_sees_its_own_writes(self) -> None:
        store, _ = self._stored_people()
        if refuses_writes(store) or refuses_transactions(store):
            return

        def work(tx: Tx) -> int:
            [new] = tx.insert([person("new", age=50)])
            tx.update(1, {"age": 50})
            tx.delete(2)
            same(tx.get(new["id"])["name"], "new")
            same([r["id"] for r in tx.find(Query(where=Filter("age", "eq", 50))).records], [1, new["id"]])
            same([r["id"] for r in tx.find(Query(order=(Order("age", True),), page=Page(2))).records], [1, new["id"]])
            same(tx.find(Query(total=True, page=Page(1))).total, 8)
            with pytest.raises(RecordNotFound):
                tx.get(2)
            return int(new["id"])

        pk = store.atomic(work)
        same([r["id"] for r in everything(store)], [1, *range(3, 9), pk])

    def test_a_transaction_that_fails_leaves_nothing(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store) or refuses_transactions(store):
            return

        def work(tx: Tx) -> None:
            tx.update(1, {"name": "gone"})
            tx.insert([person("gone"), person("gone too")])
            tx.delete(3)
            tx.delete(8)
            tx.update(1, {"name": "gone again"})
            raise Boom

        for _ in range(2):
            with pytest.raises(Boom):
                store.atomic(work)
            check(store, person_model(), rows, Query(total=True))
            for row in rows:
                same(store.get(row["id"]), row)
        same(everything(self.reopen(store)), rows)

    def test_a_single_write_that_fails_leaves_nothing(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return
        writes: list[Callable[[Tx], object]] = [
            lambda tx: tx.update(1, {"name": "gone"}),
            lambda tx: tx.insert([person("gone")]),
            lambda tx: tx.delete(3),
        ]

        def failing(tx: Tx, write: Callable[[Tx], object]) -> None:
            write(tx)
            raise Boom

        for write in writes:
            with pytest.raises(Boom):
                store.atomic(lambda tx, write=write: failing(tx, write))  # type: ignore[misc]
            same(everything(store), rows)

    @pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit, GeneratorExit])
    def test_a_transaction_that_is_broken_off_leaves_nothing(self, exception: type[BaseException]) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return

        def work(tx: Tx) -> None:
            tx.delete(2)
            if store.capabilities.transactions:
                tx.insert([person("gone")])
            raise exception

        with pytest.raises(exception):
            store.atomic(work)
        same(everything(store), rows)
        same(update(store, 2, {"age": 5}), {**rows[1], "age": 5})

    def test_the_store_can_be_read_while_its_own_transaction_runs(self) -> None:
        store, rows = self._stored_people()
        if refuses_writes(store):
            return

        def work(tx: Tx) -> int:
            tx.update(1, {"age": 44})
            same(store.get(2), rows[1])
            return len(store.find(Query()).records)

        same(store.atomic(work), 8)

    def test_writing_goes_on_after_a_failure(self) -> None:
        store, rows = self._stored_people(3)
        if refuses_writes(store) or refuses_transactions(store):
            return
        with pytest.raises(RecordNotFound):
            store.atomic(lambda tx: (tx.delete(3), tx.update(99, {})))
        update(store, 3, {"age": 77})
        same(everything(store), [*rows[:2], {**rows[2], "age": 77}])

    def test_what_atomic_returns(self) -> None:
        store, _ = self._stored_people(1)
        if refuses_writes(store):
            return
        assert store.atomic(lambda tx: ("whatever", tx.get(1)["id"])) == ("whatever", 1)

    def test_what_goes_in_stays_the_callers(self) -> None:
        store = self.make_store(every_model(), every_rows(3))
        if refuses_writes(store):
            return
        given: Record = {**every_rows(1, seed=7)[0], "list": [[1], {"a": 1}], "dict": {"b": {"c": 1}}}
        del given["id"]
        kept = copy.deepcopy(given)
        [stored] = insert(store, [given])
        pk = stored["id"]
        for theirs in (given, stored):
            spoil(theirs)
        same(store.get(pk), {"id": pk, **kept})
        patch: Record = {"list": [[2]], "dict": {"d": {}}}
        returned = update(store, pk, patch)
        for theirs in (patch, returned):
            spoil(theirs)
        same(store.get(pk), {"id": pk, **kept, "list": [[2]], "dict": {"d": {}}})

    def test_typed_parts_of_lists_and_objects_come_back_typed(self) -> None:
        store = self.make_store(nested_model(), [])
        if refuses_writes(store):
            return
        day = datetime.date(2026, 2, 28)
        given: Record = {"days": [day], "price": {"amount": Decimal("1.50"), "since": day}}
        [stored] = insert(store, [given])
        same(stored, {"id": stored["id"], **given})
        same(store.get(stored["id"]), stored)

    def test_any_json_value_is_kept_as_it_is(self) -> None:
        rows: list[Record] = [{"id": n, "value": value, "number": 0} for n, value in enumerate(JSON_VALUES, 1)]
        store = self.make_store(json_model(), copy.deepcopy(rows))
        same(everything(store), rows)
        same(everything(self.reopen(store)), rows)
        if refuses_writes(store):
            return
        for row in rows:
            same(update(store, row["id"], {"number": 1}), {**row, "number": 1}, "another field changed")
            same(update(store, row["id"], row), row, "written back as it was read")
            [new] = insert(store, [{"value": copy.deepcopy(row["value"]), "number": 2}])
            same(store.get(new["id"]), {"id": new["id"], "value": row["value"], "number": 2})
        same(everything(store)[: len(rows)], rows)

    def test_json_values_replace_each_other(self) -> None:
        store = self.make_store(json_model(), [{"id": 1, "value": "text", "number": 0}])
        if refuses_writes(store):
            return
        for value in (*JSON_VALUES, *reversed(JSON_VALUES)):
            same(update(store, 1, {"value": copy.deepcopy(value)})["value"], value)
            same(store.get(1), {"id": 1, "value": value, "number": 0})

    @pytest.mark.parametrize("name", list(EXTREMES))
    def test_extreme_values_come_back_exactly(self, name: str) -> None:
        model = every_model()
        empty: Record = {**dict.fromkeys(model.names), "title": "t"}
        rows: list[Record] = [{**empty, "id": n, name: value} for n, value in enumerate(EXTREMES[name], 1)]
        store = self.make_store(model, rows)
        same(everything(store), rows)
        same(everything(self.reopen(store)), rows)
        if model.by_name[name].kind.is_scalar:
            for row in rows:
                check(store, model, rows, Query(where=Filter(name, "eq", row[name]), fields=("id",)))
            check(store, model, rows, Query(order=(Order(name, True),), fields=("id",)))

    @pytest.mark.parametrize("name", list(EXTREMES))
    def test_extreme_values_replace_each_other(self, name: str) -> None:
        model = every_model()
        store = self.make_store(model, every_rows(2))
        if refuses_writes(store):
            return
        for value in EXTREMES[name]:
            same(update(store, 1, {name: value})[name], value)
            same(store.get(1)[name], value)
        same(everything(store)[1], every_rows(2)[1])
