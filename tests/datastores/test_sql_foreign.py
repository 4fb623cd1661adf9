"""Tables that others made, as they are found: types, rules and comparisons that no table of ours has."""

from __future__ import annotations

import contextlib
import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy

from datastores import SQLDataStore
from rest_kit import models, rows
from rest_kit.errors import Conflict, ReadOnly, StoreCorrupt, StoreUnavailable, Unsupported, ValidationError
from rest_kit.query import Filter, Order, Page, Query
from rest_kit.store import Tx
from rest_kit.types import Record
from tests.servers import Place, engine_of, places

UTC = datetime.UTC


@pytest.fixture
def postgresql() -> Iterator[Place]:
    yield from places("postgresql")


@pytest.fixture
def mariadb() -> Iterator[Place]:
    yield from places("mariadb")


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from places(request.param)


def served(place: Place, table: str, **options: Any) -> SQLDataStore:
    return SQLDataStore({"url": place.url, "table": table}, options)


def insert(store: SQLDataStore, *records: Record) -> list[Record]:
    return store.atomic(lambda tx: tx.insert(records))


def found(store: SQLDataStore, **query: Any) -> list[Any]:
    """The keys of what a query finds."""
    key = store.model.pk
    assert key is not None
    return [record[key.name] for record in store.find(Query(**query)).records]


def key(name: str) -> models.Field:
    """An integer key that the client brings."""
    return models.IntegerField(name, required=True).named(name, primary_key=True)


def field(store: SQLDataStore, name: str) -> models.Field:
    return store.model.by_name[name]


EVERYTHING = """
CREATE TABLE {t} (
  id serial PRIMARY KEY, name varchar(10) COLLATE "und-x-icu" NOT NULL, code char(5), mail citext, mood {t}_mood,
  age {t}_age, numbers int[], words text[][], keys uuid[], loose numeric, money numeric(10,2), plain timestamp,
  moment timestamptz(3), doc json, bin jsonb, ref uuid, "real" real, bytes bytea, address inet, span interval,
  twice int GENERATED ALWAYS AS (id * 2) STORED, small smallint DEFAULT 7, "at 100%" text)
"""


@pytest.fixture
def everything(postgresql: Place) -> Iterator[SQLDataStore]:
    name = postgresql.table()
    postgresql.sql(
        "CREATE EXTENSION IF NOT EXISTS citext",
        f"CREATE TYPE {name}_mood AS ENUM ('sad', 'ok', 'happy')",
        f"CREATE DOMAIN {name}_age AS integer CHECK (value >= 0)",
        EVERYTHING.format(t=name),
    )
    yield served(postgresql, name)
    postgresql.sql(f"DROP TABLE {name}", f"DROP TYPE {name}_mood", f"DROP DOMAIN {name}_age")


def test_postgresql_types_become_fields(everything: SQLDataStore) -> None:
    kinds = {name: type(one).__name__ for name, one in everything.model.by_name.items()}
    assert kinds == {
        "id": "PkField",
        "name": "StringField",
        "code": "StringField",
        "mail": "TextField",
        "mood": "ChoiceField",
        "age": "IntegerField",
        "numbers": "ListField",
        "words": "ListField",
        "keys": "ListField",
        "loose": "DecimalField",
        "money": "DecimalField",
        "plain": "DateTimeField",
        "moment": "DateTimeField",
        "doc": "JsonField",
        "bin": "JsonField",
        "ref": "UUIDField",
        "real": "FloatField",
        "address": "TextField",
        "span": "TextField",
        "twice": "IntegerField",
        "small": "IntegerField",
        "at 100%": "TextField",
    }
    name, money = field(everything, "name"), field(everything, "money")
    assert isinstance(name, models.StringField)
    assert isinstance(money, models.DecimalField)
    assert (name.max_length, name.required, money.digits, money.places) == (10, True, 10, 2)
    assert field(everything, "mood").choices == ("sad", "ok", "happy")
    assert field(everything, "twice").read_only


