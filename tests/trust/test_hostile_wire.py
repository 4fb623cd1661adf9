"""What only a socket can send, to a real gunicorn: a refusal, nothing stored, and the server goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from trust_apps import seed
from trust_server import Server

MUCH = 8192
"""Bytes that gunicorn reads at once."""
BODY = b'{"name": "sent", "count": 1}'
LENGTH = b"%d" % len(BODY)
HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


def get(target: bytes, headers: bytes = HOST, version: bytes = b"HTTP/1.1") -> bytes:
    """A request for a target, in these very bytes."""
    return b"GET " + target + b" " + version + b"\r\n" + headers + b"\r\n"


def post(headers: bytes, body: bytes = BODY, method: bytes = b"POST /items/") -> bytes:
    """A write with these very headers and body."""
    return method + b" HTTP/1.1\r\n" + HOST + JSON + headers + b"\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """A body in chunks, as it should be."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


CHUNKED = b"Transfer-Encoding: chunked\r\n"

PATHS = {
    "encoded NUL": b"/items/%00/",
    "encoded byte": b"/items/%FF/",
    "encoded surrogate": b"/items/%ED%A0%80/",
    "encoded slash": b"/items/1%2F/",
    "encoded slash in front": b"/%2Fitems/1/",
    "encoded dots": b"/items/%2e%2e%2fitems/1/",
    "encoded traversal": b"/items/..%2F..%2Fetc%2Fpasswd",
    "double slash": b"//items/1/",
    "double slash inside": b"/items//1/",
    "leading zeros": b"/items/007/",
    "encoded plus": b"/items/%2B1/",
    "arabic digit": b"/items/%D9%A1/",
    "encoded newline": b"/items/1%0A/",
    "encoded CRLF": b"/items/1%0D%0AX-Evil:%201/",
    "percent alone": b"/items/%/",
    "percent and rubbish": b"/items/%zz/",
    "encoded question mark": b"/items/1%3Ffields=id",
    "long": b"/items/" + b"9" * 3000 + b"/",
}

READS = {
    "unknown parameter": b"/items/?nothing=1",
    "encoded NUL in a parameter": b"/items/?name=%00",
    "encoded surrogate in a parameter": b"/items/?search=%ED%A0%80",
    "parameter twice": b"/items/?count=1&count=2",
    "too long a target": b"/items/?name=" + b"a" * 100_000,
}

HEADERS = {
    "NUL in a header": HOST + b"X-A: a\x00b\r\n",
    "space before the colon": HOST + b"X-A : b\r\n",
    "no colon": HOST + b"X-A\r\n",
    "folded": HOST + b"X-A: b\r\n c\r\n",
    "huge": HOST + b"X-A: " + b"a" * 100_000 + b"\r\n",
    "many": HOST + b"".join(b"X-%d: a\r\n" % number for number in range(500)),
    "odd name": HOST + b"X\xff: a\r\n",
}

WRITES = {
    "nothing at all": b"",
    "short": b"Content-Length: 100\r\n",
    "length that is no number": b"Content-Length: many\r\n",
    "negative length": b"Content-Length: -1\r\n",
    "signed length": b"Content-Length: +%b\r\n" % LENGTH,
    "two lengths": b"Content-Length: %b\r\nContent-Length: 1\r\n" % LENGTH,
    "two lengths in one": b"Content-Length: %b, 1\r\n" % LENGTH,
    "endless length": b"Content-Length: " + b"9" * 4000 + b"\r\n",
    "too large": b"Content-Length: 2000000\r\n",
    "length and chunks": b"Content-Length: %b\r\n" % LENGTH + CHUNKED,
    "gzip": b"Content-Encoding: gzip\r\nContent-Length: %b\r\n" % LENGTH,
    "chunks that are none": CHUNKED,
}

