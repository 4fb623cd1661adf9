"""What a function of the user's own may answer a request with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Response:
    """Data to be shown, with a status (an HTTP status code) and headers; data of None is an empty body.

    ValueError for a header that would end before its value does.
    """

    __slots__ = ("data", "headers", "status")

    def __init__(self, data: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.status = status
        self.headers = dict(headers or {})
        broken = [name for name, value in self.headers.items() if set("\r\n\0") & set(f"{name}{value}")]
        if broken:
            raise ValueError(f"the header {broken[0]!r} holds the end of a line")

    def __repr__(self) -> str:
        return f"Response({self.data!r}, {self.status})"
