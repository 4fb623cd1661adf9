"""How an API is asked is told from one reply of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datastores import PythonListDataStore
from datastores.remote import WSGITransport
from datastores.remote.detect import detect
from rest_kit.errors import ConfigurationError, RemoteError
from rest_kit.models import Model, PkField, StringField
from tests.remote.fakes import DRF, PostgREST
from tests.remote.support import application


class ThingModel(Model):
    fields = [PkField("id"), StringField("title")]


ROWS = [{"id": 1, "title": "a"}]


def answering(body: Any, *headers: tuple[str, str], status: str = "200 OK", kind: str = "application/json") -> Any:
    """An application that answers every request so, but describes nothing."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        described = "/schema/" in environ["PATH_INFO"]
        start_response("404 Not Found" if described else status, [("Content-Type", kind), *headers])
        return [b"{}" if described else json.dumps(body).encode()]

    return app


def detected(app: Any) -> str | None:
    return detect("http://test/things/", {"transport": WSGITransport(app)})


@pytest.mark.parametrize(
    ("app", "dialect"),
    [
        (application(PythonListDataStore, [dict(row) for row in ROWS], ThingModel()), "rest_kit"),
        (DRF([dict(row) for row in ROWS]), "drf"),
        (PostgREST([dict(row) for row in ROWS]), "postgrest"),
        (answering(ROWS, ("X-Powered-By", "Express")), "json-server"),
        (answering(ROWS), None),
        (answering({"data": ROWS}), None),
        (answering("hello"), None),
    ],
)
def test_a_reply_tells_the_dialect(app: Any, dialect: str | None) -> None:
    assert detected(app) == dialect


@pytest.mark.parametrize(
    ("app", "told"),
    [
        (answering({}, status="401 Unauthorized"), "refused with 401"),
        (answering({}, status="404 Not Found"), "the API answers 404"),
        (answering("hello", kind="text/html"), "instead of JSON"),
    ],
)
def test_what_is_no_collection_is_said(app: Any, told: str) -> None:
    with pytest.raises(RemoteError, match=told):
        detected(app)


def test_what_is_no_url_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigurationError, match="percent-encoded"):
        detect("http://test/thïngs/", {})
