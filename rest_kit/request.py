"""One HTTP request, read from its WSGI environ no further than it is asked to be.

The attributes that every request needs are plain slots; everything else (headers, cookies, forms) is werkzeug's
`Request`, made when `http` is first touched. The body is read once, whole, and within the limit.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from random import getrandbits
from typing import IO, Any, Final, TypeVar
from urllib.parse import quote, unquote_plus

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.http import parse_options_header
from werkzeug.wrappers import Request as HTTPRequest

from rest_kit import jsonio
from rest_kit.background import Tasks
from rest_kit.errors import Fault, InvalidQuery
from rest_kit.query import Where
from rest_kit.response import check_headers
from rest_kit.spooling import spooled
from rest_kit.types import MISSING, Pk
from rest_kit.users import ANONYMOUS, User

Environ = dict[str, Any]
T = TypeVar("T")

DEFAULT_MAX_BODY: Final = 1024 * 1024
"""How many bytes a body may have where nobody says otherwise."""

LIST_ACTIONS: Final = {
    "GET": "list",
    "HEAD": "list",
    "POST": "create",
    "PUT": "bulk_update",
    "PATCH": "bulk_partial_update",
    "DELETE": "bulk_destroy",
}
ITEM_ACTIONS: Final = {
    "GET": "retrieve",
    "HEAD": "retrieve",
    "PUT": "update",
    "PATCH": "partial_update",
    "DELETE": "destroy",
}
"""By verb, what a request does, as permissions and throttles call it."""
_ON_ITEMS: Final = frozenset(ITEM_ACTIONS.values())

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}\Z")
_LENGTH: Final = re.compile(r"[0-9]{1,18}\Z")

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
FORM: Final = "multipart/form-data"

CHUNK: Final = 64 * 1024
"""How many bytes of a long body are in memory at once."""


class Request:
    """A request on its way through a controller; nothing of it outlives the reply.

    `method`, `environ`; `pk` of the item asked for, if any; `mount`: the URL path under which the resource's
    collection lies, with the script name; `id`: the request id, the caller's own where it sent a sane one.
    For a nested list, `url` is the path that was asked for, and `within` the condition that belongs to it.
    `user`: who is calling, and `auth`: by what credentials; `action`: what is done, such as `list` or `create`;
    `view`: the controller that is asked, and `access`: what has let the request in there (None: nothing had to);
    `claim`: what a request with an idempotency key is known by, once it was looked for; `scope`: what the caller may
    see of the resource (None: all of it), and `limit` what of that this request may work on, where it is less.
    `headers` go into the reply, whatever it is. `max_body`: how many bytes of a body `data` and `http` take;
    `tasks`: what `background` has been given, if anything.
    `uploads`: the keys of the files that it has brought and that nothing refers to yet.
    """

    __slots__ = (
        "_body",
        "_data",
        "_http",
        "_memo",
        "access",
        "action",
        "auth",
        "claim",
        "environ",
        "headers",
        "id",
        "limit",
        "max_body",
        "method",
        "mount",
        "pk",
        "scope",
        "tasks",
        "uploads",
        "url",
        "user",
        "view",
        "within",
    )

    def __init__(self, environ: Environ) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        given = environ.get("HTTP_X_REQUEST_ID")
        self.id: str = given if given and _REQUEST_ID.match(given) else hex(getrandbits(128))[2:]
        self.pk: Pk | None = None
        self.mount = ""
        self.url: str | None = None
        self.within: Where | None = None
        self.user: User = ANONYMOUS
        self.auth: Any = None
        self.action = ""
        self.claim: Any = None
        self.view: Any = None
        self.scope: Where | None = None
        self.limit: Where | None = None
        self.headers: list[tuple[str, str]] | None = None
        self.uploads: list[str] | None = None
        self._http: HTTPRequest | None = None
        self._memo: dict[Hashable, Any] | None = None
        self._body: bytes | None = None
        self._data: Any = MISSING
        self.access: Any = None
        self.max_body = DEFAULT_MAX_BODY
        self.tasks: Tasks | None = None

    def at(self, mount: str) -> Request:
        """The same request as another resource's, for showing that one's objects."""
        twin = Aspect(self)
        twin.mount = mount
        return twin

    def reading(self) -> Request:
        """The same request as one that reads, for what must be seen before something else is done below it."""
        twin = Aspect(self)
        twin.method, twin.action = "GET", "retrieve"
        return twin

    def remember(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` finds, asked once for this request and those made of it."""
        memo = self._memo = {} if self._memo is None else self._memo
        if key not in memo:
            memo[key] = find()
        found: T = memo[key]
        return found

    def add_headers(self, *headers: tuple[str, str]) -> None:
        """Put headers into the reply to this request, also where it is an error (ValueError for what cannot be)."""
        check_headers(headers)
        self.put_headers(headers)

    def put_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """The same for headers of rest_kit's own, which need no checking."""
        if self.headers is None:
            self.headers = []
        self.headers += headers

    def take_headers(self, since: int) -> list[tuple[str, str]]:
        """The headers that were put into the reply behind so many, taken out again."""
        if self.headers is None:
            return []
        taken = self.headers[since:]
        del self.headers[since:]
        return taken

    @property
    def http(self) -> HTTPRequest:
        """The same request as werkzeug sees it; it reads no more of a body than `max_body` (413)."""
        if self._http is None:
            self._http = HTTPRequest(self.environ)
        # each time: whoever has looked at the headers first did not know yet what answers
        self._http.max_content_length = self._http.max_form_memory_size = self.max_body
        return self._http

    @property
    def data(self) -> Any:
        """The body as strict JSON, for actions and routes (415 for another type, 413, MalformedBody)."""
        if self._data is MISSING:
            self._data = self.json(self.max_body)
        return self._data

    @property
    def background(self) -> Tasks:
        """What is to be done after the reply has been sent."""
        if self.tasks is None:
            self.tasks = Tasks(self.id)
        return self.tasks

    @property
    def query_string(self) -> str:
        """The raw query string."""
        found: str = self.environ.get("QUERY_STRING", "")
        return found

    def withdraw(self, name: str) -> str | None:
        """A parameter's value, taken out of the query string, so that no list refuses it and no link repeats it.

        None where it was not sent; asked again, it is still known (InvalidQuery where it is given twice).
        """
        withdrawn: dict[str, str] = self.environ.setdefault("rest_kit.withdrawn", {})
        if name not in withdrawn and self.query_string:
            pieces = self.query_string.split("&")
            found = [piece for piece in pieces if unquote_plus(piece.partition("=")[0]) == name]
            if len(found) > 1:
                raise InvalidQuery(Fault("twice", "is given twice", parameter=name))
            if found:
                withdrawn[name] = unquote_plus(found[0].partition("=")[2])
                self.environ["QUERY_STRING"] = "&".join(piece for piece in pieces if piece not in found)
        return withdrawn.get(name)

    def header(self, name: str) -> str | None:
        """A header's value by its WSGI name without the prefix, such as `IF_MATCH`."""
        return self.environ.get("HTTP_" + name)

    @property
    def address(self) -> str:
        """The network address of the caller, as far as the server, or the proxies that are trusted, tell it."""
        found: str = self.environ.get("REMOTE_ADDR", "")
        return found

    @property
    def from_named_origin(self) -> bool:
        """Whether it comes from a page of an origin that the application's CORS names."""
        return "rest_kit.named_origin" in self.environ

    @property
    def content_type(self) -> str:
        """The media type of the body, lower-cased, without parameters; "" where none was sent."""
        given: str = self.environ.get("CONTENT_TYPE", "")
        return given.partition(";")[0].strip().lower()

    def prefers(self, preference: str, value: str) -> bool:
        """Whether the caller asked for this in `Prefer` (RFC 7240); the first mention of a preference counts."""
        given = self.environ.get("HTTP_PREFER")
        return given is not None and preferences(given).get(preference) == value

    def body(self, limit: int) -> bytes:
        """The whole body (400 where it is shorter than declared, 413 beyond `limit` bytes, 415 where compressed)."""
        if self._body is not None:
            return self._body
        length = self._declared_length(limit)
        if length is None:
            self._body = body = self._undeclared_body(limit)
            return body
        body = self._read(length)
        if len(body) < length:
            raise _ended_early(len(body), length)
        self._body = body
        return body

    @contextmanager
    def kept_body(self, limit: int) -> Iterator[IO[bytes]]:
        """The whole body as a file, of which it can be read again meanwhile: on the disk where it is long.

        The errors are those of `chunks`; StoreFull where the disk has no room.
        """
        arriving = self.environ["wsgi.input"]
        with spooled(self.chunks(limit) if self._body is None else (self._body,), DEFAULT_MAX_BODY) as kept:
            size = kept.seek(0, io.SEEK_END)
            kept.seek(0)
            self.environ["wsgi.input"] = kept
            if size:
                self.environ["CONTENT_LENGTH"] = str(size)
            try:
                yield kept
            finally:
                self.environ["wsgi.input"] = arriving

    def chunks(self, limit: int) -> Iterator[bytes]:
        """The body piece by piece, none larger than `CHUNK` (the errors of `body`, each as soon as it shows)."""
        length = self._declared_length(limit)
        if length is None and not self.environ.get("wsgi.input_terminated"):
            return
        most = limit + 1 if length is None else length
        seen = 0
        while seen < most:
            chunk = self._read(min(CHUNK, most - seen))
            if not chunk:
                break
            seen += len(chunk)
            if seen > limit:
                raise _too_large(limit)
            yield chunk
        if length is not None and seen < length:
            raise _ended_early(seen, length)

    def _declared_length(self, limit: int) -> int | None:
        """How long the body says that it is; None where it does not (400, 413, 415)."""
        encoding = self.environ.get("HTTP_CONTENT_ENCODING")
        if encoding and encoding.strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType("a compressed body is not accepted; send it without Content-Encoding")
        declared = self.environ.get("CONTENT_LENGTH")
        if not declared:
            return None
        if not _LENGTH.match(declared):
            raise BadRequest("Content-Length is not a number")
        if int(declared) > limit:
            raise _too_large(limit)
        return int(declared)

    def _undeclared_body(self, limit: int) -> bytes:
        """A chunked body, where the server marks its end; nothing where it does not."""
        if not self.environ.get("wsgi.input_terminated"):
            return b""
        body = self._read(limit + 1)
        if len(body) > limit:
            raise _too_large(limit)
        return body

    def _read(self, size: int) -> bytes:
        """As much of the body as there is, up to `size` bytes (400 where the server cannot make sense of it)."""
        try:
            body: bytes = self.environ["wsgi.input"].read(size)
        except unreadable() as exc:
            raise BadRequest("the body is not framed as HTTP says") from exc
        return body

    def json(self, limit: int, *, accept: tuple[str, ...] = (JSON,), exact: bool = False) -> Any:
        """The body as strict JSON (415 for another type, MalformedBody, and what `body` raises)."""
        if self.environ.get("CONTENT_TYPE") not in accept:
            self._check_type(accept)
        return jsonio.loads(self.body(limit), exact=exact)

    def _check_type(self, accept: tuple[str, ...]) -> None:
        """Refuse a body of another type, or in another charset than JSON's (415)."""
        if self.content_type not in accept:
            raise wrong_type(self.content_type, accept)
        charset = parse_options_header(self.environ["CONTENT_TYPE"])[1].get("charset", "utf-8")
        if charset.lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType("JSON is always UTF-8 (RFC 8259); the charset says otherwise")

    def script_name(self) -> str:
        """The path under which the application is mounted, as it stands in a URL."""
        name: str = self.environ.get("SCRIPT_NAME", "")
        return quote(name.encode("latin-1"), safe="/~!$&'()*+,;=:@").rstrip("/") if name else ""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.environ.get('PATH_INFO', '')!r} {self.id}>"


