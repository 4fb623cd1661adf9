"""What proxies tell of the client, believed only as far as the application says how many of them there are.

Each proxy appends what it has seen to `X-Forwarded-For` and its like; what stands before that came from the client,
who may have made it up. werkzeug's `ProxyFix` counts from the right; what it finds is looked at once more here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, TypedDict

from werkzeug.middleware.proxy_fix import ProxyFix

from rest_kit.errors import ConfigurationError
from rest_kit.request import Environ
from rest_kit.store import check_keys, well_typed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

PROXY_KEYS: Final[dict[str, Any]] = {"for": int, "proto": int, "host": int, "port": int, "prefix": int}

_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
MAX_PORT: Final = 65535
_PREFIX: Final = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)+")

ProxiesDict = TypedDict("ProxiesDict", {"for": int, "proto": int, "host": int, "port": int, "prefix": int}, total=False)
"""By header (`X-Forwarded-For` is `for`), how many trusted proxies write it."""


class Proxies:
    """Reads requests as the outermost of some trusted proxies has seen them. Raises ConfigurationError."""

    def __init__(self, given: ProxiesDict) -> None:
        problems = check_keys(given, PROXY_KEYS, "proxies")
        known = well_typed(given, PROXY_KEYS)
        problems += [f"proxies[{key!r}] must not be negative, like {n!r}" for key, n in known.items() if n < 0]
        if problems:
            raise ConfigurationError(problems)
        self.trusted = {key: known.get(key, 0) for key in PROXY_KEYS}
        self._fix = ProxyFix(_nobody, **{f"x_{key}": count for key, count in self.trusted.items()})

    def __call__(self, environ: Environ) -> Environ:
        """The environ with what the proxies say in its place; where that makes no sense, it stays as it was."""
        fixed = dict(environ)
        for name in _HEADERS:
            # no proxy quotes anything here; a quote of the client's would swallow what is appended to it
            if '"' in fixed.get(name, ""):
                fixed[name] = fixed[name].replace('"', "")
        self._fix(fixed, _not_started)
        for key, read in _READERS.items():
            if fixed.get(key) != environ.get(key):
                _settle(fixed, environ, key, read(fixed[key]))
        if fixed.get("HTTP_HOST") == environ.get("HTTP_HOST"):
            for key in ("SERVER_NAME", "SERVER_PORT"):
                _settle(fixed, environ, key, None)
        if fixed.get("SCRIPT_NAME") != environ.get("SCRIPT_NAME"):
            fixed["SCRIPT_NAME"] += environ.get("SCRIPT_NAME", "")
        return fixed

    def __repr__(self) -> str:
        return f"Proxies({self.trusted!r})"


def read_proxies(given: Any) -> Proxies | None:
    """What an argument `proxies` stands for: a number, or one for each header (ConfigurationError).

    A number is that of `X-Forwarded-For` and `X-Forwarded-Proto`. The others must be named: many proxies hand them on
    as the client wrote them, who could then say where links lead.
    """
    if isinstance(given, Mapping):
        return Proxies(given)  # type: ignore[arg-type]  # what its keys are is checked there
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise ConfigurationError(f"proxies must be how many proxies are in front (0, 1, ...) or a dict, not {given!r}")
    return Proxies({"for": given, "proto": given}) if given else None


_HEADERS: Final = tuple(f"HTTP_X_FORWARDED_{key.upper()}" for key in PROXY_KEYS)


def _address(text: str) -> str | None:
    """An IP address in its one spelling, without the port that some proxies add."""
    if text.startswith("[") and "]" in text:
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _scheme(text: str) -> str | None:
    return text.lower() if text.lower() in ("http", "https") else None


def _host(text: str) -> str | None:
    found = _HOST.fullmatch(text)
    return text if found is not None and int((found[2] or ":0")[1:]) <= MAX_PORT else None


def _prefix(text: str) -> str | None:
    """A path that cannot be taken for another host's, as `//example.org` could."""
    path = text.removesuffix("/")
    return path if _PREFIX.fullmatch(path) else None


_READERS: Final[dict[str, Callable[[str], str | None]]] = {
    "REMOTE_ADDR": _address,
    "wsgi.url_scheme": _scheme,
    "HTTP_HOST": _host,
    "SCRIPT_NAME": _prefix,
}
"""By what is replaced, how its new value is read; None where it cannot be meant."""


def _settle(fixed: Environ, environ: Environ, key: str, value: str | None) -> None:
    """Put a value in its place, or back what was there."""
    if value is not None:
        fixed[key] = value
    elif key in environ:
        fixed[key] = environ[key]
    else:
        fixed.pop(key, None)


def _nobody(environ: Environ, start_response: StartResponse) -> tuple[bytes, ...]:
    """The application that `ProxyFix` is put around: only what it does to the environ is wanted."""
    return ()


def _not_started(*said: Any) -> Any:
    raise AssertionError("nobody answers here")
