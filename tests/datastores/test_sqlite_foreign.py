"""Tables that other programs made: what they are served as, and that what is written there fits what lies there."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from datastores.sqlite import SQLiteDataStore
from rest_kit import models
from rest_kit.errors import Conflict, ReadOnly, StoreCorrupt, Unsupported, ValidationError
from rest_kit.models import fields
from rest_kit.query import Filter, Order, Page, Query
from rest_kit.types import Kind, Record
from tests.datastores.sqlite_samples import path, sql

__all__ = ["path"]

UTC = datetime.UTC


def serve(path: Path, create: str, *rows: str, table: str = "t") -> SQLiteDataStore:
    """A store over a table made and filled by another program, its model inferred."""
    sql(path, create, *[f"INSERT INTO {table} VALUES {row}" for row in rows])
    return SQLiteDataStore({"name": path, "table": table})


def kinds(store: SQLiteDataStore) -> dict[str, Kind]:
    return {field.name: field.kind for field in store.model.fields}


def everything(store: SQLiteDataStore) -> list[Record]:
    return store.find(Query()).records


def count(store: SQLiteDataStore, name: str, op: str, value: Any) -> int:
    return len(store.find(Query(where=Filter(name, op, value))).records)


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("create", "key", "generated"),
    [
        ("CREATE TABLE t (a TEXT, n INTEGER PRIMARY KEY)", "n", True),
        ("CREATE TABLE t (a TEXT, n INTEGER PRIMARY KEY AUTOINCREMENT)", "n", True),
        ("CREATE TABLE t (a TEXT, n INTEGER PRIMARY KEY DESC)", "n", False),
        ("CREATE TABLE t (a TEXT PRIMARY KEY, n INTEGER)", "a", False),
        ("CREATE TABLE t (a TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID", "a", False),
        ("CREATE TABLE t (a TEXT NOT NULL UNIQUE, id TEXT UNIQUE)", "id", False),
        ("CREATE TABLE t (a TEXT, n INTEGER, PRIMARY KEY (a, n))", "rowid", True),
        ("CREATE TABLE t (a TEXT, n INTEGER)", "rowid", True),
        ("CREATE TABLE t (rowid TEXT, n INTEGER)", "_rowid_", True),
    ],
)
def test_the_key_of_a_table(path: Path, create: str, key: str, generated: bool) -> None:
    store = serve(path, create, "('x', 7)" if "id TEXT" not in create else "('x', 'y')")
    pk = store.model.pk
    assert pk is not None
    assert (pk.name, pk.generated) == (key, generated)
    record = everything(store)[0]
    assert store.get(record[key]) == record
    others = {name: "z" if isinstance(value, str) else 8 for name, value in record.items() if name != key}
    new = others if generated else {**others, key: "new" if isinstance(record[key], str) else 9}
    made = store.atomic(lambda tx: tx.insert([new]))[0]
    assert store.atomic(lambda tx: tx.get(made[key])) == made
    store.atomic(lambda tx: tx.delete(made[key]))
    assert everything(store) == [record]


def test_a_table_in_which_nothing_names_a_row_says_so(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID")
    with pytest.raises(StoreCorrupt, match="needs a column 'id'"):
        _ = store.model


def test_a_key_that_the_table_does_not_keep_unique_is_kept_so(path: Path) -> None:
    class Loose(models.Model):
        fields = (models.StringPkField("id"), models.StringField("a"))

    store = serve(path, "CREATE TABLE t (id TEXT, a TEXT)", "('x', 'y')")
    store.bind(Loose())
    with pytest.raises(Conflict) as caught:
        store.atomic(lambda tx: tx.insert([{"id": "z", "a": None}, {"id": "x", "a": None}]))
    assert (caught.value.fields, caught.value.index) == (("id",), 1)


def test_a_view_is_read_only_and_needs_an_id_that_tells_its_rows_apart(path: Path) -> None:
    sql(path, "CREATE TABLE t (n INTEGER PRIMARY KEY, a TEXT)", "INSERT INTO t VALUES (1, 'x'), (2, 'x')")
    sql(path, "CREATE VIEW good AS SELECT n AS id, a FROM t", "CREATE VIEW twice AS SELECT 1 AS id, a FROM t")
    good = SQLiteDataStore({"name": path, "table": "good"})
    assert good.get(2) == {"id": 2, "a": "x"}
    with pytest.raises(ReadOnly, match="view"):
        good.atomic(lambda tx: tx.delete(2))
    with pytest.raises(StoreCorrupt, match="tell its rows apart"):
        _ = SQLiteDataStore({"name": path, "table": "twice"}).model


# --- types ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "stored", "kind", "value"),
    [
        ("INTEGER", "5", Kind.INTEGER, 5),
        ("BIGINT", "5", Kind.INTEGER, 5),
        ("REAL", "5", Kind.FLOAT, 5.0),
        ("NUMERIC", "5", Kind.FLOAT, 5.0),
        ("", "5", Kind.INTEGER, 5),
        ("", "'5'", Kind.STRING, "5"),
        ("INTEGER", "'x'", Kind.STRING, "x"),
        ("INTEGER", "1.5", Kind.FLOAT, 1.5),
        ("VARCHAR(5)", "'x'", Kind.STRING, "x"),
        ("BOOLEAN", "1", Kind.BOOLEAN, True),
        ("BOOLEAN", "2", Kind.INTEGER, 2),
        ("BOOLEAN", "'true'", Kind.STRING, "true"),
        ("DATE", "'2020-02-29'", Kind.DATE, datetime.date(2020, 2, 29)),
        ("DATE", "'2021-02-29'", Kind.STRING, "2021-02-29"),
        ("DATE", "'29.2.2020'", Kind.STRING, "29.2.2020"),
        ("DATE", "1582934400", Kind.INTEGER, 1582934400),
        ("DATETIME", "'2020-01-01'", Kind.STRING, "2020-01-01"),
        ("DECIMAL(6,2)", "1.5", Kind.DECIMAL, Decimal("1.50")),
        ("DECIMAL(6,2)", "1.125", Kind.FLOAT, 1.125),
        ("DECIMAL(6,2)", "7", Kind.DECIMAL, Decimal("7.00")),
        ("UUID", "'00000000-0000-0000-0000-00000000000a'", Kind.UUID, UUID(int=10)),
        ("UUID", "'00000000-0000-0000-0000-00000000000A'", Kind.STRING, "00000000-0000-0000-0000-00000000000A"),
        ("JSON", """'{"a": [1]}'""", Kind.DICT, {"a": [1]}),
        ("JSON", "'{'", Kind.STRING, "{"),
        ("STRING", "'abc'", Kind.STRING, "abc"),
    ],
)
def test_a_column_is_what_it_holds(path: Path, declared: str, stored: str, kind: Kind, value: Any) -> None:
    store = serve(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {declared})", f"(1, {stored})", "(2, NULL)")
    assert kinds(store)["c"] is kind
    found = store.get(1)["c"]
    assert (type(found), found) == (type(value), value)
    assert store.get(2)["c"] is None
    if kind.is_scalar:
        assert count(store, "c", "eq", value) == 1
        assert count(store, "c", "ne", value) == 0
    again = store.atomic(lambda tx: tx.update(2, {"c": value}))
    assert (type(again["c"]), again["c"]) == (type(value), value)


MOMENT = datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("2020-01-02 03:04:05", "2020-01-02 03:04:05.678901"),
        ("2020-01-02T03:04:05", "2020-01-02T03:04:05.678901"),
        ("2020-01-02T03:04:05Z", "2020-01-02T03:04:05Z"),
        ("2020-01-02 03:04:05+00:00", "2020-01-02 03:04:05+00:00"),
        ("2020-01-02T03:04:05.000Z", "2020-01-02T03:04:05.678Z"),
        ("2020-01-02 03:04:05.000000", "2020-01-02 03:04:05.678901"),
        ("2020-01-02T03:04:05.000000Z", "2020-01-02T03:04:05.678901Z"),
    ],
)
def test_moments_keep_the_form_that_the_column_has(path: Path, form: str, written: str) -> None:
    store = serve(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, c TIMESTAMP)", f"(1, '{form}')", "(2, NULL)")
    assert store.get(1)["c"] == MOMENT
    later = MOMENT.replace(microsecond=678901)
    kept = store.atomic(lambda tx: tx.update(2, {"c": later}))["c"]
    assert sql(path, "SELECT c FROM t WHERE id = 2") == [(written,)]
    assert [record["id"] for record in store.find(Query(order=(Order("c"),))).records] == [1, 2]
    just_after = MOMENT.replace(microsecond=1)
    assert (count(store, "c", "eq", MOMENT), count(store, "c", "eq", just_after)) == (1 + (kept == MOMENT), 0)
    assert count(store, "c", "gte", just_after) == int(kept > MOMENT)
    assert count(store, "c", "lt", just_after) == 1 + (kept == MOMENT)


def test_moments_of_two_forms_are_text(path: Path) -> None:
    rows = ("(1, '2020-01-02 03:04:05')", "(2, '2020-01-02T03:04:05')")
    store = serve(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, c DATETIME)", *rows)
    assert kinds(store)["c"] is Kind.STRING


def test_a_numeric_column_among_texts_refuses_what_it_would_rewrite(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, c STRING)", "(1, 'abc')", "(2, '5')")
    assert [record["c"] for record in everything(store)] == ["abc", "5"]
    assert count(store, "c", "eq", "5") == 1
    assert store.atomic(lambda tx: tx.update(1, {"c": "12.5"}))["c"] == "12.5"
    for text in ("007", "1e3", " 5", "5.0", "+1"):
        with pytest.raises(ValidationError):
            store.atomic(lambda tx, text=text: tx.update(1, {"c": text}))  # type: ignore[misc]


def test_a_text_key_declared_as_string_is_found_through_its_index(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (id STRING PRIMARY KEY, a TEXT)", "('abc', 'x')", "('5', 'y')")
    assert store.get("5") == {"id": "5", "a": "y"}
    plan = store._database.rows("EXPLAIN QUERY PLAN " + store._opened().select, ("abc",))
    assert plan[0][3].startswith("SEARCH t USING INDEX")


def test_text_compares_by_code_point_where_the_column_ignores_case(path: Path) -> None:
    create = "CREATE TABLE t (id TEXT PRIMARY KEY COLLATE NOCASE, c TEXT COLLATE NOCASE)"
    store = serve(path, create, "('a', 'x')", "('B', 'X')", "('c', 'y')")
    assert [record["id"] for record in everything(store)] == ["B", "a", "c"]
    assert count(store, "c", "eq", "x") == 1
    assert count(store, "c", "in", ("x", "X", "Y")) == 2
    assert count(store, "c", "gt", "X") == 2
    assert [r["id"] for r in store.find(Query(page=Page(1, after=("a",)))).records] == ["c"]
    plan = store._database.rows("EXPLAIN QUERY PLAN " + store._opened().select, ("a",))
    assert plan[0][3].startswith("SEARCH t USING INDEX")
    with pytest.raises(Conflict):
        store.atomic(lambda tx: tx.insert([{"id": "b", "c": None}]))


def test_a_nul_in_text_hides_nothing_behind_it(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, c TEXT)", "(1, 'ab' || char(0) || 'cD')")
    assert store.get(1)["c"] == "ab\0cD"
    for op, needle in [("contains", "cD"), ("endswith", "cD"), ("iendswith", "Cd"), ("icontains", "CD"), ("ne", "ab")]:
        assert count(store, "c", op, needle) == 1, op


def test_text_of_an_utf16_file_is_ordered_by_code_point(path: Path) -> None:
    sql(path, "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t (id INTEGER PRIMARY KEY, c TEXT)")
    store = SQLiteDataStore({"name": path, "table": "t"})
    given = ["a", "é", "\ufffd", "\U0001d538"]
    store.atomic(lambda tx: tx.insert([{"c": text} for text in reversed(given)]))
    assert [record["c"] for record in store.find(Query(order=(Order("c"),))).records] == given
    assert count(store, "c", "gt", "\ufffd") == 1
    assert count(store, "c", "endswith", "\U0001d538") == 1


# --- columns that are not plain ---------------------------------------------------------------------------------------


def test_computed_columns_are_read_and_never_written(path: Path) -> None:
    create = 'CREATE TABLE t (id INTEGER PRIMARY KEY, "a""b" INTEGER, twice INTEGER AS ("a""b" * 2) STORED)'
    sql(path, create, 'INSERT INTO t ("a""b") VALUES (21)')
    store = SQLiteDataStore({"name": path, "table": "t"})
    assert store.model.by_name["twice"].read_only
    assert store.get(1) == {"id": 1, 'a"b': 21, "twice": 42}
    assert store.atomic(lambda tx: tx.insert([{'a"b': 4, "twice": 1}]))[0]["twice"] == 8
    assert store.atomic(lambda tx: tx.update(1, {'a"b': 5, "twice": 1}))["twice"] == 10


def test_defaults_of_the_database_are_defaults(path: Path) -> None:
    create = """CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT -3, s TEXT DEFAULT 'it''s',
        b BOOLEAN NOT NULL DEFAULT 1, made DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, must TEXT NOT NULL,
        added DATETIME DEFAULT CURRENT_TIMESTAMP)"""
    store = serve(path, create)
    found = store.model.by_name
    assert (found["n"].default, found["s"].default, found["b"].default) == (-3, "it's", True)
    assert [name for name, field in found.items() if field.required] == ["must"]
    made = store.atomic(lambda tx: tx.insert([store.model.load({"must": "x"})]))[0]
    assert (made["n"], made["s"], made["b"]) == (-3, "it's", True)
    for name in ("made", "added"):
        assert abs(made[name] - datetime.datetime.now(UTC)) < datetime.timedelta(minutes=1)


def test_references_and_unique_sets_come_from_the_catalogue(path: Path) -> None:
    sql(path, "CREATE TABLE artist (ArtistId INTEGER PRIMARY KEY)")
    create = """CREATE TABLE t (id INTEGER PRIMARY KEY, artist INTEGER REFERENCES artist, a TEXT UNIQUE, b TEXT, c TEXT,
        UNIQUE (b, c))"""
    model = serve(path, create).model
    artist = model.by_name["artist"]
    assert isinstance(artist, fields.IntForeign)
    assert artist.references == "artist.ArtistId"
    assert set(model.unique_sets) == {("a",), ("b", "c")}


def test_blobs_are_left_out_and_strict_tables_served(path: Path) -> None:
    store = serve(
        path, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB, c ANY) STRICT", "(1, 'x', x'ff', x'00')"
    )
    assert everything(store) == [{"id": 1, "a": "x"}]


def test_a_column_that_the_model_lacks_keeps_its_value_or_says_why_not(path: Path) -> None:
    class Narrow(models.Model):
        fields = (models.PkField("id"), models.StringField("a"))

    store = serve(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, more TEXT NOT NULL)", "(1, 'x', 'kept')")
    store.bind(Narrow())
    store.atomic(lambda tx: tx.update(1, {"a": "y"}))
    assert sql(path, "SELECT * FROM t") == [(1, "y", "kept")]
    with pytest.raises(Unsupported, match="'more' may not be null"):
        store.atomic(lambda tx: tx.insert([{"a": "z"}]))


# --- what does not fit ------------------------------------------------------------------------------------------------


class Numbers(models.Model):
    fields = (
        models.PkField("id"),
        models.IntegerField("n"),
        models.DateField("d"),
        models.DecimalField("m", digits=6, places=2),
        models.FloatField("f"),
    )


@pytest.mark.parametrize(
    ("column", "stored"),
    [
        ("f", "9e999"),
        ("f", "'x'"),
        ("n", "'abc'"),
        ("n", "1.5"),
        ("n", "x'00'"),
        ("d", "'29.2.2020'"),
        ("d", "5"),
        ("m", "1.005"),
        ("m", "'x'"),
    ],
)
def test_a_value_that_is_no_such_thing_is_named(path: Path, column: str, stored: str) -> None:
    create = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, d DATE, m DECIMAL(6,2), f REAL)"
    store = serve(path, create, "(1, 1, '2020-01-01', 1.5, 2)")
    store.bind(Numbers())
    sql(path, f"INSERT INTO t (id, {column}) VALUES (77, {stored})")
    for read in (lambda: store.get(77), lambda: everything(store), lambda: store.atomic(lambda tx: tx.get(77))):
        with pytest.raises(StoreCorrupt, match=rf"t\.{column} of the row 77"):
            read()
    assert store.get(1)["m"] == Decimal("1.50")


def test_text_that_is_not_utf8_is_named(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, c TEXT)", "(1, 'x')", "(2, CAST(x'ff41' AS TEXT))")
    assert store.get(1) == {"id": 1, "c": "x"}
    with pytest.raises(StoreCorrupt, match="'c'"):
        everything(store)
    with pytest.raises(StoreCorrupt, match="UTF-8"):
        count(store, "c", "icontains", "y")


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("datetime", "2020-01-02 03:04:05"),
        ("datetime(6)", "2020-01-02 03:04:05"),
        ("DATETIME", "2020-01-02 03:04:05.000000"),
        ("TIMESTAMP", "2020-01-02 03:04:05.000000"),
        ("DATETIME DEFAULT CURRENT_TIMESTAMP", "2020-01-02 03:04:05"),
        ("DATETIME TEXT", "2020-01-02T03:04:05.000000Z"),
    ],
)
def test_the_first_moment_of_a_column_is_written_as_its_maker_would(path: Path, declared: str, written: str) -> None:
    store = serve(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {declared})")
    store.atomic(lambda tx: tx.insert([{"c": MOMENT}]))
    assert sql(path, "SELECT c FROM t") == [(written,)]
    assert count(store, "c", "eq", MOMENT) == 1


# --- as object-relational mappers make them ---------------------------------------------------------------------------


class Tagged(models.Model):
    fields = (models.PkField("id"), models.UUIDField("tag"))


def test_uuids_lie_as_their_digits_in_columns_of_just_so_many(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, tag char(32) UNIQUE)", f"(1, '{UUID(int=7).hex}')")
    store.bind(Tagged())
    store.atomic(lambda tx: tx.insert([{"tag": UUID(int=5)}]))
    assert sql(path, "SELECT tag FROM t ORDER BY tag") == [(UUID(int=5).hex,), (UUID(int=7).hex,)]
    assert [record["tag"] for record in store.find(Query(order=(Order("tag"),))).records] == [UUID(int=5), UUID(int=7)]
    assert (count(store, "tag", "eq", UUID(int=7)), count(store, "tag", "gt", UUID(int=5))) == (1, 1)
    with pytest.raises(Conflict):
        store.atomic(lambda tx: tx.insert([{"tag": UUID(int=7)}]))


def test_an_empty_column_of_times_takes_the_text_that_others_write_there(path: Path) -> None:
    store = serve(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, c time)")
    assert kinds(store)["c"] is Kind.STRING
    sql(path, "INSERT INTO t VALUES (1, '01:02:03.000004')")
    assert store.get(1)["c"] == "01:02:03.000004"


DEFERRED = "REFERENCES author (id) DEFERRABLE INITIALLY DEFERRED"


def test_references_that_sqlite_checks_late_are_told_as_others_are(path: Path) -> None:
    sql(path, "CREATE TABLE author (id INTEGER PRIMARY KEY)", "INSERT INTO author VALUES (1)")
    books = serve(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, author INTEGER {DEFERRED})", "(1, 1)")
    for write in (
        lambda tx: tx.insert([{"author": None}, {"author": 9}]),
        lambda tx: [tx.insert([{"author": 1}]), tx.update(1, {"author": 9})],
    ):
        with pytest.raises(Conflict) as caught:
            books.atomic(write)  # type: ignore[arg-type]
        assert (caught.value.code, caught.value.fields) == ("foreign_key", ("author",))
    authors = SQLiteDataStore({"name": path, "table": "author"})
    with pytest.raises(Conflict) as caught:
        authors.atomic(lambda tx: tx.delete(1))
    assert caught.value.code == "restricted"
    assert (len(everything(books)), len(everything(authors))) == (1, 1)


def test_a_row_may_refer_to_itself_before_it_is_there(path: Path) -> None:
    late = "REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED"
    store = serve(path, f"CREATE TABLE t (id TEXT PRIMARY KEY, boss TEXT {late})")
    store.atomic(lambda tx: tx.insert([{"id": "a", "boss": "a"}, {"id": "b", "boss": "a"}]))
    with pytest.raises(Conflict) as caught:
        store.atomic(lambda tx: tx.insert([{"id": "c", "boss": "d"}]))
    assert caught.value.fields == ("boss",)