def _shared(name: str) -> Any:
    """An attribute of an aspect that is its request's."""

    def read(aspect: Aspect) -> Any:
        return getattr(aspect.whole, name)

    def write(aspect: Aspect, value: Any) -> None:
        setattr(aspect.whole, name, value)

    return property(read, write)


class Aspect(Request):
    """A request as one for something else: its body and its reply, and what is left to be done, are the request's."""

    # PERF: tests/test_budget.py: attributes that are looked up at their request would cost each request its calls
    __slots__ = ("whole",)

    _body = _shared("_body")
    _data = _shared("_data")
    _http = _shared("_http")
    _memo = _shared("_memo")
    headers = _shared("headers")
    tasks = _shared("tasks")
    uploads = _shared("uploads")

    def __init__(self, of: Request) -> None:
        self.whole: Request = of.whole if isinstance(of, Aspect) else of
        for name in _OWN:
            setattr(self, name, getattr(of, name))


_OWN: Final = tuple(name for name in Request.__slots__ if name not in vars(Aspect))


def on_one_item(action: str) -> bool:
    """Whether this is done to the item that the request names and to nothing else, as no custom action promises."""
    return action in _ON_ITEMS


def unreadable() -> tuple[type[Exception], ...]:
    """What servers raise where a body breaks off or its chunks are malformed; gunicorn has exceptions of its own."""
    gunicorn = sys.modules.get("gunicorn.http.errors")
    return (
        (OSError, EOFError, ValueError)
        if gunicorn is None
        else (OSError, EOFError, ValueError, gunicorn.ParseException)
    )


def preferences(header: str) -> Mapping[str, str]:
    """The preferences of a `Prefer` header, by lower-cased name; a bare one has the value ""."""
    found: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    return found


def wrong_type(given: str, accept: tuple[str, ...]) -> UnsupportedMediaType:
    """The refusal of a body's media type, naming those that would do."""
    said = f"{given} is not accepted here" if given else "the body has no Content-Type"
    return UnsupportedMediaType(f"{said}; send {' or '.join(accept)}")


class UnsupportedPatch(UnsupportedMediaType):
    """A PATCH whose media type is not accepted here; the reply lists those that are in `Accept-Patch` (RFC 5789)."""

    def __init__(self, given: str, accept: tuple[str, ...]) -> None:
        super().__init__(wrong_type(given, accept).description)
        self.accept = accept

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        return [*super().get_headers(*args, **kwargs), ("Accept-Patch", ", ".join(self.accept))]


def _ended_early(seen: int, length: int) -> BadRequest:
    return BadRequest(f"the body ended after {seen} of the declared {length} bytes")


def _too_large(limit: int) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"the body is larger than {limit} bytes")
