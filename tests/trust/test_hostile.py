"""Whatever is sent, in process: a refusal in the 400s that says why, as a problem document, and nothing is stored."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hostile_api import Api, refused
from hostile_bodies import JSON_PATCHES, bodies

from rest_kit.pagination import CursorPagination, Pagination

KINDS = ("list", "csv", "sqlite")
FINE = b'{"title": "fine"}'
ITEM = "/things/1/"


@pytest.fixture(scope="module", params=KINDS)
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    made = Api(request.param, tmp_path_factory.mktemp("hostile"), Pagination(100))
    yield made
    made.store.close()


@pytest.mark.parametrize("name", bodies())
def test_hostile_bodies(api: Api, name: str) -> None:
    body = bodies()[name]
    before = api.everything()
    refused(api.ask("POST", "/things/", body=body), 400)
    refused(api.ask("PUT", ITEM, body=body), 400)
    if body[:1] not in b"[":
        refused(api.ask("POST", "/things/", body=b"[%b, %b]" % (FINE, body)), 400)
    refused(api.ask("PATCH", ITEM, body=body), 400)
    refused(api.ask("PATCH", "/things/", "id=2", body=body), 400)
    assert api.everything() == before


@pytest.mark.parametrize("name", JSON_PATCHES)
def test_hostile_json_patches(api: Api, name: str) -> None:
    before = api.everything()
    body = json.dumps(JSON_PATCHES[name]).encode()
    refused(api.ask("PATCH", ITEM, body=body, CONTENT_TYPE="application/json-patch+json"), 400, 409, 413)
    assert api.everything() == before


HEADERS: dict[str, tuple[dict[str, str], int]] = {
    "no type": ({"CONTENT_TYPE": ""}, 415),
    "plain text": ({"CONTENT_TYPE": "text/plain"}, 415),
    "a form": ({"CONTENT_TYPE": "application/x-www-form-urlencoded"}, 415),
    "multipart": ({"CONTENT_TYPE": "multipart/form-data; boundary=x"}, 415),
    "nearly JSON": ({"CONTENT_TYPE": "application/jsonp"}, 415),
    "JSON and more": ({"CONTENT_TYPE": "application/json/x"}, 415),
    "a comma": ({"CONTENT_TYPE": "application/json, text/html"}, 415),
    "garbage type": ({"CONTENT_TYPE": "\xff\xfe;;;=\x80"}, 415),
    "latin-1": ({"CONTENT_TYPE": "application/json; charset=latin-1"}, 415),
    "utf-16": ({"CONTENT_TYPE": 'application/json; charset="utf-16"'}, 415),
    "utf-7": ({"CONTENT_TYPE": "application/json;CHARSET=UTF-7"}, 415),
    "gzip": ({"HTTP_CONTENT_ENCODING": "gzip"}, 415),
    "br, GZIP": ({"HTTP_CONTENT_ENCODING": "br, GZIP"}, 415),
    "identity twice": ({"HTTP_CONTENT_ENCODING": "identity, deflate"}, 415),
    "longer than it is": ({"CONTENT_LENGTH": "100"}, 400),
    "too large": ({"CONTENT_LENGTH": str(2**20 + 1)}, 413),
    "far too large": ({"CONTENT_LENGTH": "9" * 18}, 413),
    "absurdly large": ({"CONTENT_LENGTH": "9" * 4400}, 400),
    "negative": ({"CONTENT_LENGTH": "-1"}, 400),
    "signed": ({"CONTENT_LENGTH": "+17"}, 400),
    "a fraction": ({"CONTENT_LENGTH": "17.0"}, 400),
    "arabic digits": ({"CONTENT_LENGTH": "\u0661\u0667".encode().decode("latin-1")}, 400),
    "no number": ({"CONTENT_LENGTH": "many"}, 400),
    "two numbers": ({"CONTENT_LENGTH": "17, 17"}, 400),
    "no length": ({"CONTENT_LENGTH": ""}, 400),
    "nothing acceptable": ({"HTTP_ACCEPT": "text/x-nothing"}, 406),
    "nothing at all acceptable": ({"HTTP_ACCEPT": "*/*;q=0"}, 406),
    "all but JSON": ({"HTTP_ACCEPT": "application/json;q=0"}, 406),
    "If-Match": ({"HTTP_IF_MATCH": '"nothing"'}, 412),
    "If-None-Match": ({"HTTP_IF_NONE_MATCH": "*"}, 412),
}


@pytest.mark.parametrize("name", HEADERS)
def test_hostile_headers_of_writes(api: Api, name: str) -> None:
    before = api.everything()
    headers, status = HEADERS[name]
    if name != "If-None-Match":
        refused(api.ask("POST", "/things/", body=FINE, **headers), status)
    refused(api.ask("PUT", ITEM, body=FINE, **headers), status)
    refused(api.ask("PATCH", ITEM, body=FINE, **headers), status)
    assert api.everything() == before


ODD_HEADERS = {
    "HTTP_ACCEPT": (",", ";", "*", "a/b/c", "*/*;q=x", "application/json;q=1e400", "\xff", "x" * 8000, ";q=0,,,/"),
    "HTTP_IF_NONE_MATCH": ("", '"', "W/", 'W/"', "*,*", "\xff", '"' * 5000, "a, b,,,"),
    "HTTP_IF_MATCH": ("", '"', "W/", '"a" "b"', "\xff", "'x'"),
    "HTTP_PREFER": ("", "=", ";;;,", "handling=", "return", "handling==lenient", "\xff=\xff", "," * 5000),
    "HTTP_X_REQUEST_ID": ("", "a b", "<script>", "x" * 5000, "\xe4", "a\tb", "é"),
    "HTTP_RANGE": ("bytes=0-", "bytes=9-1", "items=-", "\xff"),
    "HTTP_IF_MODIFIED_SINCE": ("yesterday", "\xff"),
    "HTTP_COOKIE": ("\xff=;=;;", "a=b" * 2000),
    "HTTP_AUTHORIZATION": ("Basic", "Basic \xff", "Basic ====", "Bearer"),
    "HTTP_HOST": ("", "a b", "\xff", "evil.example:99999", "[::1"),
    "HTTP_X_FORWARDED_PREFIX": ("//evil.example",),
    "HTTP_EXPECT": ("nothing",),
}


@pytest.mark.parametrize(
    ("header", "value"), [(name, value) for name, values in ODD_HEADERS.items() for value in values]
)
def test_odd_headers_never_break_a_read(api: Api, header: str, value: str) -> None:
    for path, query in ((ITEM, ""), ("/things/", "count=2"), ("/nothing/", "")):
        answer = api.ask("GET", path, query, b"", **{header: value})
        assert answer.status < 500
        assert all(re.fullmatch(r"[\x20-\x7e]*", text) for text in answer.headers.values())
        assert "evil" not in answer.body.decode()
        if answer.status != 304:
            json.loads(answer.body)


QUERIES = (
    *(
        "nothing=1",
        "=1",
        "=",
        "title[]=a",
        "title;=a",
        "title.eq=a",
        "title__=a",
        "title__EQ=a",
        "Title=a",
        "__class__=1",
    ),
    *("count=-1", "count=", "count=a", "count=1.5", "count=1e3", "count=+1", "count=%2B1", "count=%D9%A1", "count=0x1"),
    *("offset=-1", "offset=", "offset=a", "offset=9223372036854775808", "offset=" + "9" * 5000, "count=" + "9" * 5000),
    *("count=1&count=1", "title=a&title=a", "title=a&%74itle=b", "ordering=id&ordering=id", "fields=id&fields=id"),
    *("integer=", "integer=a", "integer=1.5", "integer=1.0", "integer=%D9%A3", "integer=1_000", "integer=%201"),
    *("integer=0x10", "integer=1e3", "integer=%2B1", "integer=true", "integer=null"),
    *("integer=9223372036854775808", "integer=-9223372036854775809", "integer__gt=" + "9" * 5000),
    *("integer__in=1,a", "integer__in=1,", "integer__notin=x", "integer__range=1", "integer__range=1,2,3"),
    *("integer__range=", "integer__range=a,b", "integer__isnull=", "integer__isnull=maybe", "integer__isnull=1"),
    *("integer__contains=1", "integer__icontains=1", "integer__startswith=1", "integer__iexact=1"),
    *("float=nan", "float=inf", "float=-inf", "float=1e400", "float=1_0", "float=a", "float=", "float=0x1p3"),
    *("decimal=nan", "decimal=inf", "decimal=sNaN", "decimal=a", "decimal=", "decimal=1_0", "decimal=1e999999999"),
    *("boolean=1", "boolean=", "boolean=yes", "boolean=None", "boolean__in=true,x", "boolean__contains=t"),
    *("date=2020-02-30", "date=", "date=today", "date__gte=20200101", "date__range=2020-01-01", "date=0000-01-01"),
    *("moment=2020-01-01T25:00:00Z", "moment=", "moment=now", "moment__lt=0001-01-01T00:00:00%2B23:59"),
    *("uuid=x", "uuid=", "uuid__in=x", "uuid__contains=0", "list=1", "list=[]", "list__contains=1", "list__in=a"),
    *("list__gt=1", "dict={}", "dict__eq={}", "dict__a=1", "dict__isnull=x"),
    *("ordering=", "ordering=-", "ordering=nothing", "ordering=title,title", "ordering=title,-title", "ordering=list"),
    *("ordering=--title", "ordering=title,", "ordering=,", "ordering=title%20desc", "ordering=title;--", "ordering=1"),
    *("ordering=(select%201)", "ordering=title%00", "ordering=resource_uri", "ordering=" + "title," * 1000),
    *("fields=", "fields=nothing", "fields=title,,integer", "fields=,", "fields=*", "fields=title%00", "fields=1"),
    *("search=%00", "search=%FF", "search=" + "+".join("abcdefghijklmnopqrstuvwxyz"), "search=%ED%A0%80"),
    *("title=%00", "title=%FF", "title=%C0%AF", "title=%ED%A0%80", "%FF=1", "%00=1", "%ED%A0%80=1", "title=\xff"),
    *('title__in="a', 'title__in="a"b', 'title__in=a,"', "title__in=" + ",".join("a" * 1001), "title__range=a"),
    *("cursor=x", "page=1", "page_size=1", "limit=1", "id__id=1", "id__eq__eq=1", "integer__gte__lt=1", "envelope=0"),
    *("title__regex=(a+)%2B$", "title__like=%25", "title__not=a", "or=(title.eq.a)", "filter=a", "q=a", "include=x"),
)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: ascii(query[:40]))
def test_hostile_parameters(api: Api, query: str) -> None:
    before = api.everything()
    answer = api.ask("GET", "/things/", query)
    refused(answer, 400)
    assert all("parameter" in error for error in answer.data["errors"])
    refused(api.ask("DELETE", "/things/", query), 400)
    refused(api.ask("PATCH", "/things/", query, FINE), 400)
    assert api.everything() == before


WEIRD_FILTERS = (
    *(
        "title='",
        "title='%20OR%201=1%20--",
        "title=%22",
        "title=%25",
        "title=_",
        "title=%5C",
        "title=;DROP%20TABLE%20items",
    ),
    *(
        "title__contains=%25",
        "title__startswith=%5C",
        "title__iendswith=%C4%B0",
        "title__in=",
        "title__notin=",
        "title=",
    ),
    *("search=%25", "search='", "search=%22%20OR", "search=+", "search=", "title__in=%22a%22%22b%22", "title=\xc3\xa9"),
    *(
        "title=" + "x" * 50_000,
        "title__contains=" + "%F0%9F%98%80" * 1000,
        "&&&",
        "count=0",
        "offset=9223372036854775807",
    ),
    *("integer__in=" + ",".join(map(str, range(1000))), "title__icontains=" + "a%25" * 1000, "count=99999999999"),
)


@pytest.mark.parametrize("query", WEIRD_FILTERS, ids=lambda query: ascii(query[:40]))
def test_weird_but_valid_filters(api: Api, query: str) -> None:
    before = api.everything()
    answer = api.ask("GET", "/things/", query)
    assert answer.status == 200, answer
    for obj in answer.data["object_list"]:
        assert obj["id"] in range(1, 7)
    for link in [answer.data["meta"][name] for name in ("first", "previous", "next", "last")]:
        assert link is None or re.fullmatch(r"/things/\?[\x21-\x7e]*", link)
    assert api.everything() == before


PATHS = (
    *("/things/007/", "/things/+1/", "/things/-1/", "/things/-0/", "/things/1.0/", "/things/1e0/", "/things/0x1/"),
    *(
        "/things/\xd9\xa1/",
        "/things/\xff/",
        "/things/\x00/",
        "/things/1\x00/",
        "/things/ 1/",
        "/things/1 /",
        "/things/1\n/",
    ),
    *(
        "/things/1_0/",
        "/things/True/",
        "/things/None/",
        "/things/9223372036854775808/",
        "/things/-9223372036854775809/",
    ),
    *("/things/" + "9" * 5000 + "/", "/things/0/", "/things/1;/", "/things/1,2/", "/things/'/", "/things/1 OR 1=1/"),
    *("//", "//things/", "/things//", "/things//1/", "/things/1//", "///", "/things/1/1/", "/things/1/nothing/"),
    *("/things/../things/1/", "/things/./1/", "/../../etc/passwd", "/things/1/../1/", "/..", "/."),
    *("/Things/1/", "/THINGS/", "/thing/", "/things1/", "/nothing/", "/\xff/", "/\xed\xa0\x80/", "/things\x00/"),
    *("/schema/nothing/", "/schema/things/x/", "/docs/errors/nothing/x/", "/healthz/x/", "/readyz/x"),
)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ascii(path[:40]))
def test_hostile_paths(api: Api, path: str) -> None:
    before = api.everything()
    refused(api.ask("GET", path), 404)
    refused(api.ask("DELETE", path), 404)
    assert api.everything() == before


@pytest.mark.parametrize(
    "method", ["BREW", "get", "TRACE", "CONNECT", "PROPFIND", "G\xcb T", "POST/", "__class__", "*"]
)
def test_hostile_methods(api: Api, method: str) -> None:
    before = api.everything()
    for path in ("/things/", ITEM, "/", "/schema/", "/healthz"):
        answer = api.ask(method, path)
        refused(answer, 405)
        assert "GET" in answer.headers["allow"]
    refused(api.ask("DELETE", "/things/"), 400)
    refused(api.ask("PATCH", "/things/", body=FINE), 400)
    assert api.everything() == before


CURSORS = ("", "x", "....", "a.b", "\xff", "%00", "W10", "WzBd.x", "x" * 5000, "e30.e30", "%F0%9F%98%80")


@pytest.mark.parametrize("kind", KINDS)
def test_forged_and_foreign_cursors(kind: str, tmp_path: Path) -> None:
    api = Api(kind, tmp_path, CursorPagination(2))
    try:
        link = api.ask("GET", "/things/", "ordering=title").data["meta"]["next"]
        query = link.partition("?")[2]
        assert api.ask("GET", "/things/", query).status == 200
        cursor = re.search("cursor=([^&]*)", query)
        assert cursor is not None
        text = cursor[1]
        flipped = [text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :] for at in range(0, len(text) - 1, 7)]
        for forged in (*CURSORS, text[:-3], text + "x", text[3:], *flipped):
            refused(api.ask("GET", "/things/", f"ordering=title&cursor={forged}"), 400)
        for foreign in (
            "",
            "ordering=-title&",
            "ordering=integer&",
            "ordering=title&integer=1&",
            "ordering=title&search=a&",
        ):
            refused(api.ask("GET", "/things/", f"{foreign}cursor={text}"), 400)
    finally:
        api.store.close()


def test_the_bodies_would_be_stored_but_for_what_is_wrong(api: Api) -> None:
    """The other tests show nothing if everything were refused."""
    made = api.ask("POST", "/things/", body=FINE)
    assert made.status == 201, made
    assert made.data["title"] == "fine"
    uri = made.headers["location"]
    whole = {
        "title": "\u0001\ufffe\U0010ffff é",
        "integer": -(2**63),
        "float": 1e308,
        "decimal": "9999999999.99",
        "boolean": False,
        "date": str(datetime.date.max),
        "moment": "0001-01-01T00:00:00Z",
        "uuid": str(UUID(int=2**128 - 1)),
        "list": [[[None]], "\u2028", 2**63 - 1],
        "dict": {"": {"__proto__": 1}},
    }
    stored = api.ask("PUT", uri, body=json.dumps(whole).encode())
    assert stored.status == 200, stored
    assert {name: stored.data[name] for name in whole} == whole
    assert api.ask("PATCH", uri, body=b'{"integer": 1, "resource_uri": "%b"}' % uri.encode()).status == 200
    assert api.ask("DELETE", uri).status == 204
