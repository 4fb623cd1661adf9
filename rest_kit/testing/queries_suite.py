"""Conformance at random: generated queries equal the reference, and generated histories equal a plain dict."""

from __future__ import annotations

import functools
import random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from rest_kit import rows as reference
from rest_kit.models import Model
from rest_kit.query import OPERATORS, All, Arity, Filter, Not, Order, Page, Query, Search, Where
from rest_kit.query import Any as AnyOf
from rest_kit.store import DataStore
from rest_kit.testing.store_samples import POOLS, every_model, every_rows, person_model
from rest_kit.testing.store_suite import StoreSuite, check, delete, insert, place, refuses_writes, same, update
from rest_kit.types import Record

SEEDS = range(200)
_SCALARS = [name for name in POOLS if name not in ("list", "dict")]


class QueryMaker:
    """Random queries over `every_model`, the same for the same seed."""

    def __init__(self, seed: int, model: Model, rows: list[Record], store: DataStore) -> None:
        self.dice = random.Random(seed)
        self.model = model
        self.rows = rows
        self.can = store.capabilities

    def query(self) -> Query:
        """One query, of whatever the store claims."""
        dice = self.dice
        names = dice.sample(["id", *_SCALARS], dice.choice((0, 0, 1, 2, 3)))
        order = tuple(Order(name, dice.random() < 0.5) for name in names)
        return Query(
            where=self.where(0) if dice.random() < 0.75 else None,
            order=order,
            fields=self.fields(),
            search=self.search() if self.can.search and dice.random() < 0.2 else None,
            page=self.page(order),
            total=self.can.total and dice.random() < 0.4,
        )

    def where(self, depth: int) -> Where:
        """A tree of conditions."""
        kind = self.dice.random()
        if depth >= 3 or kind < 0.5:
            return self.filter()
        if kind < 0.65:
            return Not(self.where(depth + 1))
        parts = [self.where(depth + 1) for _ in range(self.dice.choice((0, 1, 2, 2, 3)))]
        return All(*parts) if kind < 0.85 else AnyOf(*parts)

    def filter(self) -> Filter:
        """One condition on one field."""
        name = self.dice.choice(["id", *POOLS])
        kind = self.model.by_name[name].kind
        operator = self.dice.choice([op for op in OPERATORS.values() if op.fits(kind)])
        pool = range(70) if name == "id" else POOLS[name]
        return Filter(name, operator.name, self._operand(operator.arity, pool))

    def _operand(self, arity: Arity, pool: Any) -> Any:
        if arity is Arity.BOOLEAN:
            return self.dice.random() < 0.5
        if arity is Arity.ONE:
            return self.dice.choice(pool)
        count = 2 if arity is Arity.TWO else self.dice.randrange(6)
        return tuple(self.dice.choice(pool) for _ in range(count))

    def fields(self) -> tuple[str, ...] | None:
        """Some fields in some order, or all."""
        if self.dice.random() < 0.5:
            return None
        return tuple(self.dice.sample(self.model.names, self.dice.randint(1, len(self.model.names))))

    def search(self) -> Search:
        """One or two words in some of the text fields."""
        words = self.dice.choices(["a", "S", "i", "σ", "%", "_", "0", "é", "b"], k=self.dice.choice((1, 1, 2)))
        fields = self.dice.sample(["title", "text", "long"], self.dice.randint(1, 3))
        return Search(tuple(words), tuple(fields))

    def page(self, order: tuple[Order, ...]) -> Page:
        """Any page: everything, by offset, behind or ahead of some record or of nothing that exists."""
        dice = self.dice
        limit = dice.choice((None, 0, 1, 2, 5, 20, 100))
        offset = dice.choice((0, 0, 1, 7, 50))
        if not self.can.keyset or dice.random() < 0.5:
            return Page(limit, offset)
        record = dice.choice(self.rows)
        if dice.random() < 0.3:
            record = {**dice.choice(self.rows), "id": dice.randrange(100)}
        after = place(record, self.model.full_order(order))
        return Page(limit, offset if dice.random() < 0.1 else 0, after, dice.random() < 0.5)


