"""Forms and files that mean harm, or are broken: the right status, nothing on the disk, nothing in the store."""

from __future__ import annotations

import io
import itertools
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rest_kit import jsonio, models
from rest_kit.request import CHUNK
from rest_kit.routes import Route
from rest_kit.uploads import DirectoryStorage, receive
from rest_kit.uploads.kinds import contradicts, settled_type
from tests.http.forms import BOUNDARY, COVER, FORM, JPEG, PDF, PNG, Album, File, form, kept, send
from tests.http.support import Client, faults, over_list, problem, serve

MAX_SIZE = 100_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def client(folder: Path) -> Client:
    """Albums with one that is there already."""
    client = albums(folder)
    assert send(client, ("title", "First"), ("cover", File("a.txt", "text/plain", b"first"))).status_int == 201
    return client


def albums(folder: Path, model: type[models.Model] = Album, **options: Any) -> Client:
    resource = {"resource_name": "albums", "options": {"files": DirectoryStorage(folder)}}
    return serve(over_list([], model=model, resource=resource, controller={"options": options}))


def untouched(client: Client, folder: Path) -> bool:
    """Whether there is still the one album with its file, and nothing else."""
    return client.values("/albums/", "title") == ["First"] and kept(folder) == [b"first"]


def part(head: str, data: bytes = b"x") -> bytes:
    """A form of one part with these headers."""
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


MANY = [("title", "x"), *((f"p{number}", "x") for number in range(10_000))]
DISPOSITION = "Content-Disposition: form-data; "

BROKEN: list[tuple[str, str, bytes, int]] = [
    ("nothing at all", FORM, b"", 400),
    ("no boundary", "multipart/form-data", form(("title", "x")), 400),
    ("an empty boundary", 'multipart/form-data; boundary=""', form(("title", "x")), 400),
    ("a long boundary", f"multipart/form-data; boundary={'x' * 71}", form(("title", "x")), 400),
    ("a boundary of other letters", "multipart/form-data; boundary=ü", form(("title", "x")), 400),
    ("another boundary", "multipart/form-data; boundary=other", form(("title", "x")), 400),
    ("no last line", FORM, form(("title", "x"), end=b"\r\n"), 400),
    ("a cut value", FORM, form(("title", "x"), ("cover", COVER))[:-50], 400),
    ("cut headers", FORM, form(("title", "x"))[:40], 400),
    ("no disposition", FORM, part("X: y"), 400),
    ("no name", FORM, part("Content-Disposition: form-data"), 400),
    ("an empty name", FORM, part(DISPOSITION + 'name=""'), 400),
    ("another disposition", FORM, part('Content-Disposition: attachment; name="title"'), 400),
    ("encoded content", FORM, part(f'{DISPOSITION}name="title"\r\nContent-Transfer-Encoding: base64'), 400),
    ("headers in no encoding", FORM, part(DISPOSITION + 'name="title"').replace(b"title", b"t\xff"), 400),
    ("a value in no encoding", FORM, form(("title", b"\xff")), 400),
    ("a name twice", FORM, form(("title", "x"), ("title", "y")), 400),
    ("two files of one name", FORM, form(("title", "x"), ("cover", COVER), ("cover", COVER)), 400),
    ("a file and a value of one name", FORM, form(("title", "x"), ("cover", COVER), ("cover", "y")), 400),
    ("a NUL in a value", FORM, form(("title", "a\0b")), 400),
    ("a name of many letters", FORM, form(("title", "x"), ("y" * 10_000, "z")), 400),
    ("too many parts", FORM, form(*MANY), 413),
    ("headers without end", FORM, part(f'{DISPOSITION}name="title"\r\nX: {"x" * 200_000}'), 413),
    ("a preamble without end", FORM, b"x" * 200_000 + form(("title", "x")), 413),
    ("a value without end", FORM, form(("title", "x" * (1024 * 1024 + 1))), 413),
    ("values without end", FORM, form(("title", "x" * 600_000), ("year", "1" * 600_000)), 413),
    ("a file too large", FORM, form(("title", "x"), ("cover", File("a", "text/plain", b"x" * (MAX_SIZE + 1)))), 413),
    ("a file of another type", FORM, form(("title", "x"), ("cover", File("a", "application/pdf", PDF))), 415),
    ("a form in the form", FORM, form(("title", "x"), ("cover", File("a", FORM, form(("a", "b"))))), 415),
    ("a message", FORM, form(("title", "x"), ("cover", File("a", "message/rfc822", b"x"))), 415),
    ("no media type", FORM, form(("title", "x"), ("cover", File("a", "png", PNG))), 415),
    ("a media type with a line break", FORM, form(("title", "x"), ("cover", File("a", "image/p\x0bng", PNG))), 415),
    ("a lying type", FORM, form(("title", "x"), ("cover", File("a.png", "image/png", JPEG))), 415),
    ("a page as a picture", FORM, form(("title", "x"), ("cover", File("a.png", "image/png", b"<script>"))), 415),
    ("a picture as text", FORM, form(("title", "x"), ("cover", File("a.txt", "text/plain", PNG))), 415),
    ("bytes as text", FORM, form(("title", "x"), ("cover", File("a.txt", "text/plain", b"x" * 90_000 + b"\0"))), 415),
    ("a picture cut short", FORM, form(("title", "x"), ("cover", File("a.png", "image/png", PNG[:4]))), 415),
    ("nothing as a picture", FORM, form(("title", "x"), ("cover", File("a.png", "image/png", b""))), 415),
    ("mixed parts", "multipart/mixed; boundary=" + BOUNDARY, form(("title", "x")), 415),
    ("compressed text", "application/gzip", b"\x1f\x8b\x08", 415),
    ("the old kind of form", "application/x-www-form-urlencoded", b"title=x", 415),
]


