"""Books and their authors in an SQL database: `python examples/books.py`, or `gunicorn examples.books:app`.

`DATABASE_URL` says where: `postgresql://user:password@host/library`, `mariadb://...`, or, where it is not set, a file
`books.db` in the working directory. The tables are made at the first request, that of the authors first, as books refer
to them.
"""

import os

from datastores import SQLDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.pagination import Pagination

DATABASE_URL = os.environ.get("DATABASE_URL", "sqlite:///books.db")


class AuthorModel(models.Model):
    fields = [
        models.PkField(name="id"),
        models.StringField(name="name", required=True, max_length=100, unique=True),
        models.IntegerField(name="born", min=-3000, max=2100),
    ]


class BookModel(models.Model):
    fields = [
        models.PkField(name="id"),
        models.StringField(name="title", required=True, max_length=200),
        models.StringField(name="isbn", max_length=13, regex=r"[0-9]{9}[0-9X]|[0-9]{13}", unique=True),
        models.DecimalField(name="price", digits=8, places=2, min=0),
        models.DateTimeField(name="added", auto_now_add=True),
        models.IntForeign(
            name="author_id", resource="authors", related_name="books", references="authors.id", required=True
        ),
    ]
    validators = [models.UniqueTogether("title", "author_id")]


class AuthorApp(Controller):
    resource = {
        "resource_name": "authors",
        "resource": {"url": DATABASE_URL, "table": "authors"},
        "model": AuthorModel,
        "datastore": SQLDataStore,
    }


class BookApp(Controller):
    resource = {
        "resource_name": "books",
        "resource": {"url": DATABASE_URL, "table": "books"},
        "model": BookModel,
        "datastore": SQLDataStore,
        "options": {"indexes": ["author_id"]},
    }
    controller = {"options": {"pagination": Pagination(20), "search_fields": ["title"], "ordering": "title"}}


app = WSGIDispatcher([AuthorApp, BookApp], name="Books")

if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", 5000, app, use_debugger=True, use_reloader=True)
