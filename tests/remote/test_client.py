"""The parts that stand between a store and the network, each by itself: clocks, dice and replies are the test's own."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from datastores.remote import Deadline, Reply, TransportError, TransportTimeout
from datastores.remote.address import Address
from datastores.remote.client import Client, Limits, Request, retry_after
from datastores.remote.transport import NotSent
from rest_kit.breaker import Breaker
from rest_kit.errors import RecordNotFound, RemoteError, RemoteTimeout, StoreUnavailable
from rest_kit.problems import problem

URL = "http://api.test/people/"


class Script:
    """A transport that plays prepared replies, and notes what it was sent."""

    def __init__(self, *replies: int | Reply | Exception) -> None:
        self.replies = list(replies)
        self.sent: list[tuple[str, str, Mapping[str, str]]] = []

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: Deadline) -> Reply:
        self.sent.append((method, url, headers))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, Reply) else Reply(reply, {}, b"")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def client(script: Script, **limits: Any) -> tuple[Client, list[float]]:
    waited: list[float] = []
    made = Client(
        script,
        Address(URL),
        {"Authorization": "Token secret"},
        Limits(**limits),
        Breaker(100),
        wait=waited.append,
        dice=lambda: 0.5,
    )
    return made, waited


def call(made: Client, method: str = "GET", url: str = URL, **headers: str) -> Reply:
    return made.call(Request(method, url, headers), made.deadline())


@pytest.mark.parametrize("failure", [502, 503, 504, TransportError("cut")])
def test_what_can_be_repeated_is_tried_again_with_growing_pauses(failure: Any) -> None:
    for method in ("GET", "PUT", "DELETE"):
        script = Script(failure, failure, 200)
        made, waited = client(script)
        assert call(made, method).status == 200
        assert waited == [pytest.approx(0.1), pytest.approx(0.2)]


@pytest.mark.parametrize(("method", "headers"), [("POST", {}), ("PATCH", {}), ("PUT", {"If-Match": '"1"'})])
def test_what_cannot_be_repeated_is_sent_once(method: str, headers: dict[str, str]) -> None:
    for failure in (503, TransportError("cut")):
        script = Script(failure, 200)
        with pytest.raises(RemoteError):
            call(client(script)[0], method, **headers)
        assert len(script.sent) == 1


@pytest.mark.parametrize("failure", [TransportError("cut"), TransportTimeout("slow")])
def test_a_write_without_a_reply_may_have_been_done(failure: Exception) -> None:
    for method, unsettled in (("POST", True), ("GET", False)):
        with pytest.raises(RemoteError) as caught:
            call(client(Script(failure, failure, failure))[0], method)
        assert caught.value.unsettled is unsettled
        detail = json.loads(problem(caught.value, "id")[2])["detail"]
        assert ("read before you repeat it" in detail) is unsettled
    with pytest.raises(RemoteError) as caught:
        call(client(Script(NotSent("nobody there")))[0], "POST")
    assert not caught.value.unsettled


def test_nothing_is_tried_again_when_the_time_is_over_or_the_failure_will_last() -> None:
    for failure, error in ((500, RemoteError), (TransportTimeout("slow"), RemoteTimeout)):
        script = Script(failure, 200)
        with pytest.raises(error):
            call(client(script)[0])
        assert len(script.sent) == 1
    script = Script(503, 200)
    with pytest.raises(RemoteError):
        call(client(script, timeout=0.05)[0])


def test_a_delete_whose_reply_was_lost_has_been_done() -> None:
    assert call(client(Script(TransportError("cut"), 404))[0], "DELETE").status == 204
    assert call(client(Script(404))[0], "DELETE").status == 404


def moved(location: str, status: int = 302) -> Reply:
    return Reply(status, {"location": location}, b"")


def test_redirects_are_followed_on_the_same_host_alone() -> None:
    script = Script(moved("/people/2/"), moved("?x=1"), 200)
    assert call(client(script)[0]).status == 200
    assert [url for _, url, _ in script.sent] == [URL, "http://api.test/people/2/", "http://api.test/people/2/?x=1"]
    with pytest.raises(RemoteError, match="more than 3 times"):
        call(client(Script(*[moved("/a/")] * 9))[0])
    for away in ("http://other.test/", "https://api.test/", "//other.test/", "http://api.test:81/", "http://a:b:c/"):
        script = Script(moved(away), 200)
        with pytest.raises(RemoteError, match="another host"):
            call(client(script)[0])
        assert len(script.sent) == 1, "the secret went elsewhere"
    with pytest.raises(RemoteError, match="correct the resource's url"):
        call(client(Script(moved("/people/", 308)))[0], "POST")


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, RemoteError), (403, RemoteError), (500, RemoteError), (304, RemoteError), (429, StoreUnavailable)],
)
def test_statuses_that_are_not_about_the_records(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        call(client(Script(status))[0])
    assert type(caught.value) is error
    assert "secret" not in str(caught.value)


def test_retry_after_as_seconds_and_as_a_date() -> None:
    date = email.utils.formatdate(time.time() + 90, usegmt=True)
    given = {"17": 17, " 5 ": 5, "": None, "-1": None, "soon": None, "9" * 30: 86_400, date: 90}
    for text, seconds in given.items():
        found = retry_after(Reply(429, {"retry-after": text}, b""))
        assert found == seconds or (text == date and found in (88, 89, 90)), text


def test_a_reply_larger_than_the_limit_is_refused_whoever_brings_it() -> None:
    with pytest.raises(RemoteError, match="larger than 10 bytes"):
        call(client(Script(Reply(200, {}, b"x" * 11)), max_size=10)[0])


def test_the_breaker_lets_one_probe_through() -> None:
    clock = Clock()
    breaker = Breaker(failures=2, reset=30, clock=clock)
    for _ in range(2):
        breaker.enter()
        breaker.leave(well=False)
    with pytest.raises(StoreUnavailable) as refused:
        breaker.enter()
    assert refused.value.retry_after == 30
    clock.now = 30.5
    breaker.enter()
    with pytest.raises(StoreUnavailable):
        breaker.enter()
    breaker.leave(well=False)
    clock.now = 45
    with pytest.raises(StoreUnavailable) as refused:
        breaker.enter()
    assert refused.value.retry_after == 16
    clock.now = 61
    breaker.enter()
    breaker.leave(well=True)
    for _ in range(3):
        breaker.enter()


def test_failures_count_only_in_a_row() -> None:
    breaker = Breaker(failures=2, reset=30)
    for well in (False, True, False, True, False):
        breaker.enter()
        breaker.leave(well=well)
    breaker.enter()


KEYS = ("a/b", "../x", "%2F", "?", "a?b=c", "#", "a b", "é", "..%2f..", ";", "x\r\nHost: evil", "\\", "+", "&", "...")


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_one_segment_whatever_is_in_it(key: str) -> None:
    for url in (URL, "http://api.test/people", "http://api.test/people/?token=1"):
        found = Address(url).item(key, key, [])
        path = found.partition("?")[0].removeprefix("http://api.test/people/").removesuffix("/")
        assert path
        assert not set(path) & set("/?#&;+\\ \r\n")
        assert found.endswith("?token=1") == url.endswith("?token=1")


@pytest.mark.parametrize("key", ["", ".", ".."])
def test_a_key_that_no_segment_can_hold_names_nothing(key: str) -> None:
    with pytest.raises(RecordNotFound):
        Address(URL).item(key, key, [])
