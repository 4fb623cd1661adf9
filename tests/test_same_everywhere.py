"""The same questions, put to any store and to a list, are answered with the same bytes.

Queries are drawn at random from a fixed seed: every operator over every kind of field, searches, orderings, sparse
fields, and all paginations, following their links; many values tie, and many are null.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode
from wsgiref.validate import validator

import pytest
from webtest import TestApp, TestResponse

from rest_kit import models
from rest_kit.models import Field, Model
from rest_kit.pagination import CursorPagination, PageNumberPagination, Pagination
from rest_kit.query import OPERATORS, Arity
from tests.same import OTHERS, POOLS, WORDS, application, hurting_fields, hurting_rows, opened

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

Apps = dict[str, TestApp]


def hurting_model() -> Model:
    return Model.of("Hurting", hurting_fields(models.PkField("id")))


def served(kind: str, folder: Path) -> Iterator[TestApp]:
    """An application over one kind of store, checked as WSGI all the way."""
    model = hurting_model()
    with opened(kind, folder, model, hurting_rows(ROWS)) as where:
        app = validator(application(where, model, PAGINATIONS))
        yield TestApp(app, extra_environ={"HTTP_X_REQUEST_ID": "the-same"})


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestApp]:
    yield from served("list", tmp_path_factory.mktemp("list"))


@pytest.fixture(scope="module", params=OTHERS)
def apps(
    request: pytest.FixtureRequest, reference: TestApp, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Apps]:
    """A list and another store."""
    for app in served(request.param, tmp_path_factory.mktemp(request.param)):
        yield {"list": reference, request.param: app}


@cache
def fields() -> dict[str, Field]:
    """The fields that can be asked about."""
    return hurting_model().by_name


def filter_value(dice: random.Random, field: Field, op: str) -> str:
    """A text for a filter's value, as a client would write it."""
    arity = OPERATORS[op].arity
    if arity is Arity.BOOLEAN:
        return dice.choice(("true", "false"))
    pool = POOLS.get(field.name, range(1, ROWS))
    if OPERATORS[op].applies_to.value == "text":
        text: str = dice.choice(WORDS)
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
        asked["search"] = " ".join(dice.choice(WORDS)[:2] for _ in range(dice.randrange(3)))
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


def asked_everywhere(apps: Apps, url: str) -> TestResponse:
    """The one reply that both give."""
    replies = {kind: app.get(url, expect_errors=True) for kind, app in apps.items()}
    first, *others = replies.values()
    for other in others:
        assert shown(other) == shown(first), (url, {kind: reply.body for kind, reply in replies.items()})
    return first


@pytest.mark.parametrize("seed", range(QUERIES))
def test_lists(apps: Apps, seed: int) -> None:
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


def test_most_lists_hold_something(reference: TestApp) -> None:
    counts = [len(reference.get(some_query(seed)).json["object_list"]) for seed in range(QUERIES)]
    assert sum(count > 0 for count in counts) > QUERIES / 2


def test_items_and_their_tags(apps: Apps) -> None:
    for number in range(1, ROWS + 1):
        reply = asked_everywhere(apps, f"/by-offset/{number}/")
        assert reply.headers["ETag"]
    asked_everywhere(apps, f"/by-offset/{ROWS + 1}/")
    asked_everywhere(apps, "/by-offset/1/?fields=title")


def test_every_filter_alone_and_its_order(apps: Apps) -> None:
    dice = random.Random(1)
    for field in fields().values():
        for op in OPERATORS.values():
            if not op.fits(field.kind):
                continue
            asked = {f"{field.name}__{op.name}": filter_value(dice, field, op.name), "fields": field.name}
            if field.kind.is_scalar:
                asked["ordering"] = "-" + field.name
            assert asked_everywhere(apps, f"/by-offset/?{urlencode(asked)}").status_int == 200


ODD = [
    *("title=%00", "title__contains=a%00b", "title__in=a,%00", "search=%00", "text__startswith=%ED%A0%80", "title=%FF"),
    *(
        "integer=9223372036854775808",
        "integer__lt=1e3",
        "integer__in=1,-9223372036854775809",
        "float=inf",
        "float=1e999",
    ),
    *("exact=1e400", "exact__gt=0.000000000000001", "decimal__lte=99999999999.999", "decimal__in=1.505,1.5"),
    *("date=0000-01-01", "date__gt=10000-01-01", "moment=9999-12-31T23:59:59-01:00", "moment__lt=0001-01-01T00:00:00Z"),
    *("uuid=0", "boolean=1", "title__in=", "title__in=%22", "integer__range=5,1", "list__isnull=maybe", "titel=x"),
    "title__iexact=" + "x" * 3000,
    "title__notin=" + ",".join(map(str, range(3000))),
    "integer__in=" + ",".join(map(str, range(3000))),
    "search=" + "+".join(["a"] * 200),
    "ordering=" + ",".join(name for name in ("title", "text", "long", "integer", "float", "exact", "date", "uuid")),
]


@pytest.mark.parametrize("query", ODD, ids=lambda query: query[:30])
def test_odd_questions(apps: Apps, query: str) -> None:
    assert asked_everywhere(apps, f"/by-offset/?{query}").status_int in (200, 400)


def test_odd_keys(apps: Apps) -> None:
    for key in ("0", "-1", "9223372036854775807", "9223372036854775808", "1%00", "%ED%A0%80", "1.0", "1e0", "null"):
        assert asked_everywhere(apps, f"/by-offset/{key}/").status_int == 404, key