def test_postgresql_values_come_back(everything: SQLDataStore) -> None:
    given = {
        "name": "Ä",
        "code": "ab",
        "mail": "A@b",
        "mood": "happy",
        "age": 5,
        "numbers": [1, None, 2**31 - 1],
        "words": [["a", "b"], ["c", ""]],
        "keys": [uuid.UUID(int=5)],
        "loose": Decimal("12345678901234567890.12345"),
        "money": Decimal("1.50"),
        "plain": datetime.datetime(2020, 1, 1, 12, 0, 0, 5, tzinfo=UTC),
        "moment": datetime.datetime(2020, 1, 1, 12, 0, 0, 5000, tzinfo=UTC),
        "doc": {"b": 1, "a": [1.0, 1e16]},
        "bin": [1, {"a": None}],
        "ref": uuid.UUID(int=77),
        "real": 0.1,
        "address": "10.0.0.1/32",
        "span": "1 day",
        "small": 3,
        "at 100%": "%s %(a)s ? $1 :x",
    }
    [stored] = insert(everything, given)
    assert {name: stored[name] for name in given} == {**given, "code": "ab"}
    assert stored["twice"] == 2 * stored["id"]
    assert everything.get(stored["id"]) == stored
    for name in ("name", "mail", "mood", "age", "loose", "money", "plain", "moment", "ref", "real", "address"):
        assert found(everything, where=Filter(name, "eq", given[name])) == [stored["id"]], name
    assert found(everything, where=Filter("at 100%", "contains", "%s")) == [stored["id"]]
    [other] = insert(everything, {"name": "b"})
    assert (other["small"], other["numbers"]) == (7, None)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"mood": "angry"}, "invalid"),
        ({"name": "x" * 11}, "max_length"),
        ({"name": None}, "null"),
        ({"age": -1}, "invalid"),
        ({"small": 2**40}, "range"),
        ({"numbers": ["x"]}, "invalid"),
        ({"address": "nowhere"}, "invalid"),
        ({"money": Decimal("1e20")}, "range"),
    ],
)
def test_postgresql_refusals_are_told_as_what_they_are(everything: SQLDataStore, record: Record, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        insert(everything, {"name": "a"}, {"name": "b", **record})
    assert caught.value.faults[0].code == code
    assert caught.value.faults[0].path[0] == 1
    assert found(everything) == []


def test_what_is_done_to_a_list_that_was_read_does_not_change_what_was_there_before(postgresql: Place) -> None:
    name = postgresql.table()
    postgresql.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, tags int[])", f"INSERT INTO {name} VALUES (1, '{{1,2}}')")
    store = served(postgresql, name)

    def work(tx: Tx) -> None:
        record = tx.get(1)
        record["tags"].append(3)
        tx.update(1, record)

    store.atomic(work)
    log = store.changes()
    assert log is not None
    [event] = log.read(0)
    assert event.before is not None
    assert event.after is not None
    assert (event.before["tags"], event.after["tags"]) == ([1, 2], [1, 2, 3])


NAMES = ["a", "A", "b", "B", "ä", "Ä", "z", "a ", "ß", "ss", "İ", "i"]


@pytest.mark.parametrize(
    "column", ['text COLLATE "und-x-icu"', "citext", "text COLLATE {t}_ci", "varchar(5)", 'varchar(5) COLLATE "C"']
)
def test_postgresql_compares_text_by_code_point_whatever_its_collation(postgresql: Place, column: str) -> None:
    name = postgresql.table()
    postgresql.sql(
        "CREATE EXTENSION IF NOT EXISTS citext",
        f"CREATE COLLATION {name}_ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        f"CREATE TABLE {name} (id int PRIMARY KEY, name {column.format(t=name)})",
    )
    try:
        compare_text(served(postgresql, name))
    finally:
        postgresql.sql(f"DROP TABLE {name}", f"DROP COLLATION {name}_ci")


