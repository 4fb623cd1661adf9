"""What a remote store is told, checked before anything is sent: every mistake at once, and no secret in any text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from datastores.remote.dialects import DIALECTS, dialect_of
from rest_kit.store import check_keys

NUMBER: Final = (int, float)
RESOURCE_KEYS: Final[dict[str, type | tuple[type, ...]]] = {"url": str, "dialect": (str, Mapping)}
OPTION_KEYS: Final[dict[str, type | tuple[type, ...]]] = {
    "timeout": NUMBER,
    "connect_timeout": NUMBER,
    "retries": int,
    "max_size": int,
    "max_redirects": int,
    "concurrency": int,
    "scan_limit": int,
    "headers": Mapping,
    "read_only": bool,
    "events": bool,
    "verify": bool,
    "ca_bundle": (str, os.PathLike),
    "breaker": Mapping,
    "transport": object,
}
BREAKER_KEYS: Final[dict[str, type | tuple[type, ...]]] = {"failures": int, "reset": NUMBER}
LEAST: Final = {"retries": 0, "max_redirects": 0, "max_size": 1, "concurrency": 1, "scan_limit": 1}


class Headers(dict[str, str]):
    """Headers whose values nobody sees by accident."""

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name!r}: '***'" for name in self) + "}"


def problems_of(resource: Any, options: Mapping[str, Any]) -> list[str]:
    """A sentence for everything wrong with a resource and its options."""
    if not isinstance(resource, Mapping):
        return ['the resource must be {"url": ..., "dialect": ...}, not ' + type(resource).__name__]
    problems = check_keys(resource, RESOURCE_KEYS, "resource")
    problems += _url_problems(resource.get("url"))
    if "dialect" not in resource:
        problems.append(f"resource lacks 'dialect': {', '.join(DIALECTS)} or a mapping")
    else:
        problems += dialect_of(resource["dialect"])[1]
    return problems + _option_problems(options)


def _url_problems(url: Any) -> list[str]:
    if not isinstance(url, str):
        return ["resource lacks 'url', that of the collection"] if url is None else []
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        return [f"resource['url'] is no URL: {exc}"]
    problems = []
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        problems.append(f"resource['url'] must be the http or https URL of a collection, not {url!r:.200}")
    if parts.username is not None or parts.password is not None:
        problems.append("resource['url'] holds a password: say it in options['headers'] as Authorization")
    if parts.fragment or not url.isascii() or any(char <= " " for char in url):
        problems.append("resource['url'] must be percent-encoded, and without a fragment")
    return problems


def _option_problems(options: Mapping[str, Any]) -> list[str]:
    shown = {
        key: "***" if key == "headers" and not isinstance(value, Mapping) else value for key, value in options.items()
    }
    problems = check_keys(shown, OPTION_KEYS, "options")
    if problems:
        return problems
    for key, least in LEAST.items():
        if options.get(key, least) < least:
            problems.append(f"options[{key!r}] must be at least {least}")
    for key in ("timeout", "connect_timeout"):
        if options.get(key, 1) <= 0:
            problems.append(f"options[{key!r}] must be more than 0 seconds")
    if options.get("events"):
        problems.append("options['events'] must be False: a remote API keeps no log of ours")
    if "transport" in options and not callable(getattr(options["transport"], "send", None)):
        problems.append("options['transport'] must have a method 'send'")
    return problems + _breaker_problems(options.get("breaker", {})) + _header_problems(options.get("headers", {}))


def _breaker_problems(given: Mapping[str, Any]) -> list[str]:
    problems = check_keys(given, BREAKER_KEYS, "options['breaker']")
    if not problems and (given.get("failures", 1) < 1 or given.get("reset", 1) <= 0):
        problems.append("options['breaker'] needs at least 1 failure and more than 0 seconds")
    return problems


def _header_problems(given: Mapping[Any, Any]) -> list[str]:
    problems = []
    for name, value in given.items():
        if not isinstance(name, str) or not name or not name.replace("-", "").isalnum() or not name.isascii():
            problems.append(f"options['headers'] has {name!r}, which is no name of a header")
        elif not isinstance(value, str) or not value.isprintable() or not value.isascii():
            problems.append(f"options['headers'][{name!r}] must be a text of printable ASCII characters")
    return problems
