"""Requests that are large on purpose are answered in time: nothing costs more than in proportion to its size.

What is measured is the processor's time of this process, so that a busy machine does not matter; the bound is many
times what is needed, and far below what anything quadratic would take.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from hostile_api import Api

from rest_kit.pagination import Pagination

SECONDS = 2.0
ROOM = 2**20 - 100
"""About as many bytes as a body may have."""


def filled(piece: str, start: str = "", end: str = "") -> bytes:
    """A body as large as allowed that repeats a piece, `%d` in it counting."""
    count = (ROOM - len(start) - len(end)) // (len(piece) + 8)
    return (start + ",".join(piece.replace("%d", str(number)) for number in range(count)) + end).encode()


BODIES: dict[str, bytes] = {
    "unknown members": filled('"x%d":1', '{"title":"a",', "}"),
    "unknown members that are nearly right": filled('"titl%d":1', '{"title":"a",', "}"),
    "the same member again and again": filled('"title":"a"', "{", "}"),
    "two members again and again in a dict": filled('"a":1,"b":%d', '{"title":"a","dict":{', "}}"),
    "misfits": filled("[%d]", '{"title":', "}"),
    "wrong items of a bulk": filled('{"integer":"%d"}', "[", "]"),
    "items of a bulk": filled('{"title":"a%d"}', "[", "]"),
    "empty objects": filled("{}", "[", "]"),
    "empty lists in a list": filled("[]", '{"title":1,"list":[', "]}"),
    "a long text": b'{"title": "%b"}' % (b"a" * ROOM),
    "a long text of escapes": b'{"title": "%b"}' % (b"\\u0061" * (ROOM // 6)),
    "a long text of surrogates": b'{"title": "%b"}' % (b"\\ud83d\\ude00" * (ROOM // 12)),
    "a string without an end": b'"' + b"\\\\" * (ROOM // 2),
    "quotation marks": b'"' * ROOM,
    "brackets": b"[" * ROOM,
    "brackets in strings": filled('"[[[[{{{{"', "[", "]"),
    "digits": b'{"integer": %b}' % (b"9" * ROOM),
    "digits behind a point": b'{"decimal": 0.%b}' % (b"9" * ROOM),
    "digits in a text": b'{"title": "a", "decimal": "%b"}' % (b"9" * ROOM),
    "a date in a long text": b'{"title": "a", "moment": "2020-01-01T00:00:00.%bZ"}' % (b"0" * ROOM),
    "white space": b" " * ROOM + b"x",
}

QUERIES = {
    "many parameters": "&".join(f"x{number}=1" for number in range(10_000)),
    "parameters that are nearly right": "&".join(f"titl{number}=1" for number in range(10_000)),
    "the same parameter": "&".join(["title=a"] * 50_000),
    "ampersands": "&" * 200_000,
    "ordering": "ordering=" + ",".join(f"titl{number}" for number in range(20_000)),
    "fields": "fields=" + ",".join(f"titl{number}" for number in range(20_000)),
    "values": "title__in=" + "," * 200_000,
    "quotes": "title__in=" + '"' * 200_000,
    "a number": "integer=" + "9" * 200_000,
    "a decimal": "decimal=1e" + "9" * 200_000,
    "a date": "moment=2020-01-01T00:00:00." + "0" * 200_000 + "Z",
    "a search": "search=" + "a+" * 100_000,
    "a needle": "title__icontains=" + "%C4%B0" * 30_000,
    "percent signs": "title=" + "%" * 200_000,
}

HEADERS = {
    "HTTP_IF_MATCH": ", ".join(f'"{number}"' for number in range(20_000)),
    "HTTP_IF_NONE_MATCH": '"' * 100_000,
    "HTTP_ACCEPT": ",".join(f"a/b{number};q=0.1" for number in range(5_000)),
    "HTTP_PREFER": ",".join(f"a{number}=b" for number in range(20_000)),
    "HTTP_X_REQUEST_ID": "a" * 200_000,
    "CONTENT_TYPE": "application/json" + ";a=b" * 20_000,
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    made = Api("sqlite", tmp_path_factory.mktemp("sizes"), Pagination(100))
    yield made
    made.store.close()


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("name", BODIES)
def test_large_bodies(api: Api, name: str) -> None:
    for method, path in (("POST", "/things/"), ("PATCH", "/things/1/")):
        answer = api.ask(method, path, body=BODIES[name])
        assert 400 <= answer.status < 500, (method, answer.status, answer.body[:200])
        assert len(answer.body) < 200_000


@pytest.mark.parametrize("name", QUERIES)
def test_large_queries(api: Api, name: str) -> None:
    answer = api.ask("GET", "/things/", QUERIES[name])
    assert answer.status in (200, 400)
    assert len(answer.body) < 200_000 or answer.status == 200


@pytest.mark.parametrize("name", HEADERS)
def test_large_headers(api: Api, name: str) -> None:
    for method, path in (("GET", "/things/"), ("PATCH", "/things/1/")):
        answer = api.ask(method, path, "", b'{"title": "fine"}' if method == "PATCH" else b"", **{name: HEADERS[name]})
        assert answer.status < 500


def test_large_patches(api: Api) -> None:
    growing = [{"op": "add", "path": "/list", "value": []}] + [{"op": "add", "path": "/list/0", "value": 1}] * 20_000
    copying = [{"op": "copy", "from": "/dict", "path": "/dict/a"}] * 15_000
    testing = [{"op": "test", "path": "/title", "value": "a"}] * 15_000
    for patch in (growing, copying, testing):
        body = json.dumps(patch).encode()
        answer = api.ask("PATCH", "/things/1/", body=body, CONTENT_TYPE="application/json-patch+json")
        assert answer.status < 500, answer
