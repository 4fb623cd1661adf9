"""Raw: one WSGI function written by hand for these books, the standard library and a compiled JSON encoder.

It is what the others are measured by: it validates and answers right, and gives nothing else.
"""

from __future__ import annotations

import datetime
import sqlite3
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec

from benchmarks.contenders import Contender, truncate
from benchmarks.workload import AUTHOR_LENGTH, MAX_PAGE, TITLE_LENGTH, Book

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
FIELDS = ("id", "title", "author", "price", "published", "in_stock")
MEMBERS = frozenset(FIELDS[1:])
COLUMNS = ", ".join(FIELDS)
BY_PRICE = itemgetter("price")


class Refused(Exception):
    """The request cannot be used; the argument says why."""


def page_of(query: dict[str, list[str]]) -> tuple[int, int]:
    """Offset and count."""
    try:
        offset = int(query["offset"][0]) if "offset" in query else 0
        size = min(int(query["count"][0]), MAX_PAGE) if "count" in query else MAX_PAGE
    except ValueError as exc:
        raise Refused("offset and count are numbers") from exc
    if offset < 0 or size < 0:
        raise Refused("offset and count are not negative")
    return offset, size


def validated(data: Any) -> Book:
    """A book as it was posted."""
    if type(data) is not dict or data.keys() != MEMBERS:
        raise Refused("title, author, price, published, in_stock")
    title, author, price = data["title"], data["author"], data["price"]
    if type(title) is not str or not 0 < len(title) <= TITLE_LENGTH:
        raise Refused("title")
    if type(author) is not str or not 0 < len(author) <= AUTHOR_LENGTH:
        raise Refused("author")
    if type(price) not in (int, float) or not price > 0:
        raise Refused("price")
    if type(data["in_stock"]) is not bool:
        raise Refused("in_stock")
    try:
        datetime.date.fromisoformat(data["published"])
    except (TypeError, ValueError) as exc:
        raise Refused("published") from exc
    return data


class Shop:
    """Both collections."""

    def __init__(self, books: list[Book], path: Path) -> None:
        self.books = books
        self.by_id = {book["id"]: book for book in books}
        self.ids = count(len(books) + 1)
        self.cursor = sqlite3.connect(path, check_same_thread=False, isolation_level=None).cursor()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> tuple[bytes]:
        path = environ["PATH_INFO"]
        status = "200 OK"
        try:
            if path.startswith("/books/"):
                if len(path) > 7:
                    body = encode(self.by_id[int(path[7:].rstrip("/"))])
                elif environ["REQUEST_METHOD"] == "POST":
                    status, body = "201 Created", encode(self.add(environ))
                else:
                    body = encode(self.page(parse_qs(environ["QUERY_STRING"])))
            elif len(path) > 8:
                body = encode(self.row(int(path[8:].rstrip("/"))))
            else:
                body = encode(self.table_page(parse_qs(environ["QUERY_STRING"])))
        except Refused as exc:
            status, body = "400 Bad Request", encode({"detail": str(exc)})
        except (KeyError, ValueError):
            status, body = "404 Not Found", b'{"detail":"not found"}'
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return (body,)

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        offset, size = page_of(query)
        books = self.books
        if "in_stock" in query and "price__gte" in query:
            in_stock, least = query["in_stock"][0] == "true", float(query["price__gte"][0])
            books = [book for book in books if book["in_stock"] is in_stock and book["price"] >= least]
        if query.get("ordering") == ["-price"]:
            books = sorted(books, key=BY_PRICE, reverse=True)
        return {
            "meta": {"offset": offset, "count": size, "total_count": len(books)},
            "object_list": books[offset : offset + size],
        }

    def add(self, environ: dict[str, Any]) -> Book:
        try:
            data = decode(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        except msgspec.DecodeError as exc:
            raise Refused("not JSON") from exc
        book = {"id": next(self.ids), **validated(data)}
        self.books.append(book)
        self.by_id[book["id"]] = book
        return book

    def row(self, pk: int) -> Book:
        found = self.cursor.execute(f"SELECT {COLUMNS} FROM books WHERE id = ?", (pk,)).fetchone()
        if found is None:
            raise KeyError(pk)
        book = dict(zip(FIELDS, found, strict=True))
        book["in_stock"] = bool(book["in_stock"])
        return book

    def table_page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        offset, size = page_of(query)
        wanted = (query["author"][0], float(query["price__gte"][0]))
        run = self.cursor.execute
        run("BEGIN")
        try:
            (total,) = run("SELECT count(*) FROM books WHERE author = ? AND price >= ?", wanted).fetchone()
            rows = run(
                f"SELECT {COLUMNS} FROM books WHERE author = ? AND price >= ? ORDER BY price DESC, id LIMIT ? OFFSET ?",
                (*wanted, size, offset),
            ).fetchall()
        finally:
            run("COMMIT")
        books = [dict(zip(FIELDS, row, strict=True)) for row in rows]
        for book in books:
            book["in_stock"] = bool(book["in_stock"])
        return {"meta": {"offset": offset, "count": size, "total_count": total}, "object_list": books}


def make(books: list[Book], path: Path) -> Contender:
    """Raw."""
    return Contender(Shop(books, path), truncate(books))
