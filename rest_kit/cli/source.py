"""How a source is written on the command line, and what is found in one: `[NAME=]PLACE[#TABLE,TABLE...]`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from rest_kit.errors import ConfigurationError, RestKitError
from rest_kit.store import DataStore

_NAMED: Final = re.compile(r"([A-Za-z0-9._~-]+)=(.+)", re.DOTALL)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PASSWORD: Final = re.compile(r"(://[^:/@]*):.*@", re.DOTALL)


class SourceError(ConfigurationError):
    """A source cannot be used; the text says why, and what to do."""


class Unreachable(SourceError):
    """A database or an API cannot be reached, or does not let us in."""


class Source(NamedTuple):
    """One source: where the data lie, which tables are meant (none: all), and what to call what is found.

    `dialect` is how an API is asked; empty where that is to be found out.
    """

    place: str
    tables: tuple[str, ...] = ()
    name: str = ""
    dialect: str = ""

    @property
    def scheme(self) -> str:
        """What a URL begins with, in small letters; empty for what is no URL."""
        found = _SCHEME.match(self.place)
        return found[1].lower() if found else ""

    @property
    def is_module(self) -> bool:
        """Whether it has the form `module:NAME`."""
        return re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", self.place) is not None

    def __str__(self) -> str:
        return masked(self.place)


class Wishes(NamedTuple):
    """What is wished of sources: mostly what the command's options say; `views`, whether a database's are meant too."""

    read_only: bool = False
    csv: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}
    views: bool = True


NO_WISHES: Final = Wishes()


class Part(NamedTuple):
    """One resource found in a source: its name there, and what its store is made of; `table` is its bare name."""

    name: str
    datastore: type[DataStore]
    resource: Any
    options: Mapping[str, Any] = {}
    table: str = ""

    def store(self, **options: Any) -> DataStore:
        """A store over it, no I/O (ConfigurationError)."""
        return self.datastore(self.resource, {**self.options, **options})


class Finding(NamedTuple):
    """What a source holds: its resources, and what is to be said about it."""

    parts: Sequence[Part]
    notes: Sequence[str] = ()


def parse(text: str) -> Source:
    """A source as it is written on the command line (SourceError)."""
    name, place = "", text
    found = _NAMED.fullmatch(text)
    if found and not Path(text).exists():
        name, place = found[1], found[2]
    place, tables = _split(place)
    source = Source(place, tables, name)
    if source.is_module and tables:
        raise SourceError(f"{text}: what a module holds has no tables to choose from")
    return source


def _split(place: str) -> tuple[str, tuple[str, ...]]:
    """The place, and the tables that are named behind a `#`, percent-encoded where they need to be."""
    start = place.rfind("#", place.rfind("@") + 1)
    if start < 0 or Path(place).exists():
        return place, ()
    tables = tuple(unquote(name.strip()) for name in place[start + 1 :].split(","))
    if "" in tables:
        raise SourceError(f"{masked(place)}: behind '#' come the names of tables, separated by commas")
    twice = sorted({name for name in tables if tables.count(name) > 1})
    if twice:
        raise SourceError(f"{masked(place)}: the table {', '.join(twice)} is named twice")
    return place[:start], tables


def masked(text: str) -> str:
    """A source as it may be shown: without passwords, and without a URL's parameters, which may hold one."""
    shown = _PASSWORD.sub(r"\1:***@", text)
    if not _SCHEME.match(shown):
        return shown
    return re.sub(r"\?[^#]*", "?...", shown)


def cause_of(exc: RestKitError, source: Source) -> str:
    """An error in one line, with what the driver or the network says beneath it; a password never stands there."""
    told, deeper = [str(exc)], exc.__cause__
    while deeper is not None:
        below, inner = deeper, getattr(deeper, "orig", None) or deeper.__cause__
        deeper = inner
        if inner is None:
            told.append(_last_text(below))
    return ": ".join(_without(password_of(source.place), " ".join(part.split())) for part in told if part)


def _last_text(exc: BaseException) -> str:
    """What an error says, a number that comes before it aside."""
    texts = [str(part) for part in exc.args if isinstance(part, str)]
    return texts[-1] if texts else str(exc)


def password_of(place: str) -> str:
    """The password within a URL; empty where there is none."""
    found = _PASSWORD.search(place)
    return found[0].partition(":")[2].partition(":")[2][:-1] if found else ""


def _without(secret: str, text: str) -> str:
    plain = {secret, unquote(secret)} - {""}
    for form in plain:
        text = text.replace(form, "***")
    return text
