"""Which of a resource's media types a caller gets (RFC 9110 §12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable
from werkzeug.http import parse_accept_header

from rest_kit.views.base import Response


def choose(accept: str | None, classes: Sequence[type[Response]]) -> type[Response]:
    """The best class for an Accept header, the first listed where all are equal (NotAcceptable)."""
    if accept is None or accept in ("*/*", classes[0].media_type):
        return classes[0]
    offered = [cls.media_type for cls in classes]
    best = parse_accept_header(accept, MIMEAccept).best_match(offered)
    if best is None and accept.strip():
        raise NotAcceptable(f"this resource can be had as {', '.join(offered)}")
    return classes[offered.index(best)] if best else classes[0]
