"""How many Python functions a request may call: what makes a request slow creeps in call by call.

Counting is exact where timing is not, so this fails on the change that did it, on any machine. A budget is what the
request needs and very little more; raise one only for something that is worth it.
"""

from __future__ import annotations

import io
import sys
from types import FrameType
from typing import Any

import pytest

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Model
from rest_kit.pagination import Pagination
from rest_kit.permissions import AllowAny, IsAuthenticatedOrReadOnly
from tests.undisturbed import undisturbed

BODY = b'{"title": "New", "author": "Somebody", "price": 9.5, "published": "2020-01-01", "in_stock": true}'

REQUESTS = {
    "one": ("GET", "/books/5/", "", b"", 14),
    "page of 20": ("GET", "/books/", "count=20", b"", 30),
    "filter and order": ("GET", "/books/", "in_stock=true&price__gte=3&ordering=-price&count=20", b"", 58),
    "post": ("POST", "/books/", "", BODY, 122),
}
WRITES = {
    "put": ("PUT", "/books/5/", "", BODY, 0),
    "patch": ("PATCH", "/books/5/", "", b'{"price": 7.25}', 0),
    "delete": ("DELETE", "/books/5/", "", b"", 0),
}
"""What is counted over a database alone; see `test_budget_sql`."""


class BookModel(Model):
    """A book."""

    fields = (
        models.PkField(name="id"),
        models.StringField(name="title", required=True, min_length=1, max_length=200),
        models.StringField(name="author", required=True, min_length=1, max_length=100),
        models.FloatField(name="price", required=True, min=0.01),
        models.DateField(name="published", required=True),
        models.BooleanField(name="in_stock", required=True),
    )


def book(number: int) -> dict[str, Any]:
    """One row, with its date in text, as lists often have it."""
    return {
        "id": number,
        "title": f"Book {number}",
        "author": f"Author {number % 7}",
        "price": number % 11 + 0.5,
        "published": "2020-02-29",
        "in_stock": number % 2 == 0,
    }


def application(count: int, **options: Any) -> Any:
    """An API over that many books, with its defaults on but for these options."""

    class BookApp(Controller):
        resource = {
            "resource_name": "books",
            "resource": [book(number) for number in range(1, count + 1)],
            "datastore": PythonListDataStore,
            "model": BookModel,
        }
        controller = {"options": {"pagination": Pagination(100), **options}}  # type: ignore[typeddict-item]

    return WSGIDispatcher([BookApp], secret="a secret for the budget")


def environ(name: str) -> dict[str, Any]:
    """A request as a server hands it over."""
    method, path, query, body, _ = {**REQUESTS, **WRITES}[name]
    made: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": query,
        "HTTP_ACCEPT": "*/*",
        "wsgi.input": io.BytesIO(body),
        "wsgi.multiprocess": False,
    }
    if body:
        made |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    return made


def calls(app: Any, name: str) -> list[str]:
    """The names of the Python functions that one request calls, list comprehensions included."""
    statuses: list[str] = []
    made = environ(name)
    seen: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            seen.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        statuses.append(status)

    before = sys.getprofile()
    with undisturbed():
        sys.setprofile(note)
        try:
            app(made, start_response)
        finally:
            sys.setprofile(before)
    assert statuses[0][0] == "2", statuses
    return [where for where in seen if __file__ not in where]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_stays_within_its_budget(name: str) -> None:
    app = application(100)
    calls(app, name)
    found = calls(app, name)
    assert len(found) <= REQUESTS[name][4], "\n".join(found)


@pytest.mark.parametrize("name", REQUESTS)
def test_calls_do_not_grow_with_the_list(name: str) -> None:
    small, large = application(100), application(10_000)
    for app in (small, large):
        calls(app, name)
    assert calls(large, name) == calls(small, name)


def test_a_permission_that_wants_to_be_told_of_no_writes_costs_no_copies() -> None:
    app = application(100, permissions=[AllowAny(), IsAuthenticatedOrReadOnly() | AllowAny()])
    calls(app, "post")
    assert not [one for one in calls(app, "post") if one.endswith(":deepcopy")]
