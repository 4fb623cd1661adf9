"""The data that the tests of the HTTP contract speak of."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from rest_kit import models


class Person(models.Model):
    """The model of the contract's first example."""

    fields = [
        models.IntegerField(name="age", required=True),
        models.StringField(name="name", required=True),
        models.PkField(name="id"),
    ]


def people_rows() -> list[dict[str, Any]]:
    """A hundred people called Ada, from 0 to 99 years old."""
    return [{"name": "Ada", "age": n, "id": n} for n in range(100)]


class Book(models.Model):
    """A bit of everything that lists are asked for."""

    fields = [
        models.PkField("id"),
        models.StringField("title", required=True, max_length=40),
        models.StringField("isbn", unique=True, max_length=13),
        models.StringField("author"),
        models.DecimalField("price", digits=6, places=2),
        models.DateField("published"),
        models.IntegerField("stock", default=0, min=0),
        models.BooleanField("lent", default=False),
        models.ListField("tags"),
    ]


def _book(pk: int, title: str, author: str | None, price: str | None, **rest: Any) -> dict[str, Any]:
    book = {"id": pk, "title": title, "isbn": None, "author": author, "price": price and Decimal(price)}
    return {**book, "published": None, "stock": 0, "lent": False, "tags": None, **rest}


BOOKS: list[dict[str, Any]] = [
    _book(1, "The Hobbit", "Tolkien", "9.90", isbn="111", published=datetime.date(1937, 9, 21), stock=3),
    _book(2, "Mythos", "Σίσυφος", "10.00", isbn="222", lent=True),
    _book(3, "100% Cotton", "tolkien", "100.00", published=datetime.date(2001, 1, 1), stock=3, tags=["a", "b"]),
    _book(4, "A_B", None, None, lent=True, stock=9),
    _book(5, "İstanbul", "Pamuk, Orhan", "0.05", published=datetime.date(2003, 5, 5), stock=1),
    _book(6, "hobbies of the rich", 'The "Real" One', "10.00"),
]
"""Six books; 2, 4 and 6 have no date, 4 neither author nor price."""


class Tag(models.Model):
    """An object named by text."""

    fields = [
        models.StringPkField("slug", max_length=40),
        models.StringField("label", required=True),
        models.IntegerField("weight"),
    ]


TAGS: list[dict[str, Any]] = [
    {"slug": "red", "label": "Red", "weight": 1},
    {"slug": "a/b", "label": "A or B", "weight": 2},
    {"slug": "über uns?", "label": "About", "weight": None},
]


class Account(models.Model):
    """An object with members that clients never set, or never see."""

    fields = [
        models.PkField("id"),
        models.StringField("email", required=True, unique=True),
        models.StringField("password", required=True, write_only=True, max_length=20),
        models.StringField("note", write_only=True),
        models.StringField("plan", read_only=True, default="free"),
        models.DateTimeField("changed", auto_now=True),
    ]


ACCOUNT: dict[str, Any] = {
    "id": 1,
    "email": "a@x",
    "password": "hush",
    "note": "n",
    "plan": "gold",
    "changed": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
}
