"""`rest-kit copy`: what goes where, what is said, and what is left of a copy that is broken off."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from datastores import PythonListDataStore
from rest_kit.cli.main import main
from rest_kit.models import Model, PkField, StringField
from tests.cli.support import COMMAND, Process, run
from tests.remote.support import application, served
from tests.servers import Place, places

NASTY = [
    {"id": 7, "name": " \t'\"`;,|\\%_$1{}\r\nİıſß\U0001f600 ", "note": "null", "score": 1.5, "day": "2024-02-29"},
    {"id": 12, "name": "Ada", "note": None, "score": -0.25, "day": "0001-01-01"},
    {"id": 9007199254740993, "name": "=1+1", "note": "\\N", "score": 1e300, "day": "9999-12-31"},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a few sources."""
    monkeypatch.chdir(tmp_path)
    Path("people.json").write_text(json.dumps(NASTY))
    Path("x.csv").write_text("id,name\n1,a\n2,b\n")
    with closing(sqlite3.connect("shop.db")) as connection:
        connection.executescript(
            """
            CREATE TABLE books (id INTEGER PRIMARY KEY, author INTEGER REFERENCES authors (id));
            CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
            CREATE VIEW newest AS SELECT id FROM books;
            INSERT INTO authors VALUES (3, 'Ende'), (8, 'Lindgren');
            INSERT INTO books VALUES (1, 8), (2, NULL);
            """
        )
    return tmp_path


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from places(request.param)


def copy(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["copy", *arguments])


def copied(*arguments: str) -> str:
    """What a copy that must succeed says."""
    ended = copy(*arguments)
    assert (ended.exit_code, ended.exception) == (0, None), ended.output
    return ended.output


