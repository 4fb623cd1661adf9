"""Which part of a list a request asks for, and the links that lead to the other parts.

A pagination policy is made once and shared by all requests: `read` takes its parameters off a request and answers
the store's `Page`; `describe` writes the `meta` of the reply, links included. Below a link's parameters, `kept` is
the raw query string without the paging parameters, so that every filter survives.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from rest_kit.errors import ConfigurationError, Fault, InvalidQuery
from rest_kit.query import Order, Page, Result
from rest_kit.types import INT64_MAX

Total = Literal["exact", "none"]
Link = str | None

_COUNT: Final = re.compile(r"[0-9]{1,19}\Z")


class PageRequest(msgspec.Struct, frozen=True):
    """A page as asked for: for the store, and what the links need to know of it."""

    page: Page
    size: int
    position: Any = None


class Links(msgspec.Struct, frozen=True):
    """The links of a list; None where there is nothing to lead to."""

    first: Link
    previous: Link
    next: Link
    last: Link


class Listing(NamedTuple):
    """What a policy may need to know about the list when it reads a page or describes one."""

    order: tuple[Order, ...]
    fingerprint: str
    """Stands for the ordering, filters and search that a cursor belongs to."""
    decode: Callable[[str, Any], Any]
    """A field's JSON value as its Python type (ValueError)."""
    encode: Callable[[str, Any], Any]
    """A field's value as JSON."""
    serializer: URLSafeSerializer


class BasePagination(ABC):
    """The policy's side that the controller knows."""

    parameters: Mapping[str, Callable[[str], Any]] = {}
    """The query parameters that the policy takes, and what makes a value of each one's text (ValueError)."""
    total: bool = True
    needs_order: bool = False
    """Whether the records must hold the fields that they are ordered by."""

    @abstractmethod
    def read(self, given: dict[str, Any], listing: Callable[[], Listing]) -> PageRequest:
        """The page that the parameters, read already, ask for (InvalidQuery)."""

    @abstractmethod
    def describe(
        self, asked: PageRequest, result: Result, url: str, kept: str, listing: Callable[[], Listing]
    ) -> tuple[dict[str, Any], Links]:
        """The paging part of `meta`, and the links."""


def whole_number(text: str) -> int:
    """A parameter that counts something: ASCII digits, 64 bits (ValueError)."""
    if _COUNT.match(text):
        value = int(text)
        if value <= INT64_MAX:
            return value
    raise ValueError(f"must be a whole number from 0 to {INT64_MAX}")


def _check(max_count: Any, default: Any, keys: Sequence[Any], total: Any, owner: str) -> None:
    """Refuse a policy that could never work, with every reason (ConfigurationError)."""
    problems = []
    if type(max_count) is not int or max_count < 1:
        problems.append(f"max_count must be a positive integer, not {max_count!r}")
    elif default is not None and (type(default) is not int or not 1 <= default <= max_count):
        problems.append(f"default must be an integer from 1 to max_count ({max_count}), not {default!r}")
    if len(set(keys)) != len(keys) or not all(isinstance(key, str) and key for key in keys):
        problems.append(f"the parameter names must be different non-empty strings, not {keys!r}")
    if total not in ("exact", "none"):
        problems.append(f"total must be 'exact' or 'none', not {total!r}")
    if problems:
        raise ConfigurationError(problems, owner=owner)


class Pagination(BasePagination):
    """Pages by `offset` and `count`: at most `max_count` objects, `default` (or the maximum) where none is asked for.

    A count beyond the maximum is clamped, and `meta.count` shows it. `total="none"` saves the counting; then there is
    no `last`, and `next` is found by reading one object more.
    """

    def __init__(
        self,
        max_count: int,
        default: int | None = None,
        offset_key: str = "offset",
        count_key: str = "count",
        *,
        total: Total = "exact",
    ) -> None:
        _check(max_count, default, (offset_key, count_key), total, "Pagination")
        self.max_count = max_count
        self.default = default or max_count
        self.offset_key = offset_key
        self.count_key = count_key
        self.total = total == "exact"
        self.parameters = {offset_key: whole_number, count_key: whole_number}
        self._plain = PageRequest(Page(self.default), self.default)

    def read(self, given: dict[str, Any], listing: Callable[[], Listing]) -> PageRequest:
        if not given:
            return self._plain
        count = min(given.get(self.count_key, self.default), self.max_count)
        return PageRequest(Page(count, given.get(self.offset_key, 0)), count)

    def describe(
        self, asked: PageRequest, result: Result, url: str, kept: str, listing: Callable[[], Listing]
    ) -> tuple[dict[str, Any], Links]:
        offset, count, total = asked.page.offset, asked.size, result.total
        meta = {"offset": offset, "count": count, "total_count": total}
        if count == 0:
            return meta, Links(None, None, None, None)
        start = f"{url}?{kept}{self.offset_key}="
        end = f"&{self.count_key}={count}"
        last = None if total is None else max(total - 1, 0) // count * count
        more = result.more if total is None else offset + count < total
        previous = offset - count
        if total is not None and last is not None and offset >= total:
            previous = last
        return meta, Links(
            f"{start}0{end}",
            f"{start}{max(previous, 0)}{end}" if offset > 0 else None,
            f"{start}{offset + count}{end}" if more else None,
            None if last is None else f"{start}{last}{end}",
        )