def test_postgresql_expects_as_many_rows_as_there_are(postgresql: Place) -> None:
    name = postgresql.table()
    postgresql.sql(
        f'CREATE TABLE {name} (id int PRIMARY KEY, name text COLLATE "und-x-icu" NOT NULL)',
        f"INSERT INTO {name} SELECT n, 'name ' || n % 10 FROM generate_series(1, 1000) AS n",
        f"ANALYZE {name}",
    )
    opened = served(postgresql, name)._served._opened()  # type: ignore[attr-defined]
    bound = opened.statements.bind(Query(where=Filter("name", "eq", "name 5")))
    [[plan]] = opened.run("EXPLAIN (FORMAT JSON) " + bound.plan.count, bound.parameters[:1])
    assert plan[0]["Plan"]["Plans"][0]["Plan Rows"] == 100


@pytest.mark.parametrize(
    "column",
    [
        "varchar(5) COLLATE utf8mb4_general_ci",
        "text COLLATE utf8mb4_bin",
        "varchar(5) COLLATE utf8mb4_uca1400_ai_ci",
        "varchar(5) COLLATE utf8mb4_nopad_bin",
    ],
)
def test_mariadb_compares_text_by_code_point_whatever_its_collation(mariadb: Place, column: str) -> None:
    name = mariadb.table()
    mariadb.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, name {column}) CHARACTER SET utf8mb4")
    compare_text(served(mariadb, name))


def test_mariadb_compares_text_of_another_character_set(mariadb: Place) -> None:
    name = mariadb.table()
    mariadb.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, name varchar(5)) CHARACTER SET latin1")
    compare_text(served(mariadb, name), [text for text in NAMES if text != "İ"])


def compare_text(store: SQLDataStore, texts: list[str] = NAMES) -> None:
    """Every comparison of every pair of texts, and the order of them all, is that of the reference."""
    records = [{"id": number, "name": text} for number, text in enumerate(texts)] + [{"id": 99, "name": None}]
    insert(store, *records)
    for text in NAMES:
        for op in ("eq", "ne", "gt", "lte", "contains", "startswith", "endswith", "iexact", "icontains", "iendswith"):
            query = Query(where=Filter("name", op, text))
            assert store.find(query) == rows.find(records, query, store.model), (op, text)
        for op in ("in", "notin"):
            query = Query(where=Filter("name", op, (text, "q")))
            assert store.find(query) == rows.find(records, query, store.model), (op, text)
    for descending in (False, True):
        query = Query(order=(Order("name", descending),), page=Page(5, after=("a", 0)))
        assert store.find(query) == rows.find(records, query, store.model)


FOREIGN_MARIADB = """
CREATE TABLE {t} (
  id int unsigned AUTO_INCREMENT PRIMARY KEY, name varchar(10) NOT NULL DEFAULT 'x', short char(5) CHARACTER SET latin1,
  kind enum('a', 'it''s'), flags set('x', 'y'), money decimal(10,2), loose decimal(65,30), yes tinyint(1), tiny tinyint,
  big bigint unsigned, plain datetime, exact datetime(6), stamp timestamp(6) NULL, doc json, ref uuid, `float` float,
  `double` double, bytes blob, fixed binary(16), born year, clock time, twice int AS (tiny * 2) PERSISTENT,
  bit1 bit(1), address inet6, `at 100%` text) CHARACTER SET utf8mb4
"""


