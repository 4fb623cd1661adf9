"""The header Idempotency-Key: a request is carried out once, and answered alike however often it is sent."""

from __future__ import annotations

import errno
import io
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from webtest import TestResponse

from datastores import CSVDataStore, PythonListDataStore, RemoteDataStore, SQLDataStore, SQLiteDataStore
from datastores.remote.in_process import WSGITransport
from rest_kit import models
from rest_kit.authentication import Authentication
from rest_kit.controllers import Controller, action
from rest_kit.errors import (
    ConfigurationError,
    KeyInUse,
    KeyReused,
    OutcomeUnknown,
    RemoteTimeout,
    ReplyLost,
    StoreUnavailable,
)
from rest_kit.idempotency import LEASE_SECONDS, Idempotency, idempotency_for
from rest_kit.permissions import IsAuthenticated
from rest_kit.problems import Reply
from rest_kit.problems import problem as problem_of
from rest_kit.request import Request
from rest_kit.storage import MemoryStorage
from rest_kit.store import IDEMPOTENCY_SECONDS
from rest_kit.users import User
from rest_kit.views import JsonResponse
from tests.http.forms import COVER, PNG, albums, kept, send
from tests.http.support import Client, faults, make_controller, problem, serve
from tests.http.support import Storage as Where
from tests.servers import places

KINDS = ("list", "sqlite", "csv", "postgresql", "mariadb", "remote")
several = pytest.mark.parametrize("shop", KINDS[:-1], indirect=True)
"""The stores with transactions: what keeps replies with the data, and writes more than one object at a time."""
KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'


class Order(models.Model):
    """An order that nobody wants to have placed twice."""

    fields = [
        models.PkField("id"),
        models.StringField("item", required=True, max_length=40),
        models.IntegerField("pieces", default=1, min=1),
        models.StringField("code", unique=True, max_length=20),
    ]


class Remembering(MemoryStorage):
    """A storage whose keys can be looked at, and which stands for one that several processes share."""

    in_process = False

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        self.keys.add(key)
        return super().swap(key, expected, value, seconds)


class Shop:
    """Where orders are kept, in each kind of store: the resource's dict, and what its option says."""

    def __init__(self, kind: str, where: dict[str, Any]) -> None:
        self.kind = kind
        self.resource = {"resource_name": "orders", "model": Order, **where}
        self.option: Any = Remembering() if kind == "remote" else True

    def controller(self, base: type[Controller] = Controller, **options: Any) -> type[Controller]:
        members = {"resource": self.resource, "controller": {"options": {"idempotency": self.option, **options}}}
        return type("Orders", (base,), members)

    def client(self, base: type[Controller] = Controller, **options: Any) -> Client:
        return serve(self.controller(base, **options))


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    kind: str = request.param
    if kind in ("postgresql", "mariadb"):
        for place in places(kind):
            yield Shop(kind, {"datastore": SQLDataStore, "resource": {"url": place.url, "table": place.table()}})
        return
    yield Shop(kind, local(kind, tmp_path))


def local(kind: str, folder: Path) -> dict[str, Any]:
    """The data of a kind that needs no server."""
    if kind == "list":
        return {"datastore": PythonListDataStore, "resource": []}
    if kind == "sqlite":
        return {"datastore": SQLiteDataStore, "resource": {"name": str(folder / "o.db"), "table": "orders"}}
    if kind == "csv":
        return {"datastore": CSVDataStore, "resource": {"path": str(folder / "orders.csv")}}
    rows: list[Any] = []
    there = make_controller(
        {"resource_name": "orders", "model": Order, "datastore": PythonListDataStore, "resource": rows}
    )
    return {
        "datastore": RemoteDataStore,
        "resource": {"url": "http://test/orders/", "dialect": "rest_kit"},
        "options": {"transport": WSGITransport(serve(there).application)},
    }


@pytest.fixture
def orders(shop: Shop) -> Client:
    return shop.client()


def post(client: Client, json: Any = None, key: str = KEY, **rest: Any) -> TestResponse:
    return client.post("/orders/", json or {"item": "tea"}, Idempotency_Key=key, **rest)


def patch(client: Client, path: str, json: Any, key: str = KEY, **rest: Any) -> TestResponse:
    return client.patch(path, json, Idempotency_Key=key, **rest)


def told(reply: TestResponse) -> tuple[Any, ...]:
    """What must be the same each time: all but the request's id, and the header that says which time it is."""
    own = ("X-Request-ID", "Idempotent-Replayed")
    return reply.status, sorted(pair for pair in reply.headerlist if pair[0] not in own), reply.body


