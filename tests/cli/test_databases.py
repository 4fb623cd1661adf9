"""Databases and APIs as sources: what is served of them, what is left out and why, and what is said where they fail."""

from __future__ import annotations

import re
import socket
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy

from datastores import PythonListDataStore
from rest_kit.cli import sources
from rest_kit.cli.source import SourceError, Wishes, parse
from rest_kit.models import Model, PkField, StringField
from tests.cli.support import ask, run, serving
from tests.http.support import Client
from tests.remote.support import application, served
from tests.servers import SERVERS, Place, engine_of, need, places


@pytest.fixture(params=list(SERVERS))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A name of a test's own in each of the servers."""
    yield from places(request.param)


@pytest.fixture
def library(place: Place) -> str:
    """The source that names the tables of a small library."""
    authors, books, notes, lent, newest = (place.table() for _ in range(5))
    place.sql(
        f"CREATE TABLE {authors} (id serial PRIMARY KEY, name varchar(50) NOT NULL UNIQUE)",
        f"CREATE TABLE {books} (isbn varchar(13) PRIMARY KEY, title varchar(50) NOT NULL)",
        f"CREATE TABLE {notes} (text varchar(50))",
        f"CREATE TABLE {lent} (book varchar(13), reader integer, PRIMARY KEY (book, reader))",
        f"CREATE VIEW {newest} AS SELECT id, name FROM {authors} WHERE id > 1",
        f"INSERT INTO {authors} (name) VALUES ('Ende'), ('Lindgren')",
    )
    return f"{place.url}#{authors},{books},{notes},{lent},{newest}"


def test_tables_and_views_are_served_and_the_rest_is_named_with_the_reason(place: Place, library: str) -> None:
    found = sources.serve([library])
    names = [controller.spec.name.removeprefix(f"{place.prefix}_") for controller in found.controllers]
    assert names == ["1", "2", "5"]
    notes, lent = found.notes
    assert notes.startswith(f"{place.prefix}_3 is not served: nothing names a row")
    assert f"{place.prefix}_4 is not served" in lent
    assert "key of several columns, (book, reader)" in lent
    client = Client(found.app)
    assert client.ask("POST", f"/{place.prefix}_1/", {"name": "Nöstlinger"}).json["id"] == 3
    assert client.get(f"/{place.prefix}_5/").json["meta"]["total_count"] == 2
    assert client.ask("POST", f"/{place.prefix}_5/", {"name": "x"}).status_int == 405


def test_only_reading(place: Place, library: str) -> None:
    client = Client(sources.serve([library], Wishes(read_only=True)).app)
    assert client.get(f"/{place.prefix}_1/1/").json["name"] == "Ende"
    assert client.ask("POST", f"/{place.prefix}_1/", {"name": "x"}).headers["Allow"] == "GET, HEAD, OPTIONS"


def test_our_own_tables_are_no_resources(place: Place, library: str) -> None:
    client = Client(sources.serve([library]).app)
    assert client.ask("POST", f"/{place.prefix}_2/", {"isbn": "1", "title": "Momo"}).status_int == 201
    listed = [part.name for part in sources.find(parse(place.url), Wishes()).parts]
    assert f"{place.prefix}_2" in listed
    assert not [name for name in listed if name.startswith("rest_kit_")]
    with pytest.raises(SourceError, match="there is no table 'rest_kit_events'"):
        sources.serve([f"{place.url}#rest_kit_events"])


def test_a_schema_is_named_with_its_tables(place: Place) -> None:
    schema = "public" if place.kind == "postgresql" else sqlalchemy.make_url(place.url).database
    table = place.table()
    place.sql(f"CREATE TABLE {table} (id integer PRIMARY KEY)")
    found = sources.serve([f"{place.url}#{schema}.{table}"])
    assert [one.spec.name for one in found.controllers] == [f"{schema}.{table}"]
    listed = sources.find(parse(f"{place.url}#{schema}.*"), Wishes()).parts
    assert f"{schema}.{table}" in [part.name for part in listed]


def test_a_name_is_given_where_two_would_be_the_same(place: Place, tmp_path: Path) -> None:
    table = place.table()
    place.sql(f"CREATE TABLE {table} (id integer PRIMARY KEY)")
    file = tmp_path / f"{table}.csv"
    file.write_text("id,n\n1,2\n")
    with pytest.raises(SourceError, match=f"both be served as {table}; give one of them another name: other=SOURCE"):
        sources.serve([f"{place.url}#{table}", str(file)])
    found = sources.serve([f"{place.url}#{table}", f"other={file}"])
    assert [one.spec.name for one in found.controllers] == [table, "other"]


