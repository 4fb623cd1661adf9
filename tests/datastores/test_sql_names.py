"""Names that look like SQL, like formats or like parameters are names like any other."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from datastores import SQLDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.query import OPERATORS
from tests.http.support import Client, faults
from tests.servers import Place, places

NAMES = [
    *('say "hi"', "it's", "`x`", "100%s", "%(name)s", "a;--", "{0}", "a:b", "?1", "\\", "\\'", "/*", "$1", "#", "%"),
    *(
        "Select",
        "order",
        "t",
        "ünï",
        "😀",
        "count",
        "ordering",
        "x__gt",
        "a b",
        "a.b",
        "[a]",
        '"',
        "'",
        "``",
        "for key x",
    ),
]
QUOTES = {"postgresql": '"', "mariadb": "`"}


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from places(request.param)


@pytest.fixture
def strange(place: Place) -> Iterator[SQLDataStore]:
    """A table whose name, columns, constraints and indexes are all strange."""
    table = f"{place.table()} \"q\" 'x' `y` %s %(a)s ?1 ;--"
    names = [name for name in NAMES if place.kind == "postgresql" or "😀" not in name]
    key = "bigserial" if place.kind == "postgresql" else "bigint AUTO_INCREMENT"
    columns = [f"{quoted(place, name)} varchar(50)" for name in names]
    uniques = [f"CONSTRAINT {quoted(place, f'{name}!{place.prefix}')} UNIQUE ({quoted(place, name)})" for name in names]
    check = f"CONSTRAINT {quoted(place, '%s`')} CHECK ({quoted(place, '`x`')} <> 'no `t` here')"
    parts = ", ".join([f"{quoted(place, 'Id')} {key} PRIMARY KEY", *columns, *uniques, check])
    place.sql(f"CREATE TABLE {quoted(place, table)} ({parts})")
    yield SQLDataStore({"url": place.url, "table": table}, {"indexes": ["a.b"]})
    place.sql(f"DROP TABLE {quoted(place, table)}")


def quoted(place: Place, name: str) -> str:
    mark = QUOTES[place.kind]
    return mark + name.replace(mark, mark * 2) + mark


def client_of(store: SQLDataStore) -> Client:
    resource = {"resource": store.resource, "options": store.options, "datastore": SQLDataStore}
    return Client(WSGIDispatcher([type("App", (Controller,), {"resource": {**resource, "resource_name": "things"}})]))


def test_every_name_is_read_written_filtered_and_ordered(strange: SQLDataStore) -> None:
    client = client_of(strange)
    names = [name for name in strange.model.names if name != "Id"]
    made = client.post("/things/", {name: f"v{name}" for name in names})
    assert {name: made.json[name] for name in names} == {name: f"v{name}" for name in names}
    for number, name in enumerate(names):
        # each operator with some of the names, each name with some of the operators
        for op in list(OPERATORS)[number % 5 :: 5]:
            value = {"isnull": "false", "gt": "a", "gte": "a", "range": "a,w", "ne": "a", "lt": "w", "lte": "w"}.get(op)
            listed = '"v' + name.replace('"', '""') + '"' if op == "in" else "other" if op == "notin" else f"v{name}"
            asked = {f"{name}__{op}": value or listed, "ordering": f"-{name}", "fields": name}
            reply = client.get(f"/things/?{urlencode(asked)}")
            assert [row[name] for row in reply.json["object_list"]] == [f"v{name}"], (asked, reply.text)
        assert client.patch("/things/1/", {name: f"new {name}"}).json[name] == f"new {name}"
        assert client.patch("/things/1/", {name: f"v{name}"}).status_int == 200
    log = strange.changes()
    assert log is not None
    assert len(log.read(0, 1000)) == 1 + 2 * len(names)


def test_constraints_of_every_name_are_told_by_their_fields(strange: SQLDataStore) -> None:
    client = client_of(strange)
    names = [name for name in strange.model.names if name != "Id"]
    client.post("/things/", {name: f"it's for key '{name}'" for name in names})
    for name in names:
        pointer = "#/" + name.replace("~", "~0").replace("/", "~1")
        assert faults(client.post("/things/", {name: f"it's for key '{name}'"}), 409, "conflict") == [
            (pointer, "unique")
        ]
    assert faults(client.post("/things/", {"`x`": "no `t` here"})) == [("#/`x`", "invalid")]


def test_a_table_of_ours_may_be_called_anything(place: Place) -> None:
    name = f"{place.table()}'; DROP"
    store = SQLDataStore({"url": place.url, "table": name})
    texts = [models.StringField(one, unique=True, max_length=9) for one in ("%s", "`")]
    store.bind(models.Model.of("Strange", [models.PkField("id"), *texts]))
    store.atomic(lambda tx: tx.insert([{"%s": "a", "`": "b"}]))
    assert store.get(1) == {"id": 1, "%s": "a", "`": "b"}
    place.sql(f"DROP TABLE {quoted(place, name)}")
