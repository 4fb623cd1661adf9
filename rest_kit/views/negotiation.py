"""Which of a resource's media types a caller gets (RFC 9110 §12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable
from werkzeug.http import parse_accept_header

from rest_kit.views.base import Response


def accepted(classes: Sequence[type[Response]]) -> dict[str | None, type[Response]]:
    """What the Accept headers get that need no weighing: none, anything, and exactly the first class's media type."""
    return {None: classes[0], "*/*": classes[0], classes[0].media_type: classes[0]}


def choose(accept: str | None, classes: Sequence[type[Response]]) -> type[Response]:
    """The best class for an Accept header, the first listed where all are equal (NotAcceptable)."""
    if accept is None:
        return classes[0]
    offered = [cls.media_type for cls in classes]
    best = parse_accept_header(accept, MIMEAccept).best_match(offered)
    if best is None and accept.strip():
        raise NotAcceptable(f"this resource can be had as {', '.join(offered)}")
    return classes[offered.index(best)] if best else classes[0]
