"""Flask-RESTful: reqparse for parameters, marshal for replies, marshmallow for bodies, SQLAlchemy for the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import marshmallow
from flask import Flask, request
from flask_restful import Api, Resource, abort, fields, inputs, marshal_with, reqparse

from benchmarks.contenders import Contender, truncate
from benchmarks.contenders.library import BookRow, Library, Table
from benchmarks.contenders.schemas import BookSchema
from benchmarks.workload import MAX_PAGE, Book

BOOK = {
    "id": fields.Integer,
    "title": fields.String,
    "author": fields.String,
    "price": fields.Float,
    "published": fields.String,
    "in_stock": fields.Boolean,
}
PAGE = {
    "meta": fields.Nested({"offset": fields.Integer, "count": fields.Integer, "total_count": fields.Integer}),
    "object_list": fields.List(fields.Nested(BOOK)),
}
schema = BookSchema()
parameters = reqparse.RequestParser()
parameters.add_argument("offset", type=inputs.natural, default=0, location="args")
parameters.add_argument("count", type=inputs.natural, default=MAX_PAGE, location="args")
parameters.add_argument("in_stock", type=inputs.boolean, location="args", store_missing=False)
parameters.add_argument("price__gte", type=float, location="args", store_missing=False)
parameters.add_argument("author", location="args", store_missing=False)
parameters.add_argument("ordering", choices=("price", "-price"), location="args", store_missing=False)


class BookList(Resource):
    """The list."""

    def __init__(self, library: Library) -> None:
        self.library = library

    @marshal_with(PAGE)
    def get(self) -> Any:
        return self.library.page(parameters.parse_args())

    @marshal_with(BOOK)
    def post(self) -> Any:
        try:
            data = schema.load(request.get_json())
        except marshmallow.ValidationError as exc:
            abort(400, message=exc.messages)
        return self.library.add(data), 201


class BookItem(Resource):
    """One book."""

    def __init__(self, library: Library) -> None:
        self.library = library

    @marshal_with(BOOK)
    def get(self, pk: int) -> Any:
        book = self.library.get(pk)
        return book if book is not None else abort(404)


class StoredList(Resource):
    """The table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @marshal_with(PAGE)
    def get(self) -> Any:
        with self.table.session() as session:
            return self.table.page(session, parameters.parse_args())


class StoredItem(Resource):
    """One row."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @marshal_with(BOOK)
    def get(self, pk: int) -> Any:
        with self.table.session() as session:
            book = session.get(BookRow, pk)
            return book if book is not None else abort(404)


def make(books: list[Book], path: Path) -> Contender:
    """Flask-RESTful."""
    library, table = {"library": Library(books)}, {"table": Table(path)}
    app = Flask(__name__)
    api = Api(app)
    api.add_resource(BookList, "/books/", resource_class_kwargs=library)
    api.add_resource(BookItem, "/books/<int:pk>/", resource_class_kwargs=library)
    api.add_resource(StoredList, "/stored/", resource_class_kwargs=table)
    api.add_resource(StoredItem, "/stored/<int:pk>/", resource_class_kwargs=table)
    return Contender(app, truncate(books))