@pytest.mark.parametrize(("media_type", "body", "status"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_is_broken_leaves_no_trace(
    client: Client, folder: Path, media_type: str, body: bytes, status: int
) -> None:
    for method, path in (("POST", "/albums/"), ("PUT", "/albums/1/"), ("PATCH", "/albums/1/")):
        reply = client.ask(method, path, body=body, environ={"CONTENT_TYPE": media_type}, type=None)
        slug = {413: "body-too-large", 415: "unsupported-media-type"}.get(status)
        assert reply.status_int == status, reply.text
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert slug is None or problem(reply, status, slug)
        assert untouched(client, folder)


@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("image/png", JPEG, 415),
        ("application/pdf", PDF, 415),
        ("text/plain", b"x" * (MAX_SIZE + 1), 413),
        ("text/plain", b"a\0b", 415),
        (FORM, form(("cover", COVER)), 415),
    ],
)
def test_a_file_sent_alone_is_held_to_the_same(
    client: Client, folder: Path, media_type: str, body: bytes, status: int
) -> None:
    assert client.put("/albums/1/cover/", body=body, type=media_type).status_int == status
    assert untouched(client, folder)


def test_what_says_nothing_of_its_type_is_what_it_begins_like(client: Client) -> None:
    for declared in ("", "application/octet-stream"):
        reply = send(client, ("cover", File("a", declared, PNG)), method="PATCH", path="/albums/1/")
        assert reply.json["cover"]["type"] == "image/png"
    reply = send(client, ("cover", File("a", "application/octet-stream", b"x")), method="PATCH", path="/albums/1/")
    assert reply.status_int == 415


KINDS: list[tuple[str, bytes, bool]] = [
    ("image/png", PNG, True),
    ("image/jpeg", JPEG, True),
    ("image/gif", b"GIF89a" + b"\0" * 10, True),
    ("image/webp", b"RIFF\x10\0\0\0WEBPVP8 ", True),
    ("application/pdf", PDF, True),
    ("application/zip", b"PK\x03\x04....", True),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04....", True),
    ("audio/mpeg", b"\xff\xfb\x90\x64", True),
    ("video/mp4", b"\0\0\0\x18ftypisom", True),
    ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>", True),
    ("text/plain", b"ID3 is a tag of music files", True),
    ("text/csv", b"a,b\n1,2\n", True),
    ("image/bmp", b"BM......", True),
    ("image/gif", PNG, False),
    ("image/webp", b"RIFF\x10\0\0\0WAVEfmt ", False),
    ("application/pdf", b"<html>%PDF-1.7", False),
    ("image/x-icon", b"PK\x03\x04....", False),
    ("image/bmp", b"\x7fELF....", False),
    ("text/html", b"GIF89a/*", False),
    ("image/svg+xml", PDF, False),
]


