"""falcon, with marshmallow for what comes in and what goes out, and SQLAlchemy for the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import falcon
import marshmallow
import msgspec

from benchmarks.contenders import Contender, truncate
from benchmarks.contenders.library import BookRow, Library, Table
from benchmarks.contenders.schemas import BookSchema, QuerySchema
from benchmarks.workload import Book

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
one, many, parameters = BookSchema(), BookSchema(many=True), QuerySchema()


def asked(req: falcon.Request) -> dict[str, Any]:
    """The typed parameters of a list."""
    try:
        query: dict[str, Any] = parameters.load(req.params)
    except marshmallow.ValidationError as exc:
        raise falcon.HTTPBadRequest(description=str(exc)) from exc
    return query


def answer(resp: falcon.Response, data: Any) -> None:
    """The data as JSON."""
    resp.data = encode(data)
    resp.content_type = falcon.MEDIA_JSON


class BookList:
    """The list."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        page = self.library.page(asked(req))
        answer(resp, {**page, "object_list": many.dump(page["object_list"])})

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        try:
            data = one.load(decode(req.bounded_stream.read()))
        except (msgspec.DecodeError, marshmallow.ValidationError) as exc:
            raise falcon.HTTPBadRequest(description=str(exc)) from exc
        answer(resp, one.dump(self.library.add(data)))
        resp.status = falcon.HTTP_201


class BookItem:
    """One book."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def on_get(self, req: falcon.Request, resp: falcon.Response, pk: int) -> None:
        book = self.library.get(pk)
        if book is None:
            raise falcon.HTTPNotFound
        answer(resp, one.dump(book))


class StoredList:
    """The table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        with self.table.session() as session:
            page = self.table.page(session, asked(req))
            answer(resp, {**page, "object_list": many.dump(page["object_list"])})


class StoredItem:
    """One row."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def on_get(self, req: falcon.Request, resp: falcon.Response, pk: int) -> None:
        with self.table.session() as session:
            book = session.get(BookRow, pk)
            if book is None:
                raise falcon.HTTPNotFound
            answer(resp, one.dump(book))


def make(books: list[Book], path: Path) -> Contender:
    """falcon with marshmallow and SQLAlchemy."""
    library, table = Library(books), Table(path)
    app = falcon.App()
    app.add_route("/books/", BookList(library))
    app.add_route("/books/{pk:int}/", BookItem(library))
    app.add_route("/stored/", StoredList(table))
    app.add_route("/stored/{pk:int}/", StoredItem(table))
    return Contender(app, truncate(books))