def test_mariadb_types_become_fields_and_values_come_back(mariadb: Place) -> None:
    name = mariadb.table()
    mariadb.sql(FOREIGN_MARIADB.format(t=name))
    store = served(mariadb, name)
    assert [one for one in ("bytes", "fixed") if one in store.model.names] == []
    assert field(store, "kind").choices == ("a", "it's")
    assert field(store, "big").min == 0
    given = {
        "name": "Ä",
        "short": "ab",
        "kind": "it's",
        "flags": "x,y",
        "money": Decimal("1.50"),
        "loose": Decimal("0.0000000001"),
        "yes": True,
        "tiny": -5,
        "big": 2**63 - 1,
        "plain": datetime.datetime(2020, 1, 1, 12, 0, 5, tzinfo=UTC),
        "exact": datetime.datetime(2020, 1, 1, 12, 0, 0, 5, tzinfo=UTC),
        "stamp": datetime.datetime(2020, 1, 1, 12, 0, 0, 5, tzinfo=UTC),
        "doc": {"b": 1, "a": [1.0]},
        "ref": uuid.UUID(int=77),
        "float": 0.5,
        "double": 0.1,
        "born": 1999,
        "clock": "12:30:00",
        "bit1": True,
        "address": "::1",
        "at 100%": "%s %(a)s ? \\' $1",
    }
    [stored] = insert(store, given)
    same = {one: (type(stored[one]), stored[one]) for one in given if one != "loose"}
    assert same == {one: (type(value), value) for one, value in given.items() if one != "loose"}
    assert stored["loose"] == given["loose"]
    assert stored["twice"] == -10
    for one in given:
        if field(store, one).kind.is_scalar and one != "bit1":
            assert found(store, where=Filter(one, "eq", given[one])) == [stored["id"]], one
    assert found(store, where=Filter("stamp", "gt", given["exact"] - datetime.timedelta(microseconds=1))) == [1]
    assert found(store, where=Filter("loose", "gt", Decimal("0.00000000011"))) == []


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"kind": "b"}, "invalid"),
        ({"name": "x" * 11}, "max_length"),
        ({"tiny": 500}, "range"),
        ({"money": Decimal("1e20")}, "range"),
        ({"clock": "never"}, "invalid"),
    ],
)
def test_mariadb_refusals_are_told_as_what_they_are(mariadb: Place, record: Record, code: str) -> None:
    name = mariadb.table()
    mariadb.sql(FOREIGN_MARIADB.format(t=name))
    store = served(mariadb, name)
    with pytest.raises(ValidationError) as caught:
        insert(store, {"name": "a"}, {"name": "b", **record})
    assert caught.value.faults[0].code == code
    assert found(store) == []


def test_what_a_column_would_round_is_refused(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, price decimal(10,2))")
    store = served(place, name)
    store.bind(models.Model.of("Priced", [key("id"), models.DecimalField("price")]))
    with pytest.raises(ValidationError, match="decimal places"):
        insert(store, {"id": 1, "price": Decimal("1.005")})
    insert(store, {"id": 1, "price": Decimal("1.50")})
    assert store.get(1)["price"] == Decimal("1.5")
    assert found(store, where=Filter("price", "gt", Decimal("1.499"))) == [1]


def test_constraints_become_conflicts_that_name_fields(place: Place) -> None:
    parent, child = place.table(), place.table()
    place.sql(
        f"CREATE TABLE {parent} (id int PRIMARY KEY)",
        f"CREATE TABLE {child} (id int PRIMARY KEY, parent int, mail varchar(50) UNIQUE, a int, b int, UNIQUE (a, b),"
        f" FOREIGN KEY (parent) REFERENCES {parent} (id))",
        f"INSERT INTO {parent} VALUES (1)",
        f"INSERT INTO {child} VALUES (1, 1, 'for key ''mail''', 1, 2)",
    )
    children, parents = served(place, child), served(place, parent)
    foreign = field(children, "parent")
    assert isinstance(foreign, models.IntForeign)
    assert foreign.references == f"{parent}.id"
    for record, code, fields in (
        ({"id": 1}, "unique", ("id",)),
        ({"id": 2, "mail": "for key 'mail'"}, "unique", ("mail",)),
        ({"id": 2, "a": 1, "b": 2}, "unique", ("a", "b")),
        ({"id": 2, "parent": 5}, "foreign_key", ("parent",)),
    ):
        with pytest.raises(Conflict) as caught:
            insert(children, record)
        assert (caught.value.code, caught.value.fields, caught.value.index) == (code, fields, 0)
    with pytest.raises(Conflict) as caught:
        parents.atomic(lambda tx: tx.delete(1))
    assert caught.value.code == "restricted"
    with pytest.raises(Conflict) as caught:
        children.atomic(lambda tx: tx.update(1, {"parent": 9}))
    assert caught.value.fields == ("parent",)


