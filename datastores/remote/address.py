"""Where the collection is, and the URLs of what lies in it; nothing leads to another host.

Whatever comes from outside (keys, values of filters) is percent-encoded as a whole, so that a key is always one
segment of the path and a value always one value.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from rest_kit.errors import RecordNotFound, RemoteError
from rest_kit.types import Pk

Parameters = list[tuple[str, str]]
"""Names and values of a query string, not encoded yet."""

_RELATIVE = frozenset({"", ".", ".."})
"""Segments that a URL takes for something else, however they are encoded."""


class Address:
    """The URL of a collection, taken apart; parameters that it has itself go into every request."""

    __slots__ = ("_base", "_fixed", "_parts", "slash")

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._parts = parts
        self.slash = "/" if parts.path.endswith("/") else ""
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._fixed = parts.query

    def __str__(self) -> str:
        return self._base + self.slash

    def collection(self, parameters: Parameters) -> str:
        """The URL of the list with these parameters."""
        return self._with(self._base + self.slash, parameters)

    def item(self, key: str, pk: Pk, parameters: Parameters) -> str:
        """The URL of a record, its key as text one encoded segment (RecordNotFound where no URL can hold it)."""
        if key in _RELATIVE:
            raise RecordNotFound(pk)
        return self._with(f"{self._base}/{quote(key, safe='')}{self.slash}", parameters)

    def beside(self, *segments: str) -> str:
        """The URL of something that lies beside the collection, below the same parent."""
        parent, _, name = self._base.rpartition("/")
        return "/".join([parent, *segments, name]) + "/"

    def follow(self, link: str, base: str) -> str:
        """A link found in the reply from `base`, made absolute (RemoteError where it leads to another host)."""
        found = urljoin(base, link)
        if origin(urlsplit(found)) != origin(self._parts):
            raise RemoteError(f"{self} leads to another host, {found!r:.200}, where nothing is sent")
        return found

    def _with(self, url: str, parameters: Parameters) -> str:
        query = "&".join(part for part in (self._fixed, encoded(parameters)) if part)
        return f"{url}?{query}" if query else url


def encoded(parameters: Iterable[tuple[str, str]]) -> str:
    """Parameters as a query string."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)


def origin(parts: SplitResult) -> tuple[str, str, int | None]:
    """Scheme, host and port; nothing that equals any origin where the URL makes no sense."""
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return (parts.scheme, "", None)
    return (parts.scheme, parts.hostname or "", port)
