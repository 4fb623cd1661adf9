"""A remote resource as its callers see it: conditions, versions, what is shown and hidden, and how it is declared."""

from __future__ import annotations

import os
from typing import Any

import pytest
from webtest import TestApp

from datastores import PythonListDataStore, RemoteDataStore
from datastores.remote import WSGITransport
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.errors import ConfigurationError, Conflict, RecordNotFound, RemoteError, TooMuchToScan, Unsupported
from rest_kit.models import DateTimeField, DictField, IntegerField, Model, PkField, StringField, StringPkField
from rest_kit.pagination import Pagination
from rest_kit.query import Any as AnyOf
from rest_kit.query import Filter, Order, Page, Query, Search
from rest_kit.store import Tx
from rest_kit.testing.queries_suite import QueryMaker
from rest_kit.testing.store_samples import every_model, every_rows, people, person_model
from rest_kit.testing.store_suite import check, delete, insert, same, update
from tests.remote.support import application

FORWARDED = {"url": "http://behind.test/things/", "dialect": "rest_kit"}


class Recorder:
    """A transport to a WSGI application that notes each request, and lets a test step in before one."""

    def __init__(self, app: Any) -> None:
        self.transport = WSGITransport(app)
        self.sent: list[str] = []
        self.headers: list[Any] = []
        self.before: Any = None

    def send(self, method: str, url: str, headers: Any, body: bytes | None, deadline: Any) -> Any:
        self.sent.append(f"{method} {url.removeprefix('http://behind.test')}")
        self.headers.append(headers)
        if self.before is not None:
            self.before(method)
        return self.transport.send(method, url, headers, body, deadline)


def secret_model() -> Model:
    return Model.of(
        "Secret",
        [
            PkField("id"),
            StringField("name", required=True, max_length=10),
            StringField("pin", write_only=True),
            DictField("more"),
            DateTimeField("changed", auto_now=True),
        ],
    )


def behind(model: Model, rows: Any, **options: Any) -> tuple[RemoteDataStore, Recorder]:
    """A store over an application over these rows."""
    recorder = Recorder(application(PythonListDataStore, rows, model))
    store = RemoteDataStore(FORWARDED, {"transport": recorder, **options})
    store.bind(model)
    return store, recorder


def front(model: Model, rows: Any, **options: Any) -> tuple[TestApp, Recorder]:
    """An application whose only resource is remote."""
    recorder = Recorder(application(PythonListDataStore, rows, model))
    resource = {
        "resource_name": "things",
        "resource": FORWARDED,
        "model": model,
        "datastore": RemoteDataStore,
        "options": {"transport": recorder, **options},
    }
    return TestApp(WSGIDispatcher([type("Front", (Controller,), {"resource": resource})])), recorder


# What is asked


def test_a_list_is_one_request() -> None:
    rows = people(250)
    app, recorder = front(person_model(), rows)
    reply = app.get("/things/?age__gte=2&search=name+3&ordering=-age,name&fields=name&offset=5&count=7")
    matching = [row for row in rows if row["age"] >= 2 and "3" in f"{row['name']} {row['nick'] or ''}"]
    assert reply.json["meta"]["total_count"] == len(matching)
    assert len(reply.json["object_list"]) == 7
    asked = "age__gte=2&search=name%203&ordering=-age%2Cname%2Cid&fields=id%2Cname%2Cnick%2Cage&offset=5&count=8"
    assert recorder.sent == ["GET /schema/things/", f"GET /things/?{asked}"]
    app.get("/things/?count=100")
    assert len(recorder.sent) == 3, "a page as large as the other side's needs no second request"


def test_a_page_behind_a_place_is_asked_for_in_as_many_parts_as_it_has() -> None:
    store, recorder = behind(person_model(), people(30))
    store.ping()
    del recorder.sent[:]

    found = store.find(Query(order=(Order("age"),), page=Page(2, after=(3, 10)), fields=("id",)))
    same([record["id"] for record in found.records], [17, 24])
    assert recorder.sent == [
        "GET /things/?age__eq=3&id__gt=10&ordering=age%2Cid&fields=id%2Cage&offset=0&count=3",
        "GET /things/?age__gt=3&ordering=age%2Cid&fields=id%2Cage&offset=0&count=1",
    ]


