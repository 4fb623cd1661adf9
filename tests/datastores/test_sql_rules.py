"""Rules that only the database knows: triggers, checks, constraints that wait, and errors that it is told to raise."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from datastores import PythonListDataStore, SQLDataStore
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.errors import Conflict, StoreFull, StoreUnavailable, ValidationError
from rest_kit.query import Filter, Query
from rest_kit.store import Tx
from rest_kit.types import Record
from tests.http.support import Client, faults, problem
from tests.servers import Place, places


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from places(request.param)


@pytest.fixture
def postgresql() -> Iterator[Place]:
    yield from places("postgresql")


@pytest.fixture
def mariadb() -> Iterator[Place]:
    yield from places("mariadb")


def insert(store: SQLDataStore, **record: Any) -> Record:
    return store.atomic(lambda tx: tx.insert([record]))[0]


class Guarded:
    """A table of numbers with a trigger whose body a test gives."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.table = place.table()
        key = "serial" if place.kind == "postgresql" else "int AUTO_INCREMENT"
        place.sql(
            f"CREATE TABLE {self.table} (id {key} PRIMARY KEY, n int)", f"INSERT INTO {self.table} (n) VALUES (1)"
        )
        self.store = SQLDataStore({"url": place.url, "table": self.table})

    def on(self, verb: str, body: str) -> None:
        name = f"{self.table}_{verb}".lower()
        event = f"TRIGGER {name} BEFORE {verb} ON {self.table} FOR EACH ROW"
        if self.place.kind == "postgresql":
            function = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$"
            self.place.sql(function, f"CREATE {event} EXECUTE FUNCTION {name}()")
        else:
            self.place.sql(f"CREATE {event} BEGIN {body}; END")

    def raises(self, verb: str, state: str, number: int = 1644) -> None:
        """Have a verb fail with PostgreSQL's state or MariaDB's number."""
        if self.place.kind == "postgresql":
            self.on(verb, f"RAISE EXCEPTION 'secret words' USING ERRCODE = '{state}'")
        else:
            self.on(verb, f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'secret words'")

    def events(self) -> int:
        log = self.store.changes()
        assert log is not None
        return log.last()

    def drop(self) -> None:
        self.place.sql(f"DROP TABLE {self.table}")
        if self.place.kind == "postgresql":
            for verb in ("insert", "update", "delete"):
                self.place.sql(f"DROP FUNCTION IF EXISTS {self.table}_{verb}()")


@pytest.fixture
def guarded(place: Place) -> Iterator[Guarded]:
    made = Guarded(place)
    yield made
    made.drop()


WRITES = {
    "INSERT": lambda tx: tx.insert([{"n": 2}]),
    "UPDATE": lambda tx: tx.update(1, {"n": 2}),
    "DELETE": lambda tx: tx.delete(1),
}


@pytest.mark.parametrize("verb", WRITES)
def test_a_trigger_that_refuses_is_a_conflict(guarded: Guarded, verb: str) -> None:
    guarded.raises(verb, "P0001")
    with pytest.raises(Conflict) as caught:
        guarded.store.atomic(WRITES[verb])
    assert caught.value.code == "refused"
    assert "secret" not in str(caught.value)
    assert guarded.store.find(Query()).records == [{"id": 1, "n": 1}]
    assert guarded.events() == 0


@pytest.mark.parametrize("verb", WRITES)
def test_what_a_trigger_leaves_undone_is_never_taken_for_done(postgresql: Place, verb: str) -> None:
    guarded = Guarded(postgresql)
    guarded.on(verb, "RETURN NULL")
    with pytest.raises(Conflict) as caught:
        guarded.store.atomic(WRITES[verb])
    assert caught.value.code == "refused"
    assert guarded.store.find(Query()).records == [{"id": 1, "n": 1}]
    assert guarded.events() == 0
    guarded.drop()


def test_what_a_trigger_changes_is_told(guarded: Guarded) -> None:
    more = "NEW.n = NEW.n + 1000; RETURN NEW" if guarded.place.kind == "postgresql" else "SET NEW.n = NEW.n + 1000"
    guarded.on("INSERT", more)
    guarded.on("UPDATE", more)
    assert insert(guarded.store, n=1)["n"] == 1001
    assert guarded.store.atomic(lambda tx: tx.update(1, {"n": 5}))["n"] == 1005
    log = guarded.store.changes()
    assert log is not None
    assert [(event.after or {})["n"] for event in log.read(0)] == [1001, 1005]


@pytest.mark.parametrize(
    ("state", "number", "error"),
    [
        ("53100", 1021, StoreFull),
        ("25006", 1290, StoreUnavailable),
        ("57014", 1205, StoreUnavailable),
        ("53300", 1040, StoreUnavailable),
        ("23514", 4025, ValidationError),
    ],
)
def test_errors_of_the_server_are_told_as_what_they_are(
    guarded: Guarded, state: str, number: int, error: type[Exception]
) -> None:
    guarded.raises("UPDATE", state, number)

    def work(tx: Tx) -> None:
        tx.insert([{"n": 7}])
        tx.update(1, {"n": 2})

    with pytest.raises(error) as caught:
        guarded.store.atomic(work)
    assert "secret" not in str(caught.value)
    assert guarded.store.find(Query()).records == [{"id": 1, "n": 1}], "half a write is there"
    assert guarded.events() == 0


@pytest.mark.parametrize(("state", "number"), [("40001", 1213), ("40P01", 1020)])
def test_collisions_are_run_again_and_then_told(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, state: str, number: int
) -> None:
    monkeypatch.setattr("datastores.sql.database.PAUSE", 0.0001)
    guarded.raises("UPDATE", state, number)
    runs = []

    def work(tx: Tx) -> None:
        runs.append(tx.insert([{"n": len(runs)}]))
        if len(runs) % 10:
            tx.update(1, {"n": 2})

    guarded.store.atomic(work)
    assert len(runs) == 10
    assert [record["n"] for record in guarded.store.find(Query()).records] == [1, 9]
    assert guarded.events() == 1
    with pytest.raises(StoreUnavailable, match="too busy"):
        guarded.store.atomic(WRITES["UPDATE"])


def test_checks_name_the_fields_that_they_are_about(place: Place) -> None:
    name = place.table()
    place.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, a int CHECK (a > 0), b int, CHECK (a < b))")
    store = SQLDataStore({"url": place.url, "table": name})
    client = client_of({"resource": {"url": place.url, "table": name}, "datastore": SQLDataStore})
    assert faults(client.post("/things/", {"id": 1, "a": -1})) == [("#/a", "invalid")]
    several = client.post("/things/", [{"id": 1, "a": 1, "b": 2}, {"id": 2, "a": 2, "b": 1}])
    assert faults(several) == [("#/1/a", "invalid"), ("#/1/b", "invalid")]
    assert store.find(Query()).records == []


