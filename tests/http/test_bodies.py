"""Bodies as they arrive: media types, lengths, and JSON read strictly."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from rest_kit import jsonio, models
from tests.http.samples import BOOKS, Book
from tests.http.support import Client, faults, over_list, problem, serve

DEEP = 64


@pytest.fixture
def client() -> Client:
    return serve(over_list([dict(book) for book in BOOKS], model=Book))


def untouched(client: Client) -> bool:
    """Whether the list is as it was, and can still be read."""
    return client.values("/things/") == [1, 2, 3, 4, 5, 6]


MALFORMED: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("blanks", b"  \n"),
    ("a cut object", b'{"title": "x"'),
    ("two documents", b'{"title": "x"} {"title": "y"}'),
    ("a trailing comma", b'{"title": "x",}'),
    ("single quotes", b"{'title': 'x'}"),
    ("a comment", b'{"title": "x" /* y */}'),
    ("a name twice", b'{"title": "x", "title": "y"}'),
    ("a name twice by an escape", b'{"title": "x", "titl\\u0065": "y"}'),
    ("a name twice within", b'{"title": "x", "tags": [{"a": 1, "a": 2}]}'),
    ("NaN", b'{"title": "x", "price": NaN}'),
    ("Infinity", b'{"title": "x", "price": Infinity}'),
    ("-Infinity", b'{"title": "x", "price": -Infinity}'),
    ("a lone surrogate", b'{"title": "\\ud800"}'),
    ("surrogates the wrong way round", b'{"title": "\\udc00\\ud800"}'),
    ("a lone surrogate in a name", b'{"title": "x", "\\udfff": 1}'),
    ("NUL", b'{"title": "a\\u0000b"}'),
    ("a raw control character", b'{"title": "a\x01b"}'),
    ("bad UTF-8", b'{"title": "\xff"}'),
    ("an encoded surrogate", b'{"title": "\xed\xa0\x80"}'),
    ("UTF-16", '{"title": "x"}'.encode("utf-16")),
    ("a byte order mark", b'\xef\xbb\xbf{"title": "x"}'),
    ("nesting beyond bounds", b'{"title": "x", "tags": ' + b"[" * DEEP + b"]" * DEEP + b"}"),
    ("nesting without end", b"[" * 500_000),
    ("objects without end", b'{"a":' * 200_000),
    ("an integer without end", b'{"title": "x", "stock": ' + b"9" * 10_000 + b"}"),
    ("a leading zero", b'{"title": "x", "stock": 01}'),
    ("a plus sign", b'{"title": "x", "stock": +1}'),
    ("hexadecimals", b'{"title": "x", "stock": 0x1}'),
]


@pytest.mark.parametrize("body", [body for _, body in MALFORMED], ids=[name for name, _ in MALFORMED])
def test_what_is_no_json_is_refused_and_never_stored(client: Client, body: bytes) -> None:
    requests = [("POST", "/things/"), ("PUT", "/things/1/"), ("PATCH", "/things/1/"), ("PUT", "/things/")]
    for method, path in requests:
        assert faults(client.ask(method, path, body=body), 400, "malformed-body") == [("#", "json")]
    assert untouched(client)


@pytest.mark.parametrize("exponent", ["1e400", "-1e400", "1e999999999", "1e-999999999"])
def test_numbers_beyond_the_range_of_their_field(exponent: str) -> None:
    class Number(models.Model):
        fields = [models.PkField("id"), models.FloatField("real"), models.DecimalField("exact")]

    client = serve(over_list([], model=Number))
    for name, refused in (("real", "e4"), ("exact", "e9"), ("exact", "e-9"), ("real", "e9")):
        reply = client.post("/things/", body=b'{"%s": %s}' % (name.encode(), exponent.encode()))
        assert reply.status_int in (201, 400)
        assert reply.status_int == 400 or refused not in exponent
    assert client.get("/things/").status_int == 200


def test_nesting_up_to_the_bound_is_fine() -> None:
    class Free(models.Model):
        fields = [models.PkField("id"), models.ListField("tags")]

    client = serve(over_list([], model=Free))
    depth = DEEP - 1
    reply = client.post("/things/", body=b'{"tags": ' + b"[" * depth + b"]" * depth + b"}")
    assert reply.status_int == 201
    assert client.get("/things/1/").json == reply.json


def test_text_of_any_kind_comes_back_as_it_was(client: Client) -> None:
    for title in ("\U0010ffff", "a\u2028b", "é\u0301", "\\", '"', "</script>", "\x7f", " ", "'; --"):
        assert client.get(client.post("/things/", {"title": title}).headers["Location"]).json["title"] == title


# Media types


@pytest.mark.parametrize("media_type", ["application/json", "APPLICATION/JSON", 'application/json; charset="UTF-8"'])
def test_json_is_taken(client: Client, media_type: str) -> None:
    assert client.post("/things/", {"title": "x"}, type=media_type).status_int == 201


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/merge-patch+json",
        "application/json; charset=latin-1",
        "application/jsonx",
        "nonsense",
        "",
        None,
    ],
)
def test_any_other_type_is_415(client: Client, media_type: str | None) -> None:
    for method, path in (("POST", "/things/"), ("PUT", "/things/1/")):
        problem(client.ask(method, path, {"title": "x"}, type=media_type), 415, "unsupported-media-type")
    assert untouched(client)


def test_the_types_that_are_taken_are_named(client: Client) -> None:
    reply = client.post("/things/", {"title": "x"}, type="text/plain")
    assert problem(reply, 415, "unsupported-media-type")["detail"] == (
        "text/plain is not accepted here; send application/json"
    )


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate, gzip"])
def test_a_compressed_body_is_415(client: Client, encoding: str) -> None:
    body = gzip.compress(b'{"title": "x"}')
    problem(client.post("/things/", body=body, Content_Encoding=encoding), 415, "unsupported-media-type")


def test_identity_is_no_compression(client: Client) -> None:
    assert client.post("/things/", {"title": "x"}, Content_Encoding="identity").status_int == 201


# Lengths


def sized(max_body: int | None) -> Client:
    options = {} if max_body is None else {"max_body": max_body}
    return serve(over_list([dict(book) for book in BOOKS], model=Book, controller={"options": options}))


def padded(size: int) -> bytes:
    return b'{"title": "x"' + b" " * (size - 14) + b"}"


@pytest.mark.parametrize(("max_body", "limit"), [(None, 1024 * 1024), (100, 100)])
def test_a_body_beyond_max_body_is_413(max_body: int | None, limit: int) -> None:
    client = sized(max_body)
    assert client.post("/things/", body=padded(limit)).status_int == 201
    problem(client.post("/things/", body=padded(limit + 1)), 413, "body-too-large")
    problem(client.put("/things/1/", body=padded(limit + 1)), 413, "body-too-large")
    problem(client.patch("/things/1/", body=padded(limit + 1)), 413, "body-too-large")


class Stream:
    """An input that must not be read further than this."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)
        self.asked = 0

    def read(self, size: int) -> bytes:
        self.asked += size
        return self._stream.read(size)


