"""What each kind of source is served as: real files, and objects in modules."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rest_kit.cli import sources
from rest_kit.cli.source import Wishes
from rest_kit.errors import ConfigurationError
from tests.cli.support import DATA
from tests.examples.support import EXAMPLES
from tests.http.support import Client


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, from which modules are imported, and forgotten."""
    monkeypatch.chdir(tmp_path)
    known, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - known:
        if not name.startswith(("datastores", "rest_kit")):
            del sys.modules[name]


def client(*names: str, **options: Any) -> Client:
    """What the sources are served as."""
    return Client(sources.serve(names, Wishes(**options)).app)


def total(answering: Client, path: str) -> int:
    counted: int = answering.get(f"{path}?count=0").json["meta"]["total_count"]
    return counted


# --- files ------------------------------------------------------------------------------------------------------------


def test_airports(folder: Path) -> None:
    shutil.copy(DATA / "airports.csv", folder)
    served = client("airports.csv")
    assert total(served, "/airports/") == 50
    assert served.get("/airports/00M/").json["latitude"] == 31.95376472
    found = served.get("/airports/?state__in=AK,TX&latitude__gt=60&fields=state").json["object_list"]
    assert {airport["state"] for airport in found} == {"AK"}
    schema = served.get("/schema/airports/").json
    assert [field["type"] for field in schema["fields"]] == ["string"] * 5 + ["float"] * 2


def test_the_weather_of_seattle_has_dates_that_stay_text(folder: Path) -> None:
    shutil.copy(DATA / "seattle-weather.csv", folder)
    served = client("seattle-weather.csv")
    rainy = served.get("/seattle-weather/?weather=rain&ordering=-precipitation&count=1").json["object_list"]
    assert [day["date"][:7] for day in rainy] == ["2012/01"]
    uri = rainy[0]["resource_uri"]
    assert served.get(uri, environ={"RAW_URI": uri}).json == rainy[0]


def test_cars_without_a_key_get_ids(folder: Path) -> None:
    shutil.copy(DATA / "cars.json", folder)
    served = client("cars.json")
    assert total(served, "/cars/") == 40
    car = served.get("/cars/?Name__icontains=CHEVELLE").json["object_list"][0]
    assert served.get(car["resource_uri"]).json == car
    again = {name: value for name, value in car.items() if name not in ("id", "resource_uri")}
    assert served.ask("POST", "/cars/", again).json["id"] == 41


def test_countries_with_every_option_of_a_csv_file(folder: Path) -> None:
    shutil.copy(EXAMPLES / "iso3166.tab", folder)
    options = {"comment": "#", "columns": ["code", "name"], "key": "code", "delimiter": "\t"}
    served = client("iso3166.tab", csv=options)
    assert total(served, "/iso3166/") == 249
    assert served.get("/iso3166/NA/").json["name"] == "Namibia"


def test_every_table_and_view_of_a_database(folder: Path) -> None:
    connection = sqlite3.connect("shop.db")
    connection.executescript(
        """
        CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, price DECIMAL(6, 2));
        CREATE VIEW cheap AS SELECT * FROM books WHERE price < 5;
        CREATE TABLE "odd name" (code TEXT PRIMARY KEY NOT NULL);
        INSERT INTO books (title, price) VALUES ('Momo', 9.9), ('Reclam', 3);
        """
    )
    connection.close()
    served = client("shop.db")
    assert served.get("/").json["resources"] == {"books": "/books/", "cheap": "/cheap/", "odd-name": "/odd-name/"}
    assert served.get("/cheap/").json["object_list"][0]["title"] == "Reclam"
    assert served.ask("POST", "/cheap/", {"title": "x"}).status_int == 405
    assert served.ask("POST", "/odd-name/", {"code": "a b"}).headers["Location"] == "/odd-name/a%20b/"


def test_an_object_of_lists(folder: Path) -> None:
    Path("db.json").write_text('{"posts": [{"id": 1, "title": "Hello"}], "docs": [{"n": 1}, {"n": 2}]}')
    served = sources.serve(["db.json"])
    assert Client(served.app).get("/").json["resources"] == {"posts": "/posts/", "docs-data": "/docs-data/"}
    assert list(served.notes) == ["changes to db.json are kept in memory and end with the server"]


def test_several_sources_side_by_side(folder: Path) -> None:
    for name in ("airports.csv", "cars.json"):
        shutil.copy(DATA / name, folder)
    served = client("airports.csv", "cars.json")
    assert (total(served, "/airports/"), total(served, "/cars/")) == (50, 40)