@pytest.mark.parametrize(("media_type", "head", "fits"), KINDS)
def test_how_files_begin(media_type: str, head: bytes, fits: bool) -> None:
    assert contradicts(media_type, head) is not fits
    assert settled_type(media_type, head) == media_type


# What is not read


class Stream:
    """A body that is made as it is read, remembering how much was asked for at once and in all."""

    def __init__(self, head: bytes, filling: int, tail: bytes) -> None:
        self.size = len(head) + filling + len(tail)
        self.read_in_all = self.largest = 0
        self._whole = [io.BytesIO(head), filling, io.BytesIO(tail)]

    def read(self, size: int) -> bytes:
        self.largest = max(self.largest, size)
        head, filling, tail = self._whole
        data: bytes = head.read(size)
        if not data and filling:
            data = b"x" * min(size, filling)
            self._whole[1] -= len(data)
        data = data or tail.read(size)
        self.read_in_all += len(data)
        return data


def raw(client: Client, stream: Stream, path: str = "/albums/", **environ: Any) -> tuple[int, Any]:
    """What a server hands over as the body arrives; no validator, which would read it."""
    seen: list[str] = []
    base = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "SCRIPT_NAME": "", "CONTENT_TYPE": FORM}
    made = {**base, "wsgi.input": stream, "wsgi.multiprocess": False, **environ}
    body = b"".join(client.application(made, lambda status, headers: seen.append(status)))
    return int(seen[0][:3]), jsonio.loads(body)


def large(size: int) -> Stream:
    """A form with a file of so many bytes."""
    head, _, tail = form(("title", "x"), ("cover", File("a", "text/plain", b"MIDDLE"))).partition(b"MIDDLE")
    return Stream(head, size, tail)


class Big(models.Model):
    """An object with room for a large file."""

    fields = [models.PkField("id"), models.StringField("title"), models.FileField("cover", max_size=30_000_000)]


def test_a_large_file_is_never_in_memory(folder: Path) -> None:
    client = albums(folder, Big)
    stream = large(20_000_000)
    status, found = raw(client, stream, CONTENT_LENGTH=str(stream.size))
    assert (status, found["cover"]["size"]) == (201, 20_000_000)
    assert stream.largest <= CHUNK
    assert [path.stat().st_size for path in folder.iterdir()] == [20_000_000]


@pytest.mark.parametrize("terminated", [False, True])
def test_nor_is_it_with_an_idempotency_key(folder: Path, terminated: bool) -> None:
    client = albums(folder, Big, idempotency=True)
    streams = [large(20_000_000), large(20_000_000)]
    tracemalloc.start()
    try:
        for stream in streams:
            how = {"wsgi.input_terminated": True} if terminated else {"CONTENT_LENGTH": str(stream.size)}
            assert raw(client, stream, HTTP_IDEMPOTENCY_KEY="a", **how)[0] == 201
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert max(stream.largest for stream in streams) <= CHUNK
    assert [path.stat().st_size for path in folder.iterdir()] == [20_000_000]


def test_what_is_declared_too_large_is_not_read(client: Client, folder: Path) -> None:
    stream = large(3 * 1024 * 1024)
    assert raw(client, stream, CONTENT_LENGTH=str(stream.size))[0] == 413
    assert stream.read_in_all == 0
    assert untouched(client, folder)


