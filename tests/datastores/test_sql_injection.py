"""Statements as the servers themselves log them: whatever a client sends, their text stays the same.

The same requests are sent twice: full of SQL, and with every sign in them made an `x`. PostgreSQL logs values apart
from the text, so the texts must be equal and hold nothing that was sent. PyMySQL writes values into the text; there
each must be one literal by the grammar of MariaDB, so that what is left without the literals is equal.
"""

from __future__ import annotations

import csv
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy

from datastores import SQLDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Model
from rest_kit.pagination import CursorPagination
from rest_kit.query import Filter, Query
from rest_kit.store import Tx
from rest_kit.types import Record
from tests.clusters import Cluster, running
from tests.http.support import Client
from tests.servers import DRIVERS, places

MARK = "zqj"
"""Stands in every attack, and in nothing else."""
ATTACKS = [
    f"{MARK}' OR '1'='1",
    f"{MARK}'; DROP TABLE things; --",
    f"{MARK}\\'; DROP TABLE things; -- ",
    f'{MARK}" OR ""="',
    f"{MARK}') UNION SELECT 1,2,3,4,5 -- ",
    f"{MARK}/* */ # -- \n;",
    f"{MARK}\\",
    f"\\{MARK}\\\\'",
    f"'{MARK}",
    f"''{MARK}''",
    f"`{MARK}` %s %(x)s %% ?1 $1 :name {{}} {{0}} \\0 \\x00 \\N",
    f"$${MARK}$$ E'\\047' U&'\\0027'",
    f"\u02bc{MARK}\uff07 \u2019 \u00bf\u005c\u0027",
    f"%_{MARK}[^a]*?.%",
    f"{MARK},(SELECT pg_sleep(9)),sleep(9)",
]
SETTINGS = {
    "postgresql": ("logging_collector = on", "log_destination = 'csvlog'", "log_directory = 'log'"),
    "mariadb": ("--general-log", "--log-output=TABLE"),
}
MORE = {"postgresql": ("log_filename = 'all.log'", "log_statement = 'all'", "log_parameter_max_length = -1")}


class Thing(Model):
    fields = (
        models.StringPkField("code", max_length=200),
        models.StringField("text", max_length=200, unique=True),
        models.TextField("long"),
        models.ListField("list"),
        models.DictField("dict"),
    )


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with running(request.param, *SETTINGS[request.param], *MORE.get(request.param, ())) as cluster:
        yield cluster


# --- what the servers have logged -------------------------------------------------------------------------------------


