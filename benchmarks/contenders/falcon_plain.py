"""falcon with a compiled JSON encoder and no schema: nothing is validated, so it plays no POST and no SQLite."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path

import falcon
import msgspec

from benchmarks.contenders import Contender, truncate
from benchmarks.workload import MAX_PAGE, Book

encode = msgspec.json.Encoder().encode


class BookList:
    """The list."""

    def __init__(self, books: list[Book]) -> None:
        self.books = books

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        books = self.books
        in_stock = req.get_param_as_bool("in_stock")
        least = req.get_param_as_float("price__gte")
        if in_stock is not None and least is not None:
            books = [book for book in books if book["in_stock"] is in_stock and book["price"] >= least]
        if req.get_param("ordering") == "-price":
            books = sorted(books, key=itemgetter("price"), reverse=True)
        offset = req.get_param_as_int("offset", min_value=0, default=0)
        count = min(req.get_param_as_int("count", min_value=0, default=MAX_PAGE), MAX_PAGE)
        meta = {"offset": offset, "count": count, "total_count": len(books)}
        resp.data = encode({"meta": meta, "object_list": books[offset : offset + count]})
        resp.content_type = falcon.MEDIA_JSON


class BookItem:
    """One book."""

    def __init__(self, books: list[Book]) -> None:
        self.by_id = {book["id"]: book for book in books}

    def on_get(self, req: falcon.Request, resp: falcon.Response, pk: int) -> None:
        if pk not in self.by_id:
            raise falcon.HTTPNotFound
        resp.data = encode(self.by_id[pk])
        resp.content_type = falcon.MEDIA_JSON


def make(books: list[Book], path: Path) -> Contender:
    """falcon without a schema."""
    app = falcon.App()
    app.add_route("/books/", BookList(books))
    app.add_route("/books/{pk:int}/", BookItem(books))
    return Contender(app, truncate(books), frozenset({"POST", "SQLite, one", "SQLite, filtered page"}))
