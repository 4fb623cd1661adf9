"""Files on their way out: ranges, conditions, and headers that keep a browser from running what somebody sent."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest
from werkzeug.http import http_date, parse_date, parse_options_header

from rest_kit import models
from rest_kit.uploads import DirectoryStorage
from tests.http.forms import FORM, File, form
from tests.http.support import Client, over_list, problem, serve

DATA = bytes(range(100))
URL = "/things/1/file/"


class Paper(models.Model):
    """An object with a file of whatever type."""

    fields = [models.PkField("id"), models.FileField("file")]


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """One object, with a file of a hundred bytes."""
    return holding(tmp_path, File("data.bin", "application/x-data", DATA))


def holding(folder: Path, file: File) -> Client:
    """A client of a resource with one object, which has this file."""
    files = DirectoryStorage(folder / "files")
    client = serve(over_list([], model=Paper, resource={"options": {"files": files}}))
    reply = client.post("/things/", body=form(("file", file)), type=FORM)
    assert reply.status_int == 201, reply.text
    return client


RANGES: list[tuple[str, int, bytes, str | None]] = [
    ("bytes=0-0", 206, DATA[:1], "bytes 0-0/100"),
    ("bytes=0-9", 206, DATA[:10], "bytes 0-9/100"),
    ("bytes=90-", 206, DATA[90:], "bytes 90-99/100"),
    ("bytes=99-99", 206, DATA[99:], "bytes 99-99/100"),
    ("bytes=90-1000", 206, DATA[90:], "bytes 90-99/100"),
    ("bytes=0-", 206, DATA, "bytes 0-99/100"),
    ("bytes=-1", 206, DATA[99:], "bytes 99-99/100"),
    ("bytes=-100", 206, DATA, "bytes 0-99/100"),
    ("bytes= 0-9", 206, DATA[:10], "bytes 0-9/100"),
    ("BYTES=0-9", 206, DATA[:10], "bytes 0-9/100"),
    ("bytes=-1000", 200, DATA, None),
    ("bytes=0-1,5-6", 200, DATA, None),
    ("bytes=0-0,-1", 200, DATA, None),
    ("lines=0-9", 200, DATA, None),
    ("bytes", 200, DATA, None),
    ("bytes=", 200, DATA, None),
    ("bytes=-", 200, DATA, None),
    ("bytes=9-0", 200, DATA, None),
    ("bytes=a-b", 200, DATA, None),
    ("bytes=٣-٤", 200, DATA, None),
    ("bytes=-0", 200, DATA, None),
    ("bytes=--5", 200, DATA, None),
]
"""What RFC 9110 §14 says of a range; several ranges, and what is no range, are answered with the whole."""


@pytest.mark.parametrize(("wanted", "status", "data", "told"), RANGES, ids=[row[0] for row in RANGES])
def test_ranges(client: Client, wanted: str, status: int, data: bytes, told: str | None) -> None:
    reply = client.get(URL, environ={"HTTP_RANGE": wanted.encode().decode("latin-1")})
    assert (reply.status_int, reply.body) == (status, data)
    assert reply.headers.get("Content-Range") == told
    assert reply.headers["Content-Length"] == str(len(data))
    assert reply.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=99999999999999999999-"])
def test_a_range_beyond_the_end(client: Client, wanted: str) -> None:
    reply = client.get(URL, Range=wanted)
    problem(reply, 416, "range-not-satisfiable")
    assert reply.headers["Content-Range"] == "bytes */100"


def test_a_file_comes_together_from_its_ranges(client: Client) -> None:
    pieces = [client.get(URL, Range=f"bytes={at}-{at + 6}").body for at in range(0, 100, 7)]
    assert b"".join(pieces) == DATA


def test_an_empty_file_has_no_ranges(tmp_path: Path) -> None:
    client = holding(tmp_path, File("empty.bin", "application/x-data", b""))
    for wanted in ("bytes=0-", "bytes=-1"):
        reply = client.get(URL, Range=wanted)
        assert (reply.status_int, reply.body, reply.headers["Content-Length"]) == (200, b"", "0")


def test_if_range_means_this_very_file(client: Client) -> None:
    whole = client.get(URL)
    tag, date = whole.headers["ETag"], whole.headers["Last-Modified"]
    earlier = http_date((parse_date(date) or datetime.now(UTC)) - timedelta(seconds=1))
    assert client.get(URL, Range="bytes=0-9", If_Range=tag).status_int == 206
    for condition in ('"another"', f"W/{tag}", date, earlier, "nonsense", f"{tag}, {tag}", "*"):
        assert client.get(URL, Range="bytes=0-9", If_Range=condition).status_int == 200
    assert client.get(URL, Range="bytes=100-", If_Range='"another"').status_int == 200


def test_conditions_come_before_ranges(client: Client) -> None:
    whole = client.get(URL)
    tag, date = whole.headers["ETag"], whole.headers["Last-Modified"]
    saved = parse_date(date) or datetime.now(UTC)
    earlier, later = (http_date(saved + timedelta(seconds=by)) for by in (-1, 1))
    table: list[tuple[dict[str, str], int]] = [
        ({"If_None_Match": tag}, 304),
        ({"If_None_Match": f"W/{tag}"}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"another"'}, 206),
        ({"If_Match": tag}, 206),
        ({"If_Match": '"another"'}, 412),
        ({"If_Modified_Since": date}, 304),
        ({"If_Modified_Since": later}, 304),
        ({"If_Modified_Since": earlier}, 206),
        ({"If_Modified_Since": "nonsense"}, 206),
        ({"If_Modified_Since": date, "If_None_Match": '"another"'}, 206),
        ({"If_Unmodified_Since": date}, 206),
        ({"If_Unmodified_Since": earlier}, 412),
        ({"If_Unmodified_Since": earlier, "If_Match": tag}, 206),
    ]
    for headers, status in table:
        reply = client.get(URL, Range="bytes=0-9", **headers)
        assert reply.status_int == status, headers
        assert status != 304 or (reply.body, reply.headers["ETag"]) == (b"", tag)


def test_no_two_files_come_together_as_one(client: Client, tmp_path: Path) -> None:
    first = client.get(URL)
    client.put(URL, body=DATA[::-1], type="application/x-data")
    for file in (tmp_path / "files").iterdir():
        saved = (parse_date(first.headers["Last-Modified"]) or datetime.now(UTC)).timestamp()
        os.utime(file, (saved, saved))
    again = client.get(URL, Range="bytes=50-", If_Range=first.headers["Last-Modified"])
    assert again.headers["Last-Modified"] == first.headers["Last-Modified"]
    assert (again.status_int, again.body) == (200, DATA[::-1])


def test_a_date_is_a_condition_for_changes_too(client: Client) -> None:
    whole = client.get(URL)
    tag, date = whole.headers["ETag"], whole.headers["Last-Modified"]
    earlier = http_date((parse_date(date) or datetime.now(UTC)) - timedelta(seconds=1))
    for method in ("PUT", "DELETE"):
        reply = client.ask(method, URL, body=b"x", type="application/x-data", If_Unmodified_Since=earlier)
        problem(reply, 412, "precondition-failed")
    assert client.get(URL).headers["ETag"] == tag
    put = client.put(URL, body=b"x", type="application/x-data", If_Unmodified_Since=earlier, If_Match=tag)
    assert put.status_int == 204
    for since in ("nonsense", client.get(URL).headers["Last-Modified"]):
        assert client.put(URL, body=b"x", type="application/x-data", If_Unmodified_Since=since).status_int == 204
    assert client.delete(URL).status_int == 204
    assert client.put(URL, body=b"x", type="application/x-data", If_Unmodified_Since=earlier).status_int == 201


def test_head_is_get_without_the_body(client: Client) -> None:
    got, head = client.get(URL), client.head(URL, Range="bytes=0-9")
    names = {name for name in got.headers if name != "X-Request-ID"}
    assert {name: head.headers[name] for name in names} == {name: got.headers[name] for name in names}
    assert (head.status_int, head.body) == (200, b"")


def test_a_browser_does_not_run_what_it_gets(tmp_path: Path) -> None:
    page = b"<script>alert(document.cookie)</script>"
    client = holding(tmp_path, File("page.html", "text/html", page))
    reply = client.get(URL)
    assert reply.body == page
    assert reply.headers["Content-Disposition"].startswith("attachment;")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in reply.headers["Content-Security-Policy"]


NAMES: list[tuple[str, str]] = [
    ("plain.txt", "plain.txt"),
    ("two words.txt", "two words.txt"),
    ("Übersicht – 2026.txt", "Übersicht – 2026.txt"),
    ("文書.txt", "文書.txt"),
    ("../../etc/passwd", "passwd"),
    ("C:\\\\Users\\\\ada\\\\a.txt", "a.txt"),
    ("/etc/cron.d/x", "x"),
    ("..", "file.txt"),
    (".htaccess", "htaccess"),
    ("name.txt. . .", "name.txt"),
    ("CON", "_CON"),
    ("nul.txt", "_nul.txt"),
    ("COM¹.log", "_COM¹.log"),
    ("a\x00b.txt", "ab.txt"),
    ("gpj.\u202etxt", "gpj.txt"),
    ("zero\u200bwidth.txt", "zerowidth.txt"),
    ("a\u2028b.txt", "a b.txt"),
    ("a<b>:c|d?.txt", "a_b__c_d_.txt"),
    ("e\u0301.txt", "é.txt"),
    ("x" * 5000 + ".txt", "x" * 116 + ".txt"),
    ("x" * 5000, "x" * 120),
    ("%2e%2e%2fetc", "%2e%2e%2fetc"),
    ("a%0d%0aSet-Cookie: x", "a%0d%0aSet-Cookie_ x"),
    ("; filename*=UTF-8''evil.exe", "; filename_=UTF-8''evil.exe"),
]
"""Names as clients send them, and as people get to see them."""


@pytest.mark.parametrize(("given", "shown"), NAMES, ids=[repr(row[0][:20]) for row in NAMES])
def test_a_name_is_a_word_for_people(tmp_path: Path, given: str, shown: str) -> None:
    client = holding(tmp_path, File(given, "text/plain", b"x"))
    assert client.get("/things/1/").json["file"]["name"] == shown
    disposition = client.get(URL).headers["Content-Disposition"]
    assert disposition.isascii()
    assert parse_options_header(disposition) == ("attachment", {"filename": shown})
    plain = re.match(r'attachment; filename="([A-Za-z0-9 !#$&()+,.=@^_`{}~-]+)"', disposition)
    assert plain is not None
    assert [len(path.name) for path in (tmp_path / "files").iterdir()] == [32]
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


# Servers


def served_by(client: Client, path: str, **environ: Any) -> tuple[bytes, list[Any]]:
    """What a server with a way of its own to send files sends, and the files that it was given."""
    sent: list[Any] = []

    class Wrapper(FileWrapper):
        def __init__(self, filelike: Any, blksize: int = 8192) -> None:
            sent.append(filelike)
            super().__init__(filelike, blksize)

    class Handler(SimpleHandler):
        wsgi_file_wrapper = Wrapper

    import io

    out = io.BytesIO()
    setup_testing_defaults(environ)
    handler = Handler(io.BytesIO(), out, io.StringIO(), {**environ, "PATH_INFO": path, "wsgi.file_wrapper": Wrapper})
    handler.run(client.application)
    return out.getvalue().partition(b"\r\n\r\n")[2], sent


def test_the_server_sends_the_file_in_its_own_way_and_closes_it(client: Client) -> None:
    body, sent = served_by(client, URL)
    assert body == DATA
    assert [one.closed for one in sent] == [True]
    assert sent[0].name  # a file of the system's, which the server may send without reading it
    assert served_by(client, URL, HTTP_RANGE="bytes=5-9")[0] == DATA[5:10]


class Watching(DirectoryStorage):
    """Remembers what it has opened."""

    def open(self, key: str) -> Any:
        found = super().open(key)
        OPENED.append(found.stream)
        return found


OPENED: list[Any] = []


def test_every_file_that_was_opened_is_closed(tmp_path: Path) -> None:
    client = serve(over_list([], model=Paper, resource={"options": {"files": Watching(tmp_path)}}))
    tag = client.post("/things/", body=form(("file", File("a", "text/plain", b"abc"))), type=FORM)
    tag = client.get(URL).headers["ETag"]
    OPENED.clear()
    requests: list[dict[str, str]] = [{}, {"Range": "bytes=1-1"}, {"Range": "bytes=9-"}, {"If_None_Match": tag}]
    statuses = [client.get(URL, **headers).status_int for headers in [*requests, {"If_Match": '"x"'}]]
    assert statuses == [200, 206, 416, 304, 412]
    client.head(URL)
    assert [stream.closed for stream in OPENED] == [True] * 6
