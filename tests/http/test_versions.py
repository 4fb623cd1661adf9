"""Versions of one API side by side: each with its own resources, relations, pages and cursors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from webtest import TestResponse

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.deprecation import Deprecation
from rest_kit.errors import ConfigurationError
from rest_kit.pagination import CursorPagination
from rest_kit.routes import Route
from tests.http.support import Client, Storage, make_controller, over_list, problem


class Author(models.Model):
    fields = [models.PkField("id"), models.StringField("name", required=True)]


class Book(models.Model):
    fields = [models.PkField("id"), models.StringField("title", required=True), models.IntegerField("author_id")]


class LinkedBook(models.Model):
    """As `Book`, with its author a resource of its own."""

    fields = [
        models.PkField("id"),
        models.StringField("title", required=True),
        models.IntForeign("author_id", resource="authors", related_name="books"),
    ]


AUTHORS = [{"id": 1, "name": "Tolkien"}]
BOOKS = [{"id": n, "title": f"Volume {n}", "author_id": 1} for n in (1, 2, 3)]


def api(**arguments: Any) -> Client:
    """Books alone in `v1`; books and their authors in `v2`, over the same lists."""
    books = [dict(book) for book in BOOKS]
    plain = over_list(books, model=Book, resource={"resource_name": "books"})
    linked = over_list(books, model=LinkedBook, resource={"resource_name": "books"})
    authors = over_list([dict(one) for one in AUTHORS], model=Author, resource={"resource_name": "authors"})
    return Client(WSGIDispatcher(versions={"v1": [plain], "v2": [linked, authors]}, **arguments))


def test_two_versions_answer_side_by_side() -> None:
    client = api()
    assert client.get("/v1/books/1/").json["resource_uri"] == "/v1/books/1/"
    assert client.get("/v2/books/1/").json["resource_uri"] == "/v2/books/1/"
    problem(client.get("/books/1/"), 404, "not-found")
    assert client.get("/v3/books/").json["detail"].endswith("valid: v1, v2")


def test_versions_come_below_the_prefix_and_the_mount() -> None:
    client = api(prefix="/api")
    assert client.get("/api/v1/books/1/", environ={"SCRIPT_NAME": "/shop"}).json["resource_uri"] == (
        "/shop/api/v1/books/1/"
    )
    problem(client.get("/v1/books/"), 404, "not-found")


def test_each_version_has_its_own_relations() -> None:
    client = api()
    assert client.get("/v2/authors/1/books/").json["meta"]["total_count"] == 3
    assert client.get("/v2/books/1/?expand=author").json["author"]["resource_uri"] == "/v2/authors/1/"
    problem(client.get("/v1/authors/1/"), 404, "not-found")
    problem(client.get("/v1/books/1/?expand=author"), 400, "invalid-parameter")


def test_what_one_version_writes_the_other_reads(storage: Storage) -> None:
    place = storage.filled(Book, BOOKS)
    resource = {"resource_name": "books", "resource": place, "datastore": storage.store_class, "model": Book}
    one, two = make_controller(resource), make_controller(resource)
    client = Client(WSGIDispatcher(versions={"v1": [one], "v2": [two]}))
    made = client.post("/v1/books/", {"title": "New", "author_id": None}).json["id"]
    assert client.get(f"/v2/books/{made}/").json["title"] == "New"


def test_one_controller_may_be_in_several_versions() -> None:
    books = over_list([dict(book) for book in BOOKS], model=Book)
    client = Client(WSGIDispatcher(versions={"v1": [books], "v2": [books]}))
    assert client.get("/v1/things/1/").json["resource_uri"] == "/v1/things/1/"
    assert client.get("/v2/things/1/").json["resource_uri"] == "/v2/things/1/"


def test_the_root_links_to_the_versions_and_each_to_its_resources() -> None:
    client = api(name="Library", version="2.3", prefix="/api")
    assert client.get("/api/").json == {
        "name": "Library",
        "version": "2.3",
        "resources": {},
        "versions": {"v1": "/api/v1/", "v2": "/api/v2/"},
    }
    assert client.get("/api/v2/").json == {
        "name": "Library",
        "version": "v2",
        "resources": {"books": "/api/v2/books/", "authors": "/api/v2/authors/"},
    }
    assert client.get("/api/v2").json == client.get("/api/v2/").json


def test_each_version_describes_its_resources() -> None:
    client = api()
    assert client.get("/schema/").json == {"resources": {}, "versions": {"v1": "/v1/schema/", "v2": "/v2/schema/"}}
    assert client.get("/v1/schema/").json == {"resources": {"books": "/v1/schema/books/"}}
    assert client.get("/v2/schema/books/").json["url"] == "/v2/books/"
    assert client.get("/v1/schema/books/").json["relations"] == []
    assert [one["name"] for one in client.get("/v2/schema/books/").json["relations"]] == ["author"]
    problem(client.get("/v1/schema/authors/"), 404, "not-found")


def test_probes_and_explanations_of_errors_are_the_whole_applications() -> None:
    client = api()
    assert client.get("/healthz").status_int == 200
    assert client.get("/readyz").json["resources"] == {"v1/books": "ready", "v2/books": "ready", "v2/authors": "ready"}
    problem(client.get("/v1/healthz"), 404, "not-found")
    told = client.get("/v1/nothing/").json["type"]
    assert told == "/docs/errors/not-found/"
    assert client.get(told).status_int == 200


def test_controllers_of_no_version_and_routes_are_served_beside() -> None:
    tags = over_list([{"id": 1, "word": "red"}], resource={"resource_name": "tags"})
    client = api(controllers=[tags], routes=[Route("/ping", lambda request: {"pong": True})])
    assert client.get("/tags/1/").json["resource_uri"] == "/tags/1/"
    assert client.get("/ping").json == {"pong": True}
    assert client.get("/").json["resources"] == {"tags": "/tags/"}
    problem(client.get("/v1/ping"), 404, "not-found")


def test_a_cursor_of_one_version_is_foreign_to_the_other() -> None:
    books = over_list(
        [dict(book) for book in BOOKS], model=Book, controller={"options": {"pagination": CursorPagination(1)}}
    )
    client = Client(WSGIDispatcher(versions={"v1": [books], "v2": [books]}, secret="s"))
    following = client.get("/v1/things/").json["meta"]["next"]
    assert client.get(following).json["object_list"][0]["id"] == 2
    problem(client.get(following.replace("/v1/", "/v2/")), 400, "invalid-parameter")


def test_a_tag_of_one_version_is_foreign_to_the_other() -> None:
    books = over_list([dict(book) for book in BOOKS], model=Book)
    client = Client(WSGIDispatcher(versions={"v1": [books], "v2": [books]}))
    tag = client.get("/v1/things/1/").headers["ETag"]
    assert client.get("/v2/things/1/", If_None_Match=tag).status_int == 200
    problem(client.delete("/v2/things/1/", If_Match=tag), 412, "precondition-failed")
    assert client.delete("/v1/things/1/", If_Match=tag).status_int == 204


def other(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Somebody else's application."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"theirs"]


@pytest.mark.parametrize("path", ["/api/v3/books/", "/api/v1/unknown/", "/api/v1//books/", "/v1/books/", "/api/books/"])
def test_the_fallback_gets_what_no_version_serves(path: str) -> None:
    assert api(prefix="/api", fallback=other).get(path).text == "theirs"


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/books/99/", "/api/v2/schema/", "/api/v2/authors/1/"])
def test_the_fallback_gets_nothing_of_a_version(path: str) -> None:
    assert "theirs" not in api(prefix="/api", fallback=other).get(path).text


def test_pages_can_be_left_out_of_every_version() -> None:
    client = api(hello=False, docs=False)
    for path in ("/", "/v1/", "/schema/", "/v1/schema/"):
        problem(client.get(path), 404, "not-found")
    assert client.get("/v1/books/").status_int == 200


class Tags(Controller):
    resource = {"resource_name": "v1", "resource": [{"id": 1}], "datastore": PythonListDataStore}


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ([Tags], "versions must be a dict such as"),
        ({"v1": Tags}, "versions['v1'] must be a list of Controller classes"),
        ({"v2": ["books"]}, "versions['v2'] holds 'books', which is not a Controller class"),
        ({"v2": [Tags()]}, "pass the class Tags"),
        ({"v2": [Tags, Tags]}, "are both named 'v1'"),
        ({"v/2": []}, "versions['v/2']: a version's name must be letters"),
        ({2: []}, "versions[2]: a version's name must be letters"),
        ({"schema": []}, "'schema' is a route of the dispatcher's own"),
        ({"v1": []}, "'v1' is the name of Tags and of a version"),
    ],
)
def test_what_cannot_be_a_version_is_refused(versions: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        WSGIDispatcher([Tags], versions=versions)
    assert any(said in one for one in caught.value.problems), caught.value.problems


def test_all_mistakes_of_a_dispatcher_come_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        WSGIDispatcher([3], versions={"schema": []}, prefix="a b", secret="", docs="yes")  # type: ignore
    assert len(caught.value.problems) == 5


def test_a_relation_to_another_versions_resource_is_refused() -> None:
    books = over_list([dict(book) for book in BOOKS], model=LinkedBook, resource={"resource_name": "books"})
    authors = over_list([dict(one) for one in AUTHORS], model=Author, resource={"resource_name": "authors"})
    with pytest.raises(ConfigurationError, match="'authors' is not served here"):
        WSGIDispatcher(versions={"v1": [books], "v2": [authors]})


# Deprecation

OLD = Deprecation(date(2025, 1, 1), date(2026, 7, 1), "https://example.org/v2")
OLDER = Deprecation(datetime(2024, 6, 1, 14, tzinfo=timezone(timedelta(hours=2))))
TOLD = {
    "Deprecation": "@1735689600",
    "Sunset": "Wed, 01 Jul 2026 00:00:00 GMT",
    "Link": '<https://example.org/v2>; rel="deprecation", <https://example.org/v2>; rel="sunset"',
}


def told(reply: TestResponse) -> dict[str, str]:
    """What a reply says of an end to come."""
    return {name: reply.headers[name] for name in TOLD if name in reply.headers}


@pytest.mark.parametrize("path", ["/v1/books/1/", "/v1/books/99/", "/v1/", "/v1/schema/", "/v1/nothing/"])
def test_every_reply_of_a_deprecated_version_says_so(path: str) -> None:
    assert told(api(deprecated={"v1": OLD}).get(path)) == TOLD


@pytest.mark.parametrize("path", ["/v2/books/1/", "/", "/healthz", "/v3/"])
def test_nothing_else_does(path: str) -> None:
    assert told(api(deprecated={"v1": OLD}).get(path)) == {}


@pytest.mark.parametrize("path", ["/v1/books/1/", "/v2/books/1/", "/", "/ping"])
def test_a_whole_application_may_be_deprecated(path: str) -> None:
    client = api(deprecated=OLD, routes=[Route("/ping", lambda request: {"pong": True})])
    assert told(client.get(path)) == TOLD


def test_the_links_of_pages_come_first() -> None:
    reply = api(deprecated={"v1": OLD}).get("/v1/books/?count=1")
    (links,) = reply.headers.getall("Link")
    relations = re.findall(r'rel="(\w+)"', links)
    assert relations == ["first", "next", "last", "deprecation", "sunset"]


def test_a_resource_of_its_own_in_place_of_its_versions() -> None:
    books = over_list([dict(book) for book in BOOKS], model=Book)
    controller = {"options": {"deprecated": OLDER}}
    rest = over_list([{"id": 1}], resource={"resource_name": "others"}, controller=controller)
    client = Client(WSGIDispatcher(versions={"v1": [books, rest]}, deprecated={"v1": OLD}))
    assert told(client.get("/v1/things/1/")) == TOLD
    assert client.get("/v1/others/1/").headers.getall("Deprecation") == ["@1717243200"]
    assert "Sunset" not in client.get("/v1/others/1/").headers
    assert told(Client(rest()).get("/1/")) == {"Deprecation": "@1717243200"}


def test_writes_are_told_too_and_done() -> None:
    reply = api(deprecated={"v1": OLD}).post("/v1/books/", {"title": "x", "author_id": None})
    assert (reply.status_int, told(reply)) == (201, TOLD)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"since": "2025-01-01"}, "since=...) must be a date"),
        ({"since": None}, "since=...) must be a date"),
        ({"since": date(2025, 1, 1), "sunset": 3}, "sunset=...) must be a date"),
        ({"since": date(2025, 1, 1), "sunset": date(2024, 1, 1)}, "is before since"),
        ({"since": date(2025, 1, 1), "link": "example.org"}, "must be a URL"),
        ({"since": date(2025, 1, 1), "link": "https://x/>; rel=next"}, "must be a URL"),
        ({"since": date(2025, 1, 1), "link": "https://x/\r\nX: y"}, "must be a URL"),
    ],
)
def test_what_is_no_deprecation_is_refused(arguments: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Deprecation(**arguments)
    assert said in caught.value.problems[0]


@pytest.mark.parametrize(
    ("deprecated", "said"),
    [
        (date(2025, 1, 1), "deprecated must be a Deprecation"),
        (True, "deprecated must be a Deprecation"),
        ({"v11": OLD}, "did you mean 'v1'?"),
        ({"v1": "2025"}, "deprecated['v1'] must be a Deprecation"),
        ({"": OLD}, "is no version"),
    ],
)
def test_what_names_no_version_or_says_nothing_of_it_is_refused(deprecated: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        api(deprecated=deprecated)
    assert said in caught.value.problems[0]


def test_the_option_holds_a_deprecation() -> None:
    with pytest.raises(ConfigurationError, match=r"options\['deprecated'\] must be Deprecation"):
        over_list([{"id": 1}], controller={"options": {"deprecated": date(2025, 1, 1)}})