def test_what_the_other_side_does_not_offer_is_done_here() -> None:
    app = type(
        "Narrow",
        (Controller,),
        {
            "resource": {
                "resource_name": "things",
                "resource": people(40),
                "datastore": PythonListDataStore,
                "model": person_model(),
            },
            "controller": {
                "options": {"filter_fields": ["name"], "ordering_fields": ["id"], "search_fields": ["name"]}
            },
        },
    )
    recorder = Recorder(WSGIDispatcher([app]))
    store = RemoteDataStore(FORWARDED, {"transport": recorder})
    store.bind(person_model())
    query = Query(where=Filter("age", "eq", 3), search=Search(("n1",), ("name", "nick")), total=True)
    assert [record["id"] for record in store.find(query).records] == [10, 17]
    assert "age" not in recorder.sent[-1]
    assert "search" not in recorder.sent[-1]
    store.find(Query(where=Filter("name", "eq", "name 1"), search=Search(("na",), ("name",)), page=Page(2)))
    assert recorder.sent[-1].endswith("?name__eq=name%201&search=na&ordering=id&offset=0&count=3")


def test_too_much_to_scan_is_a_400_that_says_what_would_help() -> None:
    model = person_model()
    store, _ = behind(model, people(60), scan_limit=30)
    either = AnyOf(Filter("age", "eq", 1), Filter("nick", "eq", "n7"))
    with pytest.raises(TooMuchToScan, match="cannot filter by age and filter by nick"):
        store.find(Query(where=either, total=True))
    assert store.find(Query(where=either, page=Page(2))).more
    assert store.find(Query()).records == people(60), "what is not done here is not limited"


def test_conditions_too_long_for_a_url_are_held_against_the_rows_here() -> None:
    store, recorder = behind(person_model(), people(30))
    found = store.find(Query(where=Filter("name", "in", ("name 1", "x" * 5000)), total=True))
    assert found.total == 3
    assert all(len(target) < 4000 for target in recorder.sent)


# Versions


def test_a_write_relies_on_the_version_that_was_read() -> None:
    rows = people(3)
    store, recorder = behind(person_model(), rows)
    seen: list[int] = []

    def increment(tx: Tx) -> None:
        age = tx.get(1)["age"]
        seen.append(age)
        tx.update(1, {"age": age + 1})

    def interfere(method: str) -> None:
        if method == "PATCH" and len(seen) < 4:
            rows[0]["age"] += 10

    recorder.before = interfere
    store.atomic(increment)
    assert seen == [1, 1, 11, 11], "rehearsed and performed, and once more"
    assert rows[0]["age"] == 12
    assert "If-Match" in recorder.headers[-1]


def test_a_record_read_in_a_list_is_held_to_as_well() -> None:
    rows = people(3)
    store, recorder = behind(person_model(), rows)

    def work(tx: Tx) -> None:
        found = tx.find(Query(where=Filter("id", "eq", 2))).records[0]
        tx.update(2, {"age": found["age"] + 1})

    interfered: list[str] = []

    def interfere(method: str) -> None:
        if method == "PATCH" and not interfered:
            interfered.append(method)
            rows[1]["age"] = 50

    recorder.before = interfere
    store.atomic(work)
    assert rows[1]["age"] == 51


def test_who_never_gets_through_is_told_so() -> None:
    rows = people(1)
    store, recorder = behind(person_model(), rows)

    def interfere(method: str) -> None:
        if method == "PATCH":
            rows[0]["age"] += 1

    recorder.before = interfere
    with pytest.raises(Conflict) as caught:
        store.atomic(lambda tx: tx.update(1, {"name": tx.get(1)["name"] + "!"}))
    assert caught.value.code == "stale"
    assert rows[0]["name"] == "name 1"


def test_if_match_reaches_through_to_the_data() -> None:
    rows = people(2)
    app, recorder = front(person_model(), rows)
    tag = app.get("/things/1/").headers["ETag"]
    app.patch_json("/things/1/", {"age": 70}, headers={"If-Match": tag})
    app.patch_json("/things/1/", {"age": 71}, headers={"If-Match": tag}, status=412)
    tag = app.get("/things/1/").headers["ETag"]

    def interfere(method: str) -> None:
        if method == "PATCH":
            rows[0]["age"] = 5

    recorder.before = interfere
    app.patch_json("/things/1/", {"age": 72}, headers={"If-Match": tag}, status=412)
    assert rows[0]["age"] == 5


