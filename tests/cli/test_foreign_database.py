"""A database that somebody else has designed, served whole with one command, and every rule of it kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pymysql
import pytest
import sqlalchemy
from click.testing import CliRunner
from pymysql.constants import CLIENT

from rest_kit.cli import sources
from rest_kit.cli.main import main
from rest_kit.cli.sources import Served
from tests.cli.support import DATA, ask, serving
from tests.http.support import Client
from tests.servers import empty_database

SERVED = {
    *("branches", "cards", "categories", "cities", "countries", "customers", "employees", "offers", "order_lines"),
    *("orders", "products", "repairs", "suppliers"),
}


@pytest.fixture(scope="module", params=["postgresql", "mariadb", "sqlite"])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database, made by its script; tests add to it, and each leaves what the others look at."""
    script = (DATA / "shop" / f"{request.param}.sql").read_text(encoding="utf-8")
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shop") / "shop.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
        yield str(path)
        return
    with empty_database(request.param) as url:
        run_script(url, script)
        yield url


def run_script(url: str, script: str) -> None:
    parsed = sqlalchemy.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = sqlalchemy.create_engine(parsed.set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.execute(script)
            raw.commit()
        return
    given = {"host": parsed.host, "port": parsed.port or 3306, "user": parsed.username, "database": parsed.database}
    with (
        closing(
            pymysql.connect(
                **given,  # type: ignore[arg-type]
                password=parsed.password or "",
                charset="utf8mb4",
                client_flag=CLIENT.MULTI_STATEMENTS,
                autocommit=True,
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(script)
        while cursor.nextset():
            pass


@pytest.fixture(scope="module")
def shop(source: str) -> Served:
    return sources.serve([source])


@pytest.fixture(scope="module")
def client(shop: Served) -> Client:
    return Client(shop.app)


def kind_of(source: str) -> str:
    return "sqlite" if source.endswith(".db") else sqlalchemy.make_url(source).get_backend_name()


# --- reading ----------------------------------------------------------------------------------------------------------


def test_everything_is_served_or_said_why_not(shop: Served, source: str) -> None:
    assert {one.spec.name for one in shop.controllers} == SERVED | ({"messages"} if source.endswith(".db") else set())
    left_out = {note.partition(" ")[0]: note for note in shop.notes}
    assert left_out.keys() == {"fits", "opening_hours", "turnover"} | (
        set() if source.endswith(".db") else {"messages"}
    )
    assert all(" is not served: " in note for note in shop.notes)


def test_every_resource_is_listed_described_and_read(client: Client) -> None:
    for name, path in client.get("/").json["resources"].items():
        listed = client.get(path)
        assert listed.status_int == 200, (name, listed.text)
        assert client.get(f"/schema/{name}/").status_int == 200
        for row in listed.json["object_list"]:
            assert client.get(row["resource_uri"]).json == row


def test_every_relation_is_followed_from_both_sides(client: Client) -> None:
    followed = 0
    for name, path in client.get("/").json["resources"].items():
        for relation in client.get(f"/schema/{name}/").json.get("relations", []):
            expanded = client.get(f"{path}?expand={relation['name']}")
            assert expanded.status_int == 200, (name, relation, expanded.text)
            followed += 1
    assert followed >= 30
    order = client.get("/orders/1/?expand=customer.city,order_lines.product.category,employee.boss").json
    assert order["customer"]["city"]["name"] == "Chur"
    assert [line["product"]["category"]["name"] for line in order["order_lines"]] == ["Bicycles", "Chains"]
    assert order["employee"]["boss"]["full_name"] == "Ladina Caduff"
    assert client.get("/products/2/?expand=supplier").json["supplier"]["contact"]["days"] == [1, 2]
    assert client.get("/customers/1/?expand=cards").json["cards"][0]["number"] == "K-100"
    assert client.get("/employees/2/?expand=repairs_by_mechanic").json["repairs_by_mechanic"][0]["what"] == "brakes"
    assert client.values("/countries/CH/cities/") == [1, 3]


def test_values_are_what_they_mean(client: Client, source: str) -> None:
    employee = client.get("/employees/2/").json
    assert employee == {
        "id": 2,
        "branch_id": 1,
        "boss_id": 1,
        "first_name": "Jürg",
        "last_name": "Weiß",
        "mail": None,
        "born": "1991-12-31",
        "salary": "4800.00",
        "part_time": True,
        "hired": "2015-06-01T06:00:00Z",
        "full_name": "Jürg Weiß",
        "resource_uri": "/employees/2/",
    }
    bicycle = client.get("/products/1/").json
    words = {"postgresql": ["touring", "steel"]}.get(kind_of(source), "touring,steel")
    assert (bicycle["words"], bicycle["details"]) == (words, {"gears": 27})
    assert bicycle["weight"] == pytest.approx(14.2)
    assert "picture" not in bicycle
    assert client.get("/offers/").json["meta"]["total_count"] == 2


# --- writing ----------------------------------------------------------------------------------------------------------

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("countries", {"code": "AT", "name": "Austria"}),
    ("cities", {"country": "NA", "name": "Windhoek", "inhabitants": 486000}),
    ("branches", {"city_id": 3, "street": "Bahnhofplatz 1"}),
    ("employees", {"branch_id": 1, "boss_id": 2, "first_name": "Ueli", "last_name": "Senn", "salary": "4000"}),
    ("categories", {"parent_id": 3, "name": "Locks"}),
    ("products", {"number": "P-0100", "title": "Lock", "category_id": 3, "price": "9.9"}),
    ("customers", {"name": "Max", "mail": "max@example.org"}),
    ("cards", {"customer_id": 2, "number": "K-200"}),
    ("orders", {"customer_id": 1}),
    ("order_lines", {"order_id": 2, "product_id": 3, "quantity": 1, "price": "24.50"}),
    ("repairs", {"branch_id": 1, "customer_id": 1, "what": "gears"}),
]


@pytest.mark.parametrize(("resource", "body"), GOOD, ids=lambda given: given if isinstance(given, str) else "")
def test_what_keeps_the_rules_goes_in_changes_and_goes(client: Client, resource: str, body: dict[str, Any]) -> None:
    made = client.post(f"/{resource}/", body)
    assert made.status_int == 201, made.text
    stored = made.json
    decimals = {name: value for name, value in body.items() if name in ("price", "salary")}
    assert {name: stored[name] for name in body if name not in decimals} == {
        name: value for name, value in body.items() if name not in decimals
    }
    assert {name: float(stored[name]) for name in decimals} == {name: float(value) for name, value in decimals.items()}
    uri = stored["resource_uri"]
    assert client.put(uri, stored).status_int == 200
    assert client.delete(uri).status_int == 204
    assert client.get(uri).status_int == 404


def test_defaults_are_the_databases(client: Client) -> None:
    order = client.post("/orders/", {"customer_id": 1}).json
    assert order["state"] == "open"
    assert order["placed"] > "2024"
    product = client.post("/products/", {"number": "P-0200", "title": "Bell", "category_id": 2, "price": "9"}).json
    assert (product["stock"], product["details"]) == (0, {})
    for one in (order, product):
        assert client.delete(one["resource_uri"]).status_int == 204


NOBODY = "00000000-0000-0000-0000-000000000000"
NEW_LINE = {"order_id": 1, "product_id": 1, "quantity": 1, "price": "1"}
BAD: list[tuple[str, str, dict[str, Any], int, str, str]] = [
    ("POST", "/countries/", {"code": "CH", "name": "x"}, 409, "#/code", "unique"),
    ("POST", "/countries/", {"code": "AT", "name": "Italy"}, 409, "#/name", "unique"),
    ("POST", "/countries/", {"code": "at", "name": "x"}, 400, "#/code", "invalid"),
    ("POST", "/countries/", {"code": "AUT", "name": "x"}, 400, "#/code", "max_length"),
    ("POST", "/countries/", {"code": "AT"}, 400, "#/name", "required"),
    ("POST", "/countries/", {"code": "AT", "name": None}, 400, "#/name", "null"),
    ("POST", "/cities/", {"country": "CH", "name": "Chur"}, 409, "#/country", "unique"),
    ("POST", "/cities/", {"country": "XX", "name": "x"}, 409, "#/country", "foreign_key"),
    ("POST", "/cities/", {"country": "CH", "name": "x", "inhabitants": 0}, 400, "#/inhabitants", "invalid"),
    ("POST", "/cities/", {"country": "CH", "name": "x", "inhabitants": "9"}, 400, "#/inhabitants", "type"),
    ("PATCH", "/employees/3/", {"mail": "ladina@example.org"}, 409, "#/mail", "unique"),
    ("PATCH", "/employees/3/", {"salary": "0"}, 400, "#/salary", "invalid"),
    ("PATCH", "/employees/3/", {"salary": "1.005"}, 400, "#/salary", "places"),
    ("PATCH", "/employees/3/", {"salary": "123456789.00"}, 400, "#/salary", "digits"),
    ("PATCH", "/employees/3/", {"boss_id": 99}, 409, "#/boss_id", "foreign_key"),
    ("PATCH", "/employees/3/", {"branch_id": None}, 400, "#/branch_id", "null"),
    ("PATCH", "/employees/3/", {"born": "2024-01-01"}, 400, "#/born", "invalid"),
    ("PATCH", "/employees/3/", {"full_name": "x"}, 400, "#/full_name", "read_only"),
    ("PATCH", "/employees/3/", {"first_name": "x" * 21}, 400, "#/first_name", "max_length"),
    ("PATCH", "/products/1/", {"category_id": 99}, 409, "#/category_id", "foreign_key"),
    ("PATCH", "/products/1/", {"supplier_id": NOBODY}, 409, "#/supplier_id", "foreign_key"),
    ("PATCH", "/products/1/", {"stock": -1}, 400, "#/stock", "invalid"),
    ("PATCH", "/products/1/", {"cost": "-1"}, 400, "#/cost", "invalid"),
    ("PATCH", "/products/1/", {"number": "P-0001"}, 409, "#/number", "unique"),
    ("PATCH", "/orders/2/", {"state": "lost"}, 400, "#/state", "choices"),
    ("PATCH", "/orders/1/", {"customer_id": 2}, 409, "", "refused"),
    ("POST", "/order_lines/", NEW_LINE, 409, "#/order_id", "unique"),
    ("POST", "/order_lines/", {**NEW_LINE, "order_id": 9}, 409, "#/order_id", "foreign_key"),
    ("PATCH", "/order_lines/1/", {"quantity": 0}, 400, "#/quantity", "invalid"),
    ("POST", "/customers/", {"name": "x", "mail": "nowhere"}, 400, "#/mail", "invalid"),
    ("DELETE", "/countries/CH/", {}, 409, "", "restricted"),
    ("DELETE", "/customers/1/", {}, 409, "", "restricted"),
    ("DELETE", "/categories/2/", {}, 409, "", "restricted"),
]  # fmt: skip

CHECKED_BY_SQLITE = ("max_length", "choices")
"""Codes of what a type says in a server, and what takes a check in SQLite."""


@pytest.mark.parametrize(("method", "path", "body", "status", "pointer", "code"), BAD)
def test_what_breaks_a_rule_is_refused_by_name(
    client: Client, source: str, method: str, path: str, body: dict[str, Any], status: int, pointer: str, code: str
) -> None:
    before = client.get(path).json
    refused = client.ask(method, path, body or None)
    assert refused.status_int == status, refused.text
    told = [(error["pointer"], error["code"]) for error in refused.json.get("errors", [])]
    if kind_of(source) == "sqlite" and code in CHECKED_BY_SQLITE:
        assert {(pointer, code), (pointer, "invalid")} & set(told)
    elif pointer:
        assert (pointer, code) in told
    for secret in ("secret@", "SQL", "constraint", "violates", "Duplicate", "trigger", "INSERT"):
        assert secret not in refused.text
    assert client.get(path).json == before


# --- as processes -----------------------------------------------------------------------------------------------------


def test_one_command_serves_it(source: str, tmp_path: Path) -> None:
    with serving(source, "--workers", "2", "--read-only", folder=tmp_path) as process:
        url = process.url
        assert "fits is not served: " in process.out
        assert ask(f"{url}/employees/1/?expand=branches,cards").status == 400
        assert ask(f"{url}/employees/2/?expand=boss").data["boss"]["full_name"] == "Ladina Caduff"
        assert ask(f"{url}/products/1/", "DELETE").status == 405
        assert ask(f"{url}/readyz").data["status"] == "ready"
    assert process.err == ""


@pytest.mark.parametrize("kind", ["postgresql", "mariadb", "sqlite"])
def test_its_tables_go_into_any_other_database(source: str, client: Client, tmp_path: Path, kind: str) -> None:
    refused = CliRunner().invoke(main, ["copy", source, str(tmp_path / "x.db")])
    assert refused.exit_code == 1
    others = refused.output.rpartition("#")[2].strip()
    with empty_database(kind) if kind != "sqlite" else nullcontext(str(tmp_path / "copy.db")) as target:
        done = CliRunner().invoke(main, ["copy", f"{source}#{others}", target])
        assert done.exit_code == 0, done.output
        copied = Client(sources.serve([target]).app)
        assert copied.get("/").json["resources"].keys() == set(others.split(","))
        for name in others.split(","):
            assert told(copied, name) == told(client, name)
        found = copied.get("/orders/1/?expand=customer.city,employee.boss").json
        assert (found["customer"]["city"]["name"], found["employee"]["boss"]["id"]) == ("Chur", 1)


def told(client: Client, name: str) -> list[dict[str, Any]]:
    """What is served of a table; the messages are what triggers leave."""
    if name == "messages":
        return []
    rows = client.get(f"/{name}/").json["object_list"]
    assert rows
    return [{field: plain(value) for field, value in row.items()} for row in rows]


def plain(value: Any) -> Any:
    """A value whatever its type is: exact numbers may be text, and so may be lists and objects in a table of ours."""
    if isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"))
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
