"""Guessing passwords is limited before a password is looked at, exactly, and nobody else pays for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rest_kit.errors import AuthenticationFailed, StoreUnavailable
from rest_kit.models import IntForeign, Model, PkField
from rest_kit.permissions import IsAuthenticated
from rest_kit.request import Request
from rest_kit.storage import Window
from rest_kit.throttling import AddressRateThrottle, AnonRateThrottle, RateThrottle, UserRateThrottle
from rest_kit.users import User
from tests.http.support import over_list, serve
from tests.throttling.support import Passwords, Site

GOOD, WRONG = {"Authorization": "ada:secret"}, {"Authorization": "ada:guess"}


@pytest.mark.parametrize("throttle", [AnonRateThrottle("5/min"), UserRateThrottle("5/min")], ids=repr)
def test_so_many_guesses_and_no_more(throttle: RateThrottle) -> None:
    passwords = Passwords()
    site = Site(throttle, authentication=passwords)
    assert site.statuses(8, **WRONG) == [401] * 5 + [429] * 3
    assert passwords.looked == 5
    assert site.statuses(1, **GOOD) == [429], "a right guess is not told from a wrong one"
    assert passwords.looked == 5
    assert site.statuses(1, address="192.0.2.2", **GOOD) == [200], "others are not concerned"
    assert site.statuses(1) == [200], "nor are requests without credentials"
    site.wait(60)
    assert site.statuses(2, **WRONG) == [401] * 2
    assert site.statuses(9, **GOOD)[:5] == [200] * 5, "good credentials use up nothing"
    assert site.statuses(3, **WRONG) == [401] * 3
    assert site.statuses(1, **WRONG) == [429]


def test_an_address_is_counted_whoever_calls() -> None:
    passwords = Passwords()
    site = Site(AddressRateThrottle("5/min"), authentication=passwords)
    assert site.statuses(8, **WRONG) == [401] * 5 + [429] * 3
    assert passwords.looked == 5


class SlowPasswords(Passwords):
    """Looks at a password for as long as another one comes, up to a while."""

    def __init__(self) -> None:
        super().__init__()
        self.busy = self.most = 0
        self.go = threading.Event()

    def check_password(self, password: str) -> None:
        with self._lock:
            self.busy += 1
            self.most = max(self.most, self.busy)
        self.go.wait(0.05)
        with self._lock:
            self.busy -= 1
        super().check_password(password)


def test_many_guesses_at_once_are_no_more() -> None:
    passwords = SlowPasswords()
    site = Site(AnonRateThrottle("3/min"), authentication=passwords)
    with ThreadPoolExecutor(12) as pool:
        found = sorted(status for some in pool.map(lambda _: site.statuses(1, **WRONG), range(12)) for status in some)
    assert found == [401] * 3 + [429] * 9
    assert passwords.looked == 3


def test_many_who_are_welcome_wait_for_each_other_and_all_come_in() -> None:
    passwords = SlowPasswords()
    site = Site(AnonRateThrottle("3/min"), authentication=passwords)
    with ThreadPoolExecutor(12) as pool:
        found = [status for some in pool.map(lambda _: site.statuses(1, **GOOD), range(12)) for status in some]
    assert found == [200] * 12
    assert passwords.most <= 3, "no more than could be wrong are looked at at once"


def test_credentials_that_could_not_be_checked_were_no_guess() -> None:
    class Down(Passwords):
        def check_password(self, password: str) -> None:
            raise StoreUnavailable("the users are away")

    site = Site(AnonRateThrottle("2/min"), authentication=Down())
    assert site.statuses(5, **GOOD) == [503] * 5


def test_what_is_counted_for_some_requests_alone_guards_them_alone() -> None:
    passwords = Passwords()
    site = Site(AnonRateThrottle("1/min", actions=["list"]), authentication=passwords)
    assert site.statuses(2, "/things/", **WRONG) == [401, 429]
    assert site.statuses(3, **WRONG) == [401] * 3


def test_credentials_in_a_place_that_is_not_declared_are_not_looked_at_either() -> None:
    class InTheQuery(Passwords):
        def authenticate(self, request: Request) -> tuple[User, Any] | None:
            self.looked += 1
            if "secret" in request.query_string:
                return User("ada"), None
            if "guess" in request.query_string:
                raise AuthenticationFailed("wrong")
            return None

    passwords = InTheQuery()
    site = Site(AnonRateThrottle("2/min"), authentication=passwords, arguments={"permissions": IsAuthenticated()})
    assert site.statuses(4, "/things/1/?guess") == [401] * 2 + [401, 401]
    assert site.statuses(1, "/things/1/?secret") == [429], "an anonymous caller by now, as any other"
    assert passwords.looked == 2


def test_guessing_through_another_resource_is_limited_too() -> None:
    class Book(Model):
        fields = (PkField(name="id"), IntForeign(name="author", resource="authors"))

    passwords = Passwords()
    options = {"authentication": passwords, "throttle": AnonRateThrottle("3/min"), "permissions": IsAuthenticated()}
    authors = over_list([{"id": 1}], resource={"resource_name": "authors"}, controller={"options": options})
    books = over_list([{"id": 1, "author": 1}], model=Book, resource={"resource_name": "books"})
    client = serve(authors, books)
    guesses = [client.get("/books/1/?expand=author", **WRONG).status_int for _ in range(5)]
    assert guesses == [401] * 3 + [429] * 2
    assert passwords.looked == 3
    assert client.get("/authors/1/", **GOOD).status_int == 429
    assert client.get("/books/1/", **GOOD).status_int == 200
    assert client.get("/books/1/?expand=author", environ={"REMOTE_ADDR": "192.0.2.9"}, **GOOD).status_int == 200


class Named(AnonRateThrottle):
    """Counts guesses under a name of its own."""

    def guesses(self, request: Request, view: Any) -> tuple[Window, ...]:
        return (Window(f"held {request.address}", 2, 60),)


def test_a_count_may_be_named_as_it_likes() -> None:
    site = Site(Named("100/min"), authentication=Passwords())
    assert site.statuses(4, **WRONG) == [401, 401, 429, 429]


def test_what_is_counted_for_a_scope_is_never_counted_as_somebodys_guesses() -> None:
    site = Site(
        AnonRateThrottle("2/min", scope="failed", actions=["retrieve"]),
        AnonRateThrottle("2/min", scope="retrieve"),
        authentication=Passwords(),
    )
    assert site.statuses(2) == [200] * 2
    assert site.statuses(1, **WRONG) == [401]