def later(seconds: float) -> AbstractContextManager[object]:
    """As if so many seconds had gone by."""
    return mock.patch("time.time", lambda now=time.time: now() + seconds)


def replayed(first: TestResponse, again: TestResponse) -> None:
    """The second reply is the first one again."""
    assert first.status_int < 300, first.text
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers.get("Idempotent-Replayed") == "true", again.text
    assert told(again) == told(first)


# --- the same request again -------------------------------------------------------------------------------------------


def test_a_post_that_is_sent_again_has_its_first_reply_again(orders: Client) -> None:
    first = post(orders)
    assert first.status_int == 201
    for _ in range(3):
        replayed(first, post(orders))
    assert orders.values("/orders/") == [first.json["id"]]
    assert first.headers["Location"] == f"/orders/{first.json['id']}/"
    assert first.headers["ETag"] == orders.get(first.headers["Location"]).headers["ETag"]


def test_another_key_is_another_request(orders: Client) -> None:
    assert [post(orders, key=str(uuid.uuid4())).status_int for _ in range(3)] == [201] * 3
    assert len(orders.values("/orders/")) == 3


def test_a_request_without_a_key_is_carried_out_each_time(orders: Client) -> None:
    for _ in range(2):
        assert "Idempotent-Replayed" not in orders.post("/orders/", {"item": "tea"}).headers
    assert len(orders.values("/orders/")) == 2


@several
def test_an_array_is_posted_once(shop: Shop) -> None:
    client = shop.client()
    many = [{"item": "tea"}, {"item": "milk"}]
    replayed(post(client, many), post(client, many))
    assert client.values("/orders/", "item") == ["tea", "milk"]


def test_a_patch_is_done_once_whatever_has_become_of_the_item(orders: Client) -> None:
    [pk] = [post(orders).json["id"]]
    first = patch(orders, f"/orders/{pk}/", {"pieces": 2})
    assert first.json["pieces"] == 2
    orders.patch(f"/orders/{pk}/", {"pieces": 7})
    replayed(first, patch(orders, f"/orders/{pk}/", {"pieces": 2}))
    assert orders.get(f"/orders/{pk}/").json["pieces"] == 7
    orders.delete(f"/orders/{pk}/")
    replayed(first, patch(orders, f"/orders/{pk}/", {"pieces": 2}))
    problem(patch(orders, f"/orders/{pk}/", {"pieces": 2}, key="new"), 404, "not-found")


@several
def test_a_patch_of_many_is_done_once(shop: Shop) -> None:
    client = shop.client()
    client.post("/orders/", [{"item": "tea"}, {"item": "milk"}])
    first = patch(client, "/orders/?item=tea", {"item": "milk"})
    again = patch(client, "/orders/?item=tea", {"item": "milk"})
    replayed(first, again)
    assert client.values("/orders/", "item") == ["milk", "milk"]


def test_preconditions_are_for_the_first_time(orders: Client) -> None:
    made = post(orders)
    path, tag = made.headers["Location"], made.headers["ETag"]
    first = patch(orders, path, {"pieces": 2}, If_Match=tag)
    assert first.headers["ETag"] != tag
    replayed(first, patch(orders, path, {"pieces": 2}, If_Match=tag))
    problem(patch(orders, path, {"pieces": 2}, key="new", If_Match=tag), 412, "precondition-failed")


def test_a_short_reply_is_short_again(orders: Client) -> None:
    first = post(orders, Prefer="return=minimal")
    assert first.body == b""
    replayed(first, post(orders, Prefer="return=minimal"))
    short = patch(orders, first.headers["Location"], {"pieces": 3}, Prefer="return=minimal")
    assert short.status_int == 204
    replayed(short, patch(orders, first.headers["Location"], {"pieces": 3}, Prefer="return=minimal"))


@several
def test_a_reply_is_kept_for_a_day(shop: Shop) -> None:
    client = shop.client()
    first = post(client)
    with later(IDEMPOTENCY_SECONDS - 60):
        replayed(first, post(client))
    with later(IDEMPOTENCY_SECONDS + 60):
        assert post(client, {"item": "milk"}).headers["Location"] != first.headers["Location"]


def test_a_reply_outlives_the_process(shop: Shop) -> None:
    first = post(shop.client())
    replayed(first, post(shop.client()))


