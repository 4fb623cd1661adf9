"""Engines of applications, set in every way that could change what a value or a statement means."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy

from datastores import SQLDataStore
from rest_kit import models, rows
from rest_kit.errors import Conflict, StoreUnavailable
from rest_kit.models import Model
from rest_kit.query import Filter, Order, Page, Query
from rest_kit.types import Kind
from tests.datastores.sql_samples import Person, add, grow, names
from tests.same import POOLS, hurting_fields, hurting_rows
from tests.servers import DRIVERS, Place, places

SESSIONS = {
    "postgresql": [
        "-c timezone=Asia/Tokyo -c datestyle=German -c intervalstyle=iso_8601 -c bytea_output=escape",
        "-c standard_conforming_strings=off -c escape_string_warning=off -c transform_null_equals=on",
        "-c default_transaction_deferrable=on -c default_transaction_isolation=serializable",
        "-c extra_float_digits=3 -c plan_cache_mode=force_generic_plan",
    ],
    "mariadb": [
        "time_zone='+05:00', lc_time_names='de_DE', timestamp=1000",
        "character_set_results='latin1', character_set_connection='latin1'",
        "sql_mode='STRICT_ALL_TABLES,ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE'",
        "sql_safe_updates=1, sql_auto_is_null=1, group_concat_max_len=4",
        "autocommit=0, tx_isolation='SERIALIZABLE'",
        "div_precision_increment=0, collation_connection='utf8mb4_general_ci', insert_id=77",
    ],
}
UNFIT = {
    "postgresql": [
        ("-c extra_float_digits=0", "round floats"),
        ("-c client_encoding=LATIN1", "UTF8"),
        ("-c array_nulls=off", "nulls in arrays"),
    ],
    "mariadb": [("sql_mode=''", "not strict"), ("sql_select_limit=5", "after 5 rows")],
}
MODEL = Model.of("Hurting", hurting_fields(models.PkField("id")))


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from places(request.param)


def every(table: dict[str, list[Any]]) -> list[Any]:
    return [pytest.param(kind, one, id=f"{kind}-{number}") for kind in table for number, one in enumerate(table[kind])]


@contextmanager
def engine_set(place: Place, session: str = "", **more: Any) -> Iterator[sqlalchemy.Engine]:
    """An application's engine, whose connections are set so."""
    url = sqlalchemy.make_url(place.url)
    given = {"options": session} if place.kind == "postgresql" else {"init_command": f"SET {session}"}
    named = {"connect_args": given} if session else {}
    engine = sqlalchemy.create_engine(url.set(drivername=DRIVERS[url.get_backend_name()]), **named, **more)
    try:
        yield engine
    finally:
        engine.dispose()


def store_of(engine: sqlalchemy.Engine, place: Place, model: Model) -> SQLDataStore:
    store = SQLDataStore({"engine": engine, "table": place.table()})
    store.bind(model)
    return store


@pytest.mark.parametrize(("kind", "session"), every(SESSIONS))
def test_values_and_queries_mean_the_same_whatever_a_session_is_set_to(kind: str, session: str) -> None:
    given = hurting_rows(40)
    with contextmanager(places)(kind) as place, engine_set(place, session) as engine:
        store = store_of(engine, place, MODEL)
        store.atomic(lambda tx: tx.insert([dict(row) for row in given]))
        assert store.find(Query()).records == given
        for query in queries():
            assert store.find(query) == rows.find(given, query, MODEL), query
        log = store.changes()
        assert log is not None
        assert [event.after for event in log.read(0)] == given


def queries() -> Iterator[Query]:
    """For every scalar field a few values compared, ordered and counted."""
    for field in MODEL.fields:
        if field.kind.is_scalar:
            operators = ("eq", "lte", *(("icontains", "endswith") if field.kind is Kind.STRING else ()))
            for value in POOLS.get(field.name, (5,))[::4]:
                for op in operators:
                    order = (Order(field.name, True), Order("id"))
                    yield Query(where=Filter(field.name, op, value), order=order, page=Page(7), total=True)


@pytest.mark.parametrize(("kind", "unfit"), every(UNFIT))
def test_sessions_that_change_values_are_refused(kind: str, unfit: tuple[str, str]) -> None:
    session, told = unfit
    with contextmanager(places)(kind) as place, engine_set(place, session) as engine:
        store = store_of(engine, place, Person())
        for use in (store.ping, lambda: add(store, "x")):
            with pytest.raises(StoreUnavailable, match=told):
                use()