def test_nothing_can_be_written_where_only_reading_is_served(folder: Path) -> None:
    for name in ("airports.csv", "cars.json"):
        shutil.copy(DATA / name, folder)
    served = client("airports.csv", "cars.json", read_only=True)
    for path in ("/airports/", "/cars/"):
        refused = served.ask("POST", path, {})
        assert (refused.status_int, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


# --- modules ----------------------------------------------------------------------------------------------------------

MODULE = """
from datastores import PythonListDataStore
from rest_kit.controllers import Controller, WSGIDispatcher

people = [{"name": "Ada"}, {"name": "Grace"}]

class PersonApp(Controller):
    resource = {"resource_name": "persons", "resource": people, "datastore": PythonListDataStore}

app = WSGIDispatcher([PersonApp])
mounted = PersonApp()

def other(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"something else"]

number = 7
"""


@pytest.fixture
def module(folder: Path) -> str:
    Path("team_module.py").write_text(MODULE)
    return "team_module"


@pytest.mark.parametrize(
    ("name", "path"), [("people", "/people/"), ("PersonApp", "/persons/"), ("app", "/persons/"), ("mounted", "/")]
)
def test_what_a_module_holds(module: str, name: str, path: str) -> None:
    assert total(client(f"{module}:{name}"), path) == 2


def test_any_wsgi_application(module: str) -> None:
    served = sources.serve([f"{module}:other"])
    assert Client(served.app).get("/").text == "something else"
    assert list(served.controllers) == []


# --- what cannot be served --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["nothing.csv"], "nothing.csv: there is no such file"),
        (["table.cvs"], "did you mean '.csv'?"),
        (["a_folder"], "of no known kind"),
        (["empty.db"], "there is no table in it"),
        (["no_object.json"], "an object of lists is needed"),
        (["no_list.json"], "'b' is not a list of objects"),
        (["broken.json"], "the body is not JSON"),
        (["twice.csv", "twice.json"], "two sources would both be served as twice"),
        (["team_module:poeple"], "team_module has no 'poeple'; did you mean 'people'?"),
        (["team_module:number"], "neither a list nor a WSGI application, but int"),
        (["team_module:app", "twice.csv"], "serve it alone"),
        (["no_module:app"], "there is no module 'no_module' here or installed"),
    ],
)
def test_what_is_wrong_with_a_source_is_said(module: str, folder: Path, names: list[str], told: str) -> None:
    Path("a_folder").mkdir()
    Path("table.cvs").touch()
    Path("no_object.json").write_text("7")
    Path("no_list.json").write_text('{"a": [], "b": {}}')
    Path("broken.json").write_text('{"a": [}')
    Path("twice.csv").write_text("id,n\n1,2\n")
    Path("twice.json").write_text('[{"id": 1}]')
    sqlite3.connect("empty.db").close()
    with pytest.raises(ConfigurationError) as refused:
        sources.serve(names)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("people = [\n  {]\n", "SyntaxError: "),
        ("\npeople = nope\n", "NameError: name 'nope' is not defined"),
        ("\nimport no_such_thing\n", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("\nraise ValueError('one\\ntwo')\n", "ValueError: one two"),
        ("import sys\nsys.exit('usage: ...')\n", "SystemExit: usage: ..."),
        ("\nraise KeyError\n", "KeyError ("),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_its_error(folder: Path, code: str, told: str) -> None:
    Path("broken_module.py").write_text(code)
    with pytest.raises(sources.SourceError) as refused:
        sources.serve(["broken_module:people"])
    text = str(refused.value)
    assert text.startswith("broken_module:people: the module 'broken_module' cannot be imported: ")
    assert told in text
    assert text.endswith(":2)")
    assert "\n" not in text


def test_what_is_wrong_within_a_module_with_our_own_classes_is_said_as_ever(folder: Path) -> None:
    Path("wrong_module.py").write_text("from rest_kit import models\nx = models.IntegerField('x', unikue=True)\n")
    with pytest.raises(ConfigurationError, match="did you mean 'unique'") as refused:
        sources.serve(["wrong_module:people"])
    assert not isinstance(refused.value, sources.SourceError)


def test_a_json_file_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("db.json").write_text("[]")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(sources.SourceError, match=r"db\.json: it cannot be read: Permission denied"):
        sources.serve(["db.json"])


def test_a_source_that_cannot_be_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(sources.SourceError, match=r"x\.csv: it cannot be read: Permission denied"):
        sources.serve(["x.csv"])


def test_a_header_alone_is_served_and_written(folder: Path) -> None:
    Path("posts.csv").write_text("id,title,body\n")
    served = client("posts.csv")
    assert total(served, "/posts/") == 0
    made = served.ask("POST", "/posts/", {"title": "Hello"})
    assert (made.status_int, made.json["id"], made.json["body"]) == (201, 1, None)
    assert Path("posts.csv").read_text() == "id,title,body\n1,Hello,\n"


def test_a_package_of_the_users_that_hides_ours_is_told_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("datastores").mkdir()
    Path("datastores/__init__.py").write_text("")
    for name in [name for name in sys.modules if name.partition(".")[0] == "datastores"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(folder))
    Path("x.csv").write_text("id,n\n1,2\n")
    with pytest.raises(ConfigurationError, match="hides the one of rest_kit"):
        sources.serve(["x.csv"])