# --- the key stands for one request -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        {"json": {"item": "tea", "pieces": 2}},
        {"json": {"item": "tea"}, "Prefer": "return=minimal"},
        {"json": {"item": "tea"}, "Accept": "application/json"},
        {"json": {"item": "tea"}, "type": "application/json; charset=utf-8"},
        {"body": b'{"item" : "tea"}'},
    ],
    ids=["body", "prefer", "accept", "type", "spelling"],
)
def test_another_request_with_the_same_key_is_refused(orders: Client, other: dict[str, Any]) -> None:
    post(orders)
    found = problem(orders.post("/orders/", Idempotency_Key=KEY, **other), 422, "idempotency-key-reused")
    assert "make a new one" in found["detail"]
    assert len(orders.values("/orders/")) == 1


def test_a_key_belongs_to_a_path_and_a_method(orders: Client) -> None:
    path = post(orders).headers["Location"]
    assert patch(orders, path, {"item": "tea"}).status_int == 200
    assert "Idempotent-Replayed" not in patch(orders, post(orders, key="2").headers["Location"], {"item": "x"}).headers


def test_the_path_without_its_last_slash_is_the_same(orders: Client) -> None:
    replayed(post(orders), orders.post("/orders", {"item": "tea"}, Idempotency_Key=KEY))


class Named(Authentication):
    """Whoever says who they are."""

    varies_by = ("X-User",)

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        name = request.header("X_USER")
        scopes = (request.header("X_SCOPES") or "").split()
        return None if name is None else (User(name, scopes=frozenset(scopes)), None)


def test_a_key_belongs_to_its_caller(shop: Shop) -> None:
    client = shop.client(authentication=Named())
    mine, yours, nobodys = post(client, X_User="me"), post(client, X_User="you"), post(client)
    assert len(client.values("/orders/")) == 3
    for first, headers in ((mine, {"X_User": "me"}), (yours, {"X_User": "you"}), (nobodys, {})):
        replayed(first, post(client, **headers))


def test_credentials_for_less_see_no_reply_to_those_for_more(shop: Shop) -> None:
    client = shop.client(authentication=Named())
    first = post(client, X_User="me", X_Scopes="read prices")
    problem(post(client, X_User="me", X_Scopes="read"), 422, "idempotency-key-reused")
    replayed(first, post(client, X_User="me", X_Scopes="prices read"))
    assert len(client.values("/orders/")) == 1


def test_permission_is_asked_each_time(shop: Shop) -> None:
    client = shop.client(authentication=Named(), permissions=[IsAuthenticated()])
    first = post(client, X_User="me")
    problem(post(client), 401, "not-authenticated")
    replayed(first, post(client, X_User="me"))


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_refusal_is_not_kept(orders: Client) -> None:
    assert faults(post(orders, {"pieces": 1})) == [("#/item", "required")]
    assert post(orders, {"item": "tea", "code": "a"}).status_int == 201
    assert faults(post(orders, {"item": "tea", "code": "a"}, key="2"), 409, "conflict") == [("#/code", "unique")]
    assert post(orders, {"item": "tea", "code": "b"}, key="2").status_int == 201


@several
def test_a_body_is_looked_up_before_it_is_validated(shop: Shop) -> None:
    first = post(shop.client())

    class Stricter(models.Model):
        fields = [Order.fields[0], models.StringField("item", required=True, min_length=9), *Order.fields[2:]]

    shop.resource["model"] = Stricter
    assert faults(post(shop.client(), key="new")) == [("#/item", "min_length")]
    replayed(first, post(shop.client()))


@pytest.mark.parametrize("sent", ["", '""', '"open', "two words", "a,b", "ü", "x" * 256, f'"{"x" * 256}"', '"a";b'])
def test_what_is_no_key(sent: str) -> None:
    client = Shop("list", local("list", Path())).client()
    reply = client.post("/orders/", {"item": "tea"}, environ={"HTTP_IDEMPOTENCY_KEY": sent.encode().decode("latin-1")})
    assert faults(reply) == [("Idempotency-Key", "invalid")]


@pytest.mark.parametrize("sent", ["x", "x" * 255, '"' + "x" * 255 + '"', '"two words, \\"quoted\\" \\\\"', "a+/=:_~.'"])
def test_what_is_a_key(sent: str) -> None:
    client = Shop("list", local("list", Path())).client()
    replayed(post(client, key=sent), post(client, key=sent))


