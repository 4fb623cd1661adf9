"""The compiled text answers every query as the reference does, whatever its shape."""

from __future__ import annotations

import datetime
import random
import sqlite3
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from datastores.sqlite.grammar import GRAMMAR, quote
from datastores.sqlite.values import prepare, storage_of
from datastores.tables.columns import Column, plain_rows
from datastores.tables.statements import Statements
from datastores.tables.storage import successor
from rest_kit import models, rows
from rest_kit.errors import InvalidQuery
from rest_kit.query import OPERATORS, All, Arity, Filter, Not, Order, Page, Query, Result, Search, Where
from rest_kit.query import Any as Either
from rest_kit.types import Kind

UTC = datetime.UTC


class Sample(models.Model):
    fields = (
        models.PkField("id"),
        models.StringField("text"),
        models.FloatField("float"),
        models.IntegerField("int"),
        models.BooleanField("bool"),
        models.DateField("date"),
        models.DateTimeField("moment"),
        models.UUIDField("uuid"),
        models.DecimalField("money", digits=8, places=2),
        models.DecimalField("exact"),
    )


STORED: dict[str, list[Any]] = {
    "text": ["", "a", "A", "b", "İ", "i", "Σ", "ς", "σ", "ß", "ab%", "a_b", "\\", "éa", "𝔸", "\uffff", "aa", "\u212a"],
    "float": [0.0, 1.5, -2.5, 1e308],
    "int": [0, 1, -5, 2**63 - 1],
    "bool": [True, False],
    "date": [datetime.date(1, 1, 1), datetime.date(2020, 2, 29)],
    "moment": [datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=UTC)],
    "uuid": [uuid.UUID(int=5), uuid.UUID(int=2**127)],
    "money": [Decimal("1.10"), Decimal("-3.00"), Decimal("999999.99"), Decimal("9.00")],
    "exact": [Decimal("1.10"), Decimal("1.1"), Decimal("12345678901234567890.5"), Decimal("9")],
}
ASKED: dict[str, list[Any]] = {
    **STORED,
    "int": [*STORED["int"], 2**63, -(2**70)],
    "money": [*STORED["money"], Decimal("1.101"), Decimal("1e20"), Decimal("-1.105"), Decimal("-3.001")],
}