def logged(cluster: Cluster) -> list[str]:
    """Every statement that a server was sent until now, in turn."""
    if cluster.kind == "postgresql":
        # psycopg names what it prepares, and says so where it forgets that
        texts = [row[13].partition(": ")[2] for row in entries(cluster)]
        return [text for text in texts if text != "DEALLOCATE ALL"]
    url = sqlalchemy.make_url(cluster.url)
    engine = sqlalchemy.create_engine(url.set(drivername=DRIVERS[url.drivername]), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        asked = "SELECT argument FROM mysql.general_log WHERE command_type = 'Query' ORDER BY event_time, thread_id"
        return [str(row[0]) for row in connection.exec_driver_sql(asked)]


def entries(cluster: Cluster) -> list[list[str]]:
    """The lines of PostgreSQL's log that tell of statements.

    They are written by a process of its own, in turn, some time after the replies.
    """
    last = f"statement: SELECT 'log {uuid.uuid4()}'"
    cluster.sql(last.removeprefix("statement: "))
    path = cluster.folder / "data" / "log" / "all.csv"
    deadline = time.monotonic() + 20
    while last not in (text := path.read_text()):
        assert time.monotonic() < deadline, "the log never came"
        time.sleep(0.01)
    told = [row for row in csv.reader(text.splitlines(keepends=True)) if len(row) > 14]
    return [row for row in told if row[13].startswith(("statement", "execute")) and "'log " not in row[13]]


LITERAL = re.compile(r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*\"""", re.DOTALL)
NAME = re.compile(r"`(?:[^`]|``)*`")
NUMBER = re.compile(r"\b[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?\b")


def skeleton(statement: str) -> str:
    """A statement of MariaDB's without its literals."""
    bare = LITERAL.sub("?", statement)
    assert not re.search(r"'|\"|--|#|/\*|;|\\", NAME.sub("", bare)), statement
    return NUMBER.sub("0", bare)


# --- what is sent -----------------------------------------------------------------------------------------------------


def harmless(text: str) -> str:
    """The same text, as long and with as many words."""
    return re.sub(r"[^A-Za-z0-9 \n]", "x", text)


class Sender:
    """Sends everything that a client can send with one text in all its places."""

    def __init__(self, client: Client, text: str) -> None:
        self.client = client
        self.text = text
        self.item = f"/things/{quote(text, safe='')}/"
        self.statuses: list[int] = []

    def send(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        body = {} if json is None else {"json": json}
        reply = self.client.ask(method, path, environ={"REQUEST_URI": path}, **body, **headers)
        assert reply.status_int < 500, reply.text
        self.statuses.append(reply.status_int)
        return reply

    def ask(self, **parameters: str) -> Any:
        return self.send("GET", f"/things/?{urlencode(parameters)}")

    def everything(self) -> list[int]:
        """The statuses of the replies."""
        self.write()
        self.filter()
        self.name()
        self.page()
        self.change()
        return self.statuses

    def write(self) -> None:
        text = self.text
        for _ in range(2):
            self.send(
                "POST", "/things/", {"code": text, "text": text, "list": [text, {text: text}], "dict": {"a": text}}
            )
        self.send("POST", "/things/", [{"code": text + "2", "text": text}, {"code": text + "2"}])
        self.send("POST", "/things/", {text: text})

    def filter(self) -> None:
        text = self.text
        for op in ("eq", "ne", "gt", "lte", "contains", "icontains", "startswith", "iendswith", "iexact"):
            self.ask(**{f"long__{op}": text, f"code__{op}": text, "search": text})
        listed = '"' + text.replace('"', '""') + '"'
        self.ask(text__in=f"{listed},b", code__notin=listed, long__range=f"{listed},{listed}")

    def name(self) -> None:
        """A text in places where names are meant reaches no database."""
        text = self.text
        for parameters in ({text: "1"}, {f"text__{text}": "1"}, {"ordering": text}, {"fields": text}, {"cursor": text}):
            self.ask(**parameters)
        self.ask(count=text)

    def page(self) -> None:
        """A cursor carries what the last row holds."""
        following = self.ask(ordering="text", count="1", text__startswith=self.text[:1]).json["meta"]["next"]
        if following:
            self.send("GET", following)

    def change(self) -> None:
        text = self.text
        tag = self.send("GET", self.item).headers["ETag"]
        self.send("PATCH", self.item, {"long": text, "dict": {text: {text: None}}}, If_Match=tag)
        self.send("PATCH", self.item, {"long": "late"}, If_Match=tag)
        self.send("PATCH", self.item, {"long": text}, If_Match=f'"{harmless(text)}"'.replace("\n", ""))
        pointer = "/dict/" + text.replace("~", "~0").replace("/", "~1")
        steps = [{"op": "add", "path": pointer, "value": text}]
        patch = {"type": "application/json-patch+json"}
        self.send("PATCH", self.item, steps, **patch)
        self.send("PUT", self.item, {"text": text, "long": text})
        self.send("PATCH", f"/things/?{urlencode({'text': text})}", {"long": text + "!"})
        self.send("DELETE", f"/things/?{urlencode({'long': text + '!'})}")
        self.send("DELETE", self.item)


def client_of(cluster: Cluster) -> Client:
    resource = {"resource": {"url": cluster.url, "table": "things"}, "datastore": SQLDataStore, "model": Thing}
    paged = {"options": {"pagination": CursorPagination(5)}}
    app = type("App", (Controller,), {"resource": {**resource, "resource_name": "things"}, "controller": paged})
    return Client(WSGIDispatcher([app], secret="known"))


def sent(cluster: Cluster, client: Client, change: Callable[[str], str]) -> tuple[list[list[int]], list[str]]:
    """What all the attacks, changed so, were answered, and the statements that this took."""
    before = len(logged(cluster))
    statuses = [Sender(client, change(attack)).everything() for attack in ATTACKS]
    return statuses, [text for text in logged(cluster)[before:] if "general_log" not in text]


def test_statements_never_change_with_what_a_client_sends(cluster: Cluster) -> None:
    client = client_of(cluster)
    Sender(client, "warm").everything()
    attacked, texts = sent(cluster, client, lambda text: text)
    calm, others = sent(cluster, client, harmless)
    assert attacked == calm
    assert len(texts) > 20 * len(ATTACKS)
    if cluster.kind == "postgresql":
        assert texts == others
        assert not [text for text in texts if MARK in text]
        assert sum(MARK in row[14] for row in entries(cluster)) > 20 * len(ATTACKS), "values were not logged"
    else:
        assert [skeleton(text) for text in texts] == [skeleton(text) for text in others]
        assert not [text for text in texts if MARK in skeleton(text)]
        assert sum(MARK in text for text in texts) > 20 * len(ATTACKS), "values were not logged"


def test_a_statement_that_is_attacked_would_be_noticed() -> None:
    """The measure itself: with a value that is not escaped there is more left than with one that is."""
    safe, unsafe = "SELECT 'a\\' OR 1=1 -- '", "SELECT 'a' OR 1=1 -- '"
    assert skeleton(safe) == "SELECT ?"
    with pytest.raises(AssertionError):
        skeleton(unsafe)


@pytest.mark.parametrize("mode", ["NO_BACKSLASH_ESCAPES", "ANSI", "ORACLE", "EMPTY_STRING_IS_NULL"])
def test_values_are_quoted_as_the_mode_of_a_hosts_connections_asks(mode: str) -> None:
    with contextmanager(places)("mariadb") as place:
        given = {"connect_args": {"init_command": f"SET sql_mode = 'STRICT_ALL_TABLES,{mode}'"}}
        engine = sqlalchemy.create_engine(place.url.replace("mysql:", "mysql+pymysql:"), **given)
        store = SQLDataStore({"engine": engine, "table": place.table()})
        store.bind(Thing())
        for text in ATTACKS:
            record = {"code": text, "text": text, "long": text, "list": [text], "dict": {text: text}}
            assert store.atomic(partial(insert, record)) == record
            assert record in store.find(Query(where=Filter("long", "contains", text))).records
        assert len(store.find(Query()).records) == len(ATTACKS)
        engine.dispose()


def insert(record: Record, tx: Tx) -> Record:
    return tx.insert([record])[0]