def test_constraints_that_are_checked_at_the_commit_are_told_as_others_are(postgresql: Place) -> None:
    authors, books = postgresql.table(), postgresql.table()
    late = "DEFERRABLE INITIALLY DEFERRED"
    postgresql.sql(
        f"CREATE TABLE {authors} (id serial PRIMARY KEY, name text, UNIQUE (name) {late})",
        f"CREATE TABLE {books} (id serial PRIMARY KEY, author integer REFERENCES {authors} {late})",
        f"INSERT INTO {authors} (name) VALUES ('Ada')",
        f"INSERT INTO {books} (author) VALUES (1)",
    )
    with pytest.raises(Conflict) as caught:
        insert(served(postgresql, books), {"author": 1}, {"author": 9})
    assert (caught.value.code, caught.value.fields, caught.value.index) == ("foreign_key", ("author",), 1)
    store = served(postgresql, authors)
    with pytest.raises(Conflict) as caught:
        store.atomic(lambda tx: tx.delete(1))
    assert caught.value.code == "restricted"
    with pytest.raises(Conflict) as caught:
        insert(store, {"name": "Ada"})
    assert (caught.value.code, caught.value.fields) == ("unique", ("name",))
    assert found(store) == [1]


def test_mariadb_keeps_uuids_as_their_digits_in_columns_of_just_so_many(mariadb: Place) -> None:
    class Tagged(models.Model):
        fields = (models.PkField("id"), models.UUIDField("tag"))

    name = mariadb.table()
    mariadb.sql(f"CREATE TABLE {name} (id int AUTO_INCREMENT PRIMARY KEY, tag char(32) UNIQUE)")
    mariadb.sql(f"INSERT INTO {name} (tag) VALUES ('{uuid.UUID(int=7).hex}')")
    store = served(mariadb, name)
    store.bind(Tagged())
    insert(store, {"tag": uuid.UUID(int=5)})
    assert mariadb.sql(f"SELECT tag FROM {name} ORDER BY id") == [(uuid.UUID(int=n).hex,) for n in (7, 5)]
    assert found(store, where=Filter("tag", "eq", uuid.UUID(int=7))) == [1]
    assert found(store, order=(Order("tag"),)) == [2, 1]


def test_a_view_is_served_for_reading(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, n int)", f"INSERT INTO {name} VALUES (1, 5), (2, 6)")
    place.sql(f"CREATE VIEW {name}_v AS SELECT id, n * 2 AS twice FROM {name}")
    store = served(place, f"{name}_v")
    assert store.find(Query(where=Filter("twice", "gt", 10))).records == [{"id": 2, "twice": 12}]
    assert not store.capabilities.writable
    assert store.changes() is None
    with pytest.raises(ReadOnly, match="view"):
        insert(store, {"id": 3})


def test_what_cannot_be_served_says_why(place: Place) -> None:
    two, none = place.table(), place.table()
    place.sql(f"CREATE TABLE {two} (a int, b int, PRIMARY KEY (a, b))", f"CREATE TABLE {none} (a int)")
    with pytest.raises(StoreCorrupt, match=r"several columns, \(a, b\)"):
        served(place, two).ping()
    with pytest.raises(StoreCorrupt, match="it needs a primary key"):
        served(place, none).ping()
    with pytest.raises(StoreUnavailable, match=f"did you mean '{two}'"):
        served(place, two + "x").ping()
    store = served(place, two)
    store.bind(models.Model.of("Two", [models.PkField("id"), models.DateField("a")]))
    with pytest.raises(StoreCorrupt, match="no column for 'id'"):
        store.ping()
    store.bind(models.Model.of("Two", [key("b"), models.DateField("a")]))
    with pytest.raises(StoreCorrupt, match=r"another type than the model's 'a' \(date\)"):
        store.ping()


