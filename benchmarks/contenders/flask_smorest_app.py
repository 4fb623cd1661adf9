"""flask-smorest: marshmallow schemas on every view, SQLAlchemy for the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint, abort

from benchmarks.contenders import Contender, truncate
from benchmarks.contenders.library import BookRow, Library, Table
from benchmarks.contenders.schemas import BookSchema, PageSchema, QuerySchema
from benchmarks.workload import Book


def listed(library: Library) -> Blueprint:
    """The views of the list."""
    views = Blueprint("books", __name__, url_prefix="/books")

    @views.route("/")
    class BookList(MethodView):
        """The list."""

        @views.arguments(QuerySchema, location="query")
        @views.response(200, PageSchema)
        def get(self, query: dict[str, Any]) -> Any:
            return library.page(query)

        @views.arguments(BookSchema)
        @views.response(201, BookSchema)
        def post(self, data: dict[str, Any]) -> Any:
            return library.add(data)

    @views.route("/<int:pk>/")
    class BookItem(MethodView):
        """One book."""

        @views.response(200, BookSchema)
        def get(self, pk: int) -> Any:
            book = library.get(pk)
            return book if book is not None else abort(404)

    return views


def stored(table: Table) -> Blueprint:
    """The views of the table."""
    views = Blueprint("stored", __name__, url_prefix="/stored")

    @views.route("/")
    class StoredList(MethodView):
        """The table."""

        @views.arguments(QuerySchema, location="query")
        @views.response(200, PageSchema)
        def get(self, query: dict[str, Any]) -> Any:
            with table.session() as session:
                return table.page(session, query)

    @views.route("/<int:pk>/")
    class StoredItem(MethodView):
        """One row."""

        @views.response(200, BookSchema)
        def get(self, pk: int) -> Any:
            with table.session() as session:
                book = session.get(BookRow, pk)
                return book if book is not None else abort(404)

    return views


def make(books: list[Book], path: Path) -> Contender:
    """flask-smorest."""
    app = Flask(__name__)
    app.config.update(API_TITLE="Books", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = Api(app)
    api.register_blueprint(listed(Library(books)))
    api.register_blueprint(stored(Table(path)))
    return Contender(app, truncate(books))