def test_without_entity_tags_no_condition_is_taken() -> None:
    app = application(PythonListDataStore, people(2), person_model())
    resource = {
        "resource_name": "things",
        "resource": {**FORWARDED, "dialect": {"like": "rest_kit", "conditional": False}},
        "model": person_model(),
        "datastore": RemoteDataStore,
        "options": {"transport": WSGITransport(app)},
    }
    client = TestApp(WSGIDispatcher([type("Front", (Controller,), {"resource": resource})]))
    tag = client.get("/things/1/").headers["ETag"]
    client.patch_json("/things/1/", {"age": 3}, headers={"If-Match": tag}, status=501)
    assert client.patch_json("/things/1/", {"age": 3}).json["age"] == 3


# Writing


def test_only_what_changes_is_sent_and_what_is_not_shown_stays() -> None:
    rows = [{"id": 1, "name": "a", "pin": "1234", "more": {"a": 1}, "changed": "2026-01-01T00:00:00Z"}]
    app, recorder = front(secret_model(), rows)
    assert "pin" not in app.get("/things/1/").json
    changed = app.put_json("/things/1/", {"name": "b", "more": {"b": 2}}).json
    assert changed["more"] == {"b": 2}
    assert changed["changed"] > "2026-01-02"
    assert rows[0]["pin"] == "1234"
    app.patch_json("/things/1/", {"pin": "5678"})
    assert rows[0]["pin"] == "5678"
    assert app.patch_json("/things/1/", {"name": "b"}).status_int == 200
    assert [target for target in recorder.sent if target.startswith("PATCH")] == ["PATCH /things/1/"] * 2


def test_errors_of_the_other_side_are_told_with_its_pointers() -> None:
    strict = Model.of("Strict", [PkField("id"), StringField("name", required=True, max_length=3, unique=True)])
    loose = Model.of("Loose", [PkField("id"), StringField("name", required=True)])
    recorder = Recorder(application(PythonListDataStore, [{"id": 1, "name": "a"}], strict))
    resource = {
        "resource_name": "things",
        "resource": FORWARDED,
        "model": loose,
        "datastore": RemoteDataStore,
        "options": {"transport": recorder},
    }
    app = TestApp(WSGIDispatcher([type("Front", (Controller,), {"resource": resource})]))
    too_long = {"pointer": "#/name", "code": "max_length", "detail": "must be at most 3 characters long"}
    assert app.post_json("/things/", {"name": "long"}, status=400).json["errors"] == [too_long]
    many = app.post_json("/things/", [{"name": "b"}, {"name": "long"}], status=400).json["errors"]
    assert many == [{**too_long, "pointer": "#/1/name"}]
    taken = app.post_json("/things/", {"name": "a"}, status=409).json["errors"]
    assert [(fault["pointer"], fault["code"]) for fault in taken] == [("#/name", "unique")]
    assert app.patch_json("/things/1/", {"name": "long"}, status=400).json["errors"] == [too_long]
    assert [row["name"] for row in app.get("/things/").json["object_list"]] == ["a"]


def test_several_writes_at_once_are_refused_before_the_first() -> None:
    rows = people(3)
    app, recorder = front(person_model(), rows)
    app.put_json("/things/", [{**row, "age": 9} for row in rows[:2]], status=501)
    app.delete("/things/?age__gte=1", status=501)
    assert rows == people(3)
    assert not [target for target in recorder.sent if not target.startswith("GET")]
    app.delete("/things/?id=2", status=204)
    assert len(rows) == 2
    assert len(app.post_json("/things/", [{"name": "x"}, {"name": "y"}]).json) == 2


def test_a_read_only_store_refuses_to_write() -> None:
    app, _ = front(person_model(), people(1), read_only=True)
    assert app.delete("/things/1/", status=405).headers["Allow"] == "GET, HEAD, OPTIONS"


# The other side misbehaving


def answering(body: bytes, status: str = "200 OK", *headers: tuple[str, str]) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "application/json"), *headers])
        return [body]

    return app


