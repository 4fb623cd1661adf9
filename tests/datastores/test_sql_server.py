"""The SQL store and its servers: transactions, lost connections, forks, engines of others, several processes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy

from datastores import SQLDataStore
from datastores.sql.database import CURSOR, MOST_HELD
from datastores.sql.events import SQLEventLog
from datastores.sql.failures import Again
from datastores.sql.folding import cased
from datastores.sql.transaction import Transaction
from rest_kit import models, rows
from rest_kit.errors import Conflict, OutcomeUnknown, StoreError, StoreUnavailable
from rest_kit.problems import problem_type_of
from rest_kit.query import Filter, Order, Page, Query
from rest_kit.store import Tx
from tests.datastores.sql_samples import Person, add, finish, grow, names, open_store, place, run_child, store
from tests.servers import DRIVERS, Place, engine_of

__all__ = ["place", "store"]


def database(store: SQLDataStore) -> Any:
    return store._served._database  # type: ignore[attr-defined]


# --- transactions -----------------------------------------------------------------------------------------------------


def test_a_transaction_within_another_is_a_part_of_it(place: Place) -> None:
    one, two = open_store(place.url, place.table()), open_store(place.url, place.table())
    add(one, "a")
    add(two, "b")

    def inner(tx: Tx) -> None:
        tx.insert([{"name": "inner", "age": None}])
        raise KeyError

    def outer(tx: Tx) -> None:
        tx.insert([{"name": "outer", "age": None}])
        two.atomic(lambda tx: tx.insert([{"name": "kept", "age": None}]))
        with pytest.raises(KeyError):
            two.atomic(inner)
        assert names(two) == ["b", "kept"]

    one.atomic(outer)
    assert (names(one), names(two)) == (["a", "outer"], ["b", "kept"])
    for kept in (one, two):
        log = kept.changes()
        assert log is not None
        assert [event.after["name"] for event in log.read(0) if event.after] == names(kept)


@pytest.mark.parametrize("made", [False, True])
def test_what_is_made_within_a_transaction_keeps_nothing_of_it(place: Place, made: bool) -> None:
    """In MariaDB, to make a table commits whatever is open."""
    one, two = (open_store(place.url, place.table(), events=events) for events in (False, True))
    [first] = add(one, "before")
    if made:
        assert names(two) == []

    def work(tx: Tx) -> None:
        tx.update(first["id"], {"name": "must not stay"})
        add(two, "neither")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        one.atomic(work)
    assert names(one) == ["before"]
    assert names(two) == []
    one.atomic(lambda tx: add(two, "kept"))
    assert names(two) == ["kept"]
    log = two.changes()
    assert log is not None
    assert [event.seq for event in log.read(0)] == [1]


def test_the_last_connection_is_not_waited_for_by_who_has_it(place: Place) -> None:
    pool = {"pool_size": 1, "timeouts": {"pool": 100}}
    one, two = (open_store(place.url, place.table(), **pool) for _ in range(2))
    add(one, "a")
    if place.kind == "mariadb":
        with pytest.raises(StoreUnavailable, match="write to each table once before, or raise pool_size"):
            one.atomic(lambda tx: add(two, "b"))
        add(two, "b")
    else:
        one.atomic(lambda tx: add(two, "b"))
    one.atomic(lambda tx: add(two, "c"))
    assert names(two) == ["b", "c"]


def test_a_part_that_broke_a_rule_can_be_undone_by_itself(store: SQLDataStore) -> None:
    [first] = add(store, "a")

    def work(tx: Tx) -> None:
        tx.insert([{"name": "b", "age": None}])
        with pytest.raises(Conflict):
            store.atomic(lambda tx: tx.insert([{"name": "c", "age": None}, {"id": first["id"], "name": "d", "age": 0}]))
        tx.insert([{"name": "e", "age": None}])

    store.atomic(work)
    assert names(store) == ["a", "b", "e"]


def test_a_conflict_that_is_swallowed_never_keeps_half(store: SQLDataStore) -> None:
    [first] = add(store, "a")

    def work(tx: Tx) -> None:
        with pytest.raises(Conflict):
            tx.insert([{"id": first["id"], "name": "b", "age": None}])
        tx.insert([{"name": "c", "age": None}])

    if database(store).dialect.ends_with_errors:
        with pytest.raises(Conflict):
            store.atomic(work)
        assert names(store) == ["a"]
    else:
        store.atomic(work)
        assert names(store) == ["a", "c"]


def test_deadlocks_run_again(store: SQLDataStore) -> None:
    pks = [record["id"] for record in add(store, "a", "b")]
    runs: list[int] = []
    both_have_one = threading.Barrier(2)

    def move(tx: Tx, order: list[int]) -> None:
        runs.append(order[0])
        for pk in order:
            tx.update(pk, {"age": (tx.get(pk)["age"] or 0) + 1})
            if pk == order[0] and runs.count(pk) == 1:
                both_have_one.wait(timeout=20)

    orders = [pks, pks[::-1]]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda order: store.atomic(lambda tx: move(tx, order)), orders))
    assert [store.get(pk)["age"] for pk in pks] == [2, 2]
    assert len(runs) > 2, "one of the two was undone, and run again"


def test_a_collision_that_never_ends_is_told(store: SQLDataStore, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, "a")
    runs, pauses = [], []

    def shortest(least: float, most: float) -> float:
        pauses.append(most)
        return least

    monkeypatch.setattr("datastores.sql.database.random.uniform", shortest)

    def work(tx: Tx) -> None:
        runs.append(1)
        raise Again("again", retry_after=1)

    with pytest.raises(StoreUnavailable, match="too busy") as caught:
        store.atomic(work)
    assert not isinstance(caught.value, Again)
    assert len(runs) == 10
    assert len(pauses) == 9, "nobody waits for an attempt that is not made"
    assert max(pauses) <= 0.5
    assert sum(pauses) < 3


def test_what_is_found_in_a_transaction_stays_as_it_is(store: SQLDataStore) -> None:
    add(store, "a", "b")
    found, changed = threading.Event(), threading.Event()

    def reads(tx: Tx) -> None:
        page = tx.find(Query(order=(Order("name"),), page=Page(1)))
        found.set()
        assert not changed.wait(0.3), "a locked record was changed"
        assert tx.get(page.records[0]["id"]) == page.records[0]

    def writes() -> None:
        assert found.wait(5)
        store.atomic(lambda tx: tx.update(1, {"age": 5}))
        changed.set()

    thread = threading.Thread(target=writes)
    thread.start()
    store.atomic(reads)
    thread.join()
    assert store.get(1)["age"] == 5


def test_uniqueness_that_only_the_model_knows_holds_among_threads(place: Place) -> None:
    name = place.table()
    identity = "serial" if place.kind == "postgresql" else "int AUTO_INCREMENT"
    place.sql(f"CREATE TABLE {name} (id {identity} PRIMARY KEY, name varchar(50), age int)")
    store = SQLDataStore({"url": place.url, "table": name})
    store.bind(models.Model.of("One", [models.PkField("id"), models.StringField("name", unique=True)]))

    def work(_: int) -> int:
        try:
            store.atomic(lambda tx: tx.insert([{"name": "same"}]))
        except Conflict:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 1
    assert names(store) == ["same"]


def test_writers_of_different_rows_of_such_a_table_never_wait_for_each_other_in_a_circle(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, name varchar(50))", f"INSERT INTO {name} VALUES (1, 'a')")
    place.sql(f"INSERT INTO {name} VALUES (2, 'b')")
    store = SQLDataStore({"url": place.url, "table": name}, {"timeouts": {"statement": 5}})
    store.bind(models.Model.of("One", [models.PkField("id"), models.StringField("name", unique=True)]))
    both = threading.Barrier(2)

    def rename(pk: int) -> None:
        def work(tx: Tx) -> None:
            tx.get(pk)
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(1)
            tx.update(pk, {"name": f"new {pk}"})

        store.atomic(work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(rename, (1, 2)))
    assert names(store) == ["new 1", "new 2"]
    store.close()


def test_a_counter_that_somebody_has_removed_is_made_anew(place: Place, store: SQLDataStore) -> None:
    add(store, "a", "b")
    log = store.changes()
    assert log is not None
    for kept, expected in ((True, [1, 2, 3]), (False, [1])):
        removed = () if kept else ("rest_kit_events",)
        for table in (*removed, "rest_kit_counters"):
            place.sql(f"DELETE FROM {table} WHERE resource LIKE '{place.prefix}%'")
        add(store, "more")
        assert [event.seq for event in log.read(0)] == expected
    add(store, "last")
    assert [event.seq for event in log.read(0)] == [1, 2]


@pytest.mark.parametrize("bound", [True, False])
def test_a_column_that_was_given_another_type_is_found_out(place: Place, bound: bool) -> None:
    name = place.table()
    add(open_store(place.url, name), "a")
    place.sql(f"UPDATE {name} SET age = 5")
    store = SQLDataStore({"url": place.url, "table": name})
    if bound:
        store.bind(Person())
    query = Query(where=Filter("age", "gte", 1))
    assert len(store.find(query).records) == 1
    alter = "ALTER COLUMN age TYPE text" if place.kind == "postgresql" else "MODIFY age text"
    place.sql(f"ALTER TABLE {name} {alter}")
    with pytest.raises(StoreUnavailable, match="tables; they are read again"):
        store.find(query)
    with pytest.raises(StoreUnavailable, match="another type than the model's 'age'"):
        store.find(query)
    back = "ALTER COLUMN age TYPE bigint USING age::bigint" if place.kind == "postgresql" else "MODIFY age bigint"
    place.sql(f"ALTER TABLE {name} {back}")
    assert [record["age"] for record in store.find(query).records] == [5]


def test_a_mistake_of_ours_is_no_error_that_a_client_could_wait_for(store: SQLDataStore) -> None:
    store.ping()
    with pytest.raises(StoreError, match="a statement that rest_kit made") as caught:
        database(store).rows("SELEKT 1")
    assert problem_type_of(caught.value).status == 500
    assert names(store) == []


# --- several processes ------------------------------------------------------------------------------------------------

COUNT = """
import sys
from concurrent.futures import ThreadPoolExecutor
from tests.datastores.sql_samples import grow, open_store
store = open_store(sys.argv[1], sys.argv[2])
with ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda _: [store.atomic(grow) for _ in range(60)], range(2)))
"""


def test_no_update_is_lost_by_eight_clients_in_four_processes(place: Place) -> None:
    name = place.table()
    store = open_store(place.url, name)
    add(store, "counter")
    finish([run_child(COUNT, place.url, name) for _ in range(4)])
    assert store.get(1)["age"] == 8 * 60
    log = store.changes()
    assert log is not None
    events = log.read(0, 1000)
    assert [event.seq for event in events] == list(range(1, 8 * 60 + 2))
    assert [(event.after or {})["age"] for event in events[1:]] == list(range(1, 8 * 60 + 1))


MAKE = """
import sys
from tests.datastores.sql_samples import add, open_store
add(open_store(sys.argv[1], sys.argv[2]), "one")
"""


def test_a_table_is_made_once_however_many_begin(place: Place) -> None:
    name = place.table()
    finish([run_child(MAKE, place.url, name) for _ in range(5)])
    assert names(open_store(place.url, name)) == ["one"] * 5


def test_a_fork_leaves_the_connections_to_the_parent(store: SQLDataStore) -> None:
    add(store, "parent")
    child = os.fork()
    if child == 0:
        add(store, "child")
        os._exit(0 if names(store)[-1] == "child" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    add(store, "parent again")
    assert names(store) == ["parent", "child", "parent again"]


def test_a_fork_in_the_middle_of_a_write(store: SQLDataStore) -> None:
    add(store, "Ada")

    def work(tx: Tx) -> int:
        tx.insert([{"name": "Bob", "age": None}])
        child = os.fork()
        if child == 0:
            os._exit(0 if names(store) == ["Ada"] else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert store.atomic(work) == 0
    assert names(store) == ["Ada", "Bob"]


def test_a_fork_while_a_thread_makes_the_tables_of_events(store: SQLDataStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(store) == []
    making, forked = threading.Event(), threading.Event()
    make = SQLEventLog._make

    def slow(log: SQLEventLog) -> bool:
        making.set()
        assert forked.wait(20)
        return make(log)

    monkeypatch.setattr(SQLEventLog, "_make", slow)
    with ThreadPoolExecutor(1) as pool:
        added = pool.submit(add, store, "parent")
        assert making.wait(20)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            monkeypatch.undo()
            os._exit(0 if add(store, "child") else 1)
        forked.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        added.result()
    assert sorted(names(store)) == ["child", "parent"]


# --- lost connections -------------------------------------------------------------------------------------------------


class Connections:
    """The connections of a store, which can all be ended from outside, as by a server that is restarted."""

    def __init__(self, place: Place, store: SQLDataStore) -> None:
        self.place = place
        self.made: list[Any] = []
        sqlalchemy.event.listen(database(store).engine, "connect", lambda connection, _: self.made.append(connection))

    def kill(self) -> None:
        """End them all."""
        if self.place.kind == "postgresql":
            for connection in self.made:
                if not connection.closed:
                    self.place.sql(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
            return
        living = {row[0] for row in self.place.sql("SHOW PROCESSLIST")}
        for connection in self.made:
            if connection.thread_id() in living:
                self.place.sql(f"KILL {connection.thread_id()}")


@pytest.fixture
def connections(place: Place, store: SQLDataStore) -> Connections:
    return Connections(place, store)


def test_lost_connections_heal_by_themselves(connections: Connections, store: SQLDataStore) -> None:
    add(store, "a")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: store.get(1), range(60)))
    connections.kill()
    assert names(store) == ["a"]
    connections.kill()
    add(store, "b")
    assert names(store) == ["a", "b"]


def test_a_connection_lost_in_a_transaction_is_told_and_healed(connections: Connections, store: SQLDataStore) -> None:
    add(store, "a")

    def work(tx: Tx) -> None:
        tx.insert([{"name": "b", "age": None}])
        connections.kill()
        tx.insert([{"name": "c", "age": None}])

    with pytest.raises(StoreUnavailable) as caught:
        store.atomic(work)
    assert caught.value.retry_after >= 1
    assert names(store) == ["a"]
    add(store, "d")
    assert names(store) == ["a", "d"]


def test_a_connection_lost_in_the_commit_leaves_the_outcome_open(
    connections: Connections, store: SQLDataStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "a")
    run = Transaction.run

    def cut(self: Transaction, text: str, values: Sequence[Any] = ()) -> list[Any]:
        if text == "COMMIT":
            connections.kill()
        return run(self, text, values)

    monkeypatch.setattr(Transaction, "run", cut)
    with pytest.raises(OutcomeUnknown):
        add(store, "b")
    monkeypatch.undo()
    assert names(store) == ["a"]


def test_only_unavailable_while_connections_are_lost_under_load(connections: Connections, store: SQLDataStore) -> None:
    add(store, "counter")
    stop = time.monotonic() + 3
    kept: list[int] = []
    unknown: list[int] = []

    def client(_: int) -> set[str]:
        said = set()
        while time.monotonic() < stop:
            try:
                store.atomic(grow)
                kept.append(1)
            except OutcomeUnknown:
                unknown.append(1)
            except StoreUnavailable as exc:
                said.add(type(exc).__name__)
        return said

    with ThreadPoolExecutor(5) as pool:
        clients = pool.map(client, range(4))
        while time.monotonic() < stop:
            time.sleep(0.3)
            connections.kill()
        assert set().union(*clients) <= {"StoreUnavailable"}
    counted = store.get(1)["age"]
    assert len(kept) <= counted <= len(kept) + len(unknown), "a write was lost, or kept and told as one that was not"
    log = store.changes()
    assert log is not None
    assert log.last() == counted + 1


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "mysql://nobody@127.0.0.1:1/none"])
def test_a_server_that_is_not_there_is_told_when_it_is_used(url: str) -> None:
    store = open_store(url, "people", timeouts={"connect": 2})
    for use in (store.ping, lambda: store.get(1), lambda: add(store, "x")):
        with pytest.raises(StoreUnavailable):
            use()


def test_a_statement_that_takes_too_long_is_ended(place: Place) -> None:
    store = open_store(place.url, place.table(), timeouts={"statement": 0.5})
    add(store, "a")
    slow = "SELECT pg_sleep(5)" if place.kind == "postgresql" else "SELECT sleep(5)"
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="in time"):
        database(store).rows(slow)
    assert time.monotonic() - began < 3
    assert names(store) == ["a"]


def test_a_pool_that_is_exhausted_is_told(place: Place) -> None:
    store = open_store(place.url, place.table(), pool_size=1, timeouts={"pool": 0.2})
    add(store, "a")
    busy, done = threading.Event(), threading.Event()

    def work(tx: Tx) -> None:
        tx.get(1)
        assert names(store) == ["a"], "a read within the transaction waits for another connection"
        busy.set()
        done.wait(5)

    thread = threading.Thread(target=lambda: store.atomic(work))
    thread.start()
    assert busy.wait(5)
    with pytest.raises(StoreUnavailable, match="busy"):
        store.get(1)
    done.set()
    thread.join()
    assert names(store) == ["a"]


# --- an engine of somebody else ---------------------------------------------------------------------------------------


def settings(engine: sqlalchemy.Engine) -> list[Any]:
    """What a connection of the pool is set to."""
    asked = (
        "SELECT name, setting FROM pg_settings ORDER BY name"
        if engine.dialect.name == "postgresql"
        else "SHOW SESSION VARIABLES"
    )
    changing = {
        "timestamp",
        "pseudo_thread_id",
        "rand_seed1",
        "rand_seed2",
        "last_insert_id",
        "identity",
        "error_count",
    }
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(asked) if row[0] not in changing]


def test_a_connection_keeps_its_cursor_unless_it_holds_many_rows(store: SQLDataStore) -> None:
    add(store, *map(str, range(MOST_HELD + 1)))
    engine = database(store).engine

    def kept() -> Any:
        borrowed = engine.raw_connection()
        try:
            return borrowed.info.get(CURSOR)
        finally:
            borrowed.close()

    store.get(1)
    cursor = kept()
    assert cursor is not None
    store.find(Query(page=Page(MOST_HELD - 1)))
    assert kept() is cursor
    names(store)
    assert kept() is None


def test_what_was_read_is_read_again_once_something_was_written(store: SQLDataStore) -> None:
    add(store, "a")

    def work(tx: Tx) -> None:
        tx.get(1)
        tx.update(1, {"age": 1})
        store.atomic(lambda part: part.update(1, {"age": 2}))
        assert tx.get(1)["age"] == 2
        store.atomic(lambda part: part.update(1, {"age": 3}))
        tx.update(1, {"name": "b"})

    store.atomic(work)
    log = store.changes()
    assert log is not None
    assert [event.before["age"] for event in log.read(1) if event.before] == [None, 1, 2, 3]


def test_a_host_engine_is_left_as_it_was(place: Place) -> None:
    url = sqlalchemy.make_url(place.url)
    engine = sqlalchemy.create_engine(url.set(drivername=DRIVERS[url.get_backend_name()]), pool_size=1, max_overflow=0)
    before = settings(engine)
    store = SQLDataStore({"engine": engine, "table": place.table()})
    store.bind(Person())
    add(store, "a")
    store.find(Query(where=Filter("name", "icontains", "A"), order=(Order("name"),), total=True))
    with pytest.raises(Conflict):
        store.atomic(lambda tx: tx.insert([{"id": 1, "name": "again", "age": 1}]))
    pool = engine.pool
    store.close()
    assert engine.pool is pool
    assert settings(engine) == before
    with engine.connect() as connection:
        table = sqlalchemy.table(store._served._name)  # type: ignore[attr-defined]
        connection.execute(sqlalchemy.delete(table))
        connection.rollback()
    assert names(store) == ["a"]
    engine.dispose()


def test_statements_hold_no_values(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(place.url, place.table())
    secret = "x' OR 1=1 -- %s \\"
    ran: list[str] = []
    statements = database(store).statements
    monkeypatch.setattr(database(store), "statements", Noting(statements, ran))
    [one] = add(store, secret)
    store.find(
        Query(where=Filter("name", "in", (secret, "b")), order=(Order("name", True),), page=Page(4, 1), total=True)
    )
    store.find(Query(page=Page(5, after=(secret, 1)), order=(Order("name"),), where=Filter("name", "endswith", secret)))
    store.atomic(lambda tx: tx.update(one["id"], {"name": secret + "2", "age": 424242}))
    store.atomic(lambda tx: tx.delete(one["id"]))
    assert len(ran) > 10
    for text in ran:
        assert "OR 1=1" not in text
        assert "424242" not in text


class Noting(dict[str, Any]):
    """The store's statements, each noted when it is looked up."""

    def __init__(self, statements: Any, ran: list[str]) -> None:
        self.statements = statements
        self.ran = ran

    def __getitem__(self, text: str) -> Any:
        found = self.statements[text]
        self.ran.append(found.text)
        return found


def test_postgresql_itself_sees_parameters_only(place: Place) -> None:
    if place.kind != "postgresql":
        return
    store = open_store(place.url, place.table())
    add(store, "secret-value")
    store.find(Query(where=Filter("name", "eq", "secret-value")))
    seen = place.sql("SELECT query FROM pg_stat_activity WHERE query LIKE '%" + place.prefix + "%'")
    assert any("$1" in str(query) for (query,) in seen)
    assert not [query for (query,) in seen if "secret-value" in str(query)]


# --- case -------------------------------------------------------------------------------------------------------------


def test_every_letter_is_folded_as_the_reference_folds_it(place: Place) -> None:
    store = open_store(place.url, place.table())
    store.ping()
    write = database(store).dialect.grammar.fold
    letters = cased() + "".join(map(chr, range(32, 0x500))) + "ΟΔΟΣ ΟΔΟΣ. İSTANBUL ǅǆ"
    with engine_of(place.kind).connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {write('%s')}", (letters,)).scalar()
    assert found == rows.fold(letters)