def test_keys_of_any_type(place: Place) -> None:
    text, unique = place.table(), place.table()
    place.sql(
        f"CREATE TABLE {text} (code varchar(20) PRIMARY KEY, n int)",
        f"CREATE TABLE {unique} (n int, code varchar(20) NOT NULL UNIQUE)",
    )
    for name in (text, unique):
        store = served(place, name)
        insert(store, {"code": "b", "n": 1}, {"code": "a", "n": 2})
        assert found(store) == ["a", "b"]
        assert store.get("b") == {"code": "b", "n": 1} if name == text else True
        with pytest.raises(Conflict):
            insert(store, {"code": "a"})


def test_a_key_that_nobody_makes_must_be_brought(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, n int)")
    store = served(place, name)
    assert field(store, "id").required
    store.bind(models.Model.of("Kept", [models.PkField("id"), models.IntegerField("n")]))
    with pytest.raises(Unsupported, match="bring it"):
        insert(store, {"n": 1})
    assert insert(store, {"id": 5, "n": 1}) == [{"id": 5, "n": 1}]


def test_postgresql_honours_a_key_that_it_insists_on_making(postgresql: Place) -> None:
    name = postgresql.table()
    postgresql.sql(f"CREATE TABLE {name} (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int)")
    store = served(postgresql, name)
    insert(store, {"id": 50, "n": 1})
    assert insert(store, {"n": 2})[0]["id"] == 51


def test_mariadb_tables_without_transactions_are_not_written(mariadb: Place) -> None:
    name = mariadb.table()
    mariadb.sql(f"CREATE TABLE {name} (id int AUTO_INCREMENT PRIMARY KEY, n int) ENGINE=MyISAM")
    store = served(mariadb, name)
    assert store.find(Query()).records == []
    with pytest.raises(ReadOnly, match="MyISAM knows no transactions"):
        insert(store, {"n": 1})


def test_rows_that_fit_no_field_are_told_for_the_log(place: Place) -> None:
    name = place.table()
    odd = "'-infinity'" if place.kind == "postgresql" else "'0000-00-00'"
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, day date)")
    mode = "SELECT 1" if place.kind == "postgresql" else "SET sql_mode = ''"
    place.sql(mode, f"INSERT INTO {name} VALUES (1, {odd})")
    with pytest.raises(StoreCorrupt):
        served(place, name).find(Query())


def test_a_table_that_changes_is_read_again(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, a int, b int)", f"INSERT INTO {name} VALUES (1, 2, 3)")
    store = served(place, name)
    store.bind(models.Model.of("Kept", [key("id"), models.IntegerField("b")]))
    assert store.get(1) == {"id": 1, "b": 3}
    place.sql(f"ALTER TABLE {name} DROP COLUMN b", f"ALTER TABLE {name} ADD COLUMN b int DEFAULT 9")
    with contextlib.suppress(StoreUnavailable):
        store.get(1)
    assert store.get(1) == {"id": 1, "b": 9}


def test_defaults_of_the_database_fill_what_is_left_out(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, a int NOT NULL DEFAULT 5, b varchar(9) DEFAULT 'x')")
    store = served(place, name)
    assert insert(store, {"id": 1, "a": None, "b": None}) == [{"id": 1, "a": 5, "b": "x"}]


def test_a_model_narrower_than_the_table(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, a int, more int NOT NULL)")
    store = served(place, name)
    store.bind(models.Model.of("Narrow", [key("id"), models.IntegerField("a")]))
    with pytest.raises(Unsupported, match="'more' may not be null"):
        insert(store, {"id": 1, "a": 1})


