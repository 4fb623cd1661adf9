"""The same questions, put to a list, a CSV file, a SQLite table and another API, are answered with the same bytes.

Queries are drawn at random from a fixed seed: every operator over every kind of field, searches, orderings, sparse
fields, and all three paginations, following their links; many values tie, and many are null.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from wsgiref.validate import validator

import pytest
from webtest import TestApp, TestResponse

from datastores import CSVDataStore, PythonListDataStore, RemoteDataStore, SQLiteDataStore
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Field
from rest_kit.pagination import CursorPagination, PageNumberPagination, Pagination
from rest_kit.query import OPERATORS, Arity
from rest_kit.store import DataStore
from rest_kit.testing.store_samples import POOLS, TEXTS, every_model, every_rows
from tests.remote.support import served

ROWS = 60
QUERIES = 200
LINKS = 4
PAGINATIONS = {
    "by-offset": Pagination(9),
    "uncounted": Pagination(9, total="none"),
    "by-number": PageNumberPagination(9),
    "by-cursor": CursorPagination(9),
    "counted-cursor": CursorPagination(9, total="exact"),
}


def stores(folder: Path) -> dict[str, tuple[type[DataStore], Any]]:
    """Every kind of store, and where its data lie."""
    return {
        "list": (PythonListDataStore, every_rows(ROWS)),
        "csv": (CSVDataStore, {"path": str(folder / "things.csv")}),
        "sqlite": (SQLiteDataStore, {"name": str(folder / "things.db"), "table": "things"}),
    }


def application(store: type[DataStore], data: Any) -> TestApp:
    """The rows under one resource for each pagination, checked as WSGI all the way."""
    resources = [
        type(
            "App",
            (Controller,),
            {
                "resource": {"resource_name": name, "resource": data, "datastore": store, "model": every_model()},
                "controller": {"options": {"pagination": pagination}},
            },
        )
        for name, pagination in PAGINATIONS.items()
    ]
    app: Any = WSGIDispatcher(resources, secret="the same for all of them")
    return TestApp(validator(app), extra_environ={"HTTP_X_REQUEST_ID": "the-same"})


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TestApp]]:
    with served(behind()) as url:
        yield from made({**stores(tmp_path_factory.mktemp("same")), "remote": (RemoteDataStore, remote(url))})


def remote(url: str) -> dict[str, str]:
    return {"url": f"{url}/things/", "dialect": "rest_kit"}


def behind() -> Any:
    """The application that holds the remote store's data."""
    resource = {"resource": every_rows(ROWS), "datastore": PythonListDataStore, "model": every_model()}
    return WSGIDispatcher([type("Behind", (Controller,), {"resource": {**resource, "resource_name": "things"}})])


def made(places: dict[str, tuple[type[DataStore], Any]]) -> Iterator[dict[str, TestApp]]:
    """An application over each place, with the rows in it."""
    opened = []
    for kind, (cls, data) in places.items():
        store = cls(data, {})
        store.bind(every_model())
        if kind not in ("list", "remote"):
            store.atomic(lambda tx: tx.insert(every_rows(ROWS)))
        opened.append(store)
    yield {kind: application(*place) for kind, place in places.items()}
    for store in opened:
        store.close()


@cache
def fields() -> dict[str, Field]:
    """The fields that can be asked about."""
    return every_model().by_name


def filter_value(dice: random.Random, field: Field, op: str) -> str:
    """A text for a filter's value, as a client would write it."""
    arity = OPERATORS[op].arity
    if arity is Arity.BOOLEAN:
        return dice.choice(("true", "false"))
    pool = POOLS.get(field.name, range(1, ROWS))
    if OPERATORS[op].applies_to.value == "text":
        text: str = dice.choice(TEXTS)
        start = dice.randrange(len(text) + 1)
        return text[start : start + dice.randrange(3)] if dice.random() < 0.6 else text
    count = {Arity.ONE: 1, Arity.TWO: 2, Arity.MANY: dice.randrange(5)}[arity]
    values = [field.format(dice.choice(pool)) for _ in range(count)]
    if arity is Arity.ONE:
        return values[0]
    return ",".join('"' + value.replace('"', '""') + '"' for value in values)


