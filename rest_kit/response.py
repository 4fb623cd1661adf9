"""What a function of the user's own may answer a request with, and what may stand in the headers of any reply."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_VALUE: Final = re.compile(r"[\x20-\x7e\x80-\xff]*").fullmatch
_SERVERS: Final = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "status")
)
"""Headers that are between the server and its peer; PEP 3333 forbids them to applications."""


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """ValueError for a header that servers could not send as one (RFC 9110 §5.1, §5.5), or that is theirs to send."""
    for name, value in headers:
        if type(name) is not str or not _NAME(name):
            raise ValueError(f"{name!r} cannot be the name of a header")
        if name.lower() in _SERVERS:
            raise ValueError(f"the header {name!r} is the server's to send")
        if type(value) is not str or not _VALUE(value):
            raise ValueError(f"the header {name!r} must be a line of text in Latin-1, not {value!r}")


class Response:
    """Data to be shown, with a status (an HTTP status code from 200 on) and headers; data of None is an empty body.

    ValueError for another status, and for a header that cannot be sent; TypeError where headers are no mapping.
    """

    __slots__ = ("data", "headers", "status")

    def __init__(self, data: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        if headers is not None and not hasattr(headers, "keys"):
            raise TypeError(f"the headers of a reply are a dict, not {headers!r}")
        self.data = data
        self.status = status
        self.headers = dict(headers or {})
        self.check()

    def check(self) -> None:
        """ValueError where it cannot be sent, as it may have been changed since it was made."""
        if not isinstance(self.status, int) or isinstance(self.status, bool) or not 200 <= self.status <= 599:
            raise ValueError(f"the status of a reply is a number from 200 to 599, not {self.status!r}")
        check_headers(self.headers.items())

    def __repr__(self) -> str:
        return f"Response({self.data!r}, {self.status})"
