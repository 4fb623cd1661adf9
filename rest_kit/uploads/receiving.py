"""Files on their way in: what is taken and what is not, decided while the bytes pass.

`Incoming` is one such file. `receive` reads a whole form for a plain endpoint, its files in temporary ones without a
name, which are gone with the request whatever happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Final, TypeVar

import msgspec
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from rest_kit.errors import Fault, ValidationError
from rest_kit.models.files import DEFAULT_MAX_SIZE, MEDIA_TYPE
from rest_kit.request import FORM, Request, wrong_type
from rest_kit.spooling import spooled
from rest_kit.uploads.kinds import HEAD, contradicts, is_taken, is_text, settled_type
from rest_kit.uploads.multipart import read_form
from rest_kit.uploads.names import name_for, safe_name

DEFAULT_MAX_VALUES: Final = 1024 * 1024
SPARE_PARTS: Final = 100
"""How many parts a form may have beyond those that mean something, so that the error can name them."""
_IN_MEMORY: Final = 64 * 1024
_Value = TypeVar("_Value")


class Rule(msgspec.Struct, frozen=True):
    """What may come for one field: the media types (None: all), and how many bytes."""

    field: str
    types: Sequence[str] | None = None
    max_size: int = DEFAULT_MAX_SIZE


class Incoming:
    """A file that is arriving: iterate to get its bytes, once; then `size` is known.

    `name` and `type` are harmless and settled before anything is taken (415 for a type that is not, by what it says
    or by how it begins; 413 while iterating, as soon as it is too large).
    """

    def __init__(self, rule: Rule, filename: str, declared: str, chunks: Iterator[bytes]) -> None:
        self.rule = rule
        self.size = 0
        self._chunks = chunks
        self._head = b""
        while len(self._head) < HEAD and (chunk := next(chunks, b"")):
            self._head += chunk
        self.type = self._settled(declared)
        self.name = safe_name(filename, name_for(rule.field, self.type))

    def _settled(self, declared: str) -> str:
        """The file's media type, if it is taken, and borne out by how the file begins."""
        field, types = self.rule.field, self.rule.types
        media_type = settled_type(declared, self._head)
        if not MEDIA_TYPE.match(media_type) or media_type.startswith(("multipart/", "message/")):
            raise UnsupportedMediaType(f"{field}: {media_type[:100]!r} is not the media type of a file")
        if not is_taken(media_type, types):
            raise UnsupportedMediaType(f"{field}: {media_type} is not taken; send {' or '.join(types or ())}")
        if contradicts(media_type, self._head):
            raise UnsupportedMediaType(f"{field}: this does not begin as {media_type} does")
        return media_type

    def __iter__(self) -> Iterator[bytes]:
        text = is_text(self.type)
        for chunk in self._all():
            self.size += len(chunk)
            if self.size > self.rule.max_size:
                raise RequestEntityTooLarge(f"{self.rule.field}: the file is larger than {self.rule.max_size} bytes")
            if text and b"\0" in chunk:
                raise UnsupportedMediaType(f"{self.rule.field}: {self.type} is text, and this holds a NUL")
            yield chunk

    def _all(self) -> Iterator[bytes]:
        if self._head:
            yield self._head
        yield from self._chunks


class UploadedFile(msgspec.Struct):
    """A file that a form has brought: the sender's `name` for it, made harmless, its media `type`, its `size` in bytes.

    `stream` holds its bytes, to be read from the start; it is closed when the form is.
    """

    name: str
    type: str
    size: int
    stream: IO[bytes]


class _Named(dict[str, _Value]):
    """What a form has brought, by name; to ask for what is not among it is the sender's fault, not the endpoint's."""

    def __missing__(self, name: str) -> _Value:
        raise ValidationError(Fault("required", "is missing", (name,)))


class Form(msgspec.Struct):
    """A form that has been read: its plain `fields` and its `files`, each by name (ValidationError where missing)."""

    fields: dict[str, str]
    files: dict[str, UploadedFile]


@contextmanager
def receive(
    request: Request,
    *,
    max_size: int = DEFAULT_MAX_SIZE,
    types: Sequence[str] | None = None,
    max_files: int = 1,
    max_values: int = DEFAULT_MAX_VALUES,
) -> Iterator[Form]:
    """The form that a request brings to a plain endpoint, for as long as the `with` block lasts.

    `max_size`: bytes a file; `types`: media types, such as `image/*` (None: all); `max_files`: how many; `max_values`:
    bytes of all that is no file. 400 where the form is malformed or names something twice, 413 where anything is too
    large, 415 for another type (RFC 7578); StoreFull where the disk has no room for temporary files.
    """
    if request.content_type != FORM:
        raise wrong_type(request.content_type, (FORM,))
    form = Form(_Named(), _Named())
    limits = {"max_files": max_files * max_size, "max_values": max_values, "max_parts": max_files + SPARE_PARTS}
    with ExitStack() as stack:
        for name, value in read_form(request, **limits):
            if isinstance(value, str):
                form.fields[name] = value
            elif len(form.files) == max_files:
                raise RequestEntityTooLarge(f"the form has more than {max_files} files")
            else:
                incoming = Incoming(Rule(name, types, max_size), value.filename, value.type, value.chunks)
                stream = stack.enter_context(spooled(incoming, _IN_MEMORY))
                form.files[name] = UploadedFile(incoming.name, incoming.type, incoming.size, stream)
        yield form