@pytest.mark.parametrize(
    "row", [b"7", b'{"id": 1}', b'{"id": null, "name": "a"}', b'{"id": 1, "name": 5}', b'{"id": 1.5, "name": "a"}']
)
def test_a_row_that_misfits_the_model_is_not_believed(row: bytes) -> None:
    model = Model.of("Named", [PkField("id"), StringField("name", required=True)])
    for dialect, body in (("json-server", b"[" + row + b"]"), ("drf", b'{"results": [' + row + b"]}")):
        store = RemoteDataStore({**FORWARDED, "dialect": dialect}, {"transport": WSGITransport(answering(body))})
        store.bind(model)
        with pytest.raises(RemoteError, match="row 0"):
            store.find(Query())


def test_links_to_another_host_are_not_followed() -> None:
    body = b'{"results": [{"id": 1}], "next": "http://elsewhere.test/things/?page=2"}'
    dialect = {"like": "drf", "offset": None}
    store = RemoteDataStore({**FORWARDED, "dialect": dialect}, {"transport": WSGITransport(answering(body))})
    store.bind(Model.of("Bare", [PkField("id")]))
    with pytest.raises(RemoteError, match="another host"):
        store.find(Query())


def test_a_record_with_another_key_than_asked_for_is_none() -> None:
    model = Model.of("Text", [StringPkField("id")])
    store = RemoteDataStore({**FORWARDED, "dialect": "drf"}, {"transport": WSGITransport(answering(b'{"id": "A"}'))})
    store.bind(model)
    assert store.get("A") == {"id": "A"}
    with pytest.raises(RecordNotFound):
        store.get("a")


# Declaration


def test_a_model_is_read_off_the_schema() -> None:
    store = RemoteDataStore(
        FORWARDED, {"transport": WSGITransport(application(PythonListDataStore, [], secret_model()))}
    )
    fields = store.model.by_name
    assert list(fields) == ["id", "name", "pin", "more", "changed"]
    assert (fields["id"].generated, fields["name"].required, fields["pin"].write_only) == (True, True, True)
    assert fields["changed"].read_only
    [made] = insert(store, [{"name": "x", "pin": "1", "more": None, "changed": None}])
    assert made["id"] == 1
    assert update(store, 1, {"name": "y"})["name"] == "y"
    delete(store, 1)


def test_names_and_keys_may_differ_on_the_other_side() -> None:
    theirs = Model.of("Theirs", [PkField("nr"), StringField("label", required=True), IntegerField("size")])
    ours = Model.of("Ours", [PkField("id"), StringField("name", required=True), IntegerField("size")])
    rows = [{"nr": n, "label": f"l{n}", "size": n % 3} for n in range(1, 9)]
    dialect = {"like": "rest_kit", "names": {"id": "nr", "name": "label"}}
    recorder = Recorder(application(PythonListDataStore, rows, theirs))
    store = RemoteDataStore({**FORWARDED, "dialect": dialect}, {"transport": recorder})
    assert list(store.model.by_name) == ["id", "name", "size"]
    store.bind(ours)
    found = store.find(Query(where=Filter("name", "in", ("l2", "l5")), page=Page(1), total=True))
    same((found.records, found.total, found.more), ([{"id": 2, "name": "l2", "size": 2}], 2, True))
    assert "?label__in=%22l2%22%2C%22l5%22&ordering=nr&" in recorder.sent[-1]
    same(update(store, 2, {"name": "new"}), {"id": 2, "name": "new", "size": 2})
    assert rows[1]["label"] == "new"


def test_lists_without_an_envelope_are_read_by_their_headers() -> None:
    app = type(
        "Bare",
        (Controller,),
        {
            "resource": {
                "resource_name": "things",
                "resource": every_rows(60, seed=2),
                "datastore": PythonListDataStore,
                "model": every_model(),
            },
            "controller": {"options": {"pagination": Pagination(9)}},
            "view": {"options": {"envelope": False}},
        },
    )
    store = RemoteDataStore(FORWARDED, {"transport": WSGITransport(WSGIDispatcher([app])), "timeout": 30})
    store.bind(every_model())
    rows = every_rows(60, seed=2)
    for seed in range(60):
        check(store, every_model(), rows, QueryMaker(seed, every_model(), rows, store).query())