def raw(client: Client, stream: Any, **environ: Any) -> tuple[int, dict[str, Any]]:
    """What a server hands over when it does not check the body itself; no validator, which would."""
    seen: list[str] = []
    base = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/things/",
        "SCRIPT_NAME": "",
        "CONTENT_TYPE": "application/json",
        "wsgi.input": stream,
        "wsgi.multiprocess": False,
    }
    body = b"".join(client.application({**base, **environ}, lambda status, headers: seen.append(status)))
    return int(seen[0][:3]), jsonio.loads(body)


def test_a_body_too_large_is_not_read() -> None:
    stream = Stream(b" " * 1000)
    status, _ = raw(sized(100), stream, CONTENT_LENGTH="1000")
    assert (status, stream.asked) == (413, 0)


def test_a_body_shorter_than_declared_is_400(client: Client) -> None:
    status, document = raw(client, Stream(b'{"title": "x"}'), CONTENT_LENGTH="100")
    assert status == 400
    assert document["detail"] == "the body ended after 14 of the declared 100 bytes"
    status, _ = raw(client, Stream(b'{"title": "x"}'), CONTENT_LENGTH="100", **{"wsgi.input_terminated": True})
    assert status == 400
    assert untouched(client)


def test_no_more_is_read_than_declared(client: Client) -> None:
    status, _ = raw(client, Stream(b'{"title": "x"}GET / HTTP/1.1'), CONTENT_LENGTH="14")
    assert status == 201


@pytest.mark.parametrize("length", ["-1", "x", "1.5", "+14", "٣", "14, 14", "9" * 30])
def test_a_length_that_is_none_is_400(client: Client, length: str) -> None:
    status, document = raw(client, Stream(b'{"title": "x"}'), CONTENT_LENGTH=length)
    assert (status, document["detail"]) == (400, "Content-Length is not a number")


def test_a_chunked_body_is_read_where_the_server_marks_its_end() -> None:
    client = sized(100)
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    status, document = raw(client, Stream(b'{"title": "x"}'), **chunked)
    assert (status, document["title"]) == (201, "x")
    status, _ = raw(client, Stream(padded(101)), **chunked)
    assert status == 413


def test_without_a_length_and_an_end_there_is_no_body(client: Client) -> None:
    status, document = raw(client, Stream(b'{"title": "x"}'))
    assert (status, document["errors"][0]["detail"]) == (400, "the body is empty")


def test_a_body_that_nobody_asked_for_is_left_alone(client: Client) -> None:
    assert client.ask("GET", "/things/", body=b"{").status_int == 200
    assert client.ask("DELETE", "/things/1/", body=b"{").status_int == 204
