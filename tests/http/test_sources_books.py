"""The API for books of a tutorial on REST: prices that are positive, the newest books, owners, tokens, sessions.

What the tutorial does with JSON Web Tokens, background tasks, uploads and CORS is `examples/login.py`.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from webtest import TestResponse

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.authentication import SessionAuthentication, TokenAuthentication, Tokens, Users
from rest_kit.controllers import Controller, WSGIDispatcher, action
from rest_kit.errors import ValidationError
from rest_kit.pagination import PageNumberPagination
from rest_kit.permissions import SAFE_METHODS, IsAuthenticated, IsOwnerOrReadOnly, Permission
from rest_kit.throttling import AnonRateThrottle, UserRateThrottle
from tests.auth.support import PASSWORD, SECRET
from tests.auth.support import rows as user_rows
from tests.http.support import ABSENT, Client, Storage, faults, problem

ADA, BOB = 1, 2


def positive(price: Decimal) -> None:
    if price <= 0:
        raise ValidationError("Price must be positive")


class Book(models.Model):
    fields = [
        models.PkField("id"),
        models.StringField("title", required=True, max_length=200),
        models.StringField("author", required=True, max_length=100),
        models.StringField("isbn", max_length=13, unique=True),
        models.DateField("published_date", required=True),
        models.DecimalField("price", digits=6, places=2, required=True, validate=positive),
        models.IntegerField("owner", read_only=True),
    ]


def books(count: int = 7) -> list[dict[str, Any]]:
    """Books of Ada's, each a year younger than the one before."""
    return [
        {
            "id": pk,
            "title": f"Book {pk}",
            "author": "Tolkien" if pk % 2 else "Le Guin",
            "isbn": f"{pk:013}",
            "published_date": datetime.date(1960 + pk, 5, 1),
            "price": Decimal("9.90"),
            "owner": ADA,
        }
        for pk in range(1, count + 1)
    ]


class BookActions(Controller):
    """The tutorial's action, for any store."""

    @action(detail=False, methods=["get"])
    def recent(self, request):  # type: ignore[no-untyped-def]
        """The five newest."""
        return self.find(request, ordering="-published_date", count=5)


class OwnerWrites(Permission):
    """The tutorial's own class, in its own words."""

    def has_object_permission(self, request, view, obj):  # type: ignore[no-untyped-def]
        if request.method in SAFE_METHODS:
            return True
        return obj.owner == request.user


class Shop:
    """The tutorial's API over one kind of store: everybody logs in, by token or with a session."""

    def __init__(self, storage: Storage, **options: Any) -> None:
        place = {"resource": storage.filled(Book, books()), "datastore": storage.store_class}

        class BookApp(BookActions):
            resource = {"resource_name": "books", "model": Book, **place}
            controller = {"options": {"pagination": PageNumberPagination(10), **options}}

        class AuthorApp(Controller):
            resource = {"resource_name": "authors", "resource": [{"id": 1}], "datastore": PythonListDataStore}

        users = Users(PythonListDataStore(user_rows()))
        session = SessionAuthentication(users)
        self.tokens = Tokens(PythonListDataStore([]), users)
        app = WSGIDispatcher(
            [BookApp, AuthorApp],
            prefix="/api",
            authentication=[TokenAuthentication(self.tokens), session],
            permissions=[IsAuthenticated()],
            throttle=[AnonRateThrottle("100/day"), UserRateThrottle("1000/day")],
            routes=session.routes(),
            secret=SECRET,
        )
        self.client = Client(app)

    def ask(self, user: int | None, method: str, path: str, json: Any = ABSENT) -> TestResponse:
        """A request of somebody, with a token; of nobody, without."""
        header = {} if user is None else {"Authorization": f"Token {self.tokens.create(user).key}"}
        return self.client.ask(method, path, json, **header)


@pytest.fixture
def shop(storage: Storage) -> Shop:
    return Shop(storage)


NEW = {"title": "The Hobbit", "author": "Tolkien", "published_date": "1937-09-21", "price": "12.50"}


# --- the resource -----------------------------------------------------------------------------------------------------


def test_the_seven_endpoints(shop: Shop) -> None:
    listed = shop.ask(ADA, "GET", "/api/books/").json
    assert (listed["meta"]["total_count"], len(listed["object_list"])) == (7, 7)
    made = shop.ask(ADA, "POST", "/api/books/", NEW)
    assert (made.status_int, made.json["price"], made.headers["Location"]) == (201, "12.50", "/api/books/8/")
    assert shop.ask(ADA, "GET", "/api/books/8/").json == made.json
    replaced = shop.ask(ADA, "PUT", "/api/books/8/", {**NEW, "title": "There and Back Again"})
    assert (replaced.status_int, replaced.json["title"]) == (200, "There and Back Again")
    assert shop.ask(ADA, "PATCH", "/api/books/8/", {"price": "10.00"}).json["price"] == "10.00"
    assert [book["id"] for book in shop.ask(ADA, "GET", "/api/books/recent/").json] == [7, 6, 5, 4, 3]
    gone = shop.ask(ADA, "DELETE", "/api/books/8/")
    assert (gone.status_int, gone.body) == (204, b"")
    assert shop.ask(ADA, "GET", "/api/books/8/").status_int == 404


