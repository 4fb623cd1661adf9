"""Which address leads where, and which verbs it serves."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from rest_kit.controllers import WSGIDispatcher
from rest_kit.pagination import Pagination
from tests.http.samples import BOOKS, TAGS, Book, Tag, people_rows
from tests.http.support import Client, Storage, allowed, over_list, problem, serve

LIST = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
ITEM = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
PAGE = ["GET", "HEAD", "OPTIONS"]


def library(**controller: Any) -> Client:
    return serve(over_list([dict(book) for book in BOOKS], model=Book, controller=controller))


# Addresses


@pytest.mark.parametrize(
    "path", ["/", "/things/", "/things/1/", "/schema/", "/schema/things/", "/healthz/", "/readyz/"]
)
def test_the_form_without_the_slash_is_served_too_never_redirected(path: str) -> None:
    client = library()
    for form in (path, path.rstrip("/")):
        reply = client.get(form)
        assert reply.status_int == 200
        assert "Location" not in reply.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/schema", "/things"])
def test_the_form_with_the_slash_left_out_answers_alike(path: str) -> None:
    client = library()
    assert client.get(path).body == client.get(path + "/").body


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "///",
        "//things/",
        "/things//",
        "/things//1/",
        "/things/1//",
        "//things//1",
        "/nothing/",
        "/Things/",
        "/things/1/more/",
        "/things/1/2/3/",
        "/things/events/",
        "/things/stream/",
        "/schema/nothing/",
        "/schema/things/1/",
        "/healthz/x/",
        "/docs/",
        "/docs/errors/",
        "/docs/errors/not-found/x/",
        "/.",
        "/..",
        "/things/../",
        "/*",
    ],
)
def test_there_is_nothing_anywhere_else(path: str) -> None:
    problem(library().get(path), 404, "not-found")


def test_a_misspelt_resource_brings_the_nearest_one() -> None:
    assert "did you mean 'things'?" in library().get("/thing/").json["detail"]


def test_fixed_words_win_over_a_text_key() -> None:
    rows = [*TAGS, {"slug": "events", "label": "E", "weight": None}]
    problem(serve(over_list(rows, model=Tag)).get("/things/events/"), 404, "not-found")


# Verbs


@pytest.mark.parametrize(
    ("path", "verbs"),
    [
        ("/things/", LIST),
        ("/things/1/", ITEM),
        ("/", PAGE),
        ("/schema/", PAGE),
        ("/schema/things/", PAGE),
        ("/healthz/", PAGE),
        ("/readyz/", PAGE),
        ("/docs/errors/not-found/", PAGE),
    ],
)
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_every_verb_that_is_not_served_is_405_with_what_is(path: str, verbs: list[str]) -> None:
    client = library()
    options = client.options(path)
    assert options.status_int == 204
    assert allowed(options) == verbs
    assert "Content-Type" not in options.headers
    for verb in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get"} - set(verbs):
        reply = client.ask(verb, path)
        assert reply.status_int == 405
        assert allowed(reply) == verbs
        if verb != "HEAD":
            assert verb in problem(reply, 405, "method-not-allowed")["detail"]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["GET"], ["GET", "HEAD", "OPTIONS"]),
        (["GET", "POST"], ["GET", "HEAD", "POST", "OPTIONS"]),
        (["POST"], ["POST", "OPTIONS"]),
        (["DELETE", "GET"], ["GET", "HEAD", "DELETE", "OPTIONS"]),
        (("GET", "HEAD", "OPTIONS"), ["GET", "HEAD", "OPTIONS"]),
        ([], ["OPTIONS"]),
    ],
)
def test_only_listed_verbs_are_served_on_the_list(listed: Any, expected: list[str]) -> None:
    client = library(list_verbs=listed)
    assert allowed(client.options("/things/")) == expected
    for verb in set(LIST) - set(expected) - {"HEAD"}:
        assert allowed(client.ask(verb, "/things/")) == expected
    assert client.head("/things/").status_int == (200 if "GET" in listed else 405)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["GET"], ["GET", "HEAD", "OPTIONS"]),
        (["GET", "PUT", "DELETE"], ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]),
        (["PATCH"], ["PATCH", "OPTIONS"]),
        ([], ["OPTIONS"]),
    ],
)
def test_only_listed_verbs_are_served_on_an_item(listed: Any, expected: list[str]) -> None:
    client = library(unique_verbs=listed)
    assert allowed(client.options("/things/1/")) == expected
    for verb in set(ITEM) - set(expected) - {"HEAD"}:
        assert allowed(client.ask(verb, "/things/1/")) == expected


def test_without_post_nobody_creates() -> None:
    client = library(list_verbs=["GET"])
    problem(client.post("/things/", {"title": "x"}), 405, "method-not-allowed")
    assert len(client.objects("/things/")) == 6


def test_options_names_the_patches_that_are_taken() -> None:
    taken = "application/merge-patch+json, application/json-patch+json, application/json"
    client = library(list_verbs=["GET"])
    assert client.options("/things/1/").headers["Accept-Patch"] == taken
    assert "Accept-Patch" not in client.options("/things/").headers


# Accept


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "*/*",
        "application/*",
        "",
        "text/html, */*;q=0.1",
        "text/html,application/json;q=0.5",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "*",
        "*/*;q=0.1, text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ],
)
def test_json_for_whoever_takes_it(accept: str) -> None:
    client = library()
    for path in ("/things/", "/things/1/", "/", "/schema/things/"):
        reply = client.get(path, Accept=accept)
        assert reply.status_int == 200
        assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/*",
        "application/json;q=0",
        "*/*, application/json;q=0",
        "*/*;q=0",
        "application/xml, text/csv",
    ],
)
def test_406_for_whoever_takes_only_something_else(accept: str) -> None:
    client = library()
    requests = [
        ("GET", "/things/"),
        ("HEAD", "/things/"),
        ("POST", "/things/"),
        ("PUT", "/things/"),
        ("PATCH", "/things/?id=1"),
        ("DELETE", "/things/?id=1"),
        ("GET", "/things/1/"),
        ("PUT", "/things/1/"),
        ("PATCH", "/things/1/"),
        ("DELETE", "/things/1/"),
        ("GET", "/"),
        ("GET", "/schema/"),
    ]
    for method, path in requests:
        sent = {"json": {"title": "x"}} if method in ("POST", "PUT", "PATCH") else {}
        reply = client.ask(method, path, **sent, Accept=accept)
        assert reply.status_int == 406, (method, path)
        if method != "HEAD":
            assert "application/json" in problem(reply, 406, "not-acceptable")["detail"]
    assert len(client.objects("/things/")) == 6


def test_probes_answer_whatever_is_asked_for() -> None:
    client = library()
    for path in ("/healthz", "/readyz"):
        assert client.get(path, Accept="text/plain").status_int == 200


# The mount


def test_links_respect_the_script_name(storage: Storage) -> None:
    client = storage.client(Book, BOOKS, name="books", controller={"options": {"pagination": Pagination(2)}})
    under = {"SCRIPT_NAME": "/my app"}
    reply = client.get("/books/?offset=2", environ=under)
    assert reply.json["meta"]["next"] == "/my%20app/books/?offset=4&count=2"
    assert '</my%20app/books/?offset=0&count=2>; rel="prev"' in reply.headers["Link"]
    assert reply.json["object_list"][0]["resource_uri"] == "/my%20app/books/3/"
    assert client.get("/books/3/", environ=under).json["resource_uri"] == "/my%20app/books/3/"
    created = client.post("/books/", {"title": "x"}, environ=under)
    assert created.headers["Location"] == created.json["resource_uri"] == "/my%20app/books/7/"
    assert client.get("/", environ=under).json["resources"] == {"books": "/my%20app/books/"}
    assert client.get("/schema/books/", environ=under).json["url"] == "/my%20app/books/"


def test_links_respect_the_prefix(storage: Storage) -> None:
    cls = storage.controller(Book, BOOKS, name="books")
    client = serve(cls, prefix="/api/v1")
    assert client.get("/api/v1/books/").json["meta"]["first"] == "/api/v1/books/?offset=0&count=100"
    assert client.get("/api/v1/books/3").json["resource_uri"] == "/api/v1/books/3/"
    assert client.post("/api/v1/books/", {"title": "x"}).headers["Location"] == "/api/v1/books/7/"
    assert client.get("/api/v1/").json["resources"] == {"books": "/api/v1/books/"}
    assert client.get("/api/v1").json["resources"] == {"books": "/api/v1/books/"}
    assert client.get("/api/v1/healthz").status_int == 200
    for path in ("/", "/books/", "/api/", "/api/v2/books/", "/api/v1x/books/", "/api//v1/books/", "/healthz"):
        problem(client.get(path), 404, "not-found")


@pytest.mark.parametrize("prefix", ["api/v1", "/api/v1", "/api/v1/", "api/v1/"])
def test_a_prefix_may_be_written_with_or_without_slashes(prefix: str) -> None:
    client = serve(over_list([], model=Book), prefix=prefix)
    assert client.get("/api/v1/things/").status_int == 200


def test_an_encoded_slash_under_a_mount(storage: Storage) -> None:
    client = serve(storage.controller(Tag, TAGS), prefix="/api")
    environ = {"SCRIPT_NAME": "/app", "RAW_URI": "/app/api/things/a%2Fb/?fields=label"}
    reply = client.get("/api/things/a%2Fb/?fields=label", environ=environ)
    assert reply.json == {"slug": "a/b", "label": "A or B", "resource_uri": "/app/api/things/a%2Fb/"}


def test_one_controller_mounted_by_itself(storage: Storage) -> None:
    client = Client(storage.controller(Book, BOOKS)())
    for mount in ("", "/books"):
        environ = {"SCRIPT_NAME": mount}
        assert client.get("/?count=1", environ=environ).json["object_list"][0]["resource_uri"] == f"{mount}/1/"
        assert client.get("/3/", environ=environ).json["resource_uri"] == f"{mount}/3/"
        assert client.get("/3", environ=environ).json["id"] == 3
        problem(client.get("/3/x/", environ=environ), 404, "not-found")
        problem(client.get("//", environ=environ), 404, "not-found")
        problem(client.get("/healthz", environ=environ), 404, "not-found")
    assert client.get("", environ={"SCRIPT_NAME": "/books"}).status_int == 200
    assert client.post("/", {"title": "x"}, environ={"SCRIPT_NAME": "/books"}).headers["Location"] == "/books/7/"
    assert allowed(client.options("/")) == LIST
    assert client.get("/99/", X_Request_ID="me").json["request_id"] == "me"


def test_a_dispatcher_within_another_application() -> None:
    api = WSGIDispatcher([over_list(people_rows(), resource={"resource_name": "people"})])
    client = Client(DispatcherMiddleware(Response("home", mimetype="text/plain"), {"/api": api}))
    assert client.get("/").text == "home"
    assert client.get("/api/people/7/").json["resource_uri"] == "/api/people/7/"