@pytest.mark.parametrize("size", [MAX_SIZE + 1, 1_000_000])
def test_what_turns_out_too_large_is_not_read_on(client: Client, folder: Path, size: int) -> None:
    stream = large(size)
    assert raw(client, stream, **{"wsgi.input_terminated": True})[0] == 413
    assert stream.read_in_all <= MAX_SIZE + 2 * CHUNK
    assert untouched(client, folder)


def test_a_chunked_form_is_as_good(folder: Path) -> None:
    client = albums(folder)
    assert raw(client, large(5), **{"wsgi.input_terminated": True})[0] == 201
    assert kept(folder) == [b"xxxxx"]


def test_a_form_that_ends_before_its_length_is_400(client: Client, folder: Path) -> None:
    stream = large(5)
    status, document = raw(client, stream, CONTENT_LENGTH=str(stream.size + 1))
    assert status == 400
    assert f"the body ended after {stream.size} of the declared" in document["detail"]
    assert untouched(client, folder)


def test_a_body_without_length_and_end_is_none(client: Client, folder: Path) -> None:
    assert raw(client, large(5))[0] == 400
    status, _ = raw(client, large(5), "/albums/1/cover/", REQUEST_METHOD="PUT", CONTENT_TYPE="text/plain")
    assert status == 400
    assert untouched(client, folder)


class Breaking(Stream):
    """A connection that breaks off."""

    def read(self, size: int) -> bytes:
        data = super().read(size)
        if self.read_in_all > 50_000:
            raise OSError("connection reset")
        return data


def test_a_connection_that_breaks_off_leaves_nothing(client: Client, folder: Path) -> None:
    head, _, tail = form(("title", "x"), ("cover", File("a", "text/plain", b"MIDDLE"))).partition(b"MIDDLE")
    stream = Breaking(head, 90_000, tail)
    assert raw(client, stream, CONTENT_LENGTH=str(stream.size))[0] == 400
    assert untouched(client, folder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_a_form_does_harm(client: Client, folder: Path, data: st.DataObject) -> None:
    whole = form(("title", "y"), ("year", "5"), ("cover", COVER))
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, min(len(whole), start + 300)))
    damaged = whole[:start] + data.draw(st.binary(max_size=40)) + whole[stop:]
    reply = client.post("/albums/", body=damaged, type=FORM)
    assert reply.status_int in (201, 400, 413, 415)
    if reply.status_int == 201:
        assert client.delete(reply.json["resource_uri"]).status_int == 204
    assert untouched(client, folder)


class Drops(io.BytesIO):
    """A body that arrives in pieces of these sizes, over and over."""

    def __init__(self, body: bytes, widths: list[int]) -> None:
        super().__init__(body)
        self.widths = itertools.cycle(widths)

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, next(self.widths)))


LINE = b"\r\n--" + BOUNDARY.encode()
TRICKY = st.sampled_from([b"\r", b"\n", b"\r\n", b"-", b"--", b"x", LINE[:-1], LINE + b"x", LINE[1:-1], b"\0" * 100])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(TRICKY, max_size=12), widths=st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_it_does_not_matter_how_the_bytes_arrive(folder: Path, pieces: list[bytes], widths: list[int]) -> None:
    client = albums(folder)
    data = PNG[:8] + b"".join(pieces)
    body = form(("title", "x"), ("cover", File("a", "image/png", data)))
    stream: Any = Drops(body, widths)
    assert raw(client, stream, CONTENT_LENGTH=str(len(body)))[0] == 201
    assert client.get("/albums/1/cover/").body == data


@pytest.mark.parametrize("tail", [b"--\r\n", b"--", b"-- \t\r\n", b"--\r\nepilogue"])
def test_the_end_of_a_form_may_arrive_in_any_pieces(folder: Path, tail: bytes) -> None:
    client = albums(folder)
    body = form(("title", "x"), ("cover", COVER), end=tail)
    for at in range(len(body) - len(tail) - len(LINE) - 3, len(body)):
        stream: Any = Drops(body, [at, len(body)])
        status, found = raw(client, stream, CONTENT_LENGTH=str(len(body)))
        assert (status, found["cover"]["size"]) == (201, len(PNG))


