"""Credentials that nobody can guess: looked at first, and counted among the failures where they are not good."""

from __future__ import annotations

from typing import Any

from webtest import TestApp

from datastores import PythonListDataStore
from rest_kit.authentication import TokenAuthentication, Tokens
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.storage import Count, MemoryStorage, Window
from rest_kit.throttling import AnonRateThrottle


class Noted(MemoryStorage):
    """A storage that remembers how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def hit(self, windows: Any, back: Any = ()) -> tuple[bool, list[Count]]:
        self.asked += 1
        return super().hit(windows, back)


class NoteApp(Controller):
    """Something to read."""

    resource = {"resource_name": "notes", "resource": [{"id": 1}], "datastore": PythonListDataStore}


def application(storage: MemoryStorage) -> tuple[TestApp, str]:
    tokens = Tokens(PythonListDataStore([]))
    app = WSGIDispatcher(
        [NoteApp],
        authentication=TokenAuthentication(tokens),
        throttle=AnonRateThrottle("3/min"),
        storage=storage,
    )
    return TestApp(app), tokens.create("ada").key


def test_good_tokens_are_not_counted_before_they_are_looked_at() -> None:
    storage = Noted()
    client, key = application(storage)
    for _ in range(5):
        client.get("/notes/1/", headers={"Authorization": f"Token {key}"})
    assert storage.asked == 0


def test_bad_tokens_are_refused_and_from_some_number_on_counted_out() -> None:
    client, key = application(MemoryStorage())
    tried = [
        client.get("/notes/1/", headers={"Authorization": f"Token {number:040x}"}, expect_errors=True)
        for number in range(5)
    ]
    assert [reply.status_int for reply in tried] == [401, 401, 401, 429, 429]
    assert "Retry-After" in tried[-1].headers
    assert client.get("/notes/1/", headers={"Authorization": f"Token {key}"}).status_int == 200


def test_what_is_counted_afterwards_counts_by_address() -> None:
    storage = MemoryStorage()
    client, _ = application(storage)
    for number in range(4):
        client.get("/notes/1/", headers={"Authorization": f"Token {number:040x}"}, expect_errors=True)
    other = client.get(
        "/notes/1/",
        headers={"Authorization": f"Token {7:040x}"},
        extra_environ={"REMOTE_ADDR": "192.0.2.7"},
        expect_errors=True,
    )
    assert other.status_int == 401
    assert storage.hit([Window("unrelated", 1, 60)])[0]