def test_a_key_is_the_same_with_quotes_and_without(orders: Client) -> None:
    replayed(post(orders, key='"abc"'), post(orders, key="abc"))


def test_a_body_that_is_too_large_is_told_so(shop: Shop) -> None:
    client = shop.client(max_body=20)
    problem(post(client, {"item": "a" * 20}), 413, "body-too-large")


# --- several at a time ------------------------------------------------------------------------------------------------


def test_of_many_at_a_time_one_is_carried_out(orders: Client) -> None:
    start = threading.Barrier(6)

    def once(_: int) -> TestResponse:
        start.wait(30)
        return post(orders)

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(once, range(6)))
    assert {reply.status_int for reply in replies} <= {201, 409}
    for reply in replies:
        if reply.status_int == 409:
            problem(reply, 409, "idempotency-key-in-use")
            assert reply.headers["Retry-After"] == "1"
    assert len({reply.body for reply in replies if reply.status_int == 201}) == 1
    assert len(orders.values("/orders/")) == 1


class Slow(Controller):
    """Holds a creation up, so that another request can come meanwhile."""

    meanwhile: Any = None

    def before_create(self, request: Request, record: Any) -> None:
        if self.meanwhile is not None:
            call, type(self).meanwhile = self.meanwhile, None
            call()


@pytest.mark.parametrize("shop", ["postgresql", "mariadb", "remote"], indirect=True)
def test_who_comes_while_it_is_running_is_told_so(shop: Shop) -> None:
    cls = shop.controller(Slow)
    client = serve(cls)
    post(client, key="warm")
    seen: list[TestResponse] = []

    def from_elsewhere() -> None:
        with ThreadPoolExecutor(1) as pool:
            seen.append(pool.submit(post, client).result(30))

    cls.meanwhile = staticmethod(from_elsewhere)  # type: ignore[attr-defined]
    first = post(client)
    problem(seen[0], 409, "idempotency-key-in-use")
    replayed(first, post(client))


# --- what is done beside the write ------------------------------------------------------------------------------------


class Noting(Controller):
    """Notes what its hooks are called for."""

    noted: list[str]

    def before_create(self, request: Request, record: Any) -> None:
        self.noted.append("before")

    def after_create(self, request: Request, record: Any) -> None:
        self.noted.append("after")


def test_hooks_and_events_are_not_repeated(shop: Shop) -> None:
    base = type("Base", (Noting,), {"noted": []})
    cls = shop.controller(base)
    client = serve(cls)
    for _ in range(3):
        post(client)
    assert cls.noted[-1:] == ["after"]  # type: ignore[attr-defined]
    assert cls.noted.count("after") == 1  # type: ignore[attr-defined]
    assert cls.spec_ is not None
    log = cls.spec_.store.changes()
    assert log is None or [event.action for event in log.read(0)] == ["created"]


@several
def test_an_event_holds_the_record_and_not_what_the_reply_shows(shop: Shop) -> None:
    cls = shop.controller()
    made = post(serve(cls)).json
    assert cls.spec_ is not None
    log = cls.spec_.store.changes()
    assert log is not None
    made.pop("resource_uri")
    assert [event.after for event in log.read(0)] == [made]


def test_hooks_that_refuse_keep_nothing(shop: Shop) -> None:
    class Refusing(Controller):
        def before_create(self, request: Request, record: Any) -> None:
            raise StoreUnavailable("not now")

    problem(post(shop.client(Refusing)), 503, "store-unavailable")
    assert post(shop.client()).status_int == 201


# --- references -------------------------------------------------------------------------------------------------------


class Line(models.Model):
    """A line of an order."""

    fields = [
        models.PkField("id"),
        models.IntForeign("order_id", resource="orders", related_name="lines", on_delete="set_null"),
        models.StringField("note"),
    ]