class PageNumberPagination(BasePagination):
    """Pages by number, from 1: `page` and `page_size`, at most `max_count` objects each."""

    def __init__(
        self,
        max_count: int,
        default: int | None = None,
        page_key: str = "page",
        size_key: str = "page_size",
        *,
        total: Total = "exact",
    ) -> None:
        _check(max_count, default, (page_key, size_key), total, "PageNumberPagination")
        self.max_count = max_count
        self.default = default or max_count
        self.page_key = page_key
        self.size_key = size_key
        self.total = total == "exact"
        self.parameters = {page_key: whole_number, size_key: whole_number}

    def read(self, given: dict[str, Any], listing: Callable[[], Listing]) -> PageRequest:
        size = min(given.get(self.size_key, self.default), self.max_count)
        number = given.get(self.page_key, 1)
        if number < 1 or (number - 1) * max(size, 1) > INT64_MAX:
            last = INT64_MAX // max(size, 1) + 1
            raise InvalidQuery(Fault("page", f"pages are counted from 1 to {last}", parameter=self.page_key))
        return PageRequest(Page(size, (number - 1) * size), size, number)

    def describe(
        self, asked: PageRequest, result: Result, url: str, kept: str, listing: Callable[[], Listing]
    ) -> tuple[dict[str, Any], Links]:
        number, size, total = asked.position, asked.size, result.total
        meta = {"page": number, "count": size, "total_count": total}
        if size == 0:
            return meta, Links(None, None, None, None)
        start = f"{url}?{kept}{self.page_key}="
        end = f"&{self.size_key}={size}"
        last = None if total is None else max(-(-total // size), 1)
        more = result.more if last is None else number < last
        previous = number - 1 if last is None else min(number - 1, last)
        return meta, Links(
            f"{start}1{end}",
            f"{start}{previous}{end}" if number > 1 else None,
            f"{start}{number + 1}{end}" if more else None,
            None if last is None else f"{start}{last}{end}",
        )


class CursorPagination(BasePagination):
    """Pages by a signed `cursor` that names the place behind (or ahead of) a record by its order values.

    A page costs the same at any depth and stays put while records come and go. A cursor belongs to its ordering,
    filters and search; a forged or foreign one is refused. Counting is off unless `total="exact"`.
    """

    needs_order = True

    def __init__(
        self,
        max_count: int,
        default: int | None = None,
        cursor_key: str = "cursor",
        count_key: str = "count",
        *,
        total: Total = "none",
    ) -> None:
        _check(max_count, default, (cursor_key, count_key), total, "CursorPagination")
        self.max_count = max_count
        self.default = default or max_count
        self.cursor_key = cursor_key
        self.count_key = count_key
        self.total = total == "exact"
        self.parameters = {cursor_key: str, count_key: whole_number}

    def read(self, given: dict[str, Any], listing: Callable[[], Listing]) -> PageRequest:
        count = min(given.get(self.count_key, self.default), self.max_count)
        if self.cursor_key not in given:
            return PageRequest(Page(count), count)
        before, values = self._open(given[self.cursor_key], listing())
        return PageRequest(Page(count, after=values, before=before), count)

    def _open(self, cursor: str, listing: Listing) -> tuple[bool, tuple[Any, ...] | None]:
        """The direction and the order values in a cursor, if we have signed it for this very list.

        Without values it stands for the list's beginning, or, read backwards, for its end.
        """
        try:
            before, fingerprint, *values = listing.serializer.loads(cursor)
            if fingerprint == listing.fingerprint:
                pairs = zip(listing.order, values, strict=bool(values))
                place = tuple(listing.decode(order.field, value) for order, value in pairs)
                return bool(before), place or None
        except (BadData, TypeError, ValueError):
            pass
        raise InvalidQuery(
            Fault(
                "cursor",
                "this cursor is not one of this list with this ordering and these filters",
                parameter=self.cursor_key,
            )
        )

    def describe(
        self, asked: PageRequest, result: Result, url: str, kept: str, listing: Callable[[], Listing]
    ) -> tuple[dict[str, Any], Links]:
        meta = {"count": asked.size, "total_count": result.total}
        if asked.size == 0:
            return meta, Links(None, None, None, None)
        size = f"{self.count_key}={asked.size}"
        page, records = asked.page, result.records
        away = page.after is not None
        ahead = result.more if page.before else away
        behind = away if page.before else result.more

        def link(before: bool, record: dict[str, Any] | None) -> str:
            sealed = self._seal(before, record, listing())
            return f"{url}?{kept}{self.cursor_key}={quote(sealed)}&{size}"

        return meta, Links(
            f"{url}?{kept}{size}",
            link(True, records[0] if records else None) if ahead else None,
            link(False, records[-1] if records else None) if behind else None,
            None,
        )

    def _seal(self, before: bool, record: dict[str, Any] | None, listing: Listing) -> str:
        """A cursor for the place next to a record, or, on an empty page, for the end of the list that we came from."""
        shown = [] if record is None else [listing.encode(key.field, record[key.field]) for key in listing.order]
        sealed = listing.serializer.dumps([int(before), listing.fingerprint, *shown])
        return sealed if isinstance(sealed, str) else sealed.decode()