def test_an_engine_that_only_reads_now_writes_nothing(place: Place) -> None:
    name = place.table()
    own = SQLDataStore({"url": place.url, "table": name})
    own.bind(Person())
    add(own, "there")
    session = "-c default_transaction_read_only=on" if place.kind == "postgresql" else "tx_read_only=1"
    with engine_set(place, session) as engine:
        store = SQLDataStore({"engine": engine, "table": name})
        store.bind(Person())
        assert names(store) == ["there"]
        with pytest.raises(StoreUnavailable, match="takes no writes now"):
            add(store, "refused")
    assert names(own) == ["there"]
    own.close()


def test_mariadb_orders_texts_by_more_than_their_beginning() -> None:
    with contextmanager(places)("mariadb") as place:
        store = SQLDataStore({"url": place.url, "table": place.table()})
        store.bind(MODEL)
        long = [{**row, "long": "ä" * 16_000 + "zayb"[row["id"] % 4]} for row in hurting_rows(20)]
        store.atomic(lambda tx: tx.insert(long))
        query = Query(order=(Order("long"),), page=Page(7))
        assert store.find(query) == rows.find(long, query, MODEL)
        store.close()


def test_many_large_writes_are_one_step(place: Place) -> None:
    """Their events are larger together than what MariaDB takes at once."""
    store = SQLDataStore({"url": place.url, "table": place.table()})
    store.bind(MODEL)
    given = [{**row, "long": "x" * 1_500_000} for row in hurting_rows(16)]
    store.atomic(lambda tx: tx.insert(given))
    log = store.changes()
    assert log is not None
    assert [event.after for event in log.read(0)] == given
    store.close()


def test_connections_of_our_own_are_set_whatever_their_user_is() -> None:
    with contextmanager(places)("postgresql") as place:
        options = "-c%20extra_float_digits%3D0%20-c%20array_nulls%3Doff%20-c%20timezone%3DAsia/Tokyo"
        url = f"{place.url}?client_encoding=latin1&options={options}"
        store = SQLDataStore({"url": url, "table": place.table()})
        store.bind(MODEL)
        given = hurting_rows(40)
        store.atomic(lambda tx: tx.insert([dict(row) for row in given]))
        assert store.find(Query()).records == given
        store.close()


# --- what is left of a use --------------------------------------------------------------------------------------------


def settings(engine: sqlalchemy.Engine) -> dict[str, Any]:
    """What the one connection of a pool is set to, by the server and by the driver."""
    asked = "SELECT name, setting FROM pg_settings" if engine.dialect.name == "postgresql" else "SHOW SESSION VARIABLES"
    with engine.connect() as connection:
        told = {row[0]: row[1] for row in connection.exec_driver_sql(asked) if row[0] not in CHANGING}
        driver: Any = connection.connection.dbapi_connection
        return {**told, **{name: str(getattr(driver, name, None)) for name in DRIVEN}}


CHANGING = {"timestamp", "pseudo_thread_id", "rand_seed1", "rand_seed2", "last_insert_id", "identity", "error_count"}
DRIVEN = (
    *("autocommit", "isolation_level", "read_only", "deferrable", "row_factory", "prepare_threshold", "closed"),
    *("autocommit_mode", "charset", "cursorclass", "sql_mode", "init_command", "encoders", "decoders", "_read_timeout"),
)
LEVELS = ["default", "AUTOCOMMIT", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_of_a_host_is_changed_and_nothing_is_lost(place: Place, level: str) -> None:
    named = {} if level == "default" else {"isolation_level": level}
    with engine_set(place, pool_size=1, max_overflow=0, **named) as engine:
        before, pool = settings(engine), engine.pool
        store = store_of(engine, place, Person())
        add(store, "a", "b")
        store.find(Query(where=Filter("name", "icontains", "A"), total=True))
        with pytest.raises(Conflict):
            store.atomic(lambda tx: tx.insert([{"id": 1, "name": "again", "age": 1}]))
        with pytest.raises(ZeroDivisionError):
            store.atomic(lambda tx: 1 // (tx.get(1)["id"] - 1))
        store.close()
        assert settings(engine) == before
        assert engine.pool is pool
        assert pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("level", LEVELS)
def test_no_update_is_lost_at_any_isolation_level(place: Place, level: str) -> None:
    named = {} if level == "default" else {"isolation_level": level}
    with engine_set(place, **named) as engine:
        store = store_of(engine, place, Person())
        add(store, "counter")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: [store.atomic(grow) for _ in range(10)], range(4)))
        assert store.get(1)["age"] == 40