def test_a_table_of_ours_refers_to_one_of_others(place: Place) -> None:
    parent, child = place.table(), place.table()
    collation = "" if place.kind == "postgresql" else " CHARACTER SET latin1"
    place.sql(f"CREATE TABLE {parent} (id int PRIMARY KEY, code varchar(9){collation} UNIQUE)")
    fields = [
        models.PkField("id"),
        models.IntForeign("parent", references=f"{parent}.id"),
        models.StringForeign("code", references=f"{parent}.code"),
        models.IntForeign("above", references=f"{child}.id"),
    ]
    store = served(place, child)
    store.bind(models.Model.of("Child", fields))
    place.sql(f"INSERT INTO {parent} VALUES (5, 'x')")
    insert(store, {"parent": 5, "code": "x", "above": None}, {"parent": None, "code": None, "above": 1})
    with pytest.raises(Conflict) as caught:
        insert(store, {"parent": 5, "code": "y", "above": 1})
    assert (caught.value.code, caught.value.fields) == ("foreign_key", ("code",))
    with pytest.raises(Conflict) as caught:
        store.atomic(lambda tx: tx.delete(1))
    assert caught.value.code == "restricted"
    lonely = served(place, place.table())
    lonely.bind(models.Model.of("Lonely", [models.PkField("id"), models.IntForeign("a", references="nowhere.id")]))
    with pytest.raises(StoreUnavailable, match=r"nowhere\.id, which has to be there first"):
        lonely.ping()


def test_the_tables_that_a_new_one_refers_to_are_made_first(place: Place) -> None:
    first, second, third = (place.table() for _ in range(3))
    parts = {
        first: [models.PkField("id")],
        second: [models.PkField("id"), models.IntForeign("first", references=f"{first}.id")],
        third: [models.PkField("id"), models.IntForeign("second", references=f"{second}.id")],
    }
    stores = {name: served(place, name) for name in parts}
    stores[third].bind(models.Model.of("Third", parts[third]))
    with pytest.raises(StoreUnavailable, match="has to be there first"):
        stores[third].ping()
    for name, store in stores.items():
        store.bind(models.Model.of(name, parts[name]))
    assert found(stores[third]) == []
    assert [found(store) for store in stores.values()] == [[], [], []]


def test_tables_that_refer_to_one_another_cannot_be_made(place: Place) -> None:
    names = [place.table(), place.table()]
    stores = [served(place, name) for name in names]
    for store, other in zip(stores, reversed(names), strict=True):
        store.bind(models.Model.of("Round", [models.PkField("id"), models.IntForeign("to", references=f"{other}.id")]))
    with pytest.raises(StoreUnavailable, match="has to be there first"):
        stores[0].ping()


def test_indexes_are_made_where_they_lack(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, a int, b text)")
    for _ in range(2):
        served(place, name, indexes=["a", "b"]).ping()
    inspector = sqlalchemy.inspect(engine_of(place.kind))
    assert sorted(one["column_names"][0] or "" for one in inspector.get_indexes(name)) == ["a", "b"]


def test_a_table_that_others_inherit_from_is_read_only(postgresql: Place) -> None:
    parent, child = postgresql.table(), postgresql.table()
    postgresql.sql(
        f"CREATE TABLE {parent} (id int PRIMARY KEY, name text)",
        f"CREATE TABLE {child} (more text) INHERITS ({parent})",
        f"INSERT INTO {parent} VALUES (1, 'own')",
        f"INSERT INTO {child} VALUES (1, 'inherited')",
    )
    store = SQLDataStore({"url": postgresql.url, "table": parent})
    with pytest.raises(ReadOnly, match="other tables inherit from it"):
        store.atomic(lambda tx: tx.delete(1))
    assert postgresql.sql(f"SELECT count(*) FROM {parent}") == [(2,)]
