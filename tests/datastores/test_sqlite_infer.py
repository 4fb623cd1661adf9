"""What a model is made of where other programs' tables are odd: wide, badly named, or not what they were declared."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from rest_kit.errors import StoreCorrupt
from rest_kit.query import Query
from rest_kit.types import Kind
from tests.datastores.sqlite_samples import path, sql
from tests.datastores.test_sqlite_foreign import everything, kinds, serve

__all__ = ["path"]


@pytest.mark.parametrize("width", [500, 501, 1999])
def test_a_table_may_be_as_wide_as_sqlite_allows(path: Path, width: int) -> None:
    columns = ", ".join(f"c{number} DATE" for number in range(width))
    store = serve(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})")
    made = store.atomic(lambda tx: tx.insert([dict.fromkeys(store.model.names[1:])]))[0]
    assert len(made) == width + 1
    assert store.find(Query(total=True)).total == 1


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["resource_uri", ""])
def test_a_name_that_no_field_can_have_is_refused_by_name(path: Path, column: str) -> None:
    store = serve(path, f'CREATE TABLE t (id INTEGER PRIMARY KEY, "{column}" TEXT)')
    with pytest.raises(StoreCorrupt, match=f"the table 't'.*column '{column}'"):
        _ = store.model


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_declared_key_that_holds_nulls_names_no_row(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (k TEXT PRIMARY KEY, v INT)", "('a', 1)", "(NULL, 2)", "(NULL, 3)")
    assert store.model.pk is not None
    assert store.model.pk.name == "rowid"
    assert [record["k"] for record in everything(store)] == ["a", None, None]
    assert store.get(3) == {"rowid": 3, "k": None, "v": 3}


def test_another_unique_column_takes_the_place_of_such_a_key(path: Path) -> None:
    create = "CREATE TABLE t (k TEXT PRIMARY KEY, u INT UNIQUE, w TEXT UNIQUE)"
    store = serve(path, create, "(NULL, 1, 'a')", "(NULL, NULL, 'b')")
    assert store.model.pk is not None
    assert store.model.pk.name == "w"


def test_a_declared_key_of_blobs_names_no_row(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (k BLOB PRIMARY KEY, v INT)", "(x'00', 1)")
    assert everything(store) == [{"rowid": 1, "v": 1}]


# --- what the declaration says, and the values do not keep ------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "values", "limit"),
    [("VARCHAR(3)", ["abc", "𝔸𝔸𝔸"], 3), ("VARCHAR(3)", [], 3), ("VARCHAR(3)", ["a", "abcdef"], None)],
)
def test_a_length_counts_only_if_every_value_keeps_it(
    path: Path, declared: str, values: list[str], limit: int | None
) -> None:
    rows = [f"({number}, '{value}')" for number, value in enumerate(values)]
    store = serve(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {declared})", *rows)
    assert store.model.by_name["c"].max_length == limit
    for record in everything(store):
        given = {name: value for name, value in record.items() if name != "id"}
        assert store.model.load(given) == given


@pytest.mark.parametrize(
    ("declared", "stored", "kind", "value"),
    [
        ("DECIMAL(5,2)", "999.99", Kind.DECIMAL, Decimal("999.99")),
        ("DECIMAL(5,2)", "1000", Kind.FLOAT, 1000.0),
        ("DECIMAL(5,2)", "-1000", Kind.FLOAT, -1000.0),
        ("DECIMAL(2,5)", "1.5", Kind.FLOAT, 1.5),
    ],
)
def test_digits_count_only_if_every_value_keeps_them(
    path: Path, declared: str, stored: str, kind: Kind, value: object
) -> None:
    store = serve(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {declared})", f"(1, {stored})")
    assert kinds(store)["c"] is kind
    assert store.get(1)["c"] == value


@pytest.mark.parametrize("column", ["VARCHAR(2) DEFAULT 'abcdef'", "INTEGER DEFAULT 99999999999999999999"])
def test_a_default_that_its_own_column_could_not_take_is_none(path: Path, column: str) -> None:
    store = serve(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {column})")
    assert not store.model.by_name["c"].default
    sql(path, "INSERT INTO t VALUES (1, NULL)")
    assert store.get(1) == {"id": 1, "c": None}
