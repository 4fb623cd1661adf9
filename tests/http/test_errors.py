"""Every error, from any layer, as one kind of document (RFC 9457)."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException

from datastores import CSVDataStore, SQLiteDataStore
from rest_kit import errors, models
from rest_kit.controllers import Controller
from tests.http.samples import BOOKS, Book
from tests.http.support import Client, make_controller, over_list, problem, serve


@pytest.fixture
def client() -> Client:
    return serve(over_list([dict(book) for book in BOOKS], model=Book))


def test_an_error_in_full(client: Client) -> None:
    reply = client.post("/things/?fields=id", {"title": 5, "stock": "5"}, X_Request_ID="abc-1")
    assert reply.status == "400 Bad Request"
    assert reply.headers["X-Request-ID"] == "abc-1"
    assert reply.json == {
        "type": "/docs/errors/invalid-input/",
        "title": "The input does not fit the model",
        "status": 400,
        "detail": "2 things are wrong; errors names each",
        "request_id": "abc-1",
        "errors": [
            {"pointer": "#/title", "code": "type", "detail": "is not a string"},
            {"pointer": "#/stock", "code": "type", "detail": "is not an integer"},
        ],
    }


def test_the_type_leads_to_an_explanation(client: Client) -> None:
    link = client.get("/things/99/").json["type"]
    reply = client.get(link)
    assert reply.status_int == 200
    assert reply.json["type"] == "not-found"
    assert reply.json["explanation"]
    problem(client.get("/docs/errors/not-fuond/"), 404, "not-found")


def test_the_type_s_link_respects_mount_and_prefix() -> None:
    client = serve(over_list([], model=Book), prefix="/api/v1")
    reply = client.get("/api/v1/things/1/", environ={"SCRIPT_NAME": "/app"})
    assert reply.json["type"] == "/app/api/v1/docs/errors/not-found/"
    assert client.get("/api/v1/docs/errors/not-found/").status_int == 200


# The request id


@pytest.mark.parametrize("given", ["a", "A-1_b.c~d+e/f=g:h@i", "x" * 128])
def test_a_sane_request_id_comes_back(client: Client, given: str) -> None:
    for path in ("/things/", "/things/99/", "/", "/nothing/"):
        assert client.get(path, X_Request_ID=given).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", 'a"b', "a,b"])
def test_any_other_request_id_is_replaced(client: Client, given: str) -> None:
    own = client.get("/things/", X_Request_ID=given).headers["X-Request-ID"]
    assert own
    assert own != given


def test_request_ids_differ(client: Client) -> None:
    assert len({client.get("/things/").headers["X-Request-ID"] for _ in range(50)}) == 50


# What stores raise


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> Client:
    """A client of a resource whose store raises this, whatever it is asked."""
    cls = over_list([dict(book) for book in BOOKS], model=Book)
    assert cls.spec_ is not None

    def fail(*args: Any) -> Any:
        raise error

    for name in ("find", "get", "atomic", "ping"):
        monkeypatch.setattr(cls.spec_.store, name, fail)
    return serve(cls)


RAISED: list[tuple[Exception, int, str, str | None]] = [
    (errors.StoreUnavailable("cannot reach /var/db"), 503, "store-unavailable", "5"),
    (errors.StoreUnavailable("busy", retry_after=30), 503, "store-unavailable", "30"),
    (errors.StoreCorrupt("/srv/people.csv line 3: no end"), 503, "store-unreadable", "5"),
    (errors.StoreFull("/srv is full"), 507, "store-full", "5"),
    (errors.KeysUsedUp("id"), 507, "store-full", "5"),
    (errors.Unsupported("this store cannot do that"), 501, "unsupported", None),
    (errors.Conflict("taken", code="foreign_key", fields=("a",)), 409, "conflict", None),
    (errors.RecordNotFound(7), 404, "not-found", None),
    (errors.CursorGone("the events are no longer kept"), 410, "cursor-gone", None),
]


@pytest.mark.parametrize(("error", "status", "slug", "retry_after"), RAISED)
def test_what_a_store_raises(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, slug: str, retry_after: str | None
) -> None:
    client = failing(monkeypatch, error)
    for method, path in (("GET", "/things/"), ("GET", "/things/1/"), ("DELETE", "/things/1/")):
        reply = client.ask(method, path)
        document = problem(reply, status, slug)
        assert reply.headers.get("Retry-After") == retry_after
        assert "/srv" not in document["detail"]
        assert "/var" not in document["detail"]


def test_keys_that_are_used_up_are_not_told_as_a_full_disk() -> None:
    app = serve(over_list([{**BOOKS[0], "id": 2**63 - 1}], model=Book))
    given = {name: value for name, value in BOOKS[0].items() if name != "id"}
    detail = problem(app.post("/things/", given), 507, "store-full")["detail"]
    assert "key" in detail
    assert "disk" not in detail


def test_a_status_that_is_not_registered_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Teapots(HTTPException):
        code = 499
        description = "no more tea"

    document = problem(failing(monkeypatch, Teapots()).ask("GET", "/things/"), 499, "http")
    assert (document["title"], document["detail"]) == ("Unknown", "no more tea")


def test_a_store_that_turns_out_to_be_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = failing(monkeypatch, errors.ReadOnly("things is a view: name its table")).delete("/things/1/")
    assert "view" in problem(reply, 405, "read-only")["detail"]
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"


FATAL = [
    ValueError("secret"),
    KeyError("secret"),
    RuntimeError("SELECT secret FROM t"),
    sqlite3.OperationalError("near secret: syntax error"),
    OSError(13, "Permission denied", "/secret/path"),
    RecursionError("secret"),
    MemoryError("secret"),
    AssertionError("secret"),
]


@pytest.mark.parametrize("error", FATAL, ids=lambda error: type(error).__name__)
def test_what_nobody_expects_is_a_500_that_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    client = failing(monkeypatch, error)
    with caplog.at_level(logging.ERROR, "rest_kit"):
        reply = client.get("/things/", X_Request_ID="find-me")
    problem(reply, 500, "internal")
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text
    assert "find-me" in caplog.text
    assert "secret" in caplog.text


def test_what_is_the_client_s_fault_is_not_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "rest_kit"):
        client.get("/things/99/")
        client.post("/things/", {})
        client.get("/nothing/")
    assert caplog.records == []


def test_a_user_s_formatter_that_fails_is_a_500() -> None:
    def broken(response: Any, obj: dict[str, Any]) -> dict[str, Any]:
        raise LookupError("secret")

    client = serve(over_list([dict(book) for book in BOOKS], model=Book, view={"options": {"formatters": [broken]}}))
    for path in ("/things/", "/things/1/"):
        assert "secret" not in client.get(path).text
        problem(client.get(path), 500, "internal")


def test_a_user_s_validator_that_fails_is_a_500_and_nothing_is_stored() -> None:
    def broken(value: Any) -> None:
        raise LookupError("secret")

    class Broken(models.Model):
        fields = [models.PkField("id"), models.StringField("name", validate=broken)]

    rows: list[dict[str, Any]] = []
    problem(serve(over_list(rows, model=Broken)).post("/things/", {"name": "x"}), 500, "internal")
    assert rows == []


# No paths, no statements


def over_file(store: Any, place: dict[str, Any]) -> type[Controller]:
    return make_controller({"resource_name": "things", "resource": place, "datastore": store})


def test_a_file_that_cannot_be_read_is_503_and_not_named(tmp_path: Path) -> None:
    text, database = tmp_path / "secret.csv", tmp_path / "secret.db"
    text.write_text('id,name\n1,"never closed\n')
    database.write_bytes(b"no database at all, though it is long enough to look like one" * 20)
    places: list[tuple[Any, dict[str, Any]]] = [
        (CSVDataStore, {"path": str(text)}),
        (SQLiteDataStore, {"name": str(database), "table": "t"}),
    ]
    for store, place in places:
        reply = serve(over_file(store, place)).get("/things/")
        assert reply.status_int == 503
        assert "secret" not in reply.text
        assert reply.headers["Retry-After"]


def test_what_is_not_there_at_import_is_503_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    client = serve(over_file(CSVDataStore, {"path": str(path)}))
    reply = client.get("/things/")
    assert reply.status_int == 503
    assert reply.headers["Retry-After"]
    path.write_text("id,name\n1,Ada\n")
    assert client.objects("/things/") == [{"id": 1, "name": "Ada", "resource_uri": "/things/1/"}]


HOSTILE: list[Callable[[Client], Any]] = [
    lambda client: client.get("/things/", Accept="\xff, ;;;q=x, */"),
    lambda client: client.get("/things/", Accept="application/json;q=abc"),
    lambda client: client.get("/things/1/", If_None_Match='"' * 5000),
    lambda client: client.get("/things/1/", If_Match="W/" * 3000 + ","),
    lambda client: client.get("/things/", Prefer="=;=,,;;return"),
    lambda client: client.get("/things/?" + "&".join(f"p{n}=x" for n in range(2000))),
    lambda client: client.get("/things/?id__in=" + ",".join("1" * 5000)),
    lambda client: client.get("/things/?search=" + "+".join("abc")),
    lambda client: client.get("/things/?search=" + "a+" * 100),
    lambda client: client.get("/things/" + "%2e%2e/" * 20),
    lambda client: client.get("/things/1/", X_Request_ID="\xe9"),
    lambda client: client.post("/things/", {"title": "x"}, type="application/json; charset=" + '"' * 100),
    lambda client: client.post("/things/", {"title": "x"}, type="application/json; charset*=x''%ff"),
]


@pytest.mark.parametrize("attack", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_requests_are_never_a_500(client: Client, attack: Callable[[Client], Any]) -> None:
    assert attack(client).status_int < 500
    assert client.get("/things/").status_int == 200


def test_a_database_that_somebody_keeps_locked_is_503(tmp_path: Path) -> None:
    path = str(tmp_path / "busy.db")
    resource = {"resource_name": "things", "resource": {"name": path, "table": "t"}, "datastore": SQLiteDataStore}
    client = serve(make_controller({**resource, "model": Book, "options": {"timeout": 0.1}}))
    assert client.post("/things/", {"title": "x"}).status_int == 201
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        reply = client.post("/things/", {"title": "y"})
        problem(reply, 503, "store-unavailable")
        assert reply.headers["Retry-After"]
        assert client.get("/things/1/").status_int == 200
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert client.post("/things/", {"title": "y"}).status_int == 201


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EIO])
def test_a_file_that_cannot_be_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    path = tmp_path / "fixed.csv"
    path.write_text("id,name\n1,Ada\n2,Eve\n")
    client = serve(over_file(CSVDataStore, {"path": str(path)}))

    def refuse(*args: Any) -> None:
        raise OSError(number, "no", str(path))

    monkeypatch.setattr("os.replace", refuse)
    reply = client.delete("/things/1/")
    expected = {errno.ENOSPC: (507, "store-full"), errno.EIO: (503, "store-unavailable")}
    problem(reply, *expected.get(number, (405, "read-only")))
    assert str(tmp_path) not in reply.text
    assert (reply.headers.get("Allow"), reply.headers.get("Retry-After")) == (
        (None, "5") if number in expected else ("GET, HEAD, OPTIONS", None)
    )
    monkeypatch.undo()
    assert client.values("/things/") == [1, 2]
