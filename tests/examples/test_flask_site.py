"""The Flask site with an API beside it: its tables are served, and nothing of the site is another than before."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.examples.support import copy_of, load
from tests.http.support import Client

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The example, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    loaded = load(copy_of("flask_site.py", tmp_path))
    yield loaded
    loaded.engine.dispose()


@pytest.fixture(params=["mounted", "in_front"])
def client(request: pytest.FixtureRequest, module: ModuleType) -> Client:
    """The site and the API, put together in one of the two ways."""
    return Client(getattr(module, request.param))


def add_soup(client: Client) -> None:
    signed_in = client.ask("POST", "/login", body=b"name=Ada", type=FORM)
    cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
    assert client.ask("POST", "/recipes", body=b"title=Soup", type=FORM, Cookie=cookie).status_int == 302


def test_what_the_site_writes_the_api_shows(client: Client) -> None:
    add_soup(client)
    [recipe] = client.objects("/api/recipes/")
    assert recipe.pop("written").endswith("Z")
    assert recipe == {
        "id": 1, "title": "Soup", "course": "main", "minutes": None, "cook_id": 1, "resource_uri": "/api/recipes/1/",
    }  # fmt: skip
    assert client.objects("/api/cooks/") == [{"id": 1, "name": "Ada", "resource_uri": "/api/cooks/1/"}]
    assert client.objects("/api/recipes/?expand=cook")[0]["cook"]["name"] == "Ada"
    assert [recipe["title"] for recipe in client.objects("/api/cooks/1/recipes/")] == ["Soup"]


def test_what_the_api_writes_the_site_shows(client: Client, module: ModuleType) -> None:
    add_soup(client)
    made = client.post("/api/recipes/", {"title": "Cake", "course": "dessert", "cook_id": 1})
    assert made.status_int == 201
    assert client.get("/").text == "<li>Cake, by Ada</li><li>Soup, by Ada</li>"
    with Session(module.engine) as database:
        by_age = list(database.scalars(sa.select(module.Recipe).order_by(module.Recipe.written)))
    assert [(recipe.title, recipe.course, recipe.written.tzinfo) for recipe in by_age] == [
        ("Soup", "main", None),
        ("Cake", "dessert", None),
    ]
    assert [recipe["title"] for recipe in client.objects("/api/recipes/")] == ["Cake", "Soup"]


def test_the_rules_of_the_tables_hold_for_the_api(client: Client) -> None:
    add_soup(client)
    refused = client.post("/api/recipes/", {"title": "Cake", "course": "tea", "cook_id": 1})
    assert [(fault["pointer"], fault["code"]) for fault in refused.json["errors"]] == [("#/course", "choices")]
    dangling = client.post("/api/recipes/", {"title": "Cake", "cook_id": 9})
    assert (dangling.status_int, dangling.json["errors"][0]["code"]) == (409, "foreign_key")
    assert client.delete("/api/cooks/1/").status_int == 405


def test_the_sites_error_pages_are_its_own(
    client: Client, module: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise RuntimeError("a mistake of the site's")

    module.site.add_url_rule("/broken", view_func=broken)
    missing, failed = client.get("/nowhere"), client.get("/broken")
    assert (missing.status_int, missing.text) == (404, "<h1>There is no such recipe</h1>")
    assert (failed.status_int, failed.text) == (500, "<h1>The oven is out of order</h1>")
    assert [record.name for record in caplog.records] == [module.site.name]
    assert client.get("/api/recipes/9/").headers["Content-Type"] == "application/problem+json"


def test_who_answers_for_what_is_nobodys(module: ModuleType) -> None:
    assert Client(module.mounted).get("/api/nowhere/").headers["Content-Type"] == "application/problem+json"
    assert Client(module.in_front).get("/api/nowhere/").text == "<h1>There is no such recipe</h1>"


def test_a_mount_within_the_flask_object_is_served_by_whoever_runs_that(module: ModuleType) -> None:
    api = module.WSGIDispatcher([module.RecipeApp, module.CookApp])
    module.site.wsgi_app = module.DispatcherMiddleware(module.site.wsgi_app, {"/api": api})
    client = Client(module.site)
    assert client.get("/api/").json["resources"] == {"recipes": "/api/recipes/", "cooks": "/api/cooks/"}
    assert client.get("/").text == "No recipes yet"


def state(engine: sa.Engine) -> dict[str, object]:
    """What an application has set about its engine, and what its connections are like."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        pragmas = ("foreign_keys", "journal_mode", "synchronous", "busy_timeout")
        return {
            "pool": (type(engine.pool), engine.pool.status()),
            "listeners": [len(list(getattr(engine.pool.dispatch, name))) for name in ("connect", "checkout", "reset")],
            "isolation": (connection.get_isolation_level(), driver.isolation_level),
            "options": dict(engine.get_execution_options()),
            "echo": engine.echo,
            "pragmas": [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas],
            "shape": (driver.row_factory, driver.text_factory, driver.total_changes),
        }


def test_the_engine_stays_as_the_site_has_made_it(client: Client, module: ModuleType) -> None:
    add_soup(client)
    before = state(module.engine)
    assert client.post("/api/recipes/", {"title": "Cake", "cook_id": 1}).status_int == 201
    assert client.post("/api/recipes/", {"title": "Cake", "cook_id": 9}).status_int == 409
    assert len(client.objects("/api/recipes/?title__icontains=A")) == 1
    after = state(module.engine)
    assert {**after, "shape": None} == {**before, "shape": None}
    assert module.engine.pool.checkedout() == 0
    assert sa.event.contains(module.engine, "connect", module.enforce_references)


def test_logging_stays_as_the_site_has_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    module = load(copy_of("flask_site.py", tmp_path))
    Client(module.mounted).get("/api/recipes/")
    ours = logging.getLogger("rest_kit")
    assert (list(root.handlers), root.level) == before
    assert (ours.handlers, ours.level, ours.propagate) == ([], logging.NOTSET, True)
    module.engine.dispose()


def test_transactions_see_one_another_as_the_database_says(client: Client, module: ModuleType) -> None:
    with Session(module.engine) as database, database.begin():
        database.add(module.Cook(name="Grace"))
        database.flush()
        assert client.objects("/api/cooks/") == []
    assert [cook["name"] for cook in client.objects("/api/cooks/")] == ["Grace"]
    with Session(module.engine) as database:
        database.add(module.Cook(name="Nobody"))
        database.flush()
        database.rollback()
        assert [cook["name"] for cook in client.objects("/api/cooks/")] == ["Grace"]
        client.post("/api/recipes/", {"title": "Pie", "cook_id": 1})
        assert database.scalars(sa.select(module.Recipe.title)).all() == ["Pie"]
