"""A Django project, and an API under `/api/` over its tables: `gunicorn examples.django_site:application`.

The parts that a project has in files of their own stand here one below the other: settings, models, views and URLs,
wsgi. Only the last one knows of rest_kit.
"""

import uuid
from pathlib import Path

import django
import sqlalchemy
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, models
from django.http import HttpResponse, HttpResponseNotFound
from django.urls import path

from datastores import SQLDataStore
from rest_kit import models as api
from rest_kit.controllers import Controller, WSGIDispatcher

# --- settings.py ------------------------------------------------------------------------------------------------------

settings.configure(
    SECRET_KEY="change me",
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path.cwd() / "shelf.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    USE_TZ=True,
)
django.setup()

# --- models.py --------------------------------------------------------------------------------------------------------


class Author(models.Model):
    name = models.CharField(max_length=100, unique=True)

    class Meta:
        app_label = "shelf"


class Book(models.Model):
    class Binding(models.TextChoices):
        HARD = "hard", "Hardcover"
        SOFT = "soft", "Paperback"

    code = models.UUIDField(default=uuid.uuid4, unique=True)
    title = models.CharField(max_length=200)
    binding = models.CharField(max_length=4, choices=Binding, default=Binding.SOFT)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    lent = models.BooleanField(default=False)
    added = models.DateTimeField(auto_now_add=True)
    author = models.ForeignKey(Author, on_delete=models.PROTECT)

    class Meta:
        app_label = "shelf"


def migrate():
    """What `manage.py migrate` does in a project that has migrations."""
    if not connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(Author)
            editor.create_model(Book)
    connection.close()


# --- views.py and urls.py ---------------------------------------------------------------------------------------------


def home(request):
    lines = [f"{book.title}, by {book.author.name}" for book in Book.objects.select_related("author").order_by("title")]
    return HttpResponse("\n".join(lines) or "No books yet", content_type="text/plain; charset=utf-8")


def not_found(request, exception):
    return HttpResponseNotFound("<h1>No such page in this library</h1>")


urlpatterns = [path("", home)]
handler404 = not_found

# --- wsgi.py ----------------------------------------------------------------------------------------------------------

DATABASE = {"url": sqlalchemy.URL.create("sqlite", database=str(settings.DATABASES["default"]["NAME"]))}


class BookModel(api.Model):
    fields = [
        api.PkField(name="id"),
        api.UUIDField(name="code", default=uuid.uuid4, unique=True),
        api.StringField(name="title", required=True, max_length=200),
        api.ChoiceField(name="binding", choices=Book.Binding.values, default=Book.Binding.SOFT.value),
        api.DecimalField(name="price", digits=8, places=2),
        api.BooleanField(name="lent", default=False),
        api.DateTimeField(name="added", auto_now_add=True),
        api.IntForeign(name="author_id", resource="authors", related_name="books", required=True),
    ]


class BookApp(Controller):
    resource = {
        "resource_name": "books",
        "resource": {**DATABASE, "table": Book._meta.db_table},
        "model": BookModel,
        "datastore": SQLDataStore,
    }


class AuthorApp(Controller):
    resource = {
        "resource_name": "authors",
        "resource": {**DATABASE, "table": Author._meta.db_table},
        "datastore": SQLDataStore,
    }


migrate()
application = WSGIDispatcher([BookApp, AuthorApp], name="Library", prefix="/api", fallback=get_wsgi_application())