# Plain endpoints


def uploading(**limits: Any) -> Client:
    """An endpoint that says what it was sent."""

    def upload(request: Any) -> Any:
        with receive(request, **limits) as sent:
            files = {name: [one.name, one.type, one.size, len(one.stream.read())] for name, one in sent.files.items()}
            return {"files": files, "fields": sent.fields}

    return serve(routes=[Route("/upload", upload, methods=["POST"])])


def test_an_endpoint_takes_files() -> None:
    body = form(
        ("note", "grüße"), ("one", COVER), ("two", File("../b", "", b"x" * 100_000)), ("none", File("", "", b""))
    )
    reply = uploading(max_files=2).post("/upload", body=body, type=FORM)
    assert reply.json == {
        "files": {
            "one": ["cover of it.png", "image/png", len(PNG), len(PNG)],
            "two": ["b", "application/octet-stream", 100_000, 100_000],
        },
        "fields": {"note": "grüße"},
    }


@pytest.mark.parametrize(
    ("limits", "parts", "status"),
    [
        ({}, [("a", COVER), ("b", COVER)], 413),
        ({"max_size": 10}, [("a", COVER)], 413),
        ({"max_values": 10}, [("a", "x" * 6), ("b", "y" * 6)], 413),
        ({"types": ["image/*"]}, [("a", File("a", "text/plain", b"x"))], 415),
        ({"types": ["image/*"]}, [("a", COVER)], 200),
        ({}, [("a", "x"), ("a", "y")], 400),
    ],
)
def test_an_endpoint_has_limits(limits: Any, parts: Any, status: int) -> None:
    assert uploading(**limits).post("/upload", body=form(*parts), type=FORM).status_int == status


def test_what_an_endpoint_needs_and_is_not_sent_is_missed() -> None:
    def upload(request: Any) -> Any:
        with receive(request) as sent:
            return {"size": sent.files["file"].size, "note": sent.fields["note"]}

    client = serve(routes=[Route("/upload", upload, methods=["POST"])])
    reply = client.post("/upload", body=form(("note", "x"), ("other", COVER)), type=FORM)
    assert faults(reply) == [("#/file", "required")]
    reply = client.post("/upload", body=form(("file", COVER)), type=FORM)
    assert faults(reply) == [("#/note", "required")]
    assert client.post("/upload", body=form(("file", COVER), ("note", "x")), type=FORM).status_int == 200


@contextmanager
def no_room(size: int) -> Iterator[None]:
    """As if the disk had no room for a file of more than so many bytes."""
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [66_000, 100_000, 500_000])
def test_a_disk_without_room_is_told(size: int) -> None:
    client = uploading()
    body = form(("file", File("a", "", b"x" * size)))
    with no_room(4096):
        problem(client.post("/upload", body=body, type=FORM), 507, "store-full")
    assert client.post("/upload", body=body, type=FORM).status_int == 200


def test_an_endpoint_takes_forms_alone() -> None:
    reply = uploading().post("/upload", {"a": "b"})
    assert "multipart/form-data" in problem(reply, 415, "unsupported-media-type")["detail"]


def test_what_is_wrong_is_told_by_name(client: Client) -> None:
    assert faults(send(client, ("title", "x"), ("title", "y")), 400, "malformed-body") == [("#/title", "twice")]
    assert faults(send(client, ("title", b"\xff")), 400, "malformed-body") == [("#/title", "utf8")]
    reply = send(client, ("title", "x"), ("cover", File("a", "application/pdf", PDF)))
    assert reply.json["detail"] == "cover: application/pdf is not taken; send image/png or image/jpeg or text/plain"


def test_nothing_but_the_folder_is_touched(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(os.listdir(tmp_path))
    for name in ("../../x", "/x", "..\\x", "x\0.png", "CON", "a" * 300, "\u202egnp.x", "~", "$(touch x)", "-rf"):
        assert send(client, ("title", "x"), ("cover", File(name, "image/png", PNG))).status_int == 201
    assert sorted(os.listdir(tmp_path)) == before
