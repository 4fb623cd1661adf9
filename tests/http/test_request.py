"""What a `Request` tells formatters and overridden verbs about the request."""

from __future__ import annotations

from typing import Any

import pytest

from rest_kit.errors import InvalidQuery
from rest_kit.request import Request
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


def test_a_parameter_is_taken_out_of_the_query_and_is_still_known() -> None:
    request = Request({"REQUEST_METHOD": "GET", "QUERY_STRING": "a=1&key=x%20%C3%A9+y&keys=2&b"})
    assert request.withdraw("key") == "x é y"
    assert request.query_string == "a=1&keys=2&b"
    assert request.reading().withdraw("key") == "x é y"
    assert request.withdraw("c") is None
    assert request.query_string == "a=1&keys=2&b"


def test_a_parameter_that_is_given_twice_is_not_taken_out() -> None:
    request = Request({"REQUEST_METHOD": "GET", "QUERY_STRING": "key=1&key=2"})
    for _ in range(2):
        with pytest.raises(InvalidQuery):
            request.withdraw("key")