def asked(file: str, question: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(question).fetchall()


# --- what goes where --------------------------------------------------------------------------------------------------


def test_round_and_round_nothing_changes(folder: Path, place: Place) -> None:
    table = f"{place.url}#{place.table()}"
    for source, target in [
        ("people.json", "first.csv"),
        ("first.csv", "x.db"),
        ("x.db", table),
        (table, "y.db#other"),
        ("y.db", "last.csv"),
    ]:
        assert copied(source, target).endswith(": 3 rows copied\n")
    assert Path("last.csv").read_bytes() == Path("first.csv").read_bytes()


def test_between_servers(folder: Path) -> None:
    for postgresql in places("postgresql"):
        for mariadb in places("mariadb"):
            here, there, back = f"#{postgresql.table()}", f"#{mariadb.table()}", f"#{postgresql.table()}"
            copied("people.json", postgresql.url + here)
            copied(postgresql.url + here, mariadb.url + there)
            copied(mariadb.url + there, postgresql.url + back)
            one, two = (postgresql.sql(f"SELECT * FROM {table[1:]} ORDER BY id") for table in (here, back))
            assert one == two
            assert one[0][1] == NASTY[0]["name"]


def test_a_whole_database_with_its_references_and_without_its_views(folder: Path) -> None:
    assert copied("shop.db", "new.db") == "authors: 2 rows copied\nbooks: 2 rows copied\n"
    assert asked("new.db", "SELECT id, author FROM books") == [(1, 8), (2, None)]
    assert asked("new.db", 'SELECT "table", "to" FROM pragma_foreign_key_list(\'books\')') == [("authors", "id")]
    tables = asked("new.db", "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    assert [name for (name,) in tables] == ["authors", "books", "sqlite_sequence"]


def test_into_a_server_under_other_names(folder: Path, place: Place) -> None:
    titles, writers = place.table(), place.table()
    assert copied("shop.db#books,authors", f"{place.url}#{titles},{writers}").splitlines() == [
        f"authors -> {writers}: 2 rows copied",
        f"books -> {titles}: 2 rows copied",
    ]
    assert place.sql(f"SELECT author FROM {titles} WHERE id = 1") == [(8,)]
    place.sql(f"INSERT INTO {writers} (name) VALUES ('next')")
    assert place.sql(f"SELECT id FROM {writers} WHERE name = 'next'")[0][0] > 8  # type: ignore[operator]


def test_the_rows_that_are_there(folder: Path) -> None:
    copied("x.csv", "x.db")
    refused = copy("x.csv", "x.db")
    assert (refused.exit_code, refused.output) == (
        1,
        "rest-kit: there are rows already in x; --append keeps them, --replace deletes them first\n",
    )
    assert copied("x.csv", "x.db", "--replace") == "x: 2 rows copied\n"
    Path("x.csv").write_text("id,name\n3,c\n")
    assert copied("x.csv", "x.db", "--append") == "x: 1 row copied\n"
    assert asked("x.db", "SELECT id FROM x") == [(1,), (2,), (3,)]


def test_out_of_a_module_and_without_a_key(folder: Path) -> None:
    Path("lists_to_copy.py").write_text('people = [{"name": "Ada"}, {"name": "Ada"}]\n')
    copied("lists_to_copy:people", "x.db")
    assert asked("x.db", "SELECT id, name FROM people") == [(1, "Ada"), (2, "Ada")]
    Path("same.csv").write_text("name\nAda\nAda\n")
    copied("same.csv", "x.db")
    assert asked("x.db", "SELECT row, name FROM same") == [(1, "Ada"), (2, "Ada")]


def test_the_options_of_csv_files_are_for_both(folder: Path) -> None:
    Path("gaps.json").write_text('[{"id": 1, "x": ""}, {"id": 2, "x": null}]')
    refused = copy("gaps.json", "gaps.csv")
    assert refused.exit_code == 1
    assert refused.output.startswith("rest-kit: gaps: the row 1: 'x': ")
    copied("gaps.json", "other.csv", "--null", "-", "--delimiter", ";")
    assert Path("other.csv").read_text() == "id;x\n1;\n2;-\n"
    copied("other.csv", "x.db", "--null", "-")
    assert asked("x.db", "SELECT x FROM other") == [("",), (None,)]


def test_a_table_that_is_made_keeps_no_events_of_it_and_one_that_is_there_does(folder: Path) -> None:
    copied("x.csv", "x.db")
    assert asked("x.db", "SELECT count(*) FROM sqlite_master WHERE name = '_rest_kit_events'") == [(0,)]
    Path("x.csv").write_text("id,name\n3,c\n")
    copied("x.csv", "x.db", "--append")
    assert asked("x.db", "SELECT action, pk FROM _rest_kit_events") == [("created", 3)]


def test_the_source_is_left_as_it_is(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    copied("shop.db", "new.db")
    copied("x.csv", "new.db")
    after = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("new.db")}
    assert after == before


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["nothing.csv", "x.db"], 1, "nothing.csv: there is no such file"),
        (["shop.db", "books.csv"], 1, "books.csv takes one table, and there are 2: name one of them by '#': authors"),
        (["shop.db#books", "x.db#a,b"], 1, "x.db names 2 tables, and there are 1 to copy"),
        (["shop.db#boks", "x.db"], 1, "shop.db: there is no table 'boks'; did you mean 'books'?"),
        (["x.csv", "x.json"], 1, "x.json: rows are copied into CSV files, databases and APIs, not into memory"),
        (["x.csv", "module:people"], 1, "module:people: rows are copied into CSV files"),
        (["x.csv", "x.xls"], 1, "x.xls is of no known kind"),
        (["x.csv", "nowhere/x.db"], 1, "nowhere/x.db: there is no directory 'nowhere'"),
        (["x.csv", "nowhere/x.csv"], 1, "nowhere/x.csv: there is no directory 'nowhere'"),
        (["x.csv", "./x.csv"], 1, "x would be copied into itself"),
        (["shop.db#books", "sqlite:///shop.db"], 1, "books would be copied into itself"),
        (["other=x.csv", "x.db"], 1, "a name is given to what is served"),
        (["x.csv", "other=x.db"], 1, "has no other name than its own"),
        (["x.csv", "postgresql://ada:9f1c@127.0.0.1:1/x"], 2, "postgresql://ada:***@127.0.0.1:1/x: the PostgreSQL"),
        (["mysql://ada:9f1c@127.0.0.1:1/x", "x.db"], 2, "mysql://ada:***@127.0.0.1:1/x: the MariaDB"),
        (["x.csv", "x.db", "--append", "--replace"], 2, "--append and --replace exclude each other"),
        (["x.csv"], 2, "Missing argument 'DST'"),
    ],
)  # fmt: skip
def test_what_cannot_be_copied_is_said_and_nothing_made(
    folder: Path, arguments: list[str], status: int, told: str
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ended = copy(*arguments)
    assert ended.exit_code == status
    assert told in ended.output
    assert "9f1c" not in ended.output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("source", "table", "told"),
    [
        ("x.csv", "books", "x -> books: the target has no field 'name'; valid: author, id"),
        ("people.json", "authors", "people -> authors: the target has no field 'note'; valid: id, name"),
        ("x.csv", "newest", "the target cannot be written: newest is a view"),
    ],
)
def test_what_a_table_cannot_take_is_said_first(folder: Path, source: str, table: str, told: str) -> None:
    ended = copy(source, f"shop.db#{table}", "--append")
    assert ended.exit_code == 1
    assert told in ended.output
    assert asked("shop.db", "SELECT count(*) FROM books") == [(2,)]