CHUNKS = {
    "no size": b"\r\n" + BODY,
    "negative size": b"-5\r\n" + BODY + b"\r\n0\r\n\r\n",
    "0x size": b"0x1C\r\n" + BODY + b"\r\n0\r\n\r\n",
    "endless size": b"f" * 100 + b"\r\n" + BODY,
    "cut short": b"%x\r\n" % (len(BODY) + 10) + BODY,
    "no end": b"%x\r\n" % len(BODY) + BODY + b"\r\n",
    "no line end": b"%x\r\n" % len(BODY) + BODY + b"xx0\r\n\r\n",
    "not JSON": chunked(b'{"name": "s', b"ent"),
    "lone surrogate over two chunks": chunked(b'{"name": "\\ud8', b'00", "count": 1}'),
    "too large": chunked(*[b" " * 65536] * 17),
}

LINES = {
    "no version": b"GET /items/\r\n\r\n",
    "odd version": get(b"/items/", version=b"HTTP/9.9"),
    "no protocol": get(b"/items/", version=b"SPAM/1.1"),
    "no slash": get(b"items/"),
    "raw byte in the path": get(b"/items/\xff/"),
    "raw bytes in a parameter": get(b"/items/?name=\xff\xfe"),
    "two spaces": b"GET  /items/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "rubbish": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "lower case": b"get /items/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "unknown method": b"BREW /items/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "TRACE": b"TRACE /items/ HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("wire")
    seed("sqlite", folder)
    with Server(f"trust_apps:serve('sqlite', {str(folder)!r})", folder, workers=1, threads=4) as running:
        yield running
    log = running.log.read_text(errors="replace")
    assert "Traceback" not in log, log


def names(server: Server) -> list[str]:
    """What is stored."""
    answer = server.request("GET", "/items/")
    assert answer.status == 200
    return [item["name"] for item in answer.data["object_list"]]


def refused(server: Server, raw: bytes, *, ours: int = 0) -> None:
    """The answer is in the 400s (`ours`: this very status, as a problem document of ours), and nothing is stored.

    Of a very long request the server need not read the rest; closing then resets the connection, and the client may
    never see the answer.
    """
    reply = server.send(raw, half_close=True)
    if len(raw) > MUCH and not reply:
        assert names(server) == ["first", "second"]
        return
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4"), reply[:500]
    if ours:
        assert head.startswith(b"HTTP/1.1 %d " % ours), reply[:500]
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == ours
    assert b"X-Evil" not in head
    assert names(server) == ["first", "second"]


@pytest.mark.parametrize("name", PATHS)
def test_hostile_paths(server: Server, name: str) -> None:
    refused(server, get(PATHS[name]), ours=404)


@pytest.mark.parametrize("name", READS)
def test_hostile_parameters(server: Server, name: str) -> None:
    refused(server, get(READS[name]), ours=0 if name.startswith("too long") else 400)


@pytest.mark.parametrize("name", HEADERS)
def test_hostile_headers(server: Server, name: str) -> None:
    refused(server, get(b"/items/", HEADERS[name]))


@pytest.mark.parametrize("method", [b"POST /items/", b"PUT /items/1/", b"PATCH /items/1/"], ids=bytes.decode)
@pytest.mark.parametrize("name", WRITES)
def test_hostile_lengths(server: Server, name: str, method: bytes) -> None:
    refused(server, post(WRITES[name], method=method))


@pytest.mark.parametrize("name", CHUNKS)
def test_hostile_chunks(server: Server, name: str) -> None:
    refused(server, post(CHUNKED, CHUNKS[name]))


@pytest.mark.parametrize("name", LINES)
def test_hostile_request_lines(server: Server, name: str) -> None:
    refused(server, LINES[name])


def test_the_same_is_stored_when_nothing_is_wrong(server: Server) -> None:
    """In one piece and in chunks; and taken away again."""
    whole = post(b"Content-Length: %b\r\n" % LENGTH)
    for raw in (whole, post(CHUNKED, chunked(BODY[:9], BODY[9:]))):
        reply = server.send(raw)
        assert reply.startswith(b"HTTP/1.1 201 "), reply
        item = json.loads(reply.partition(b"\r\n\r\n")[2])
        assert server.request("DELETE", item["resource_uri"]).status == 204
