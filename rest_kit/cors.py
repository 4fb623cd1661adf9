"""Which pages of other origins may use the API from a browser: CORS, as the Fetch standard says (§3.2).

Nobody else is kept out by it: a client that is no browser sends what it likes. So nothing is refused here; a reply
without the headers is one that the browser keeps from the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from rest_kit.errors import ConfigurationError, did_you_mean
from rest_kit.problems import Headers, Reply
from rest_kit.request import Request
from rest_kit.store import check_keys, well_typed


class CORSDict(TypedDict, total=False):
    """Who may read replies from a page of another origin, and what such a page may send and see."""

    allow_origins: Sequence[str]
    allow_origin_regex: str | re.Pattern[str]
    allow_credentials: bool
    allow_methods: Sequence[str]
    allow_headers: Sequence[str]
    expose_headers: Sequence[str]
    max_age: int


_NAMES: Final = (list, tuple)
CORS_KEYS: Final[dict[str, Any]] = {
    "allow_origins": _NAMES,
    "allow_origin_regex": (str, re.Pattern),
    "allow_credentials": bool,
    "allow_methods": _NAMES,
    "allow_headers": _NAMES,
    "expose_headers": _NAMES,
    "max_age": int,
}
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SENT: Final = (
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Disposition",
    "Content-Language",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Last-Event-ID",
    "Prefer",
    "Range",
    "X-API-Key",
    "X-CSRF-Token",
    "X-Request-ID",
)
"""The request headers that rest_kit reads."""
EXPOSED: Final = (
    "Accept-Patch",
    "Accept-Ranges",
    "Allow",
    "Content-Disposition",
    "Content-Range",
    "Deprecation",
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Sunset",
    "WWW-Authenticate",
    "X-Request-ID",
    "X-Total-Count",
)
"""The reply headers that rest_kit writes, and that pages would not see otherwise."""
DEFAULT_MAX_AGE: Final = 600

_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_PORTS: Final = {"http": "80", "https": "443"}
_LONGEST: Final = 300
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKENS: Final = re.compile(rf"{_TOKEN.pattern}(?:[ \t]*,[ \t]*{_TOKEN.pattern})*")
_NOBODYS: Final = ("https://a.invalid", "https://b.example.invalid:8443")
"""Origins that no pattern is meant for."""


class CORS:
    """Answers preflights, and lets pages of the allowed origins read the replies. Raises ConfigurationError."""

    def __init__(self, given: CORSDict) -> None:
        if not isinstance(given, Mapping):
            raise ConfigurationError(f"cors must be a dict such as {{'allow_origins': [...]}}, not {given!r}")
        reading = _Reading(given)
        if reading.problems:
            raise ConfigurationError(reading.problems)
        self.origins = reading.origins
        self.regex = reading.regex
        self.any = "*" in reading.origins
        self.open = self.any or _allows_anybody(reading.regex)
        """Whether it names nobody, as any page whatsoever is allowed."""
        self.any_header = "*" in reading.headers
        shared = [("Access-Control-Allow-Credentials", "true")] if reading.credentials else []
        exposed = [("Access-Control-Expose-Headers", ", ".join(reading.exposed))] if reading.exposed else []
        allowed = [] if self.any_header or not reading.headers else [", ".join(reading.headers)]
        self._shared: Headers = [*shared, *exposed]
        self._preflight: Headers = [
            *shared,
            ("Access-Control-Allow-Methods", ", ".join(reading.methods)),
            *(("Access-Control-Allow-Headers", names) for names in allowed),
            ("Access-Control-Max-Age", str(reading.max_age)),
        ]

    def allows(self, origin: str) -> bool:
        """Whether pages of an origin may read replies; `null` only where it is listed."""
        if self.any or origin in self.origins:
            return True
        known = canonical(origin)
        if known is None:
            return False
        return known in self.origins or (self.regex is not None and self.regex.fullmatch(known) is not None)

    def meet(self, request: Request) -> Reply | None:
        """Put the headers into the reply to a request, whatever it will be; the reply itself, to a preflight."""
        origin = request.header("ORIGIN")
        if not self.any:
            request.add_headers(("Vary", "Origin"))
        allowed = self.any or (origin is not None and self.allows(origin))
        if allowed:
            request.add_headers(("Access-Control-Allow-Origin", "*" if self.any else str(origin)))
        if request.method == "OPTIONS" and origin and request.header("ACCESS_CONTROL_REQUEST_METHOD"):
            return "204 No Content", self._answer(request) if allowed else [], b""
        if allowed:
            request.put_headers(self._shared)
            if origin not in (None, "null") and not self.open:
                request.environ["rest_kit.named_origin"] = origin
        return None

    def _answer(self, request: Request) -> Headers:
        """What a page may send; where it may send any header, those that it asks for by name.

        `*` would not do: it does not stand for `Authorization`, and for nothing at all beside credentials.
        """
        asked = request.header("ACCESS_CONTROL_REQUEST_HEADERS")
        if not self.any_header:
            return list(self._preflight)
        vary = ("Vary", "Access-Control-Request-Headers")
        if asked is None or not _TOKENS.fullmatch(asked.strip()):
            return [*self._preflight, vary]
        return [*self._preflight, ("Access-Control-Allow-Headers", asked.strip()), vary]


def canonical(origin: str) -> str | None:
    """An origin as browsers write it: lower case, no default port (RFC 6454 §6.2); None for what is no origin."""
    found = _ORIGIN.fullmatch(origin.lower()) if origin.isascii() and len(origin) <= _LONGEST else None
    if found is None:
        return None
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" if port in (None, _PORTS.get(scheme)) else f"{scheme}://{host}:{port}"


def _allows_anybody(regex: re.Pattern[str] | None) -> bool:
    return regex is not None and all(map(regex.fullmatch, _NOBODYS))


class _Reading:
    """Reads the dict, noting problems as it goes."""

    def __init__(self, given: CORSDict) -> None:
        self.problems = check_keys(given, CORS_KEYS, "cors")
        self.given = well_typed(given, CORS_KEYS)
        self.credentials = self.given.get("allow_credentials", False)
        self.origins = frozenset(filter(None, map(self._origin, self.given.get("allow_origins", ()))))
        self.regex = self._pattern(self.given.get("allow_origin_regex"))
        self.methods = self._methods(self.given.get("allow_methods", ("*",)))
        self.headers = self._tokens("allow_headers", SENT)
        self.exposed = self._tokens("expose_headers", EXPOSED)
        self.max_age = self.given.get("max_age", DEFAULT_MAX_AGE)
        if self.max_age < 0:
            self.problems.append(f"cors['max_age'] must be a number of seconds, not {self.max_age!r}")
        if not given.get("allow_origins") and not given.get("allow_origin_regex"):
            self.problems.append("cors allows no origin: it needs 'allow_origins' or 'allow_origin_regex'")
        if self.credentials:
            self._check_credentials()

    def _origin(self, text: Any) -> str | None:
        if text in ("*", "null"):
            return str(text)
        found = canonical(text) if isinstance(text, str) else None
        if found is None:
            near = canonical("/".join(text.split("/")[:3])) if isinstance(text, str) else None
            hint = f"; did you mean {near!r}?" if near else ", such as 'https://example.org' (names in punycode)"
            self.problems.append(f"cors['allow_origins'] holds {text!r}, which is not scheme://host or more{hint}")
        return found

    def _pattern(self, given: str | re.Pattern[str] | None) -> re.Pattern[str] | None:
        try:
            return re.compile(given) if given else None
        except re.error as exc:
            self.problems.append(f"cors['allow_origin_regex'] {given!r} is not a regular expression: {exc}")
            return None

    def _methods(self, given: Sequence[Any]) -> Sequence[str]:
        for one in given:
            if one not in ("*", *METHODS):
                hint = did_you_mean(str(one).upper(), METHODS)
                self.problems.append(f"cors['allow_methods'] holds {one!r}, which is never served{hint}")
        return METHODS if "*" in given else [str(one) for one in given]

    def _tokens(self, key: str, default: Sequence[str]) -> Sequence[str]:
        given = self.given.get(key, default)
        wrong = [one for one in given if not (isinstance(one, str) and _TOKEN.fullmatch(one))]
        self.problems += [f"cors[{key!r}] holds {one!r}, which is not the name of a header" for one in wrong]
        return [str(one) for one in given]

    def _check_credentials(self) -> None:
        """Refuse what would let any page whatsoever act as whoever looks at it."""
        for one in ("*", "null"):
            if one in self.origins:
                self.problems.append(
                    f"cors['allow_origins'] holds {one!r}, which with 'allow_credentials' would let any page act as "
                    "whoever is logged in: name the origins"
                )
        if self.regex is not None and _allows_anybody(self.regex):
            self.problems.append(
                f"cors['allow_origin_regex'] {self.regex.pattern!r} matches any origin, which with 'allow_credentials' "
                "would let any page act as whoever is logged in: name the host"
            )
        if "*" in self.exposed:
            self.problems.append("cors['expose_headers'] holds '*', which beside credentials means nothing: name them")
