"""The SQL store as it is declared: resources and options, secrets, tables that SQLAlchemy knows."""

from __future__ import annotations

import contextlib
import datetime
import enum
import functools
import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from datastores import SQLDataStore
from datastores.sql import engines
from rest_kit import models
from rest_kit.errors import ConfigurationError, Conflict, StoreCorrupt, StoreUnavailable, ValidationError
from rest_kit.query import Filter, Order, Query
from tests.datastores.sql_samples import Person, add, names, open_store
from tests.servers import DRIVERS, Place, places, url_of

ROOT = Path(__file__).parents[2]
PLAIN = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.String(10)))
UTC = datetime.UTC


# --- what is refused when it is declared ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "options", "said"),
    [
        ([], {}, "the resource must be"),
        ({"url": "sqlite:///x.db"}, {}, "resource lacks 'table'"),
        ({"table": "t"}, {}, "either 'url' or 'engine'"),
        ({"url": "sqlite:///x.db", "engine": 1, "table": "t"}, {}, "either 'url' or 'engine'"),
        ({"urll": "x", "table": "t"}, {}, "did you mean 'url'"),
        ({"url": "postgresq://x/y", "table": "t"}, {}, "did you mean 'postgresql'"),
        ({"url": "oracle://x/y", "table": "t"}, {}, "not served"),
        ({"url": "postgresql+asyncpg://x/y", "table": "t"}, {}, "only 'postgresql+psycopg' is served"),
        ({"url": "not a url", "table": "t"}, {}, "is not a URL"),
        ({"url": 5, "table": "t"}, {}, "must be a text"),
        ({"engine": 5, "table": "t"}, {}, "must be an Engine"),
        ({"url": "sqlite:///x.db", "table": ""}, {}, "the name of a table of yours"),
        ({"url": "sqlite:///x.db", "table": "rest_kit_events"}, {}, "the name of a table of yours"),
        ({"url": "sqlite:///x.db", "table": 5}, {}, "a Table, or a mapped class"),
        ({"url": "sqlite://", "table": "t"}, {}, "PythonListDataStore"),
        ({"url": "sqlite:///x.db", "table": "t"}, {"timeouts": {"connct": 1}}, "did you mean 'connect'"),
        ({"url": "sqlite:///x.db", "table": "t"}, {"timeouts": {"connect": 0}}, "more than 0"),
        ({"url": "sqlite:///x.db", "table": "t"}, {"pool_size": 0}, "at least 1"),
        ({"url": "sqlite:///x.db", "table": "t"}, {"retention": 0}, "at least 1"),
        ({"url": "sqlite:///x.db?mode=ro&timeout=1", "table": "t"}, {}, "'mode', 'timeout' behind its '?'"),
        ({"url": "sqlite:///x.db?mode=ro", "table": PLAIN}, {}, "'mode' behind its '?'"),
        ({"url": "sqlite:///x.db", "table": "t"}, {"pool_size": 3}, "options['pool_size'] is for servers"),
        ({"url": "sqlite:///x.db", "table": PLAIN}, {"pool_size": 3}, "options['pool_size'] is for servers"),
        ({"url": "sqlite:///x.db", "table": "t"}, {"timeouts": {"pool": 1}}, "['pool'] is for servers"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(resource: Any, options: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SQLDataStore(resource, options)
    assert said in str(caught.value)
    assert "SQLDataStore" in str(caught.value) or "SQLiteDataStore" in str(caught.value)


def test_the_pool_of_an_engine_is_its_owners() -> None:
    engine = sa.create_engine("sqlite:///x.db")
    with pytest.raises(ConfigurationError) as caught:
        SQLDataStore({"engine": engine, "table": "t"}, {"pool_size": 5, "timeouts": {"connect": 5}})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("url", "pool"),
    [
        ("sqlite://", None),
        ("sqlite://", sa.StaticPool),
        ("sqlite:///x.db", sa.SingletonThreadPool),
        ("sqlite:///x.db", sa.AssertionPool),
        ("postgresql+psycopg://x/y", sa.StaticPool),
        ("mysql+pymysql://x/y", sa.AssertionPool),
    ],
)
def test_an_engine_whose_calls_share_one_connection_is_refused(url: str, pool: type[sa.Pool] | None) -> None:
    engine = sa.create_engine(url, poolclass=pool)
    with pytest.raises(ConfigurationError, match="QueuePool or NullPool"):
        SQLDataStore({"engine": engine, "table": "t"})


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql+psycopg://x/y", "mysql+pymysql://x/y"])
def test_an_engine_that_translates_schemas_is_refused(url: str) -> None:
    engine = sa.create_engine(url).execution_options(schema_translate_map={"one": "two"})
    with pytest.raises(ConfigurationError, match="schema_translate_map"):
        SQLDataStore({"engine": engine, "table": "one.t"})


def test_the_transaction_of_an_engines_owner_is_left_alone(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    store = SQLDataStore({"engine": engine, "table": "people"})
    store.bind(Person())
    add(store, "there")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO people (name) VALUES ('host')")
        assert names(store) == ["there"]
    assert names(store) == ["there", "host"]
    engine.dispose()


def test_a_driver_that_is_not_installed_says_what_to_install() -> None:
    with pytest.raises(ConfigurationError, match=r"pip install 'rest-kit\[postgres\]'"):
        engines.check_driver("no_such_driver_at_all", "postgres")


@pytest.mark.parametrize("url", ["postgresql://me:hush@127.0.0.1:1/shop", "mysql://me:hush@127.0.0.1:1/shop"])
def test_a_password_is_never_told(url: str) -> None:
    store = open_store(url, "people", timeouts={"connect": 2})
    assert "hush" not in repr(store)
    with pytest.raises(Exception, match="shop") as caught:
        store.ping()
    assert "hush" not in str(caught.value)
    with pytest.raises(ConfigurationError) as refused:
        SQLDataStore({"url": "postgresql+x://me:hush@h/shop", "table": "t"})
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://me:hu@sh@h/shop", "mysql://me:hu@sh/x@h/shop"])
def test_no_piece_of_a_password_is_taken_for_the_host(url: str) -> None:
    with pytest.raises(ConfigurationError, match="%40") as refused:
        SQLDataStore({"url": url, "table": "t"})
    assert "hu" not in str(refused.value)
    assert "sh" not in str(refused.value).replace("shop", "")


def test_sqlalchemy_is_loaded_when_such_a_store_is_made() -> None:
    code = """
import sys
from datastores import SQLDataStore
assert "sqlalchemy" not in sys.modules
SQLDataStore({"url": "postgresql://x/y", "table": "t"})
assert "sqlalchemy" in sys.modules
assert "pymysql" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_stores_over_one_url_share_their_connections() -> None:
    one, two = (open_store("postgresql://x@127.0.0.1:1/y", name) for name in "ab")
    assert one._served._database is two._served._database  # type: ignore[attr-defined]


def test_a_declared_table_that_is_only_read_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = SQLDataStore({"url": f"sqlite:///{path}", "table": PLAIN}, {"read_only": True})
    with pytest.raises(StoreUnavailable):
        store.find(Query())
    assert list(tmp_path.iterdir()) == []
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n VARCHAR(10)); INSERT INTO t VALUES (1, 'a')"
        )
    before = path.read_bytes()
    assert store.find(Query()).records == [{"id": 1, "n": "a"}]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# --- SQLite -----------------------------------------------------------------------------------------------------------


def test_an_engine_of_sqlite_keeps_its_settings(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/host.db", pool_size=1, max_overflow=0)
    store = SQLDataStore({"engine": engine, "table": "people"})
    store.bind(Person())
    add(store, "a")
    with pytest.raises(Conflict):
        store.atomic(lambda tx: tx.insert([{"id": 1, "name": "b", "age": 1}]))
    with engine.connect() as connection:
        for pragma, kept in (("journal_mode", "delete"), ("foreign_keys", 0), ("synchronous", 2)):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == kept
        connection.exec_driver_sql("DELETE FROM people")
        connection.rollback()
    assert names(store) == ["a"]
    engine.dispose()


def test_a_url_and_a_path_are_one_file(tmp_path: Path) -> None:
    from datastores import SQLiteDataStore

    url = f"sqlite:///{tmp_path}/shop.db"
    add(open_store(url, "people"), "a")
    other = SQLiteDataStore({"name": tmp_path / "shop.db", "table": "people"})
    other.bind(Person())
    log = other.changes()
    assert log is not None
    assert [event.pk for event in log.read(0)] == [1]


# --- tables that SQLAlchemy knows -------------------------------------------------------------------------------------


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Lines(sa.TypeDecorator[list[str]]):
    """A list of lines, kept as one text."""

    impl = sa.Text
    cache_ok = True

    @property
    def python_type(self) -> type:
        return list

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else "\n".join(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.split("\n")


class Cents(sa.TypeDecorator[Decimal]):
    """An amount, kept as an integer of cents."""

    impl = sa.Integer
    cache_ok = True

    @property
    def python_type(self) -> type:
        return Decimal

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else int(value * 100)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else Decimal(value) / 100


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[sa.Engine, str]]:
    """An engine, and a name that no other table has."""
    if request.param == "sqlite":
        made = sa.create_engine(f"sqlite:///{tmp_path}/declared.db")
        yield made, "declared"
        made.dispose()
        return
    for place in places(request.param):
        url = sa.make_url(url_of(request.param))
        made = sa.create_engine(url.set(drivername=DRIVERS[url.get_backend_name()]))
        yield made, place.table()
        made.dispose()
        forget_types(place)


def forget_types(place: Place) -> None:
    place.clear()
    if place.kind == "postgresql":
        place.sql("DROP TYPE IF EXISTS colour")


def mapped(table: str) -> Any:
    class Base(DeclarativeBase):
        pass

    class Thing(Base):
        __tablename__ = table
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(sa.String(50), unique=True)
        colour: Mapped[Colour | None] = mapped_column(sa.Enum(Colour))
        lines: Mapped[list[str] | None] = mapped_column(Lines)
        price: Mapped[Decimal | None] = mapped_column(Cents)
        ref: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
        data: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
        at: Mapped[datetime.datetime | None] = mapped_column(sa.DateTime(timezone=True))
        size: Mapped[int] = mapped_column(default=7)
        tag: Mapped[str] = mapped_column(sa.String(9), default=lambda: "new")

    return Thing


def test_a_mapped_class_is_made_and_served(engine: tuple[sa.Engine, str]) -> None:
    host, name = engine
    thing = mapped(name)
    store = SQLDataStore({"engine": host, "table": thing})
    fields = store.model.by_name
    assert type(fields["id"]) is models.PkField
    assert (fields["colour"].choices, fields["name"].unique) == (("RED", "GREEN"), True)
    assert type(fields["lines"]) is models.ListField
    assert type(fields["price"]) is models.DecimalField
    assert type(fields["ref"]) is models.UUIDField
    record = store.model.load({"name": "a", "colour": "RED", "lines": ["x", "y"], "price": "1.5"})
    [stored] = store.atomic(lambda tx: tx.insert([{**record, "ref": uuid.UUID(int=9)}]))
    assert (stored["size"], stored["tag"], stored["colour"]) == (7, "new", "RED")
    assert (stored["lines"], stored["price"], stored["ref"]) == (["x", "y"], Decimal("1.5"), uuid.UUID(int=9))
    with sa.orm.Session(host) as session:
        one = session.scalars(sa.select(thing)).one()
        assert (one.colour, one.lines, one.price) == (Colour.RED, ["x", "y"], Decimal("1.5"))
        assert one.ref == uuid.UUID(int=9)
        session.add(thing(name="b", colour=Colour.GREEN, lines=["z"], ref=uuid.UUID(int=3), data={"k": [1]}))
        session.commit()
    other = store.find(Query(where=Filter("colour", "eq", "GREEN"))).records[0]
    assert (other["lines"], other["ref"], other["data"]) == (["z"], uuid.UUID(int=3), {"k": [1]})
    assert store.find(Query(where=Filter("ref", "eq", uuid.UUID(int=3)), fields=("name",))).records == [{"name": "b"}]
    assert [r["name"] for r in store.find(Query(order=(Order("ref"),))).records] == ["b", "a"]
    log = store.changes()
    assert log is not None
    assert log.read(0)[0].after == stored


def test_a_table_with_a_model_of_ones_own(engine: tuple[sa.Engine, str]) -> None:
    host, name = engine
    table = sa.Table(
        name, sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("price", Cents, nullable=False)
    )
    store = SQLDataStore({"engine": host, "table": table})
    store.bind(models.Model.of("Priced", [models.PkField("id"), models.DecimalField("price", places=2, required=True)]))
    [stored] = store.atomic(lambda tx: tx.insert([{"price": Decimal("2.50")}]))
    assert json.dumps(str(stored["price"])) == '"2.50"'
    assert store.find(Query(where=Filter("price", "gt", Decimal("2.49")))).records == [stored]
    with host.connect() as connection:
        assert connection.execute(sa.text(f"SELECT price FROM {name}")).scalar() == 250


def test_a_decorator_that_cannot_take_a_value_is_the_callers_mistake(engine: tuple[sa.Engine, str]) -> None:
    host, name = engine
    table = sa.Table(name, sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("lines", Lines))
    store = SQLDataStore({"engine": host, "table": table})
    with pytest.raises(ValidationError):
        store.atomic(lambda tx: tx.insert([{"lines": [5]}]))


def test_a_declared_table_by_url(tmp_path: Path) -> None:
    thing = mapped("things")
    store = SQLDataStore({"url": f"sqlite:///{tmp_path}/things.db", "table": thing})
    store.atomic(lambda tx: tx.insert([store.model.load({"name": "a"})]))
    assert store.get(1)["size"] == 7


def test_what_only_sqlalchemys_own_writes_fill_in_is_refused(tmp_path: Path) -> None:
    table = sa.Table(
        "notes",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String(50), default="untitled"),
        sa.Column("token", sa.String(50), default=lambda: "made"),
        sa.Column("tag", sa.String(50), default=functools.partial(str, 5)),
        sa.Column("slug", sa.String(50), default=lambda context: context.get_current_parameters()["title"].lower()),
        sa.Column("changed", sa.DateTime, onupdate=sa.func.now()),
        sa.Column("edits", sa.Integer, onupdate=lambda: 5),
    )
    resource = {"url": f"sqlite:///{tmp_path / 'x.db'}", "table": table}
    with pytest.raises(ConfigurationError) as caught:
        SQLDataStore(resource)
    context, onupdate = caught.value.problems
    assert "context for 'slug', which" in context
    assert "onupdate that is not the moment of the write for 'edits', which" in onupdate
    SQLDataStore(resource, {"read_only": True})


def test_what_sqlalchemy_sets_to_the_time_is_set(engine: tuple[sa.Engine, str]) -> None:
    host, name = engine
    columns = [
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String(50), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False, default=sa.func.now()),
        sa.Column("changed", sa.DateTime(timezone=True), onupdate=sa.func.now()),
        sa.Column("seen", sa.Date, onupdate=datetime.date.today, default=datetime.date.today),
    ]
    store = SQLDataStore({"engine": host, "table": sa.Table(name, sa.MetaData(), *columns)})
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    made = store.atomic(lambda tx: tx.insert([store.model.load({"title": "a"})]))[0]
    assert made["made"] > before
    assert made["changed"] > before
    old = {**made, "made": before, "changed": before}
    store.model.touch(old)
    after = store.atomic(lambda tx: tx.update(made["id"], old))
    assert after["changed"] >= made["changed"]
    assert after["made"] < made["made"]
    assert after["seen"] == datetime.datetime.now(datetime.UTC).date()
    assert store.model.by_name["changed"].read_only
    assert not store.model.by_name["made"].read_only


def test_a_composite_key_is_refused(engine: tuple[sa.Engine, str]) -> None:
    host, name = engine
    columns = [sa.Column(column, sa.Integer, primary_key=True, autoincrement=False) for column in "ab"]
    if host.dialect.name == "sqlite":
        return  # the rowid names the rows
    store = SQLDataStore({"engine": host, "table": sa.Table(name, sa.MetaData(), *columns)})
    with pytest.raises(StoreCorrupt, match="several columns"):
        store.ping()