@pytest.mark.parametrize("price", ["0", "-1.50"])
def test_a_price_must_be_positive(price: str, shop: Shop) -> None:
    refused = shop.ask(ADA, "POST", "/api/books/", {**NEW, "price": price})
    assert [(one["pointer"], one["detail"]) for one in problem(refused, 400, "invalid-input")["errors"]] == [
        ("#/price", "Price must be positive")
    ]
    assert shop.ask(ADA, "PATCH", "/api/books/1/", {"price": price}).status_int == 400


def test_what_is_too_long_too_precise_or_taken_is_refused(shop: Shop) -> None:
    sent = {**NEW, "isbn": "12345678901234", "price": "10000.00", "published_date": "yesterday"}
    told = shop.ask(ADA, "POST", "/api/books/", sent)
    assert sorted(faults(told)) == [("#/isbn", "max_length"), ("#/price", "digits"), ("#/published_date", "type")]
    taken = shop.ask(ADA, "POST", "/api/books/", {**NEW, "isbn": f"{1:013}"})
    assert faults(taken, 409, "conflict") == [("#/isbn", "unique")]


def test_the_books_of_an_author(shop: Shop) -> None:
    found = shop.ask(ADA, "GET", "/api/books/?author__iexact=tolkien").json["object_list"]
    assert [book["id"] for book in found] == [1, 3, 5, 7]
    page = shop.ask(ADA, "GET", "/api/books/?author=Tolkien&page=2&page_size=3").json["object_list"]
    assert [book["id"] for book in page] == [7]


# --- who --------------------------------------------------------------------------------------------------------------


def test_a_token_is_made_for_a_user_and_sent_along(shop: Shop) -> None:
    token = shop.tokens.create(ADA)
    assert len(token.key) == 40
    assert set(token.key) <= set("0123456789abcdef")
    assert shop.client.get("/api/books/", Authorization=f"Token {token.key}").status_int == 200
    refused = shop.client.get("/api/books/", Authorization="Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b")
    problem(refused, 401, "authentication-failed")


def test_everything_asks_for_a_login_unless_it_says_otherwise(shop: Shop) -> None:
    for path in ("/api/books/", "/api/books/1/", "/api/books/recent/", "/api/authors/"):
        problem(shop.ask(None, "GET", path), 401, "not-authenticated")


def test_a_browser_logs_in_with_a_session(shop: Shop) -> None:
    login = shop.client.post("/api/session/login/", {"username": "ada", "password": PASSWORD})
    cookie = login.headers["Set-Cookie"].partition(";")[0]
    assert shop.client.get("/api/books/1/", Cookie=cookie).status_int == 200
    problem(shop.client.patch("/api/books/1/", {"price": "1.00"}, Cookie=cookie), 403, "permission-denied")
    token = login.json["csrf_token"]
    assert shop.client.patch("/api/books/1/", {"price": "1.00"}, Cookie=cookie, X_CSRF_Token=token).status_int == 200


@pytest.mark.parametrize("permission", [IsOwnerOrReadOnly(), OwnerWrites()])
def test_everybody_reads_and_owners_write(permission: Permission, storage: Storage) -> None:
    shop = Shop(storage, permissions=[permission])
    for user in (None, BOB, ADA):
        assert shop.ask(user, "GET", "/api/books/1/").status_int == 200
        assert len(shop.ask(user, "GET", "/api/books/recent/").json) == 5
    for method, body in (("PATCH", {"price": "1.00"}), ("DELETE", ABSENT)):
        problem(shop.ask(None, method, "/api/books/1/", body), 401, "not-authenticated")
        problem(shop.ask(BOB, method, "/api/books/1/", body), 403, "permission-denied")
    assert shop.ask(ADA, "PATCH", "/api/books/1/", {"price": "1.00"}).status_int == 200
    assert shop.ask(ADA, "DELETE", "/api/books/1/").status_int == 204


# --- how often --------------------------------------------------------------------------------------------------------


def test_each_reply_says_how_often_one_may_still_ask(shop: Shop) -> None:
    told = shop.ask(ADA, "GET", "/api/books/1/").headers
    assert told["RateLimit-Policy"] == '"user";q=1000;w=86400'
    assert told["RateLimit"].startswith('"user";r=999;t=')
    refused = shop.ask(None, "GET", "/api/books/1/").headers
    assert '"anon";q=100;w=86400' in refused["RateLimit-Policy"]
