"""Which page a request comes from, as far as the browser says: what it sends by itself, any page can make it send.

A page of another site is refused; a request that says nothing of where it comes from is no page's of a browser today.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from rest_kit.errors import PermissionDenied
from rest_kit.permissions import SAFE_METHODS
from rest_kit.request import Request

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def refuse_foreign_writes(request: Request, trusted: Collection[str]) -> None:
    """Refuse what another site's page has sent, unless it only reads (PermissionDenied).

    Pages of the `trusted` origins, and of those that the application's CORS names, are none of another site.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.header("SEC_FETCH_SITE")
    if site != "same-origin" and not request.from_named_origin:
        refuse_foreign(request, trusted, unknown=site == "cross-site")


def refuse_foreign(request: Request, trusted: Collection[str], *, unknown: bool = False) -> None:
    """Refuse a request by its `Origin`, or else its `Referer`, and if it has neither where `unknown` (RFC 6454)."""
    environ = request.environ
    said = environ.get("HTTP_ORIGIN")
    if said is None and environ.get("HTTP_REFERER"):
        said = origin_of(environ["HTTP_REFERER"])
    if said in trusted or (said is None and not unknown):
        return
    scheme, _, host = (said or "").partition("://")
    own = environ.get("HTTP_HOST", "")
    # a proxy that ends TLS may not tell; the other way round somebody in between has taken it away
    schemes = {environ.get("wsgi.url_scheme", "http"), "https"}
    if scheme not in schemes or _without_port(scheme, host) != _without_port(scheme, own) or not host:
        raise PermissionDenied("this request comes from another site's page; if that is meant, trust its origin")


def origin_of(url: str) -> str:
    """The origin of a URL (RFC 6454 §4); "null" for what has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "null"
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else "null"


def origin_problems(origins: Any) -> list[str]:
    """A sentence for everything that is wrong with an option `trusted_origins`."""
    if isinstance(origins, str) or not isinstance(origins, Sequence):
        return [f"trusted_origins must be a list such as ['https://app.example'], not {origins!r}"]
    return [
        f"trusted_origins holds {origin!r}, which is no origin such as 'https://app.example'"
        for origin in origins
        if not isinstance(origin, str) or origin_of(origin) != origin
    ]


def _without_port(scheme: str, host: str) -> str:
    return host.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ":"))
