"""Behind proxies: whom they are believed, what a client makes up, and HTTPS that somebody else has ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from rest_kit.controllers import WSGIDispatcher
from rest_kit.errors import ConfigurationError
from rest_kit.proxies import Proxies
from rest_kit.request import Request
from rest_kit.routes import Route
from tests.http.samples import TAGS, Tag
from tests.http.support import Client, over_list, problem

PEER = {"REMOTE_ADDR": "10.0.0.9"}
"""Who connects to us: the innermost proxy."""


def seen(request: Request) -> dict[str, Any]:
    """What an endpoint sees of the client."""
    environ = request.environ
    return {"address": request.address, "scheme": environ["wsgi.url_scheme"], "host": request.http.host}


def api(proxies: Any = 0, **arguments: Any) -> Client:
    tags = over_list([dict(tag) for tag in TAGS], model=Tag, resource={"resource_name": "tags"})
    return Client(WSGIDispatcher([tags], proxies=proxies, routes=[Route("/seen", seen)], **arguments))


def address(proxies: Any, forwarded: str) -> str:
    """Where a request comes from, as an endpoint sees it."""
    found: str = api(proxies).get("/seen", environ=PEER, X_Forwarded_For=forwarded).json["address"]
    return found


# X-Forwarded-For


def test_nobody_is_believed_unless_told() -> None:
    forwarded = {
        "X_Forwarded_For": "192.0.2.1",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Prefix": "/evil",
    }
    client = api()
    assert client.get("/seen", environ=PEER, **forwarded).json == {
        "address": "10.0.0.9",
        "scheme": "http",
        "host": "localhost",
    }
    assert client.get("/tags/red/", environ=PEER, **forwarded).json["resource_uri"] == "/tags/red/"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        (2, "6.6.6.6, 192.0.2.1, 10.0.0.8", "192.0.2.1"),
        (3, "6.6.6.6,7.7.7.7 , 192.0.2.1,\t10.0.0.7, 10.0.0.8", "192.0.2.1"),
        (1, "2001:DB8::0:1", "2001:db8::1"),
        (1, "192.0.2.1:51234", "192.0.2.1"),
        (1, "[2001:db8::1]:51234", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_the_address_is_what_the_outermost_trusted_proxy_saw(proxies: int, forwarded: str, found: str) -> None:
    assert address(proxies, forwarded) == found


@pytest.mark.parametrize(
    ("proxies", "forwarded"),
    [
        (2, "192.0.2.1"),
        (1, ""),
        (1, "unknown"),
        (1, "_hidden"),
        (1, "192.0.2.1, unknown"),
        (1, "192.0.2.300"),
        (1, "192.0.2.1.evil.example"),
        (1, "<script>"),
        (1, "[192.0.2.1"),
        (1, "::ffff:"),
    ],
)
def test_what_makes_no_sense_leaves_the_address_of_the_peer(proxies: int, forwarded: str) -> None:
    assert address(proxies, forwarded) == "10.0.0.9"


@pytest.mark.parametrize("forged", ['"', '"x', '6.6.6.6, "', '"6.6.6.6, \\"', '"a", "b', '""'])
@pytest.mark.parametrize("proxies", [1, 2])
def test_a_quote_does_not_swallow_what_the_proxies_append(proxies: int, forged: str) -> None:
    appended = ["192.0.2.1", "10.0.0.8"][:proxies]
    assert address(proxies, ", ".join([forged, *appended])) == "192.0.2.1"


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    st.integers(min_value=1, max_value=3),
)
def test_nothing_that_a_client_sends_changes_its_address(forged: str, proxies: int) -> None:
    appended = ["192.0.2.1", "10.0.0.7", "10.0.0.8"][:proxies]
    environ = {**PEER, "HTTP_X_FORWARDED_FOR": ", ".join([forged, *appended])}
    assert Proxies({"for": proxies})(environ)["REMOTE_ADDR"] == "192.0.2.1"


# The scheme, the host, the prefix


def test_a_number_is_that_of_addresses_and_schemes_alone() -> None:
    forwarded = {"X_Forwarded_Proto": "HTTPS", "X_Forwarded_Host": "evil.example", "X_Forwarded_Prefix": "/evil"}
    client = api(1)
    found = client.get("/seen", environ=PEER, **forwarded).json
    assert (found["scheme"], found["host"].partition(":")[0]) == ("https", "localhost")
    assert client.get("/tags/red/", **forwarded).json["resource_uri"] == "/tags/red/"


@pytest.mark.parametrize("proto", ["ftp", "javascript", "https://x", "https http", ""])
def test_an_odd_scheme_is_none(proto: str) -> None:
    assert api(1).get("/seen", X_Forwarded_Proto=proto).json["scheme"] == "http"


def test_the_host_where_it_is_named() -> None:
    client = api({"for": 1, "proto": 1, "host": 1})
    assert client.get("/seen", X_Forwarded_Host="evil.example, shop.example:8443").json["host"] == "shop.example:8443"
    for odd in ("a b", "shop.example/x", "user@shop.example", "shop.example:x"):
        assert client.get("/seen", X_Forwarded_Host=odd).json["host"] == "localhost"


@pytest.mark.parametrize(
    ("port", "host"), [("65535", "localhost:65535"), ("65536", "localhost"), ("99999", "localhost")]
)
def test_the_port_where_it_is_named(port: str, host: str) -> None:
    assert api({"port": 1}).get("/seen", X_Forwarded_Port=port).json["host"].removesuffix(":80") == host


def test_the_prefix_where_it_is_named() -> None:
    client = api({"prefix": 1})
    reply = client.get("/tags/", X_Forwarded_Prefix="/shop", environ={"RAW_URI": "/tags/"})
    assert [one["resource_uri"] for one in reply.json["object_list"]][:2] == [
        "/shop/tags/a%2Fb/",
        "/shop/tags/red/",
    ]
    assert 'rel="first"' in reply.headers["Link"]
    assert "</shop/tags/" in reply.headers["Link"]
    assert client.get("/nothing/", X_Forwarded_Prefix="/shop/").json["type"] == "/shop/docs/errors/not-found/"


def test_a_prefix_that_the_proxy_takes_off_does_not_hide_slashes_in_keys() -> None:
    client = api({"prefix": 1})
    raw = {"RAW_URI": "/tags/a%2Fb/"}
    reply = client.get("/tags/a%2Fb/", X_Forwarded_Prefix="/shop", environ=raw)
    assert reply.json["resource_uri"] == "/shop/tags/a%2Fb/"


def test_a_prefix_comes_before_the_mount() -> None:
    tags = over_list([dict(tag) for tag in TAGS], model=Tag, resource={"resource_name": "tags"})
    inner = WSGIDispatcher([tags], proxies={"prefix": 1})
    client = Client(DispatcherMiddleware(_nobody, {"/api": inner}))
    raw = {"RAW_URI": "/api/tags/a%2Fb/"}
    reply = client.get("/api/tags/a%2Fb/", X_Forwarded_Prefix="/shop", environ=raw)
    assert reply.json["resource_uri"] == "/shop/api/tags/a%2Fb/"


@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "/",
        "evil",
        "https://evil.example",
        "/a//b",
        "/a/../b",
        "/..",
        "/.",
        "/a b",
        "/<x>",
        "/%2F",
        "\\",
    ],
)
def test_a_prefix_that_could_lead_elsewhere_is_none(prefix: str) -> None:
    reply = api({"prefix": 1}).get("/tags/red/", X_Forwarded_Prefix=prefix)
    assert reply.json["resource_uri"] == "/tags/red/"


def _nobody(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b""]


def test_the_fallback_and_the_server_see_the_request_as_it_came() -> None:
    def other(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{environ['REMOTE_ADDR']} {environ['wsgi.url_scheme']}".encode()]

    client = api(1, fallback=other)
    forwarded = {"X_Forwarded_For": "192.0.2.1", "X_Forwarded_Proto": "https"}
    assert client.get("/about", environ=PEER, **forwarded).text == "10.0.0.9 http"
    environ = {"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}
    assert Proxies({"for": 1})(environ)["REMOTE_ADDR"] == "192.0.2.1"
    assert environ == {"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}


@pytest.mark.parametrize(
    ("proxies", "said"),
    [
        (-1, "must be how many proxies"),
        (True, "must be how many proxies"),
        ("1", "must be how many proxies"),
        ({"four": 1}, "did you mean 'for'?"),
        ({"for": "1"}, "proxies['for'] must be int"),
        ({"for": -1}, "must not be negative"),
    ],
)
def test_what_is_no_number_of_proxies_is_refused(proxies: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        api(proxies)
    assert said in caught.value.problems[0]


# HTTPS


def test_plain_http_is_refused_and_https_is_to_stay() -> None:
    client = api(1, https=True)
    reply = client.get("/tags/red/")
    assert problem(reply, 403, "https-required")["detail"] == "this is served over HTTPS only"
    assert "Strict-Transport-Security" not in reply.headers
    assert "Location" not in reply.headers
    for path in ("/tags/red/", "/tags/blue/"):
        over = client.get(path, X_Forwarded_Proto="https")
        assert over.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert client.get("/tags/red/", environ={"wsgi.url_scheme": "https"}).status_int == 200


def test_nothing_is_written_over_plain_http() -> None:
    client = api(1, https=True)
    problem(client.delete("/tags/red/"), 403, "https-required")
    assert client.get("/tags/red/", X_Forwarded_Proto="https").status_int == 200


def test_probes_may_come_over_plain_http() -> None:
    client = api(https=True, prefix="/api")
    for path in ("/api/healthz", "/api/healthz/", "/api/readyz"):
        assert client.get(path).status_int == 200
    for path in ("/api/", "/api/tags/healthz", "/healthz"):
        assert client.get(path).status_int == 403


def test_how_long_https_is_to_stay_and_for_which_hosts() -> None:
    client = api(1, https={"hsts": 60, "include_subdomains": True})
    reply = client.get("/tags/", X_Forwarded_Proto="https")
    assert reply.headers["Strict-Transport-Security"] == "max-age=60; includeSubDomains"


def test_a_page_can_read_that_https_is_required() -> None:
    client = api(1, https=True, cors={"allow_origins": ["https://shop.example"]})
    reply = client.get("/tags/", Origin="https://shop.example")
    assert reply.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    problem(reply, 403, "https-required")


@pytest.mark.parametrize(
    ("https", "said"),
    [
        ("yes", "https must be True, False or a dict"),
        (1, "https must be True, False or a dict"),
        ({"htst": 5}, "did you mean 'hsts'?"),
        ({"hsts": -5}, "must be a number of seconds"),
        ({"hsts": True}, "https['hsts'] must be int"),
    ],
)
def test_what_does_not_say_how_https_is_wanted_is_refused(https: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        api(https=https)
    assert said in caught.value.problems[0]