class QueriesSuite(StoreSuite):
    """What a store answers to questions that nobody thought of."""

    def test_generated_queries_equal_the_reference(self) -> None:
        model, rows = every_model(), every_rows(60, seed=2)
        store = self.make_store(model, rows)
        for seed in SEEDS:
            check(store, model, rows, QueryMaker(seed, model, rows, store).query())

    def test_generated_queries_equal_the_reference_after_writes(self) -> None:
        model = every_model()
        rows = {row["id"]: row for row in every_rows(40, seed=3)}
        store = self.make_store(model, list(rows.values()))
        if refuses_writes(store):
            return
        for seed, new in zip(SEEDS, every_rows(60, seed=4), strict=False):
            pk = random.Random(seed).choice(sorted(rows))
            if seed % 3 == 0:
                delete(store, pk)
                del rows[pk]
            elif seed % 3 == 1:
                rows[pk] = update(store, pk, {**new, "id": pk})
            else:
                [added] = insert(store, [{name: new[name] for name in model.names if name != "id"}])
                rows[added["id"]] = added
            now = list(rows.values())
            check(store, model, now, QueryMaker(seed, model, now, store).query())

    def test_generated_histories_equal_a_dict(self) -> None:
        if refuses_writes(self.make_store(person_model(), [])):
            return
        run_state_machine_as_test(
            functools.partial(History, self),  # type: ignore[arg-type]
            settings=settings(
                max_examples=15,
                stateful_step_count=20,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


_PEOPLE = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b", "ä", "", " "]),
        "nick": st.sampled_from([None, "x", "X", "%"]),
        "age": st.sampled_from([None, 0, 1, 2]),
        "score": st.sampled_from([None, 0.0, 0.1, 1e300]),
    }
)


class History(RuleBasedStateMachine):
    """A store and a dict that go through the same writes, and must stay equal."""

    keys = Bundle("keys")

    def __init__(self, suite: StoreSuite) -> None:
        super().__init__()
        self.suite = suite
        self.model = person_model()
        self.store = suite.make_store(self.model, [])
        self.rows: dict[int, Record] = {}
        self.used: set[int] = set()

    @rule(target=keys, record=_PEOPLE)
    def insert(self, record: Record) -> int:
        """A new record."""
        [stored] = insert(self.store, [record])
        pk = int(stored["id"])
        assert pk not in self.used, f"the key {pk} was used before"
        self.used.add(pk)
        self.rows[pk] = {name: {"id": pk, **record}[name] for name in self.model.names}
        same(stored, self.rows[pk])
        return pk

    @rule(pk=keys, record=_PEOPLE, names=st.sets(st.sampled_from(["name", "nick", "age", "score"])))
    def update(self, pk: int, record: Record, names: set[str]) -> None:
        """Some fields of a record."""
        part = {name: record[name] for name in names}
        self.rows[pk] |= part
        same(update(self.store, pk, part), self.rows[pk])

    @rule(pk=consumes(keys))
    def delete(self, pk: int) -> None:
        """A record that goes."""
        delete(self.store, pk)
        del self.rows[pk]

    @rule()
    def reopen(self) -> None:
        """A restart."""
        self.store = self.suite.reopen(self.store)

    @rule(name=st.sampled_from(["name", "nick", "age", "score"]), descending=st.booleans(), limit=st.integers(1, 4))
    def find(self, name: str, descending: bool, limit: int) -> None:
        """A page in some order."""
        query = Query(order=(Order(name, descending),), page=Page(limit), where=Not(Filter("nick", "eq", "x")))
        expected = reference.find(self.rows.values(), query, self.model)
        same(self.store.find(query).records, expected.records)

    @invariant()
    def all_there(self) -> None:
        """Nothing is missing, nothing is too many."""
        same(self.store.find(Query()).records, [self.rows[pk] for pk in sorted(self.rows)])

    def teardown(self) -> None:
        """Let go of files and connections."""
        self.store.close()