@pytest.mark.parametrize("kind", ["list", "sqlite", "csv"])
def test_a_reply_comes_again_though_what_it_refers_to_is_gone(kind: str, tmp_path: Path) -> None:
    lines = {"resource_name": "lines", "model": Line, **local(kind, tmp_path)}
    if kind == "sqlite":
        lines["resource"] = {**lines["resource"], "table": "lines"}
    if kind == "csv":
        lines["resource"] = {"path": str(tmp_path / "lines.csv")}
    keeping = {"options": {"idempotency": True}}
    client = serve(Shop(kind, local(kind, tmp_path)).controller(), make_controller(lines, keeping))
    order = post(client).json["id"]
    first = client.post("/lines/", {"order_id": order}, Idempotency_Key=KEY)
    nested = client.post(f"/orders/{order}/lines/", {"note": "x"}, Idempotency_Key=KEY)
    replayed(nested, client.post(f"/orders/{order}/lines/", {"note": "x"}, Idempotency_Key=KEY))
    moved = client.patch(first.headers["Location"], {"order_id": None}, Idempotency_Key=KEY)
    back = client.patch(first.headers["Location"], {"order_id": order}, Idempotency_Key="2")
    assert client.delete(f"/orders/{order}/").status_int == 204
    replayed(first, client.post("/lines/", {"order_id": order}, Idempotency_Key=KEY))
    replayed(moved, client.patch(first.headers["Location"], {"order_id": None}, Idempotency_Key=KEY))
    replayed(back, client.patch(first.headers["Location"], {"order_id": order}, Idempotency_Key="2"))
    assert len(client.values("/lines/")) == 2


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_form_brings_its_file_once(tmp_path: Path) -> None:
    storage = Where("sqlite", tmp_path)
    client = albums(storage, controller={"options": {"idempotency": True, "max_body": 100}})
    headers = {"Idempotency_Key": KEY}
    first = send(client, ("title", "Blue"), ("cover", COVER), **headers)
    replayed(first, send(client, ("title", "Blue"), ("cover", COVER), **headers))
    problem(send(client, ("title", "Red"), ("cover", COVER), **headers), 422, "idempotency-key-reused")
    assert client.get(first.json["cover"]["url"]).body == PNG
    assert kept(tmp_path / "files") == [PNG]


def test_a_disk_that_is_full_takes_no_form(tmp_path: Path) -> None:
    client = albums(Where("sqlite", tmp_path), controller={"options": {"idempotency": True}})
    with mock.patch("tempfile.SpooledTemporaryFile.write", side_effect=OSError(errno.ENOSPC, "no space left")):
        problem(send(client, ("title", "Blue"), Idempotency_Key=KEY), 507, "store-full")
    assert send(client, ("title", "Blue"), Idempotency_Key=KEY).status_int == 201


# --- the option -------------------------------------------------------------------------------------------------------


def test_without_the_option_the_header_means_nothing() -> None:
    client = serve(Shop("list", local("list", Path())).controller(idempotency=False))
    assert [post(client, key=",").status_int for _ in range(2)] == [201, 201]


def test_puts_and_deletions_have_no_use_for_a_key(orders: Client) -> None:
    path = post(orders).headers["Location"]
    for pieces in (2, 3):
        assert orders.put(path, {"item": "x", "pieces": pieces}, Idempotency_Key=KEY).json["pieces"] == pieces
    assert [orders.delete(path, Idempotency_Key=KEY).status_int for _ in range(2)] == [204, 404]


def test_a_key_can_be_required(shop: Shop) -> None:
    client = shop.client(require_idempotency_key=True)
    assert faults(client.post("/orders/", {"item": "tea"})) == [("Idempotency-Key", "required")]
    made = post(client)
    assert faults(client.patch(made.headers["Location"], {"pieces": 2})) == [("Idempotency-Key", "required")]
    assert client.put(made.headers["Location"], {"item": "tea"}).status_int == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"idempotency": 1}, "must be bool or str or Storage, not 1"),
        ({"idempotency": MemoryStorage}, "must be bool or str or Storage"),
        ({"require_idempotency_key": True}, "needs 'idempotency': True, or a URL"),
        ({"idempotncy": True}, "did you mean 'idempotency'?"),
    ],
)
def test_what_the_options_do_not_take(options: dict[str, Any], said: str) -> None:
    resource = {"resource_name": "orders", "model": Order, **local("list", Path())}
    with pytest.raises(ConfigurationError) as caught:
        make_controller(resource, {"options": options})
    assert said in str(caught.value)


def test_a_store_without_a_place_for_keys_is_given_one(tmp_path: Path) -> None:
    shop = Shop("remote", local("remote", tmp_path))
    shop.option = True
    for memory in ("memory://", "memory://?multiprocess=allow"):
        with pytest.raises(ConfigurationError, match="RemoteDataStore has no place for keys"):
            serve(shop.controller(), storage=memory)
    shared = Remembering()
    client = serve(shop.controller(), storage=shared)
    replayed(post(client), post(client))
    assert [key.startswith("rest_kit:idempotency:") for key in shared.keys] == [True]


