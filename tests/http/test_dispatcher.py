"""Many controllers as one application: its pages, its fallback, controllers that share a name or their data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from datastores import PythonListDataStore
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.errors import ConfigurationError, StoreUnavailable
from rest_kit.request import Request
from rest_kit.routes import Route
from tests.http.samples import BOOKS, TAGS, Book, Person, Tag, people_rows
from tests.http.support import Client, Storage, allowed, make_controller, over_list, problem, serve


def named(name: str, **dicts: Any) -> type[Controller]:
    return over_list([dict(book) for book in BOOKS], model=Book, resource={"resource_name": name}, **dicts)


# Hello, health, schema


def test_hello() -> None:
    reply = serve(named("books"), named("others"), name="Library", version="3.1").get("/")
    assert reply.json == {
        "name": "Library",
        "version": "3.1",
        "resources": {"books": "/books/", "others": "/others/"},
    }


def test_hello_unless_told_otherwise() -> None:
    assert serve(named("books")).get("/").json["name"] == "rest_kit"
    problem(serve(named("books"), hello=False).get("/"), 404, "not-found")
    assert serve(named("books"), hello=False).get("/books/").status_int == 200


def test_a_dispatcher_of_nothing() -> None:
    assert serve().get("/").json["resources"] == {}
    assert serve().get("/readyz").status_int == 200


def test_health() -> None:
    assert serve(named("books")).get("/healthz").json == {"status": "ok"}


def test_readiness(storage: Storage) -> None:
    client = serve(storage.controller(Book, BOOKS, name="books"), storage.controller(Tag, TAGS, name="tags"))
    assert client.get("/readyz").json == {"status": "ready", "resources": {"books": "ready", "tags": "ready"}}


def test_readiness_names_the_stores_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    cls = named("books")
    assert cls.spec_ is not None

    def fail() -> None:
        raise StoreUnavailable("cannot open /secret/path")

    monkeypatch.setattr(cls.spec_.store, "ping", fail)
    client = serve(cls, named("others"))
    reply = client.get("/readyz")
    assert problem(reply, 503, "unavailable")["detail"] == "not ready: books"
    assert reply.headers["Retry-After"]
    assert client.get("/healthz").status_int == 200


def test_schema_lists_the_resources() -> None:
    assert serve(named("books"), named("others")).get("/schema/").json == {
        "resources": {"books": "/schema/books/", "others": "/schema/others/"}
    }


def test_schema_describes_a_resource() -> None:
    schema = serve(named("books", controller={"list_verbs": ["GET"]})).get("/schema/books/").json
    assert schema["name"] == "books"
    assert schema["url"] == "/books/"
    assert schema["primary_key"] == "id"
    assert schema["list_verbs"] == ["GET", "HEAD", "OPTIONS"]
    assert schema["unique_verbs"] == ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
    assert schema["media_types"] == ["application/json"]
    assert schema["pagination"] == ["count", "offset"]
    assert schema["search"] == ["title", "isbn", "author"]
    assert "tags" not in schema["ordering"]
    assert schema["filters"]["tags"] == ["isnull"]
    assert "icontains" in schema["filters"]["title"]
    fields = {field["name"]: field for field in schema["fields"]}
    assert list(fields) == ["id", "title", "isbn", "author", "price", "published", "stock", "lent", "tags"]
    assert fields["title"] == {
        "name": "title",
        "type": "string",
        "required": True,
        "nullable": False,
        "read_only": False,
        "write_only": False,
        "unique": False,
        "max_length": 40,
    }
    assert fields["id"]["read_only"] is True
    assert fields["stock"]["default"] == 0
    assert (fields["price"]["digits"], fields["price"]["places"]) == (6, 2)


def test_docs_can_be_left_out() -> None:
    client = serve(named("books"), docs=False)
    problem(client.get("/schema/"), 404, "not-found")
    problem(client.get("/docs/errors/not-found/"), 404, "not-found")
    assert client.get("/books/").status_int == 200


# The fallback


def other(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Somebody else's application."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"theirs: {environ['PATH_INFO']}".encode()]


@pytest.mark.parametrize("path", ["/about", "/static/x.css", "/bookshop/", "//", "//books/", "/BOOKS/"])
def test_the_fallback_gets_what_is_not_ours(path: str) -> None:
    assert serve(named("books"), fallback=other).get(path).text == f"theirs: {path}"


@pytest.mark.parametrize("path", ["/", "/books/", "/books/99/", "/books/1/x/", "/schema/x/", "/healthz"])
def test_the_fallback_gets_nothing_that_is_ours(path: str) -> None:
    assert "theirs" not in serve(named("books"), fallback=other).get(path).text


def test_the_fallback_gets_the_root_without_hello() -> None:
    assert serve(named("books"), fallback=other, hello=False).get("/").text == "theirs: /"


def test_the_fallback_gets_all_but_the_prefix() -> None:
    client = serve(named("books"), fallback=other, prefix="/api")
    for path in ("/", "/books/", "/ap", "/apix/", "/api/unknown/"):
        assert client.get(path).text == f"theirs: {path}"
    assert client.get("/api/books/").status_int == 200


def test_the_fallback_gets_the_request_untouched() -> None:
    def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read(5)]

    assert serve(named("books"), fallback=echo).post("/x", body=b"hello").text == "hello"


# One name, two controllers


def pair(**items: Any) -> Client:
    rows = [dict(book) for book in BOOKS]
    lists = over_list(rows, model=Book, controller={"list_verbs": ["GET", "POST"], "unique_verbs": []})
    singles = over_list(rows, model=Book, controller={"list_verbs": [], "unique_verbs": ["GET", "DELETE"]})
    return serve(lists, singles)


def test_two_controllers_share_a_name() -> None:
    client = pair()
    assert len(client.objects("/things/")) == 6
    created = client.post("/things/", {"title": "x"})
    assert client.get(created.headers["Location"]).json["title"] == "x"
    assert allowed(client.options("/things/")) == ["GET", "HEAD", "POST", "OPTIONS"]
    assert allowed(client.put("/things/1/", {})) == ["GET", "HEAD", "DELETE", "OPTIONS"]
    assert client.get("/").json["resources"] == {"things": "/things/"}
    schema = client.get("/schema/things/").json
    assert schema["list_verbs"] == ["GET", "HEAD", "POST", "OPTIONS"]
    assert schema["unique_verbs"] == ["GET", "HEAD", "DELETE", "OPTIONS"]


def test_tags_and_cursors_agree_between_the_two() -> None:
    client = pair()
    created = client.post("/things/", {"title": "x"})
    location, tag = created.headers["Location"], created.headers["ETag"]
    assert client.get(location, If_None_Match=tag).status_int == 304


def test_two_controllers_that_both_want_the_list_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="Things and Things are both named 'books'"):
        WSGIDispatcher([named("books"), named("books")])


# One store, two controllers


def test_two_controllers_over_the_same_data_share_them(storage: Storage) -> None:
    place = storage.filled(Person, people_rows()[:3])
    resource = {"resource": place, "model": Person, "datastore": storage.store_class}
    one = make_controller({**resource, "resource_name": "one"})
    two = make_controller({**resource, "resource_name": "two"})
    client = serve(one, two)
    created = client.post("/one/", {"name": "Bob", "age": 5}).json["id"]
    assert client.get(f"/two/{created}/").json["name"] == "Bob"
    assert client.delete("/two/0/").status_int == 204
    assert client.values("/one/") == [1, 2, created]
    assert client.post("/two/", {"name": "Eve", "age": 6}).json["id"] == created + 1


def test_the_owner_of_a_list_appends_and_removes() -> None:
    rows = people_rows()[:3]
    client = serve(over_list(rows, model=Person))
    assert client.values("/things/") == [0, 1, 2]
    rows.append({"name": "Bob", "age": 5, "id": 7})
    assert client.get("/things/7/").json["name"] == "Bob"
    del rows[0]
    problem(client.get("/things/0/"), 404, "not-found")
    assert client.post("/things/", {"name": "Eve", "age": 1}).json["id"] == 8


# Several processes


def test_a_list_behind_several_processes_is_for_reading() -> None:
    client = serve(named("books"))
    several = {"wsgi.multiprocess": True}
    assert client.get("/books/", environ=several).status_int == 200
    assert client.get("/books/1/", environ=several).status_int == 200
    assert client.options("/books/", environ=several).status_int == 204
    writes: list[tuple[str, str, Any]] = [
        ("POST", "/books/", {"title": "x"}),
        ("POST", "/books/", [{"title": "x"}]),
        ("PUT", "/books/", [{"id": 1, "title": "x"}]),
        ("PATCH", "/books/?id=1", {"stock": 1}),
        ("PUT", "/books/1/", {"title": "x"}),
        ("PATCH", "/books/1/", {"stock": 1}),
        ("DELETE", "/books/1/", None),
        ("DELETE", "/books/?id=1", None),
    ]
    for method, path, sent in writes:
        reply = client.ask(method, path, sent, environ=several)
        detail = problem(reply, 503, "unavailable")["detail"]
        assert "run one worker" in detail
        assert "SQLite" in detail
        assert reply.headers["Retry-After"]
    assert client.get("/books/").json["meta"]["total_count"] == 6
    assert client.get("/books/1/").json["title"] == "The Hobbit"


def test_who_knows_better_may_write() -> None:
    cls = over_list([], model=Book, resource={"options": {"multiprocess": "allow"}})
    assert serve(cls).post("/things/", {"title": "x"}, environ={"wsgi.multiprocess": True}).status_int == 201


def test_files_are_written_by_several_processes(storage: Storage) -> None:
    reply = storage.client(Book).post("/things/", {"title": "x"}, environ={"wsgi.multiprocess": True})
    assert reply.status_int == (503 if storage.store_class is PythonListDataStore else 201)


# At construction


@pytest.mark.parametrize(
    ("controllers", "arguments", "words"),
    [
        ([Book], {}, "is not a Controller class"),
        ([Controller], {}, "Controller has no 'resource' dict"),
        (Controller, {}, "controllers must be a list of Controller classes"),
        ([], {"prefix": 5}, "prefix must be a path"),
        ([], {"prefix": "/a b"}, "prefix must be a path"),
        ([], {"prefix": "/a//b"}, "prefix must be a path"),
        ([], {"prefix": "/a/../b"}, "prefix must be a path"),
        ([], {"prefix": "/a?b"}, "prefix must be a path"),
        ([], {"fallback": "no application"}, "fallback must be a WSGI application"),
    ],
)
def test_what_no_dispatcher_can_be_made_of(controllers: Any, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        WSGIDispatcher(controllers, **arguments)


def test_an_instance_where_the_class_is_meant() -> None:
    with pytest.raises(ConfigurationError, match="pass the class Things"):
        WSGIDispatcher([named("books")()])  # type: ignore[list-item]


def test_all_problems_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        WSGIDispatcher([Book, Controller], prefix=5)  # type: ignore[list-item, arg-type]
    assert len(caught.value.problems) == 3


def test_an_owner_who_changes_a_key_in_place_says_so() -> None:
    rows = people_rows()[:3]
    cls = over_list(rows, model=Person)
    client = serve(cls)
    assert client.get("/things/1/").status_int == 200
    rows[1]["id"] = 50
    assert cls.spec_ is not None
    assert isinstance(cls.spec_.store, PythonListDataStore)
    cls.spec_.store.refresh()
    assert client.get("/things/50/").json["age"] == 1
    problem(client.get("/things/1/"), 404, "not-found")


def test_the_secret_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def tag(**arguments: Any) -> str:
        found: str = serve(named("books"), **arguments).get("/books/1/").headers["ETag"]
        return found

    given = tag(secret="s" * 32)
    monkeypatch.setenv("REST_KIT_SECRET", "s" * 32)
    assert tag() == given
    monkeypatch.setenv("REST_KIT_SECRET", "t" * 32)
    assert tag() != given
    assert tag(secret="s" * 32) == given


@pytest.mark.parametrize("secret", ["", [], ["s" * 32, ""]])
def test_an_empty_secret_is_refused(secret: str | list[str]) -> None:
    with pytest.raises(ConfigurationError, match="secret must not be empty"):
        WSGIDispatcher([], secret=secret)


def test_a_route_may_begin_with_anything() -> None:
    def said(request: Request, word: str = "nothing") -> dict[str, str]:
        return {"said": word}

    routes = [Route("/say/<word>", said), Route("/", said)]
    client = serve(over_list([{"id": 1}]), routes=routes, hello=False)
    assert client.get("/say/hello/").json == {"said": "hello"}
    assert client.get("/").json == {"said": "nothing"}
    assert client.get("/things/1/").json["id"] == 1
    assert client.get("/said").status_int == 404
    anywhere = serve(over_list([{"id": 1}]), routes=[*routes, Route("/<word>/said", said)])
    assert anywhere.get("/hello/said").json == {"said": "hello"}
    assert anywhere.get("/things/1/").json["id"] == 1
