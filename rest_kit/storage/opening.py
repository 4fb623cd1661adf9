"""From a URL to a storage; the same file or server is one storage, however often it is named."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from rest_kit.errors import ConfigurationError, did_you_mean
from rest_kit.forks import Shared
from rest_kit.storage.base import Storage
from rest_kit.storage.memory import MemoryStorage

SCHEMES: Final = ("memory", "sqlite", "redis", "rediss", "unix")
EXAMPLES: Final = "memory://, sqlite:///counts.db or redis://host:6379/0"

_opened: Final[Shared[str, Storage]] = Shared()


def open_storage(url: str | Storage) -> Storage:
    """The storage that a URL names, without any I/O; a storage is itself (ConfigurationError).

    `memory://` is a new one each time, `memory://?multiprocess=allow` one that several processes may have each.
    `sqlite:///file` is relative, `sqlite:////file` absolute.
    """
    if isinstance(url, Storage):
        return url
    if not isinstance(url, str):
        raise ConfigurationError(f"storage must be a URL such as {EXAMPLES}, or a Storage, not {url!r}")
    scheme, colon, rest = url.partition("://")
    if not colon or scheme not in SCHEMES:
        # what stands behind the scheme may be a password
        raise ConfigurationError(
            f"storage names {scheme!r}{did_you_mean(scheme, SCHEMES)}"
            if colon
            else f"storage must be a URL such as {EXAMPLES}"
        )
    if scheme == "memory":
        return _memory(url)
    if scheme == "sqlite":
        return _sqlite(rest)
    return _redis(url)


def _memory(url: str) -> Storage:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = [name for name in options if name != "multiprocess"]
    if parts.netloc or parts.path or unknown:
        raise ConfigurationError(f"storage must be memory:// or memory://?multiprocess=allow, not {url!r}")
    return MemoryStorage(multiprocess=options.get("multiprocess", "refuse"))


def _sqlite(rest: str) -> Storage:
    if not rest.startswith("/") or rest in ("/", "/:memory:"):
        raise ConfigurationError(
            "storage must name a file, as sqlite:///counts.db (relative) or sqlite:////srv/counts.db (absolute) do; "
            "for counts in memory, say memory://"
        )
    from rest_kit.storage.sqlite import SQLiteStorage

    storage = SQLiteStorage(rest[1:])
    return _opened.at(storage.path, lambda: storage)


def _redis(url: str) -> Storage:
    try:
        from rest_kit.storage.redis import RedisStorage
    except ImportError as exc:
        raise ConfigurationError("redis is not installed: pip install 'rest-kit[redis]'") from exc
    return _opened.at(url, lambda: RedisStorage(url))
