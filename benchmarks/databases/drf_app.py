"""Django REST framework over Django's ORM, spared what it could be spared: see `contenders/drf.py`."""

from __future__ import annotations

from typing import Any

import django
import pymysql
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from sqlalchemy.engine import URL

from benchmarks.contenders.drf import REST_FRAMEWORK
from benchmarks.databases import Places
from benchmarks.databases.calling import WsgiApplication

ENGINES = {"sqlite": "sqlite3", "postgresql": "postgresql", "mariadb": "mysql"}


def database(name: str, url: URL) -> dict[str, Any]:
    """A place as Django's settings describe it; connections stay open."""
    return {
        "ENGINE": f"django.db.backends.{ENGINES[name]}",
        "NAME": url.database,
        "HOST": url.host or "",
        "PORT": url.port or "",
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "CONN_MAX_AGE": None,
    }


urlpatterns: list[Any] = []


def make(places: Places) -> WsgiApplication:
    """DRF."""
    if "mariadb" in places:
        # Django looks for mysqlclient, which PyMySQL can stand in for, and which needs a compiler to install
        pymysql.install_as_MySQLdb()
    databases = {name: database(name, url) for name, url in places.items()}
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["rest_framework"],
        DATABASES={"default": next(iter(databases.values())), **databases},
        REST_FRAMEWORK=REST_FRAMEWORK,
    )
    django.setup()
    # these need Django's settings when they are imported
    from django.db import connections

    from benchmarks.databases import drf_views

    urlpatterns[:] = drf_views.urls(list(databases))
    return WsgiApplication(get_wsgi_application(), connections.close_all)