def test_tables_that_cannot_be_copied_are_named_with_the_others(folder: Path) -> None:
    with closing(sqlite3.connect("shop.db")) as connection:
        connection.executescript(
            "CREATE TABLE lent (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID; DROP TABLE books;"
            'CREATE TABLE "odd name" (id INTEGER PRIMARY KEY)'
        )
    ended = copy("shop.db", "x.db")
    assert ended.exit_code == 1
    assert "lent cannot be copied: nothing names a row of 'lent'" in ended.output
    assert ended.output.endswith("; the others are shop.db#authors,odd%20name\n")
    assert copied("shop.db#authors,odd%20name", "x.db") == "authors: 2 rows copied\nodd name: 0 rows copied\n"


# --- broken off -------------------------------------------------------------------------------------------------------


class PersonModel(Model):
    fields = [PkField("id"), StringField("name", required=True)]


class Halting:
    """An API whose third page of rows is long in coming."""

    def __init__(self) -> None:
        rows = [{"id": number, "name": f"n{number}"} for number in range(1, 5001)]
        self.app = application(PythonListDataStore, rows, PersonModel(), name="people")
        self.reached, self.go_on = threading.Event(), threading.Event()
        self._pages = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self._pages += "id__gt=" in environ["QUERY_STRING"]
        if self._pages == 15:
            self.reached.set()
            self.go_on.wait(30)
        return self.app(environ, start_response)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("kind", ["sqlite", "csv", "postgresql", "mariadb"])
def test_nothing_is_left_of_a_copy_that_is_broken_off(tmp_path: Path, kind: str, sign: signal.Signals) -> None:
    for place in places(kind) if kind in ("postgresql", "mariadb") else [None]:
        name = f"{place.prefix}_people" if place is not None else "people"
        target = f"{place.url}#{name}" if place is not None else {"sqlite": "x.db", "csv": "people.csv"}[kind]
        halting = Halting()
        with served(halting) as base:
            process = Process([*COMMAND, "copy", f"{base}/people/", target], tmp_path)
            try:
                assert halting.reached.wait(30), process.err
            finally:
                process.process.send_signal(sign)
                halting.go_on.set()
                status = process.wait()
        assert status == (-signal.SIGKILL if sign == signal.SIGKILL else 130), process.err
        assert process.err == ("" if sign == signal.SIGKILL else "rest-kit: interrupted; nothing was copied\n")
        assert left(place, tmp_path, name) == 0
        again = run("copy", *again_from(tmp_path), target, folder=tmp_path)
        assert (again.err, again.out.endswith(": 2 rows copied\n")) == ("", True)
        assert left(place, tmp_path, name) == 2


def again_from(folder: Path) -> list[str]:
    (folder / "people.json").write_text('[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]')
    return ["people.json"]


def left(place: Place | None, folder: Path, name: str) -> int:
    """How many rows the target has."""
    if place is not None:
        return int(place.sql(f"SELECT count(*) FROM {name}")[0][0])  # type: ignore[call-overload]
    if (folder / "x.db").exists():
        return int(asked(str(folder / "x.db"), "SELECT count(*) FROM people")[0][0])
    return len((folder / "people.csv").read_text().splitlines()) - 1
