"""A form (`multipart/form-data`, RFC 7578) read part by part as it arrives, with no more than a piece in memory.

werkzeug's decoder finds the parts; what is here bounds them, and says what is wrong where they are not well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

import msgspec
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from rest_kit.errors import Fault, MalformedBody
from rest_kit.request import CHUNK, Request

MAX_BOUNDARY: Final = 70
"""How long a boundary may be (RFC 2046 §5.1.1)."""
MAX_HEADERS: Final = 16 * 1024
"""How many bytes the headers of one part may have, beyond one piece of the body."""
_MAX_PADDING: Final = 64
_PLAIN_ENCODINGS: Final = ("", "7bit", "8bit", "binary")


class FilePart(msgspec.Struct):
    """A file in a form: the `filename` that it came with, its media `type`, its bytes as they arrive."""

    filename: str
    type: str
    chunks: Iterator[bytes]


def read_form(
    request: Request, *, max_files: int, max_values: int, max_parts: int
) -> Iterator[tuple[str, str | FilePart]]:
    """The parts of a form by name: values as texts, files as they arrive, each to be taken before the next part is.

    At most `max_files` bytes of files, `max_values` of values, and `max_parts` parts (413). What browsers send where
    no file was chosen, an empty one without a name, is no part. MalformedBody; 400, 413 and 415 as for any body.
    """
    events = _events(request, max_files + max_values, max_parts)
    names: set[str] = set()
    left = max_values
    for event in events:
        if isinstance(event, Field | File):
            name, chunks = _name_of(event), _data(events)
            if name in names:
                raise MalformedBody(Fault("twice", "is given twice", (name[:100],)))
            names.add(name)
            if isinstance(event, Field):
                value = _value(chunks, left)
                left -= len(value)
                yield name, _text(name, value)
            elif event.filename or (first := next(chunks, b"")):
                given = chunks if event.filename else chain((first,), chunks)
                yield name, FilePart(event.filename, _type_of(event.headers), given)
            for _ in chunks:
                pass


def _events(request: Request, limit: int, max_parts: int) -> Iterator[Event]:
    """What the decoder finds, in order; it ends only with the form's last line."""
    boundary = _boundary(request)
    decoder = MultipartDecoder(boundary, CHUNK + MAX_HEADERS, max_parts=max_parts)
    try:
        for chunk in _well_cut(request.chunks(limit), b"--" + boundary):
            decoder.receive_data(chunk)
            yield from _ready(decoder)
        decoder.receive_data(None)
        yield from _ready(decoder)
    except RequestEntityTooLarge as exc:
        if exc.description != RequestEntityTooLarge.description:
            raise
        text = f"the form has more than {max_parts} parts, or more than {MAX_HEADERS} bytes where no part's content is"
        raise RequestEntityTooLarge(text) from exc


def _well_cut(chunks: Iterator[bytes], delimiter: bytes) -> Iterator[bytes]:
    """The same bytes, never cut between a delimiter and what tells whether it is the last one.

    Cut there, werkzeug's decoder takes the `\\r` in front of the delimiter for a part of the file.
    """
    unsettled = re.compile(re.escape(delimiter) + rb"([ \t]*-?)\Z")
    past = held = b""
    for chunk in chunks:
        data = held + chunk
        found = unsettled.search((past + data)[-len(delimiter) - _MAX_PADDING :])
        cut = len(data) - (len(found[1]) if found else 0)
        data, held = data[:cut], data[cut:]
        past = (past + data)[-len(delimiter) :]
        yield data
    yield held


def _ready(decoder: MultipartDecoder) -> Iterator[Event]:
    """What the decoder can tell from what it has been given."""
    while True:
        try:
            event = decoder.next_event()
        except ValueError as exc:
            raise _malformed("the form is not as RFC 7578 says, or ends too early") from exc
        if isinstance(event, NeedData):
            return
        yield event
        if isinstance(event, Epilogue):
            return


def _data(events: Iterator[Event]) -> Iterator[bytes]:
    """The bytes of the part that has just begun."""
    for event in events:
        assert isinstance(event, Data)
        if event.data:
            yield event.data
        if not event.more_data:
            return


def _boundary(request: Request) -> bytes:
    boundary = parse_options_header(request.environ.get("CONTENT_TYPE", ""))[1].get("boundary", "")
    if not 1 <= len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise _malformed(f"a form's Content-Type has a boundary of 1 to {MAX_BOUNDARY} characters")
    return boundary.encode()


def _name_of(event: Field | File) -> str:
    disposition = parse_options_header(event.headers["content-disposition"])[0]
    if disposition != "form-data" or not event.name:
        raise _malformed("each part of a form has Content-Disposition: form-data, with a name")
    if event.headers.get("content-transfer-encoding", "").lower() not in _PLAIN_ENCODINGS:
        raise _malformed("a part of a form is sent as it is, without a Content-Transfer-Encoding (RFC 7578 §4.7)")
    return event.name


def _type_of(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _malformed(text: str) -> MalformedBody:
    return MalformedBody(Fault("form", text))


def _value(chunks: Iterator[bytes], limit: int) -> bytes:
    """A value of at most so many bytes (413)."""
    value = bytearray()
    for chunk in chunks:
        value += chunk
        if len(value) > limit:
            raise RequestEntityTooLarge("the form's values are too large; files go into parts with a filename")
    return bytes(value)


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as exc:
        raise MalformedBody(Fault("utf8", "is not UTF-8", (name[:100],))) from exc
