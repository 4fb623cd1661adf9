"""What a view class has to say: its media type, and how data become bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import quote

from rest_kit.request import Request
from rest_kit.types import Record


class Response(ABC):
    """Renders the data of one reply in one media type; formatters get it as their first argument.

    `request` is the request being answered, `pk_name` the name of the primary key.
    """

    media_type: ClassVar[str]
    content_type: ClassVar[str]
    """The media type as it stands in the header, with its charset where it has one."""

    def __init__(self, request: Request, pk_name: str) -> None:
        self.request = request
        self.pk_name = pk_name

    @staticmethod
    @abstractmethod
    def render(data: Any) -> bytes:
        """An object, a list, or an envelope as bytes of the media type."""

    def resource_uri(self, pk: Any) -> str:
        """The URL path of the item with this primary key."""
        return self.request.mount + segment(pk) + "/"


Formatter = Callable[[Response, Record], Record]
"""Shapes one object of a reply: takes the response and the object, and returns the object to send."""


def segment(pk: Any) -> str:
    """A primary key as exactly one path segment."""
    return str(pk) if type(pk) is int else quote(str(pk), safe="!$&'()*+,;=:@~")