def test_an_update_may_replace_the_whole_object() -> None:
    rows = people(2)
    recorder = Recorder(application(PythonListDataStore, rows, person_model()))
    resource = {**FORWARDED, "dialect": {"like": "rest_kit", "update": "PUT"}}
    store = RemoteDataStore(resource, {"transport": recorder})
    store.bind(person_model())
    same(update(store, 1, {"age": 60}), {**people(1)[0], "age": 60})
    assert recorder.sent[-1] == "PUT /things/1/"
    assert "If-Match" in recorder.headers[-1], "or a change in between would be overwritten"


def test_secrets_are_shown_nowhere() -> None:
    options = {"headers": {"Authorization": "Bearer hunter2"}}
    store = RemoteDataStore(FORWARDED, options)
    assert "hunter2" not in f"{store!r} {store.options!r} {store}"
    for wrong in ({"headers": {"Authorization": "hunter2\r\nX: y"}}, {"headers": "hunter2"}):
        with pytest.raises(ConfigurationError) as caught:
            RemoteDataStore(FORWARDED, wrong)
        assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        RemoteDataStore({"url": "http://user:hunter2@api.test/", "dialect": "rest_kit"})
    assert "hunter2" not in str(caught.value)


def test_headers_go_with_every_request() -> None:
    store, recorder = behind(person_model(), people(1), headers={"X-Key": "k"})
    store.get(1)
    store.ping()
    assert all(headers["X-Key"] == "k" for headers in recorder.headers)


WRONG: list[tuple[Any, Any, str]] = [
    ([], {}, "the resource must be"),
    ({}, {}, "lacks 'url'"),
    ({"url": "http://a/"}, {}, "lacks 'dialect'"),
    ({"url": "ftp://a/", "dialect": "drf"}, {}, "http or https"),
    ({"url": "http:///x", "dialect": "drf"}, {}, "http or https"),
    ({"url": "http://a:x/", "dialect": "drf"}, {}, "no URL"),
    ({"url": "http://a/é", "dialect": "drf"}, {}, "percent-encoded"),
    ({"url": "http://a/#b", "dialect": "drf"}, {}, "without a fragment"),
    ({"url": "http://a/", "dialect": "dfr"}, {}, "did you mean 'drf'"),
    ({"url": "http://a/", "dialect": {"opertors": {}}}, {}, "did you mean 'operators'"),
    ({"url": "http://a/", "dialect": {"like": "x"}}, {}, "no dialect 'x'"),
    ({"url": "http://a/", "dialect": {"operators": {"eqq": "a"}}}, {}, "did you mean 'eq'"),
    ({"url": "http://a/", "dialect": {"update": "POST"}}, {}, "'PATCH' or 'PUT'"),
    ({"url": "http://a/", "dialect": {"page": "p"}}, {}, "need 'page_size'"),
    (FORWARDED, {"timeuot": 1}, "did you mean 'timeout'"),
    (FORWARDED, {"timeout": 0}, "more than 0"),
    (FORWARDED, {"concurrency": 0}, "at least 1"),
    (FORWARDED, {"events": True}, "must be False"),
    (FORWARDED, {"breaker": {"failures": 0}}, "at least 1 failure"),
    (FORWARDED, {"breaker": {"fail": 1}}, "did you mean 'failures'"),
    (FORWARDED, {"transport": 5}, "method 'send'"),
    (FORWARDED, {"headers": {"A:B": "x"}}, "no name of a header"),
]


@pytest.mark.parametrize(("resource", "options", "said"), WRONG)
def test_mistakes_are_named_when_the_store_is_made(resource: Any, options: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RemoteDataStore(resource, options)
    assert said in str(caught.value)


def test_a_model_without_a_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no primary key"):
        RemoteDataStore(FORWARDED).bind(Model.of("Keyless", [StringField("name")]))


def test_each_process_has_a_client_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = behind(person_model(), people(1))
    first = store._client()
    assert store._client() is first
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert store._client() is not first
    assert store.get(1)["id"] == 1


def test_a_generated_key_cannot_be_brought() -> None:
    store, recorder = behind(person_model(), [])
    with pytest.raises(Unsupported, match="makes id itself"):
        insert(store, people(1))
    assert not [target for target in recorder.sent if target.startswith("POST")]
