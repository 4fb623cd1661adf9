"""A list read in parts, as far as somebody goes on asking: by offset, by page number, or along its links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from datastores.remote.address import Address, Parameters
from datastores.remote.client import Client, Request
from datastores.remote.dialect import Chunk, Dialect
from datastores.remote.transport import Deadline, Reply
from rest_kit.errors import RemoteError, Unsupported


class QuestionRefused(RemoteError):
    """The remote does not take the parameters that it was asked with."""


class Stretch(NamedTuple):
    """What to read of a list: where to begin, how many rows are wanted (None: all), and whether to count."""

    parameters: Parameters
    offset: int = 0
    wanted: int | None = None
    total: bool = False


class Lists:
    """Reads the lists of one remote."""

    def __init__(self, client: Client, dialect: Dialect) -> None:
        self._client = client
        self._dialect = dialect
        self._address: Address = client.address

    def __str__(self) -> str:
        return str(self._address)

    def chunks(self, stretch: Stretch, deadline: Deadline) -> Iterator[Chunk]:
        """The parts of a stretch, each asked for when it is wanted; `more` is False in the last (RemoteError)."""
        if self._dialect.offset is not None:
            return self._by_offset(stretch, deadline)
        if self._dialect.page is not None:
            return self._by_page(stretch, deadline)
        return self._by_links(stretch, deadline)

    def _ask(self, request: Request, deadline: Deadline) -> Chunk:
        reply = self._client.call(request, deadline)
        self._refuse(request, reply)
        return self._dialect.chunk(request, reply)

    def _refuse(self, request: Request, reply: Reply) -> None:
        """A reply that is no list (RemoteError; QuestionRefused where the parameters may be to blame; Unsupported)."""
        if reply.status in (400, 422):
            told = reply.body[:500].decode("utf-8", "replace")
            raise QuestionRefused(f"{request}: the question {urlsplit(request.url).query!r:.500} was refused: {told}")
        if reply.status == 405:
            raise Unsupported("the API that holds the data does not show them as a list")
        if reply.status >= 400 and reply.status != 416:
            raise RemoteError(f"{request}: there is no list to be had, but {reply.status}")

    def _request(self, stretch: Stretch, parameters: Parameters) -> Request:
        return self._dialect.listing(self._address, [*stretch.parameters, *parameters], total=stretch.total)

    def _count(self, stretch: Stretch, had: int) -> int:
        """How many rows to ask for, having had some already."""
        left = self._dialect.most if stretch.wanted is None else stretch.wanted - had
        return max(min(left, self._dialect.most), 1)

    def _by_offset(self, stretch: Stretch, deadline: Deadline) -> Iterator[Chunk]:
        dialect, had = self._dialect, 0
        assert dialect.offset is not None
        while True:
            count, at = self._count(stretch, had), stretch.offset + had
            paging = [(dialect.offset, str(at)), *([(dialect.limit, str(count))] if dialect.limit else [])]
            request = self._request(stretch, paging)
            chunk = self._ask(request, deadline)
            self._check_offset(request, chunk, at)
            had += len(chunk.rows)
            more = self._goes_on(chunk, at, count if dialect.limit else None)
            yield chunk._replace(more=more)
            if more is False:
                return
            stretch = stretch._replace(total=False)

    def _goes_on(self, chunk: Chunk, at: int, count: int | None) -> bool | None:
        """Whether more rows follow; None where only asking will tell."""
        if not chunk.rows:
            return False
        if chunk.more is not None:
            return chunk.more
        if chunk.total is not None:
            return at + len(chunk.rows) < chunk.total
        return None

    def _check_offset(self, request: Request, chunk: Chunk, at: int) -> None:
        """Refuse a reply that shows that the offset was ignored (RemoteError)."""
        named = dict(parse_qsl(urlsplit(chunk.link).query)) if chunk.link else {}
        ignored = chunk.link is not None and self._dialect.offset not in named
        beyond = chunk.total is not None and len(chunk.rows) > max(chunk.total - at, 0)
        if ignored or beyond:
            raise RemoteError(
                f"{request}: the list does not go by {self._dialect.offset!r}; say in the resource's dialect how it "
                "is paged: 'offset', or 'page' with 'page_size', or neither to follow its links"
            )

    def _by_page(self, stretch: Stretch, deadline: Deadline) -> Iterator[Chunk]:
        dialect, size = self._dialect, self._dialect.page_size
        assert dialect.page is not None
        assert size is not None
        number, skip = divmod(stretch.offset, size)
        while True:
            number += 1
            request = self._request(stretch, [(dialect.page, str(number))])
            chunk = self._page(request, deadline)
            more = self._goes_on(chunk, (number - 1) * size, size)
            if len(chunk.rows) > size or (more and len(chunk.rows) < size):
                raise RemoteError(f"{request}: a page of {len(chunk.rows)} rows, where 'page_size' says {size}")
            more = more if more is not None else len(chunk.rows) == size
            yield chunk._replace(rows=chunk.rows[skip:], more=more)
            if not more:
                return
            skip = 0

    def _page(self, request: Request, deadline: Deadline) -> Chunk:
        """One page; a page behind the last, which many APIs answer with 404, is empty."""
        reply = self._client.call(request, deadline)
        if reply.status == 404:
            return Chunk([], False, None, None)
        self._refuse(request, reply)
        return self._dialect.chunk(request, reply)

    def _by_links(self, stretch: Stretch, deadline: Deadline) -> Iterator[Chunk]:
        dialect, skip = self._dialect, stretch.offset
        wanted = None if stretch.wanted is None else stretch.wanted + skip
        count = self._count(stretch._replace(wanted=wanted), 0)
        request = self._request(stretch, [(dialect.limit, str(count))] if dialect.limit else [])
        while True:
            chunk = self._ask(request, deadline)
            rows, skip = chunk.rows[skip:], max(skip - len(chunk.rows), 0)
            # behind rows that are still to be skipped, more may follow or not
            yield chunk._replace(rows=rows, more=None if skip and chunk.link else chunk.link is not None)
            if chunk.link is None:
                return
            request = request._replace(url=self._address.follow(chunk.link, request.url))