def some_filter(dice: random.Random) -> tuple[str, str]:
    """One parameter that filters."""
    field = dice.choice(list(fields().values()))
    op = dice.choice([op.name for op in OPERATORS.values() if op.fits(field.kind)])
    name = field.name if op == "eq" and dice.random() < 0.5 else f"{field.name}__{op}"
    return name, filter_value(dice, field, op)


def paging(dice: random.Random, resource: str) -> dict[str, str]:
    """Paging parameters of a pagination; a cursor is only had from a link."""
    if resource == "by-number":
        return {"page": str(dice.randrange(1, 5)), "page_size": str(dice.randrange(11))}
    if resource in ("by-offset", "uncounted"):
        return {"offset": str(dice.randrange(70)), "count": str(dice.randrange(11))}
    return {"count": str(dice.randrange(11))}


def some_query(seed: int) -> str:
    """The path and query string of one list."""
    dice = random.Random(seed)
    resource = dice.choice(list(PAGINATIONS))
    asked = dict(some_filter(dice) for _ in range(dice.choice((0, 1, 1, 1, 2, 3))))
    if dice.random() < 0.2:
        asked["search"] = " ".join(dice.choice(TEXTS)[:2] for _ in range(dice.randrange(3)))
    if dice.random() < 0.7:
        names = dice.sample([f.name for f in fields().values() if f.kind.is_scalar], dice.randrange(1, 4))
        asked["ordering"] = ",".join(dice.choice(("", "-")) + name for name in names)
    if dice.random() < 0.3:
        asked["fields"] = ",".join(dice.sample(list(fields()), dice.randrange(1, 5)))
    if dice.random() < 0.5:
        asked |= paging(dice, resource)
    pairs = list(asked.items())
    dice.shuffle(pairs)
    return f"/{resource}/?{urlencode(pairs, quote_via=quote)}"


def shown(reply: TestResponse) -> tuple[str, list[tuple[str, str]], bytes]:
    """Everything that a client gets."""
    return reply.status, sorted(reply.headerlist), reply.body


def asked_everywhere(apps: dict[str, TestApp], url: str) -> TestResponse:
    """The one reply that all stores give."""
    replies = {kind: app.get(url, expect_errors=True) for kind, app in apps.items()}
    first, *others = replies.values()
    for other in others:
        assert shown(other) == shown(first), (url, {kind: reply.body for kind, reply in replies.items()})
    return first


@pytest.mark.parametrize("seed", range(QUERIES))
def test_lists(apps: dict[str, TestApp], seed: int) -> None:
    url = some_query(seed)
    reply = asked_everywhere(apps, url)
    assert reply.status_int == 200, (url, reply.body)
    for direction in ("next", "previous"):
        following = reply
        for _ in range(LINKS):
            link = following.json["meta"][direction]
            if link is None:
                break
            following = asked_everywhere(apps, link)
            assert following.status_int == 200, (link, following.body)


def test_the_queries_find_something() -> None:
    """Were most lists empty, that they agree would show little; so would it if an operator were never asked for."""
    urls = [some_query(seed) for seed in range(QUERIES)]
    for name in ("search=", "ordering=", "fields=", *(f"__{op}=" for op in OPERATORS)):
        assert any(name in url for url in urls), name


def test_most_lists_hold_something(apps: dict[str, TestApp]) -> None:
    counts = [len(apps["list"].get(some_query(seed)).json["object_list"]) for seed in range(QUERIES)]
    assert sum(count > 0 for count in counts) > QUERIES / 2


def test_items_and_their_tags(apps: dict[str, TestApp]) -> None:
    for number in range(1, ROWS + 1):
        reply = asked_everywhere(apps, f"/by-offset/{number}/")
        assert reply.headers["ETag"]
    asked_everywhere(apps, f"/by-offset/{ROWS + 1}/")
    asked_everywhere(apps, "/by-offset/1/?fields=title")


def test_every_filter_alone_and_its_order(apps: dict[str, TestApp]) -> None:
    dice = random.Random(1)
    for field in fields().values():
        for op in OPERATORS.values():
            if not op.fits(field.kind):
                continue
            asked = {f"{field.name}__{op.name}": filter_value(dice, field, op.name), "fields": field.name}
            if field.kind.is_scalar:
                asked["ordering"] = "-" + field.name
            assert asked_everywhere(apps, f"/by-offset/?{urlencode(asked)}").status_int == 200
