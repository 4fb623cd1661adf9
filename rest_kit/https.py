"""Nothing over plain HTTP: requests that come so are refused, the others are told to stay (HSTS, RFC 6797).

There is no redirect: a client that sent its password in the clear would go on doing so, and never notice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, TypedDict

from rest_kit.errors import ConfigurationError, InsecureConnection
from rest_kit.request import Request
from rest_kit.store import check_keys, well_typed

YEAR: Final = 365 * 24 * 3600


class HTTPSDict(TypedDict, total=False):
    """How HTTPS is insisted on: for how many seconds browsers are to remember it, and for which hosts."""

    hsts: int
    include_subdomains: bool


HTTPS_KEYS: Final[dict[str, Any]] = {"hsts": int, "include_subdomains": bool}


class HTTPS:
    """Insists on HTTPS; `exempt` are the paths that probes ask for within the house. Raises ConfigurationError."""

    def __init__(self, given: HTTPSDict, exempt: Collection[str] = ()) -> None:
        problems = check_keys(given, HTTPS_KEYS, "https")
        known = well_typed(given, HTTPS_KEYS)
        seconds = known.get("hsts", YEAR)
        if seconds < 0:
            problems.append(f"https['hsts'] must be a number of seconds, not {seconds!r}")
        if problems:
            raise ConfigurationError(problems)
        subdomains = "; includeSubDomains" if known.get("include_subdomains") else ""
        self.header = ("Strict-Transport-Security", f"max-age={seconds}{subdomains}")
        self.exempt = frozenset(exempt)

    def meet(self, request: Request) -> None:
        """Let a request pass that came over HTTPS (InsecureConnection)."""
        environ = request.environ
        if environ.get("wsgi.url_scheme") == "https":
            request.add_headers(self.header)
        elif environ.get("PATH_INFO", "").rstrip("/") not in self.exempt:
            raise InsecureConnection


def read_https(given: Any, exempt: Collection[str]) -> HTTPS | None:
    """What an argument `https` stands for: a bool, or a dict (ConfigurationError)."""
    if isinstance(given, bool):
        return HTTPS({}, exempt) if given else None
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"https must be True, False or a dict such as {{'hsts': {YEAR}}}, not {given!r}")
    return HTTPS(given, exempt)  # type: ignore[arg-type]  # what its keys are is checked there