class Sampler:
    """Records and queries drawn with a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.model = Sample()
        self.records = [
            {"id": pk, **{name: self.random.choice([*values, None]) for name, values in STORED.items()}}
            for pk in range(1, 61)
        ]

    def leaf(self) -> Filter:
        name = self.random.choice(list(ASKED))
        kind = self.model.by_name[name].kind
        operator = self.random.choice([operator for operator in OPERATORS.values() if operator.fits(kind)])
        if operator.arity is Arity.BOOLEAN:
            return Filter(name, operator.name, self.random.random() < 0.5)
        if operator.arity is Arity.TWO:
            return Filter(name, operator.name, tuple(self.random.choices(ASKED[name], k=2)))
        if operator.arity is Arity.MANY:
            count = self.random.randrange(4)
            return Filter(name, operator.name, tuple(self.random.choices([*ASKED[name], None], k=count)))
        return Filter(name, operator.name, self.random.choice([*ASKED[name], None]))

    def where(self, depth: int) -> Where:
        drawn = self.random.random()
        if not depth or drawn < 0.4:
            return self.leaf()
        if drawn < 0.6:
            return Not(self.where(depth - 1))
        parts = [self.where(depth - 1) for _ in range(self.random.randrange(4))]
        return All(*parts) if self.random.random() < 0.5 else Either(*parts)

    def page(self, order: tuple[Order, ...]) -> Page:
        after = None
        if self.random.random() < 0.6:
            record = self.random.choice(self.records)
            after = tuple(record[key.field] for key in self.model.full_order(order))
        limit, offset = self.random.choice([None, 0, 1, 3, 10]), self.random.choice([0, 0, 2])
        return Page(limit, offset, after, self.random.random() < 0.4)

    def query(self) -> Query:
        names = self.random.sample(["id", *STORED], self.random.randrange(4))
        order = tuple(Order(name, self.random.random() < 0.5) for name in names)
        fields = tuple(self.random.sample(self.model.names, self.random.randrange(1, 5)))
        words = tuple(self.random.choices(["a", "İ", "σ", "", "%"], k=self.random.randrange(3)))
        return Query(
            where=self.where(3) if self.random.random() < 0.5 else None,
            order=order,
            fields=fields if self.random.random() < 0.5 else None,
            search=Search(words, ("text",)) if self.random.random() < 0.2 else None,
            page=self.page(order),
            total=self.random.random() < 0.5,
        )


class Mirror:
    """The records in a table of SQLite, asked through the compiled text alone."""

    def __init__(self, sampler: Sampler) -> None:
        fields = sampler.model.fields
        self.columns = [Column(f.name, "t." + quote(f.name), storage_of(f), f.name != "id") for f in fields]
        self.statements = Statements("samples AS t", self.columns, sampler.model.full_order, GRAMMAR)
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        prepare(self.connection)
        declared = ", ".join(f"{quote(column.field)} {column.storage.declared}" for column in self.columns)
        self.connection.execute(f"CREATE TABLE samples ({declared}, PRIMARY KEY (id))")
        encode = self.statements.encoder(self.statements.names)
        places = ", ".join("?" * len(self.columns))
        self.connection.executemany(f"INSERT INTO samples VALUES ({places})", map(encode, sampler.records))

    def find(self, query: Query) -> Result:
        bound = self.statements.bind(query)
        found, more = bound.rows(self.run, query.page.limit)
        records = bound.plan.build(found)
        if query.page.before:
            records.reverse()
        return Result(records, more, bound.total(self.run, query.page, len(found), more) if query.total else None)

    def run(self, text: str, parameters: Sequence[Any]) -> list[Any]:
        return self.connection.execute(text, parameters).fetchall()


@pytest.mark.parametrize("seed", range(6))
def test_random_queries_are_answered_as_the_reference_answers_them(seed: int) -> None:
    sampler = Sampler(seed)
    mirror = Mirror(sampler)
    for _ in range(250):
        query = sampler.query()
        found, expected = mirror.find(query), rows.find(sampler.records, query, sampler.model)
        assert repr(found) == repr(expected), query
    mirror.connection.close()


def test_generated_and_plain_rows_agree() -> None:
    sampler = Sampler(1)
    mirror = Mirror(sampler)
    bound = mirror.statements.bind(Query())
    stored = mirror.connection.execute(bound.plan.reads[0], bound.parameters).fetchall()
    assert repr(bound.plan.build(stored)) == repr(plain_rows(mirror.columns, stored)) == repr(sampler.records)
    mirror.connection.close()


@pytest.mark.parametrize(
    "query",
    [
        Query(where=Filter("nmae", "eq", 1)),
        Query(where=Filter("text", "like", "a")),
        Query(order=(Order("nope"),)),
        Query(fields=("id", "nope")),
        Query(page=Page(after=(1, 2))),
        Query(where=Filter("int", "in", tuple(range(40_000)))),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(query: Query) -> None:
    mirror = Mirror(Sampler(1))
    with pytest.raises(InvalidQuery):
        mirror.statements.bind(query)
    mirror.connection.close()


@pytest.mark.parametrize("prefix", ["a", "az", "a\U0010ffff", "\ud7ff", "é"])
def test_the_successor_is_the_least_text_behind_a_prefix(prefix: str) -> None:
    bound = successor(prefix)
    assert isinstance(bound, str)
    assert prefix < prefix + "\U0010ffff" * 3 < bound
    assert not bound.startswith(prefix)


def test_every_storage_keeps_order_and_equality() -> None:
    for field in Sample().fields:
        storage = storage_of(field)
        if field.kind in (Kind.DECIMAL, Kind.INTEGER) or field.name == "id":
            continue
        values = sorted(STORED[field.name])
        stored = [value if storage.encode is None else storage.encode(value) for value in values]
        assert stored == sorted(stored)
        assert values == [value if storage.decode is None else storage.decode(value) for value in stored]
