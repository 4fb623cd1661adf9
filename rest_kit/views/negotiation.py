"""Which of a resource's media types a caller gets (RFC 9110 §12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.exceptions import NotAcceptable
from werkzeug.http import parse_accept_header

from rest_kit.views.base import Response


def accepted(classes: Sequence[type[Response]]) -> dict[str | None, type[Response]]:
    """What the Accept headers get that need no weighing: none, anything, and exactly the first class's media type."""
    return {None: classes[0], "*/*": classes[0], classes[0].media_type: classes[0]}


def choose(accept: str | None, classes: Sequence[type[Response]]) -> type[Response]:
    """The best class for an Accept header, the first listed where all are equal (NotAcceptable).

    Parameters of a media range are ignored: what a class renders has one charset, and no versions.
    """
    if accept is None or not accept.strip():
        return classes[0]
    ranges = {_bare(given): weight for given, weight in reversed(parse_accept_header(accept))}
    best = max(classes, key=lambda cls: _quality(cls.media_type, ranges))
    if not _quality(best.media_type, ranges):
        raise NotAcceptable(f"this resource can be had as {', '.join(cls.media_type for cls in classes)}")
    return best


def _bare(media_range: str) -> str:
    return media_range.partition(";")[0].strip().lower()


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    """The weight that the most specific range gives a media type; 0 where it is not acceptable."""
    family = media_type.partition("/")[0] + "/*"
    return next((ranges[one] for one in (media_type, family, "*/*", "*") if one in ranges), 0)
