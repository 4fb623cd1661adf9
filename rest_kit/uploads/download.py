"""A stored file as a reply: conditions, ranges, and headers that keep a browser from running it.

Conditions come first (RFC 9110 §13.2.2), then one range of bytes (§14); several ranges, or what is none that we know,
are answered with the whole file, as §14.2 allows.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from werkzeug.exceptions import PreconditionFailed, RequestedRangeNotSatisfiable
from werkzeug.http import http_date, parse_date, parse_range_header
from werkzeug.wsgi import wrap_file

from rest_kit.models import StoredFile
from rest_kit.preconditions import unmodified
from rest_kit.problems import Headers, Reply
from rest_kit.request import CHUNK, Request
from rest_kit.uploads.names import attachment
from rest_kit.uploads.storage import OpenedFile


def download(request: Request, file: StoredFile, opened: OpenedFile, tag: str) -> Reply:
    """The reply to a GET or HEAD; `tag` is the file's entity tag without quotes. The stream is closed in the end.

    412 and 416 where conditions do not hold, or the range lies beyond the end.
    """
    try:
        reply = _reply(request, file, opened, tag)
    except BaseException:
        opened.stream.close()
        raise
    if not reply[2]:
        opened.stream.close()
    return reply


def _reply(request: Request, file: StoredFile, opened: OpenedFile, tag: str) -> Reply:
    headers: Headers = [
        ("ETag", f'"{tag}"'),
        ("Last-Modified", http_date(opened.modified)),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", "no-cache"),
    ]
    if _is_known(request, tag, opened):
        return "304 Not Modified", headers, b""
    headers += [
        ("Content-Type", file.type),
        ("Content-Disposition", attachment(file.name)),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ]
    found = _range(request, tag, opened.size) if request.method == "GET" else None
    if found is None:
        return "200 OK", [*headers, _length(opened.size)], _body(request, opened.stream, opened.size)
    start, stop = found
    opened.stream.seek(start)
    headers += [("Content-Range", f"bytes {start}-{stop - 1}/{opened.size}"), _length(stop - start)]
    return "206 Partial Content", headers, _body(request, Stretch(opened.stream, stop - start), stop - start)


def _length(size: int) -> tuple[str, str]:
    return "Content-Length", str(size)


def _body(request: Request, stream: Any, size: int) -> Any:
    """The rest of a stream of so many bytes, by the server's own way of sending files where it has one."""
    if request.method == "HEAD" or not size:
        return b""
    return wrap_file(request.environ, stream, CHUNK)


def refuse_changed(request: Request, modified: float) -> None:
    """Refuse a request with If-Unmodified-Since for a file that was saved later (412, RFC 9110 §13.1.4)."""
    environ = request.environ
    latest = parse_date(environ.get("HTTP_IF_UNMODIFIED_SINCE"))
    if latest is not None and "HTTP_IF_MATCH" not in environ and int(modified) > latest.timestamp():
        raise PreconditionFailed("the file has changed since If-Unmodified-Since")


def _is_known(request: Request, tag: str, opened: OpenedFile) -> bool:
    """Whether the caller has this very file already (412 where it wants another)."""
    environ = request.environ
    saved = int(opened.modified)
    refuse_changed(request, opened.modified)
    if unmodified(request, tag):
        return True
    since = parse_date(environ.get("HTTP_IF_MODIFIED_SINCE"))
    return "HTTP_IF_NONE_MATCH" not in environ and since is not None and saved <= since.timestamp()


def _range(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """The first byte asked for, and the one behind the last; None for the whole file (416)."""
    wanted = parse_range_header(request.header("RANGE"))
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1 or not _is_same(request, tag):
        return None
    if not size or wanted.ranges[0][0] < -size:
        return None
    found = wanted.range_for_length(size)
    if found is None:
        raise RequestedRangeNotSatisfiable(size, description=f"the file has {size} bytes")
    return found


def _is_same(request: Request, tag: str) -> bool:
    """Whether If-Range, if there is one, means the file as it is (RFC 9110 §13.1.5).

    A date never does: two files may be saved within one of its seconds, so that it is no strong validator (§8.8.2.2).
    """
    given = request.header("IF_RANGE")
    return given is None or given.strip() == f'"{tag}"'


class Stretch:
    """The next `size` bytes of a stream, as a file; closing it closes the stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._left = size
        self._stream = stream
        self.close = stream.close

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, as of any file."""
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data
