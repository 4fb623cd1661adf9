"""Sources that are databases: SQLite files, and servers by URL. Each table and view is a resource of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rest_kit.cli.source import Finding, Part, Source, SourceError, Unreachable, Wishes, cause_of
from rest_kit.cli.stores import store, stores_module
from rest_kit.errors import ConfigurationError, StoreCorrupt, StoreUnavailable, did_you_mean
from rest_kit.query import Page, Query
from rest_kit.store import OWN_FILE_TABLES, OWN_TABLES, DataStore

SQLITE_SUFFIXES: Final = (".db", ".sqlite", ".sqlite3", ".db3")
SQLITE_SCHEME: Final = "sqlite"
SERVERS: Final = ("postgresql", "mariadb", "mysql")
"""What the URL of a server begins with, a driver aside."""
EVERYTHING: Final = "*"
URL_KEY: Final = "resource['url'] "
"""How the stores call what is written as a source here."""


class Place(NamedTuple):
    """One database: what its stores are called, what is there, and what names a table of it for a store.

    `listed` takes a schema, and whether views are listed too.
    """

    datastore: str
    has_schemas: bool
    listed: Callable[[str | None, bool], Sequence[str]]
    resource: Callable[[str | None, str], Any]

    def parted(self, name: str) -> tuple[str | None, str]:
        """The schema and the table that a name stands for."""
        schema, dot, table = name.rpartition(".") if self.has_schemas else ("", "", name)
        return (schema, table) if dot else (None, name)


def is_server(source: Source) -> bool:
    """Whether it is the URL of a database server."""
    return source.scheme.partition("+")[0] in (*SERVERS, "postgres")


def file_of(source: Source) -> str:
    """The file of an SQLite source, which may be written as a URL (SourceError)."""
    if source.scheme != SQLITE_SCHEME:
        return source.place
    host, slash, path = source.place.partition("://")[2].partition("/")
    if host or not slash or path in ("", ":memory:") or "?" in path:
        raise SourceError(f"{source}: write sqlite:///file.db, or sqlite:////path/to/file.db")
    return path


def in_database(source: Source, wishes: Wishes) -> Finding:
    """The tables and views of a database, or those that are named (SourceError, StoreUnavailable)."""
    place = place_of(source)
    names = table_names(source, place, wishes.views)
    if not names:
        raise SourceError(f"{source}: there is no table in it")
    options = {"read_only": True} if wishes.read_only else {}
    return Finding([part_of(place, schema, name, options) for schema, name in names])


def part_of(place: Place, schema: str | None, name: str, options: Mapping[str, Any]) -> Part:
    """One table as a resource."""
    shown = name if schema is None else f"{schema}.{name}"
    return Part(shown, store(place.datastore), place.resource(schema, name), options, name)


def place_of(source: Source) -> Place:
    """The database of a source (SourceError)."""
    return _server(source) if is_server(source) else _file(file_of(source))


def table_names(source: Source, place: Place, views: bool) -> list[tuple[str | None, str]]:
    """The tables that are meant, each with its schema where one was named, and each of them there (SourceError).

    `views` says whether everything includes them.
    """
    names: list[tuple[str | None, str]] = []
    problems = []
    for wanted in source.tables or (EVERYTHING,):
        schema, name = place.parted(wanted)
        there = [
            one
            for one in place.listed(schema, views or name != EVERYTHING)
            if not one.startswith((OWN_TABLES, OWN_FILE_TABLES))
        ]
        if name not in (EVERYTHING, *there):
            problems.append(f"{source}: there is no table {wanted!r}{did_you_mean(name, there)}")
        names += [(schema, one) for one in there if name in (EVERYTHING, one)]
    if problems:
        raise SourceError(problems)
    return names


def fault_of(source: Source, store: DataStore) -> str | None:
    """Why one table cannot be used though its database answers; None where it can (Unreachable, StoreUnavailable)."""
    try:
        if store.model.pk is None:
            return "nothing names a row"
        _read(store)
    except (StoreCorrupt, ConfigurationError) as exc:
        return str(exc)
    except StoreUnavailable as exc:
        look(source)
        return str(exc)
    return None


def _read(store: DataStore) -> None:
    """Read a table, as some let themselves be described and not be read; single rows may be beyond reading."""
    with contextlib.suppress(StoreCorrupt):
        store.find(Query(page=Page(0)))


def look(source: Source) -> None:
    """Find the tables that are meant, once, before anything is served (SourceError, Unreachable)."""
    with reaching(source):
        in_database(source, Wishes(read_only=True))


@contextlib.contextmanager
def reaching(source: Source) -> Iterator[None]:
    """Say in one line that a database or an API cannot be reached, and what the driver says of it (Unreachable)."""
    try:
        yield
    except StoreCorrupt:
        raise
    except StoreUnavailable as exc:
        raise Unreachable(f"{source}: {cause_of(exc, source)}") from exc


def _file(path: str) -> Place:
    sqlite = stores_module("datastores.sqlite")
    return Place(
        "SQLiteDataStore",
        False,
        lambda schema, views: sqlite.list_tables(path, views=views),
        lambda schema, table: {"name": path, "table": table},
    )


def _server(source: Source) -> Place:
    sql = stores_module("datastores.sql.opening")
    try:
        url = sql.parse_url(source.place)
    except ConfigurationError as exc:
        told = [f"{source}: {problem.removeprefix(URL_KEY)}" for problem in exc.problems]
        raise SourceError(told) from exc
    if not url.database:
        raise SourceError(f"{source}: names no database, as {source.scheme}://user@host/database does")
    return Place(
        "SQLDataStore",
        True,
        lambda schema, views: sql.list_tables(url, schema, views=views),
        lambda schema, table: {"url": url, "table": sql.TableName(table, schema)},
    )