def test_what_it_says_and_serves_as_processes(place: Place, library: str, tmp_path: Path) -> None:
    with serving(library, "--workers", "2", folder=tmp_path) as process:
        url = process.url
        assert f"  {url}/{place.prefix}_1/\n      2 rows, key id; list: GET POST" in process.out
        assert f"read-only: {place.prefix}_5 is a view" in process.out
        assert f"  {place.prefix}_3 is not served: nothing names a row" in process.out
        assert {ask(f"{url}/{place.prefix}_1/1/").data["name"] for _ in range(8)} == {"Ende"}
    assert process.err == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"port": 1}, "cannot be reached: .*onnect"),
        ({"username": "nobody_of_that_name"}, "nobody_of_that_name"),
        ({"database": "no_such_database", "password": None}, "no_such_database"),
    ],
)
def test_a_server_that_does_not_answer_is_one_line_without_the_password(
    place: Place, tmp_path: Path, change: dict[str, object], told: str
) -> None:
    url = sqlalchemy.make_url(place.url).set(**{"password": "9f1c:/@x", **change})  # type: ignore[arg-type]
    source = url.render_as_string(hide_password=False)
    ended = run("serve", source, "--port", "0", folder=tmp_path)
    assert (ended.process.returncode, ended.out) == (2, "")
    assert re.fullmatch(rf"rest-kit: \w+://\w+(:\*\*\*)?@.*: the \w+ database '\w+' .*{told}.*\n", ended.err), ended.err
    assert "9f1c" not in ended.err


def test_the_password_is_in_no_repr(place: Place) -> None:
    table = place.table()
    place.sql(f"CREATE TABLE {table} (id integer PRIMARY KEY)")
    url = sqlalchemy.make_url(place.url)
    secret = url.set(password="9f1c" if place.kind == "postgresql" else "").render_as_string(hide_password=False)
    found = sources.serve([f"{secret}#{table}"])
    store = found.controllers[0].store
    assert "9f1c" not in f"{store!r} {store.resource!r} {store.options!r} {vars(store)!r}"


def test_a_table_that_is_not_there_is_said_with_the_nearest(place: Place, tmp_path: Path) -> None:
    table = place.table()
    place.sql(f"CREATE TABLE {table} (id integer PRIMARY KEY)")
    ended = run("serve", f"{place.url}#{table}s", folder=tmp_path)
    assert ended.process.returncode == 1
    assert ended.err.endswith(f": there is no table '{table}s'; did you mean '{table}'?\n")


def test_columns_that_no_object_can_have_leave_a_table_out(place: Place) -> None:
    good, bad = place.table(), place.table()
    place.sql(
        f"CREATE TABLE {good} (id integer PRIMARY KEY)",
        f"CREATE TABLE {bad} (id integer PRIMARY KEY, resource_uri integer)",
    )
    found = sources.serve([f"{place.url}#{good},{bad}"])
    assert [one.spec.name for one in found.controllers] == [good]
    assert f"{bad} is not served" in found.notes[0]
    assert "resource_uri" in found.notes[0]


@pytest.mark.parametrize(
    ("source", "module", "extra"),
    [("postgresql://h/d", "psycopg", "postgres"), ("mysql://h/d", "pymysql", "mariadb")],
)
def test_a_missing_driver_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, source: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SourceError) as refused:
        sources.serve([source])
    assert str(refused.value) == f"{source}: {module} is not installed: pip install 'rest-kit[{extra}]'"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("postgresq://h/d", "of no known kind; did you mean 'postgresql'?"),
        ("postgresql+psycopg2://ada:9f1c@h/d", "names the driver 'psycopg2'; only 'postgresql+psycopg' is served"),
        ("postgresql://ada:9f1c@h:port/d", "is not a URL such as"),
        ("mysql://ada:9f1c@h", "names no database"),
        ("sqlite://shop.db", "write sqlite:///file.db"),
        ("sqlite:///", "write sqlite:///file.db"),
        ("sqlite:///nothing.db", "there is no such file"),
        ("https://ada:9f1c@h/people/", "say it as --header"),
        ("https://h/people/#x", "has no '#'"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(source: str, told: str) -> None:
    with pytest.raises(SourceError) as refused:
        sources.serve([source])
    assert told in str(refused.value)
    assert "9f1c" not in str(refused.value)


# --- SQLite files -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with two tables."""
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("shop.db")) as connection:
        connection.executescript(
            """
            CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT);
            CREATE TABLE "odd.name, too" (id INTEGER PRIMARY KEY);
            """
        )
    return "shop.db"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("shop.db", ["books", "odd.name-too"]),
        ("shop.db#books", ["books"]),
        ("sqlite:///shop.db#books", ["books"]),
        ("shop.db#odd.name%2C too", ["odd.name-too"]),
        ("odd=shop.db#odd.name%2C too", ["odd"]),
        ("shop=shop.db", ["shop-books", "shop-odd.name-too"]),
    ],
)
def test_the_tables_of_a_file(shop: str, source: str, names: list[str]) -> None:
    assert [one.spec.name for one in sources.serve([source]).controllers] == names