def test_keys_in_memory_are_refused_behind_several_processes(tmp_path: Path) -> None:
    shop = Shop("remote", local("remote", tmp_path))
    for memory in ("memory://", "memory://?multiprocess=allow"):
        shop.option = memory
        reply = post(shop.client(), environ={"wsgi.multiprocess": True})
        assert "keep them at a URL" in problem(reply, 503, "unavailable")["detail"]


def test_keys_beside_a_list_are_refused_behind_several_processes(tmp_path: Path) -> None:
    shop = Shop("list", local("list", tmp_path))
    ran: list[Any] = []

    def pay(self: Controller, request: Request) -> dict[str, Any]:
        ran.append(request.id)
        return {}

    base = type("Paying", (Controller,), {"pay": action(detail=False, methods=["POST"])(pay)})
    several = {"wsgi.multiprocess": True}
    for resource in ({}, {"options": {"multiprocess": "allow"}}):
        shop.resource = {**shop.resource, **resource}
        client = shop.client(base)
        reply = client.post("/orders/pay/", Idempotency_Key=KEY, environ=several)
        assert "the keys at a URL" in problem(reply, 503, "unavailable")["detail"]
        assert post(client, environ=several).status_int == 503
    assert ran == []
    assert client.post("/orders/pay/", environ=several).status_int == 200
    shop.option = Remembering()
    shop.option.in_process = False
    replayed(*(shop.client(base).post("/orders/pay/", Idempotency_Key=KEY, environ=several) for _ in range(2)))


def test_a_storage_may_be_named_for_a_store_that_keeps_keys_itself(tmp_path: Path) -> None:
    shop = Shop("sqlite", local("sqlite", tmp_path))
    shop.option = Remembering()
    client = shop.client()
    replayed(post(client), post(client))
    assert len(shop.option.keys) == 1


# --- verbs and actions of the controller's own ------------------------------------------------------------------------


class Ordering(Controller):
    """Takes orders by an action too, which leaves it to the verb."""

    @action(detail=False, methods=["POST"])
    def order(self, request: Request) -> Any:
        return self.post_list(request)


def test_an_action_that_hands_on_to_a_verb_is_carried_out_once(shop: Shop) -> None:
    client = shop.client(Ordering)
    first, again = (client.post("/orders/order/", {"item": "tea"}, Idempotency_Key=KEY) for _ in range(2))
    replayed(first, again)
    assert client.values("/orders/", "item") == ["tea"]


def test_an_action_that_writes_needs_a_key_where_one_is_required(shop: Shop) -> None:
    client = shop.client(Ordering, require_idempotency_key=True)
    assert faults(client.post("/orders/order/", {"item": "tea"})) == [("Idempotency-Key", "required")]
    assert client.post("/orders/order/", {"item": "tea"}, Idempotency_Key=KEY).status_int == 201


class Counting(Controller):
    """Counts how often its verbs are run, and says so."""

    times: list[int]

    def post_list(self, request: Request) -> Reply:
        status, headers, body = super().post_list(request)
        self.times.append(1)
        return status, [*headers, ("X-Times", str(len(self.times)))], body

    def patch_item(self, request: Request, pk: Any) -> Reply:
        self.times.append(1)
        return "200 OK", [("Content-Type", "text/plain")], b"%d" % len(self.times)


def test_a_verb_of_ones_own_is_carried_out_once(shop: Shop) -> None:
    client = shop.client(type("Counting", (Counting,), {"times": []}))
    first = post(client)
    replayed(first, post(client))
    assert first.headers["X-Times"] == "1"
    path = first.headers["Location"]
    replayed(patch(client, path, {}), patch(client, path, {}))
    assert patch(client, path, {}, key="other").body == b"3"
    assert client.values("/orders/", "item") == ["tea"]


class Dying(Controller):
    """Its process dies when its first order has been written, and before that is told."""

    lives: list[int]

    def post_list(self, request: Request) -> Reply:
        reply = super().post_list(request)
        if self.lives:
            raise SystemExit(self.lives.pop())
        return reply


@several
def test_what_a_verb_of_ones_own_has_written_is_not_written_again_whoever_dies(shop: Shop) -> None:
    client = shop.client(type("Dying", (Dying,), {"lives": [1]}))
    with pytest.raises(SystemExit):
        post(client)
    problem(post(client), 409, "idempotency-key-in-use")
    with later(LEASE_SECONDS + 1):
        assert post(client).status_int == 201
    assert client.values("/orders/", "item") == ["tea"]


