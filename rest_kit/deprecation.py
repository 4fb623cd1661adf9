"""Telling clients that what they use will go: the headers `Deprecation` (RFC 9745) and `Sunset` (RFC 8594)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, Final

from werkzeug.http import http_date

from rest_kit.errors import ConfigurationError
from rest_kit.problems import Headers

_URL: Final = re.compile(r"(https?://|/)[!#-;=?-~]*")


class Deprecation:
    """Since when something is deprecated, when it will be gone, and where that is explained.

    `since`, `sunset`: a date, which means its midnight in UTC, or a datetime, in UTC unless it says otherwise. `link`:
    a URL. Nothing stops by itself at the sunset. Raises ConfigurationError.
    """

    def __init__(self, since: date, sunset: date | None = None, link: str | None = None) -> None:
        problems = [
            f"Deprecation({name}=...) must be a date, not {value!r}"
            for name, value in {"since": since, "sunset": sunset}.items()
            if not isinstance(value, date) and (value is not None or name == "since")
        ]
        if link is not None and not (isinstance(link, str) and _URL.fullmatch(link)):
            problems.append(f"Deprecation(link=...) must be a URL such as 'https://example.org/news', not {link!r}")
        if not problems and sunset is not None and _moment(sunset) < _moment(since):
            problems.append(f"Deprecation(sunset=...) {sunset} is before since={since} (RFC 9745 §4)")
        if problems:
            raise ConfigurationError(problems)
        self.since = since
        self.sunset = sunset
        self.link = link
        self.headers = tuple(self._headers())
        """What goes into every reply."""

    def _headers(self) -> Headers:
        headers = [("Deprecation", f"@{int(_moment(self.since).timestamp())}")]
        if self.sunset is not None:
            headers.append(("Sunset", http_date(_moment(self.sunset))))
        if self.link is not None:
            relations = ["deprecation", *(["sunset"] if self.sunset is not None else [])]
            headers.append(("Link", ", ".join(f'<{self.link}>; rel="{one}"' for one in relations)))
        return headers

    def __repr__(self) -> str:
        return f"Deprecation({self.since!r}, {self.sunset!r}, {self.link!r})"


def _moment(given: Any) -> datetime:
    """A date's midnight, or a datetime, with its offset."""
    if not isinstance(given, datetime):
        return datetime(given.year, given.month, given.day, tzinfo=UTC)
    return given if given.tzinfo is not None else given.replace(tzinfo=UTC)
