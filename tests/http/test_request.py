"""What a `Request` tells formatters and overridden verbs about the request."""

from __future__ import annotations

from typing import Any

from rest_kit.types import Record
from rest_kit.views import Response, add_resource_uri
from tests.http.support import over_list, serve


def greet(response: Response, obj: Record) -> Record:
    """A formatter that looks at a header through werkzeug's view of the request."""
    return {**obj, "language": response.request.http.accept_languages.best_match(["de", "en"])}


def test_a_formatter_sees_the_request_as_werkzeug_does() -> None:
    view: dict[str, Any] = {"options": {"formatters": [greet, add_resource_uri]}}
    client = serve(over_list([{"id": 1}], view=view))
    assert client.get("/things/1/", Accept_Language="de, en;q=0.5").json["language"] == "de"
    assert client.get("/things/1/", Accept_Language="en").json["language"] == "en"
