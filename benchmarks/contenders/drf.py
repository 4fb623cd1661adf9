"""Django REST framework: serializers and view sets, over plain dicts for the list and Django's ORM for the table.

It is spared what it could be spared: no middleware, no authentication, JSON alone, connections that stay open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from benchmarks.contenders import Contender, truncate
from benchmarks.workload import Book

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}


def configure(path: Path) -> None:
    """Django's settings, once for the process."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["rest_framework"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "CONN_MAX_AGE": None}},
        REST_FRAMEWORK=REST_FRAMEWORK,
    )
    django.setup()


urlpatterns: list[Any] = []


def make(books: list[Book], path: Path) -> Contender:
    """DRF."""
    configure(path)
    # these need Django's settings when they are imported
    from benchmarks.contenders import drf_views

    urlpatterns[:] = drf_views.urls(books)
    return Contender(get_wsgi_application(), truncate(books))