def client_of(*resources: dict[str, Any]) -> Client:
    named = zip(("things", "others"), resources, strict=False)
    return Client(
        WSGIDispatcher(
            [type("App", (Controller,), {"resource": {"resource_name": name, **resource}}) for name, resource in named]
        )
    )


def test_what_a_column_would_round_names_its_field(postgresql: Place) -> None:
    name = postgresql.table()
    postgresql.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, hundreds numeric(5,-2))")
    store = SQLDataStore({"url": postgresql.url, "table": name})
    with pytest.raises(ValidationError) as caught:
        insert(store, id=1, hundreds=Decimal(12345))
    assert caught.value.faults[0].path == (0, "hundreds")
    assert insert(store, id=1, hundreds=Decimal(12300))["hundreds"] == 12300


def test_short_years_are_not_taken_for_long_ones(mariadb: Place) -> None:
    name = mariadb.table()
    mariadb.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, born year)")
    store = SQLDataStore({"url": mariadb.url, "table": name})
    insert(store, id=1, born=1970)
    insert(store, id=2, born=0)
    with pytest.raises(ValidationError) as caught:
        insert(store, id=3, born=70)
    assert caught.value.faults[0].path == (0, "born")
    for asked, expected in ((70, []), (1970, [1]), (0, [2])):
        assert [row["id"] for row in store.find(Query(where=Filter("born", "eq", asked))).records] == expected


def test_constraints_that_wait_for_the_end_are_conflicts(postgresql: Place) -> None:
    name = postgresql.table()
    wait = "DEFERRABLE INITIALLY DEFERRED"
    postgresql.sql(
        f"CREATE TABLE {name} (id int PRIMARY KEY, up int REFERENCES {name} (id) {wait}, n int UNIQUE {wait})"
    )
    store = SQLDataStore({"url": postgresql.url, "table": name})
    insert(store, id=1, up=1, n=1)
    for record, code in (({"id": 2, "up": 9}, "foreign_key"), ({"id": 2, "n": 1}, "unique")):
        with pytest.raises(Conflict) as caught:
            insert(store, **record)
        assert caught.value.code == code
    log = store.changes()
    assert log is not None
    assert log.last() == len(store.find(Query()).records) == 1


def test_a_partial_index_keeps_only_its_part_unique(postgresql: Place) -> None:
    name = postgresql.table()
    postgresql.sql(
        f"CREATE TABLE {name} (id serial PRIMARY KEY, code text, live boolean)",
        f"CREATE UNIQUE INDEX ON {name} (code) WHERE live",
    )
    store = SQLDataStore({"url": postgresql.url, "table": name})
    for live in (True, False, False):
        insert(store, code="a", live=live)
    with pytest.raises(Conflict):
        insert(store, code="a", live=True)


# --- a server that takes connections and says nothing -----------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["postgresql://nobody", "mysql://nobody"])
def test_a_port_that_swallows_everything_harms_nothing_else(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        url = f"{scheme}@127.0.0.1:{listener.getsockname()[1]}/none"
        options = {"timeouts": {"connect": 2, "pool": 1}}
        silent = {"resource": {"url": url, "table": "t"}, "datastore": SQLDataStore, "options": options}
        client = client_of(silent, {"resource": [{"id": 1}], "datastore": PythonListDataStore})
        replies: list[Any] = []
        asking = [threading.Thread(target=lambda: replies.append(client.get("/things/"))) for _ in range(4)]
        for thread in asking:
            thread.start()
        assert client.get("/others/1/").json["id"] == 1
        assert not replies, "the other one was asked too late to show anything"
        for thread in asking:
            thread.join(15)
        assert len(replies) == 4
        for reply in replies:
            problem(reply, 503, "store-unavailable")
            assert int(reply.headers["Retry-After"]) >= 1
