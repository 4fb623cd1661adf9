"""Sources that are collections of other APIs, by URL; how they are asked is found out by asking once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from rest_kit.cli.databases import URL_KEY, reaching
from rest_kit.cli.source import Finding, Part, Source, SourceError, Wishes
from rest_kit.cli.stores import store, stores_module
from rest_kit.errors import ConfigurationError

SCHEMES: Final = ("http", "https")
DIALECTS: Final = ("rest_kit", "drf", "json-server", "postgrest")
"""Those of `datastores.remote`, which is imported only where an API is among the sources."""


def is_api(source: Source) -> bool:
    """Whether it is the URL of a collection."""
    return source.scheme in SCHEMES


def in_api(source: Source, wishes: Wishes) -> Finding:
    """The collection as one resource, named after the last part of its path (SourceError, StoreUnavailable)."""
    if source.tables:
        raise SourceError(f"{source}: the URL of a collection has no '#': name the collection by its path")
    cls = store("RemoteDataStore")
    path = unquote(urlsplit(source.place).path).strip("/")
    resource = {"url": source.place, "dialect": source.dialect or dialect_of(source, wishes)}
    return Finding([Part(path.rpartition("/")[2] or "data", cls, resource, _options(wishes))])


def dialect_of(source: Source, wishes: Wishes) -> str:
    """The name of the dialect that the API speaks, asked once (SourceError, Unreachable)."""
    if "@" in urlsplit(source.place).netloc:
        raise SourceError(f"{source}: holds a password: say it as --header 'Authorization: ...'")
    detect = stores_module("datastores.remote.detect").detect
    try:
        with reaching(source):
            found: str | None = detect(source.place, _options(wishes))
    except SourceError:
        raise
    except ConfigurationError as exc:
        raise SourceError([f"{source}: {problem.removeprefix(URL_KEY)}" for problem in exc.problems]) from exc
    if found is None:
        raise SourceError(f"{source}: what it answers does not tell how it is asked: name its --dialect")
    return found


def _options(wishes: Wishes) -> Mapping[str, Any]:
    chosen: dict[str, Any] = {"headers": dict(wishes.headers)} if wishes.headers else {}
    return {**chosen, **({"read_only": True} if wishes.read_only else {})}


def headers_of(given: Sequence[str], sources: Sequence[Source]) -> dict[str, str]:
    """The headers for the APIs among the sources, which must be one host's (SourceError, which shows no value)."""
    hosts = sorted({urlsplit(source.place).netloc for source in sources if is_api(source)})
    if given and len(hosts) != 1:
        told = " and ".join(hosts) or "no API"
        raise SourceError(f"--header is for the APIs of one host, as it may hold a secret; there is {told} here")
    headers = {}
    for line in given:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise SourceError("--header is written 'Name: value'")
        headers[name.strip()] = value.strip()
    return headers