# --- headers, and replies that fail -----------------------------------------------------------------------------------


class Telling(Controller):
    """Puts headers into its replies as it goes, and answers what it is told to."""

    answers: list[Any]
    ran: list[str]

    def before_create(self, request: Request, record: Any) -> None:
        request.add_headers(("X-Item", record["item"]))

    @action(detail=False, methods=["POST"])
    def pay(self, request: Request) -> Any:
        self.ran.append(request.id)
        request.add_headers(("Set-Cookie", "paid=1"), ("Set-Cookie", "by=ada"))
        return self.answers.pop(0) if self.answers else {}


def telling(shop: Shop, *answers: Any) -> Client:
    return shop.client(type("Telling", (Telling,), {"answers": list(answers), "ran": []}))


def test_headers_are_replayed_that_hooks_and_actions_have_added(shop: Shop) -> None:
    client = telling(shop)
    for path in ("/orders/", "/orders/pay/"):
        replayed(*(client.post(path, {"item": "tea"}, Idempotency_Key=KEY) for _ in range(2)))
    assert post(client).headers.getall("X-Item") == ["tea"]
    assert client.post("/orders/pay/", {"item": "tea"}, Idempotency_Key=KEY).headers.getall("Set-Cookie") == [
        "paid=1",
        "by=ada",
    ]


class Unshowable(JsonResponse):
    """Can show nothing that is called tea."""

    @classmethod
    def render(cls, data: Any) -> bytes:
        if "tea" in str(data):
            raise ValueError("this cannot be shown")
        return super().render(data)


@pytest.mark.parametrize("apart", [False, True], ids=["in the store", "apart"])
def test_a_write_that_cannot_be_shown_is_not_done_twice(shop: Shop, apart: bool) -> None:
    shop.option = Remembering() if apart else shop.option
    view = {"view": {"response_class": Unshowable}}
    client = serve(type("Orders", (shop.controller(),), view))
    problem(post(client), 500, "internal")
    written = isinstance(shop.option, Remembering)
    for _ in range(2):
        problem(post(client), *((409, "idempotency-reply-lost") if written else (500, "internal")))
    assert shop.client().values("/orders/", "item") == (["tea"] if written else [])


def test_an_action_whose_answer_cannot_be_sent_is_not_run_again(shop: Shop) -> None:
    client = telling(shop, object(), ("200 OK", [("X-Total", 5)], b""))
    for key in ("one", "two"):
        problem(client.post("/orders/pay/", Idempotency_Key=key), 500, "internal")
        problem(client.post("/orders/pay/", Idempotency_Key=key), 409, "idempotency-reply-lost")
    again = client.post("/orders/pay/", {}, Idempotency_Key="one")
    problem(again, 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    "reply",
    [("200 OK", [("X-Total", 5)], b""), (200, [], b""), ("200 OK", [], None), ("200 OK", [], [b"a", "b"])],
    ids=["header", "status", "body", "part"],
)
def test_what_is_no_reply_is_not_kept_as_one(shop: Shop, reply: Any) -> None:
    once, work = keeper(shop), Work(reply)
    with pytest.raises(TypeError):
        once.run_once(asking(), work)
    with pytest.raises(ReplyLost):
        once.run_once(asking(), work)
    assert work.times == 1


def test_who_waits_long_is_told_to_wait_longer(shop: Shop) -> None:
    once, start = keeper(shop), float(int(time.time()))

    def told_after(seconds: float) -> int:
        with mock.patch("time.time", return_value=start + seconds), pytest.raises(KeyInUse) as caught:
            once.run_once(asking(), Work())
        assert ("Retry-After", str(caught.value.retry_after)) in problem_of(caught.value, "1")[1]
        return caught.value.retry_after

    with mock.patch("time.time", return_value=start), pytest.raises(SystemExit):
        once.run_once(asking(), Work(SystemExit(1)))
    assert [told_after(seconds) for seconds in (0.5, 10, 100, 200, LEASE_SECONDS - 2)] == [1, 10, 100, 100, 2]


# --- work in several transactions -------------------------------------------------------------------------------------


def keeper(shop: Shop) -> Idempotency:
    """What carries out requests for the shop's orders once."""
    spec = shop.controller().spec_
    assert spec is not None
    given: Any = {"max_body": 100, "required": False}
    found = idempotency_for(shop.option, spec.store, MemoryStorage(), **given)
    assert found is not None
    return found