# --- APIs -------------------------------------------------------------------------------------------------------------


class PersonModel(Model):
    fields = [PkField("id"), StringField("name", required=True)]


def test_the_collection_of_another_api(tmp_path: Path) -> None:
    app = application(PythonListDataStore, [{"id": 1, "name": "Ada"}], PersonModel(), name="people")
    with served(app) as base, serving(f"{base}/people/", f"team={base}/people/", folder=tmp_path) as process:
        url = process.url
        assert f"  {url}/people/\n      1 rows, key id; list: GET POST" in process.out
        assert ask(f"{url}/people/", "POST", {"name": "Grace"}).status == 201
        assert ask(f"{url}/team/2/").data["name"] == "Grace"


def test_an_api_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ended = run("serve", f"http://127.0.0.1:{port}/people/", "--port", "0", folder=tmp_path)
    assert ended.process.returncode == 2
    assert ended.err.startswith(f"rest-kit: http://127.0.0.1:{port}/people/: ")
    assert "Connection refused" in ended.err
    assert ended.err.count("\n") == 1


def test_a_view_that_cannot_be_read_leaves_the_rest_served(tmp_path: Path) -> None:
    file = str(tmp_path / "old.db")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE books (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE VIEW lost AS SELECT id FROM gone")
        connection.execute("CREATE VIEW strange AS SELECT id, of_another_program(id) AS n FROM books")
    found = sources.serve([file])
    assert [one.spec.name for one in found.controllers] == ["books"]
    lost, strange = found.notes
    assert lost.startswith("lost is not served: ")
    assert "gone" in lost
    assert strange.startswith("strange is not served: ")
    ended = run("copy", f"{file}#books,lost", str(tmp_path / "new.db"), folder=tmp_path)
    assert ended.process.returncode == 1
    assert "lost cannot be copied: " in ended.err
    assert ended.err.endswith("/old.db#books\n")


@pytest.fixture
def stranger() -> Iterator[str]:
    """A role of PostgreSQL's that may read nothing."""
    need("postgresql")
    role = f"r{uuid.uuid4().hex[:10]}"
    with engine_of("postgresql").connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        yield role
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_tables_that_may_not_be_read_are_left_out(place: Place, stranger: str, tmp_path: Path) -> None:
    first, second, third = (place.table() for _ in range(3))
    for table in (first, second, third):
        place.sql(f"CREATE TABLE {table} (id integer PRIMARY KEY, n integer)")
    place.sql(f"GRANT SELECT ON {first} TO {stranger}", f"GRANT SELECT (id) ON {second} TO {stranger}")
    url = sqlalchemy.make_url(place.url).set(username=stranger).render_as_string(hide_password=False)
    with serving(f"{url}#{first},{second},{third}", folder=tmp_path) as process:
        assert ask(f"{process.url}/{first}/").data["object_list"] == []
    for table in (second, third):
        assert re.search(rf"^  {table} is not served: .* does not let us in, or do this$", process.out, re.MULTILINE)
    ended = run("copy", f"{url}#{first},{third}", "new.db", folder=tmp_path)
    assert ended.process.returncode == 1
    assert f"{third} cannot be copied: " in ended.err


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_row_that_cannot_be_read_is_counted_and_served_by_the_side_of_others(place: Place, tmp_path: Path) -> None:
    table = place.table()
    place.sql(
        f"CREATE TABLE {table} (id integer PRIMARY KEY, day date)",
        f"INSERT INTO {table} VALUES (1, 'infinity'), (2, '2026-01-31')",
    )
    with serving(f"{place.url}#{table}", folder=tmp_path) as process:
        assert ask(f"{process.url}/{table}/2/").data["day"] == "2026-01-31"
        assert ask(f"{process.url}/{table}/1/").status == 503
    assert "2 rows, key id" in process.out
