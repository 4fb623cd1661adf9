"""What the tests of throttles share: callers with headers for credentials, and a clock that is moved by hand."""

from __future__ import annotations

import threading
from typing import Any

from rest_kit.authentication import Authentication
from rest_kit.errors import AuthenticationFailed
from rest_kit.request import Request
from rest_kit.storage import MemoryStorage
from rest_kit.testing.storage_suite import SECOND, Hand
from rest_kit.users import User
from tests.http.support import Client, over_list, serve

ROWS = [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]


class Passwords(Authentication):
    """Knows `Authorization: NAME:secret`, and counts how often it was asked to look at a password."""

    challenge = 'Basic realm="api"'

    def __init__(self) -> None:
        self.looked = 0
        self._lock = threading.Lock()

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        sent = request.header("AUTHORIZATION")
        if sent is None:
            return None
        with self._lock:
            self.looked += 1
        name, _, password = sent.partition(":")
        self.check_password(password)
        return User(name), sent

    def check_password(self, password: str) -> None:
        """AuthenticationFailed for a wrong one."""
        if password != "secret":
            raise AuthenticationFailed("wrong password")


class Site:
    """An API over a list, with a clock that stands still until it is moved."""

    def __init__(self, *throttles: Any, authentication: Any = None, **more: Any) -> None:
        self.clock = Hand()
        self.storage = MemoryStorage(clock=self.clock)
        options: dict[str, Any] = {"throttle": list(throttles)}
        if authentication is not None:
            options["authentication"] = authentication
        arguments = {"storage": self.storage, **more.pop("arguments", {})}
        self.client: Client = serve(over_list(ROWS, controller={"options": options}, **more), **arguments)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.clock.now += int(seconds * SECOND)

    def statuses(
        self, times: int, path: str = "/things/1/", *, address: str = "192.0.2.1", **headers: str
    ) -> list[int]:
        """What so many requests in a row are answered."""
        return [self.client.get(path, environ={"REMOTE_ADDR": address}, **headers).status_int for _ in range(times)]