def asking(body: bytes = b"{}", key: str | None = KEY) -> Request:
    """A request as an action has it."""
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/orders/1/ship/", "wsgi.input": io.BytesIO(body)}
    environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"}
    return Request(environ if key is None else {**environ, "HTTP_IDEMPOTENCY_KEY": key})


class Work:
    """Something that is to be done once, and counts how often it is."""

    def __init__(self, *outcomes: Reply | BaseException) -> None:
        self.outcomes = list(outcomes)
        self.times = 0

    def __call__(self) -> Reply:
        self.times += 1
        outcome = self.outcomes.pop(0) if self.outcomes else done(self.times)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def done(number: int) -> Reply:
    return "200 OK", [("Content-Type", "text/plain")], b"done %d" % number


def test_work_is_run_once(shop: Shop) -> None:
    once, work = keeper(shop), Work()
    first = once.run_once(asking(), work)
    status, headers, body = once.run_once(asking(), work)
    assert (status, body) == (first[0], first[2]) == ("200 OK", b"done 1")
    assert headers == [*first[1], ("Idempotent-Replayed", "true")]
    assert once.run_once(asking(key=None), work)[2] == b"done 2"
    assert once.run_once(asking(key="other"), work)[2] == b"done 3"


def test_work_finds_the_body_still_there(shop: Shop) -> None:
    request = asking(b'{"to": "Berlin"}')

    def work() -> Reply:
        return "200 OK", [], request.json(100)["to"].encode()

    assert keeper(shop).run_once(request, work)[2] == b"Berlin"


def test_another_body_is_refused_whatever_is_kept(shop: Shop) -> None:
    once = keeper(shop)
    once.run_once(asking(), Work())
    with pytest.raises(KeyReused):
        once.run_once(asking(b"[]"), Work())


@pytest.mark.parametrize(
    "failure",
    [ValueError("a mistake"), StoreUnavailable("away"), ("409 Conflict", [], b""), RemoteTimeout("silent")],
    ids=["mistake", "unavailable", "refusal", "timeout"],
)
def test_work_that_fails_may_be_done_again_and_otherwise(shop: Shop, failure: Any) -> None:
    once, work = keeper(shop), Work(failure)
    if isinstance(failure, Exception):
        with pytest.raises(type(failure)):
            once.run_once(asking(), work)
    else:
        assert once.run_once(asking(), work) == failure
    assert once.run_once(asking(b"[]"), work)[2] == b"done 2"


@pytest.mark.parametrize(
    "failure",
    [OutcomeUnknown("lost"), RemoteTimeout("silent", unsettled=True), SystemExit(1)],
    ids=["commit", "remote", "killed"],
)
def test_work_whose_outcome_nobody_knows_waits_until_its_lease_is_over(shop: Shop, failure: Any) -> None:
    once, work = keeper(shop), Work(failure)
    with pytest.raises(type(failure)):
        once.run_once(asking(), work)
    with pytest.raises(KeyInUse):
        once.run_once(asking(), work)
    with later(LEASE_SECONDS + 1):
        assert once.run_once(asking(), work)[2] == b"done 2"
        assert once.run_once(asking(), work)[2] == b"done 2"


def test_who_comes_while_work_is_running(shop: Shop) -> None:
    once, inner = keeper(shop), Work()

    def work() -> Reply:
        with pytest.raises(KeyInUse):
            once.run_once(asking(), inner)
        return done(1)

    assert once.run_once(asking(), work)[2] == b"done 1"
    assert once.run_once(asking(), inner)[2] == b"done 1"
    assert inner.times == 0


def test_a_body_in_parts_is_kept_whole_and_closed(shop: Shop) -> None:
    closed: list[bool] = []

    class Parts(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    once = keeper(shop)
    for _ in range(2):
        assert once.run_once(asking(), Work(("200 OK", [], Parts([b"one, ", b"two"]))))[2] == b"one, two"
    assert closed == [True]


def test_many_threads_have_one_piece_of_work_done(shop: Shop) -> None:
    once, work = keeper(shop), Work()
    start = threading.Barrier(6)

    def run(_: int) -> bytes | None:
        start.wait(30)
        try:
            return bytes(once.run_once(asking(), work)[2])  # type: ignore[arg-type]
        except KeyInUse:
            return None

    with ThreadPoolExecutor(6) as pool:
        bodies = set(pool.map(run, range(6)))
    assert bodies <= {b"done 1", None}
    assert work.times == 1
