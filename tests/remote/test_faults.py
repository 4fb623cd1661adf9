"""Whatever the API behind does, a caller gets the mapped status in time, and nothing is sent twice that must not be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from webtest import TestApp

from datastores import PythonListDataStore, RemoteDataStore
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import IntegerField, Model, PkField, StringField
from tests.remote.faulty import FAULTS, Faulty, faulty_server

TIMEOUT = 0.5
GRACE = 0.6
OPTIONS = {"timeout": TIMEOUT, "max_size": 1_000_000, "retries": 1, "breaker": {"failures": 1000, "reset": 60}}
STATUSES = {
    504: ["silent", "mute", "slow-body", "slow-head", "slow-chunks"],
    502: [
        *("endless", "huge", "hangs-up", "cut", "cut-chunks", "no-http", "error", "unavailable", "html", "bad-json"),
        *(
            "not-a-list",
            "misfit",
            "compressed",
            "loop",
            "elsewhere",
            "unknown-user",
            "forbidden",
            "links-away",
            "moody",
        ),
    ],
    503: ["too-often"],
}
CASES = [(fault, status) for status, faults in STATUSES.items() for fault in faults]
LIST_ONLY = ("not-a-list", "misfit", "links-away")


@pytest.fixture(scope="module")
def server() -> Iterator[Faulty]:
    with faulty_server() as server:
        yield server


def person_model() -> Model:
    return Model.of("Person", [PkField("id"), StringField("name", required=True), IntegerField("age")])


def client(url: str, **options: Any) -> TestApp:
    """An application with the remote resource, and a list beside it."""
    remote = {
        "resource_name": "people",
        "resource": {"url": url, "dialect": "rest_kit"},
        "model": person_model(),
        "datastore": RemoteDataStore,
        "options": {**OPTIONS, **options},
    }
    local = {
        "resource_name": "local",
        "resource": [{"id": 1, "name": "here", "age": None}],
        "model": person_model(),
        "datastore": PythonListDataStore,
    }
    return TestApp(WSGIDispatcher([type("Remote", (Controller,), {"resource": r}) for r in (remote, local)]))


def timed(app: TestApp, method: str, path: str, **more: Any) -> tuple[Any, float]:
    began = time.monotonic()
    answer = app.request(path, method=method, expect_errors=True, **more)
    return answer, time.monotonic() - began


def test_every_fault_has_a_case() -> None:
    assert {fault for fault, _ in CASES} == set(FAULTS) - {"kept", "dropped"}


@pytest.mark.parametrize(("fault", "status"), CASES)
def test_reading_a_list(server: Faulty, fault: str, status: int) -> None:
    answer, took = timed(client(server.url(fault)), "GET", "/people/?fields=name")
    assert answer.status_int == status, answer.text
    assert took < TIMEOUT + GRACE
    assert answer.content_type == "application/problem+json"
    for secret in ("127.0.0", "Traceback", "secret", "Error", "socket"):
        assert secret not in answer.text


@pytest.mark.parametrize(("fault", "status"), [case for case in CASES if case[0] not in LIST_ONLY])
def test_reading_an_item(server: Faulty, fault: str, status: int) -> None:
    answer, took = timed(client(server.url(fault)), "GET", "/people/1/")
    assert answer.status_int == status, answer.text
    assert took < TIMEOUT + GRACE


@pytest.mark.parametrize(("fault", "status"), [case for case in CASES if case[0] not in (*LIST_ONLY, "mute")])
def test_a_post_is_sent_once_whatever_happens(server: Faulty, fault: str, status: int) -> None:
    before = server.asked["POST", fault]
    answer, took = timed(
        client(server.url(fault), retries=5),
        "POST",
        "/people/",
        body=b'{"name": "x"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_int == status, answer.text
    assert took < TIMEOUT + GRACE
    assert server.asked["POST", fault] == before + 1


@pytest.mark.parametrize(("fault", "tries"), [("hangs-up", 3), ("unavailable", 3), ("error", 1), ("too-often", 1)])
def test_reads_are_tried_again_where_that_may_help(server: Faulty, fault: str, tries: int) -> None:
    before = server.asked["GET", fault]
    timed(client(server.url(fault), retries=2, timeout=5), "GET", "/people/")
    assert server.asked["GET", fault] == before + tries


def test_the_time_to_try_again_is_passed_on(server: Faulty) -> None:
    assert client(server.url("too-often")).get("/people/", status=503).headers["Retry-After"] == "17"
    assert client(server.url("unavailable")).get("/people/", status=502).headers["Retry-After"] == "7"


def test_a_remote_that_is_not_there_is_502_and_the_app_starts_all_the_same() -> None:
    app = client("http://127.0.0.1:9/people/")
    assert app.get("/local/1/").json["name"] == "here"
    app.get("/people/", status=502)
    assert app.get("/readyz", status=503).json["detail"] == "not ready: people"


def test_the_breaker_opens_and_heals(server: Faulty) -> None:
    server.well.clear()
    app = client(server.url("moody"), breaker={"failures": 3, "reset": 0.2})
    for _ in range(3):
        app.get("/people/", status=502)
    asked = server.asked["GET", "moody"]
    refused = app.get("/people/", status=503)
    assert refused.headers["Retry-After"] == "1"
    assert server.asked["GET", "moody"] == asked, "an open breaker let a call through"
    server.well.set()
    limit = time.monotonic() + 5
    while app.get("/people/", expect_errors=True).status_int != 200:
        assert time.monotonic() < limit


def test_connections_are_kept(server: Faulty) -> None:
    app = client(server.url("kept"))
    for _ in range(4):
        app.get("/people/")
    assert (server.asked["GET", "kept"], server.asked["again", "kept"]) == (1, 3)


def test_a_kept_connection_that_was_closed_meanwhile_does_no_harm(server: Faulty) -> None:
    app = client(server.url("dropped"))
    for number in range(1, 4):
        app.get("/people/")
        assert server.asked["GET", "dropped"] == number


def test_a_first_use_that_hangs_holds_nobody_else_up(server: Faulty) -> None:
    app = client(server.url("mute"), concurrency=1, timeout=1.0)
    while server.arrived.acquire(blocking=False):
        pass
    first = threading.Thread(target=app.get, args=("/people/",), kwargs={"status": 504})
    first.start()
    assert server.arrived.acquire(timeout=5)
    refused, took = timed(app, "GET", "/people/")
    assert refused.status_int == 503
    assert took < 0.2
    first.join(10)


def test_local_resources_go_on_while_the_remote_hangs(server: Faulty) -> None:
    app = client(server.url("silent"), concurrency=2, timeout=1.0)
    while server.arrived.acquire(blocking=False):
        pass
    threads = [threading.Thread(target=app.get, args=("/people/",), kwargs={"expect_errors": True}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert server.arrived.acquire(timeout=5)
    refused, took = timed(app, "GET", "/people/")
    assert refused.status_int == 503
    assert took < 0.2, "a call beyond the cap had to wait"
    times = sorted(timed(app, "GET", "/local/1/")[1] for _ in range(300))
    assert times[int(len(times) * 0.99)] < 0.05
    for thread in threads:
        thread.join(10)
    assert server.asked["GET", "silent"] >= 2
