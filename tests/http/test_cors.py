"""Pages of other origins: who may read replies, what preflights answer, and what is refused at construction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestResponse

from rest_kit.controllers import WSGIDispatcher
from rest_kit.cors import CORS, EXPOSED, METHODS, SENT, canonical
from rest_kit.errors import ConfigurationError
from rest_kit.permissions import AllowAny
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.views import JsonResponse
from tests.http.support import Client, over_list, problem

SHOP = "http://localhost:3000"
STRANGER = "https://stranger.example"


def api(cors: Any, **arguments: Any) -> Client:
    """One thing, a route that fails, and one that is closed."""

    def fail(request: Request) -> None:
        raise RuntimeError("no")

    routes = [Route("/fail", fail), Route("/closed", fail, permissions=~AllowAny())]
    things = over_list([{"id": 1, "word": "one"}], controller={"options": {"max_body": 10}})
    return Client(WSGIDispatcher([things], cors=cors, routes=routes, **arguments))


def names(reply: TestResponse, header: str) -> set[str]:
    """The names that a header lists."""
    return {one.strip() for one in reply.headers.get(header, "").split(",") if one.strip()}


def cors_of(reply: TestResponse) -> dict[str, str]:
    """The headers of a reply that are about CORS, by the end of their names."""
    prefix = "Access-Control-"
    return {name.removeprefix(prefix): value for name, value in reply.headers.items() if name.startswith(prefix)}


def preflight(
    client: Client, path: str = "/things/", *, origin: str = SHOP, method: str = "POST", **headers: str
) -> Any:
    return client.options(path, Origin=origin, Access_Control_Request_Method=method, **headers)


# Replies


def test_a_page_of_an_allowed_origin_may_read() -> None:
    reply = api({"allow_origins": [SHOP]}).get("/things/1/", Origin=SHOP)
    assert reply.json["word"] == "one"
    assert cors_of(reply) == {"Allow-Origin": SHOP, "Expose-Headers": ", ".join(EXPOSED)}
    assert names(reply, "Vary") == {"Origin"}


def test_a_page_of_another_origin_may_not() -> None:
    client = api({"allow_origins": [SHOP], "allow_credentials": True})
    for reply in (client.get("/things/1/", Origin=STRANGER), client.get("/things/1/")):
        assert reply.status_int == 200
        assert cors_of(reply) == {}
        assert names(reply, "Vary") == {"Origin"}


def test_any_origin_may_be_allowed_and_then_replies_do_not_vary() -> None:
    client = api({"allow_origins": ["*"], "expose_headers": []})
    for origin in (SHOP, "null", None):
        reply = client.get("/things/1/", **({"Origin": origin} if origin else {}))
        assert cors_of(reply) == {"Allow-Origin": "*"}
        assert "Vary" not in reply.headers


def test_credentials() -> None:
    client = api({"allow_origins": [SHOP], "allow_credentials": True, "expose_headers": ["ETag"]})
    assert cors_of(client.get("/things/1/", Origin=SHOP)) == {
        "Allow-Origin": SHOP,
        "Allow-Credentials": "true",
        "Expose-Headers": "ETag",
    }


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing/", 404), ("/things/2/", 404), ("//", 404), ("/closed", 403), ("/fail", 500)]
)
def test_errors_can_be_read_too(path: str, status: int) -> None:
    client = api({"allow_origins": [SHOP]})
    reply = client.get(path, Origin=SHOP)
    assert reply.status_int == status
    assert reply.headers["Access-Control-Allow-Origin"] == SHOP
    assert "X-Request-ID" in names(reply, "Access-Control-Expose-Headers")
    assert "Access-Control-Allow-Origin" not in client.get(path, Origin=STRANGER).headers


def test_what_a_reply_varies_by_comes_in_one_header() -> None:
    class Plain(JsonResponse):
        media_type = "text/plain"

    things = over_list([{"id": 1}], view={"response_class": [JsonResponse, Plain]})
    reply = Client(WSGIDispatcher([things], cors={"allow_origins": [SHOP]})).get("/things/1/", Origin=SHOP)
    assert reply.headers.getall("Vary") == ["Accept, Origin"]


def test_everything_that_rest_kit_writes_beside_the_body_is_exposed() -> None:
    reply = api({"allow_origins": [SHOP]}).post("/things/", {}, Origin=SHOP)
    unsafe = set(reply.headers) - {"Content-Type", "Content-Length", "Vary"}
    assert {name for name in unsafe if not name.startswith("Access-Control-")} <= names(
        reply, "Access-Control-Expose-Headers"
    )


def test_nothing_is_said_unless_it_is_asked_for() -> None:
    client = api(None)
    assert cors_of(client.get("/things/1/", Origin=SHOP)) == {}
    assert "Vary" not in client.get("/things/1/", Origin=SHOP).headers
    assert preflight(client).headers["Allow"].startswith("GET")


def test_the_fallback_speaks_for_itself() -> None:
    def other(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["REQUEST_METHOD"].encode()]

    client = api({"allow_origins": [SHOP]}, fallback=other)
    assert cors_of(client.get("/about", Origin=SHOP)) == {}
    assert preflight(client, "/about").text == "OPTIONS"


# Preflights


def test_a_preflight_says_what_may_be_sent() -> None:
    reply = preflight(api({"allow_origins": [SHOP]}), Access_Control_Request_Headers="content-type")
    assert reply.status_int == 204
    assert cors_of(reply) == {
        "Allow-Origin": SHOP,
        "Allow-Methods": ", ".join(METHODS),
        "Allow-Headers": ", ".join(SENT),
        "Max-Age": "600",
    }
    assert names(reply, "Vary") == {"Origin"}
    assert "Allow" not in reply.headers


def test_what_may_be_sent_is_as_configured() -> None:
    client = api(
        {
            "allow_origins": [SHOP],
            "allow_credentials": True,
            "allow_methods": ["GET", "PATCH"],
            "allow_headers": ["X-Own"],
            "max_age": 0,
        }
    )
    assert cors_of(preflight(client)) == {
        "Allow-Origin": SHOP,
        "Allow-Credentials": "true",
        "Allow-Methods": "GET, PATCH",
        "Allow-Headers": "X-Own",
        "Max-Age": "0",
    }


def test_a_preflight_of_another_origin_is_told_nothing() -> None:
    reply = preflight(api({"allow_origins": [SHOP]}), origin=STRANGER)
    assert reply.status_int == 204
    assert cors_of(reply) == {}
    assert names(reply, "Vary") == {"Origin"}


@pytest.mark.parametrize("credentials", [True, False])
def test_any_header_means_those_that_are_asked_for_by_name(credentials: bool) -> None:
    client = api({"allow_origins": [SHOP], "allow_headers": ["*"], "allow_credentials": credentials})
    asked = "authorization, x-anything"
    reply = preflight(client, Access_Control_Request_Headers=asked)
    assert reply.headers["Access-Control-Allow-Headers"] == asked
    assert names(reply, "Vary") == {"Origin", "Access-Control-Request-Headers"}


@pytest.mark.parametrize("asked", ["", "a b", "a,,b", "x: y", "ä", "<script>", "a;b", ","])
def test_what_is_no_list_of_headers_is_not_echoed(asked: str) -> None:
    client = api({"allow_origins": [SHOP], "allow_headers": ["*"]})
    reply = preflight(client, environ={"HTTP_ACCESS_CONTROL_REQUEST_HEADERS": asked})
    assert "Access-Control-Allow-Headers" not in reply.headers


def test_any_method_means_all_that_are_ever_served_by_name() -> None:
    client = api({"allow_origins": [SHOP], "allow_methods": ["*"], "allow_credentials": True})
    assert names(preflight(client, method="DELETE"), "Access-Control-Allow-Methods") == set(METHODS)


@pytest.mark.parametrize("path", ["/closed", "/things/", "/nothing/", "/fail"])
def test_a_preflight_is_answered_before_anything_is_looked_for_or_asked(path: str) -> None:
    reply = preflight(api({"allow_origins": [SHOP]}), path)
    assert reply.status_int == 204
    assert reply.headers["Access-Control-Allow-Origin"] == SHOP


def test_what_is_no_preflight_is_answered_as_ever() -> None:
    client = api({"allow_origins": [SHOP]})
    plain = client.options("/things/", Origin=SHOP)
    assert plain.headers["Allow"].startswith("GET")
    assert plain.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Allow" in client.options("/things/", Access_Control_Request_Method="POST").headers
    problem(client.get("/nothing/", Origin=SHOP, Access_Control_Request_Method="POST"), 404, "not-found")


# Origins


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.com/.good.com",
        "https://evil.com/https://www.good.com",
        "https://evil.com?.good.com",
        "https://evil.com#.good.com",
        "https://evil.com\\.good.com",
        "https://evil.com%2f.good.com",
        "https://evil.com`.good.com",
        "https://evil.com{.good.com",
        "https://evil.com,.good.com",
        "https://evil.com .good.com",
        "https://evil.com\t.good.com",
        "https://evil.com:80.good.com",
        "https://evil.com@www.good.com",
        "https://www.good.com@evil.com",
        "https://good.com.evil.com",
        "https://www.good.com.evil.com",
        "https://www.good.com:443.evil.com",
        "https://www.good.com:8443",
        "https://www.good.com:444444",
        "https://www.good.com:",
        "https://www.good.com/",
        "https://www.good.com.",
        "https://xgood.com",
        "https://wwwgood.com",
        "https://wwwXgoodXcom",
        "http://www.good.com",
        "httpsx://www.good.com",
        "xhttps://www.good.com",
        "https:www.good.com",
        "//www.good.com",
        "www.good.com",
        "https://www.good.com https://evil.com",
        "https://www.good.com, https://evil.com",
        "https://www.good.com\x00.evil.com",
        "https://www.gооd.com",  # two letters of another alphabet
        "https://www.good.com\u212a",
        "https://" + "a" * 400 + ".good.com",
        "null",
        "*",
        "",
        " ",
        "file://",
        "about:blank",
    ],
)
def test_an_origin_that_only_looks_like_a_good_one_is_not_allowed(origin: str) -> None:
    listed = CORS({"allow_origins": ["https://www.good.com"]})
    matched = CORS({"allow_origin_regex": r"https://.*\.good\.com", "allow_credentials": True})
    for policy in (listed, matched):
        assert policy.allows("https://www.good.com")
        assert not policy.allows(origin)


def test_an_origin_is_the_same_in_any_case_and_with_its_default_port() -> None:
    policy = CORS({"allow_origins": ["HTTPS://Good.com:443", "http://good.com:8080", "http://[::1]:3000"]})
    for origin in ("https://good.com", "https://GOOD.com", "https://good.com:443", "http://good.com:8080"):
        assert policy.allows(origin)
    assert policy.allows("http://[::1]:3000")
    for origin in ("https://good.com:8080", "http://good.com", "http://good.com:80"):
        assert not policy.allows(origin)


def test_null_is_allowed_only_where_it_is_listed() -> None:
    assert CORS({"allow_origins": ["null"]}).allows("null")
    assert not CORS({"allow_origins": [SHOP]}).allows("null")
    assert not CORS({"allow_origin_regex": ".*"}).allows("null")


def test_a_pattern_and_a_list_add_up() -> None:
    policy = CORS({"allow_origins": [SHOP], "allow_origin_regex": re.compile(r"https://[a-z]+\.good\.com")})
    assert policy.allows(SHOP)
    assert policy.allows("https://www.good.com")
    assert not policy.allows("https://a.b.good.com")


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_a_pattern_never_sees_more_than_scheme_host_and_port(text: str) -> None:
    policy = CORS({"allow_origin_regex": r"https://.*good\.com"})
    if policy.allows(f"https://{text}good.com"):
        assert re.fullmatch(r"[A-Za-z0-9._-]*", text)


@given(st.text(max_size=60))
def test_the_form_of_an_origin_is_its_own_form(text: str) -> None:
    once = canonical(text)
    assert once is None or canonical(once) == once


# Configuration


@pytest.mark.parametrize(
    ("cors", "said"),
    [
        ({"allow_origins": ["*"], "allow_credentials": True}, "name the origins"),
        ({"allow_origins": ["null"], "allow_credentials": True}, "name the origins"),
        ({"allow_origin_regex": ".*", "allow_credentials": True}, "matches any origin"),
        ({"allow_origin_regex": "https?://.+", "allow_credentials": True}, "matches any origin"),
        ({"allow_origins": [SHOP], "allow_credentials": True, "expose_headers": ["*"]}, "name them"),
        ({"allow_origin": [SHOP]}, "did you mean 'allow_origins'?"),
        ({"allow_origins": SHOP}, "must be list or tuple"),
        ({"allow_origins": [SHOP + "/"]}, f"did you mean {SHOP!r}?"),
        ({"allow_origins": ["https://a.example/path"]}, "did you mean 'https://a.example'?"),
        ({"allow_origins": ["localhost:3000"]}, "such as 'https://example.org'"),
        ({"allow_origins": ["https://*.a.example"]}, "such as 'https://example.org'"),
        ({"allow_origins": ["https://bücher.example"]}, "punycode"),
        ({"allow_origins": [3]}, "holds 3"),
        ({"allow_origin_regex": "("}, "is not a regular expression"),
        ({"allow_origins": [SHOP], "allow_methods": ["get"]}, "did you mean 'GET'?"),
        ({"allow_origins": [SHOP], "allow_headers": ["X Y"]}, "is not the name of a header"),
        ({"allow_origins": [SHOP], "max_age": -1}, "must be a number of seconds"),
        ({"allow_origins": [SHOP], "max_age": True}, "max_age"),
        ({"allow_origins": []}, "allows no origin"),
        ({}, "allows no origin"),
        ([SHOP], "cors must be a dict"),
        (True, "cors must be a dict"),
    ],
)
def test_what_cannot_be_meant_is_refused(cors: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        api(cors)
    assert any(said in one for one in caught.value.problems), caught.value.problems


def test_every_mistake_comes_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        api({"allow_origins": ["a", "b"], "alow_headers": [], "allow_methods": ["FETCH"], "max_age": -1}, prefix="a b")
    assert len(caught.value.problems) == 6
