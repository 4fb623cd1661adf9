"""The work that every contender does: the books, and the requests for them.

Books lie in a list (a thousand) under `/books/` and in a SQLite table (a hundred thousand) under `/stored/`. A `Row`
is one line of the table of results: a request, how many objects its reply must hold, and rest_kit's goal.
"""

from __future__ import annotations

import io
import random
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec

Book = dict[str, Any]
Environ = dict[str, Any]

LIST_SIZE = 1_000
TABLE_SIZE = 100_000
PAGE = 20
MAX_PAGE = 100
TITLE_LENGTH = 200
AUTHOR_LENGTH = 100
BOOKS_BY_AN_AUTHOR = 200

SCHEMA = """
CREATE TABLE books (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    price REAL NOT NULL,
    published TEXT NOT NULL,
    in_stock BOOLEAN NOT NULL
);
CREATE INDEX books_by_author ON books (author);
"""
INSERT = "INSERT INTO books VALUES (:id, :title, :author, :price, :published, :in_stock)"


def generate(count: int) -> Iterator[Book]:
    """The same books every time, with ids from 1."""
    dice = random.Random(20)
    for number in range(1, count + 1):
        yield {
            "id": number,
            "title": f"The Book of {number:06d} Things",
            "author": f"Author {dice.randrange(max(count // BOOKS_BY_AN_AUTHOR, 1))}",
            "price": round(dice.uniform(5, 60), 2),
            "published": (date(1950, 1, 1) + timedelta(days=dice.randrange(27_000))).isoformat(),
            "in_stock": dice.random() < 0.5,
        }


def write_table(path: Path, count: int = TABLE_SIZE) -> None:
    """A SQLite file with a table `books`, in the journal mode that servers use."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)
        with connection:
            connection.executemany(INSERT, generate(count))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


NEW_BOOK = {
    "title": "A Book That Was Not There",
    "author": "Author 7",
    "price": 19.95,
    "published": "2021-03-04",
    "in_stock": True,
}


@dataclass(frozen=True)
class Row:
    """One line of the table: a request, and what must come back."""

    name: str
    path: str
    query: str = ""
    method: str = "GET"
    body: bytes = b""
    status: str = "200"
    objects: int | None = None
    """How many objects the page must hold; None where the reply is one object."""
    total: int | None = None
    """The total that a list must tell."""
    goal: float = 0.0
    """The most that rest_kit may cost, as a multiple of raw."""
    from_table: bool = False
    expected: Mapping[str, Any] = field(default_factory=dict)
    """Members that the object, or the first object of the page, must have."""


def rows(books: list[Book]) -> list[Row]:
    """All the lines, with the totals that these books and the table have."""
    stocked = sorted((b for b in books if b["in_stock"] and b["price"] >= 40), key=lambda b: -b["price"])
    size = len(books)
    return [
        Row("one", "/books/500/", goal=3.5, expected=books[499]),
        Row("page of 20", "/books/", "count=20", objects=20, total=size, goal=3, expected=books[0]),
        Row("page of 100", "/books/", "count=100", objects=100, total=size, goal=4, expected=books[0]),
        Row(
            "filter + order",
            "/books/",
            "in_stock=true&price__gte=40&ordering=-price&count=20",
            objects=20,
            total=len(stocked),
            goal=1.3,
            expected=stocked[0],
        ),
        Row(
            "POST",
            "/books/",
            method="POST",
            body=msgspec.json.encode(NEW_BOOK),
            status="201",
            goal=5,
            expected=NEW_BOOK,
        ),
        *rows_of_a_table("SQLite", "/stored/"),
    ]


def rows_of_a_table(title: str, path: str) -> list[Row]:
    """The lines for a table in a database, whose list is at that path."""
    author = "Author 77"
    by_author = [b for b in generate(TABLE_SIZE) if b["author"] == author and b["price"] >= 20]
    return [
        Row(f"{title}, one", f"{path}70000/", goal=2, from_table=True, expected={"id": 70000}),
        Row(
            f"{title}, filtered page",
            path,
            "author=Author+77&price__gte=20&ordering=-price&count=20",
            objects=20,
            total=len(by_author),
            goal=1.2,
            from_table=True,
            expected=max(by_author, key=lambda b: (b["price"], -b["id"])),
        ),
    ]


def environ(row: Row) -> Environ:
    """A fresh WSGI environ, as a server would make it for the row's request."""
    made: Environ = {
        "REQUEST_METHOD": row.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": row.path,
        "QUERY_STRING": row.query,
        "RAW_URI": f"{row.path}?{row.query}" if row.query else row.path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_USER_AGENT": "benchmark",
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(row.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if row.body:
        made["CONTENT_TYPE"] = "application/json"
        made["CONTENT_LENGTH"] = str(len(row.body))
    return made
