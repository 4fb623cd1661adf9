"""The databases that the books lie in: a SQLite file, and a database of our own on each server that is there.

Servers are those named in `REST_KIT_POSTGRESQL_URL` and `REST_KIT_MARIADB_URL`, else those on this machine's default
ports. Our databases are dropped in the end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.databases.table import fill

SERVERS = {
    "postgresql": ("REST_KIT_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test", "postgresql+psycopg"),
    "mariadb": ("REST_KIT_MARIADB_URL", "mysql://root@127.0.0.1:3306/test", "mysql+pymysql"),
}
"""For each server: what names it, where it is otherwise, and the driver."""


@contextmanager
def places(folder: Path, wanted: Iterable[str]) -> Iterator[dict[str, URL]]:
    """The databases that are wanted and there, filled; what is not there is said."""
    with ExitStack() as stack:
        found = {}
        for name in wanted:
            try:
                made = _sqlite(folder) if name == "sqlite" else stack.enter_context(_server(name))
            except (ImportError, SQLAlchemyError) as exc:
                print(f"left out: {name} ({str(exc).splitlines()[0]}); set {SERVERS[name][0]}", file=sys.stderr)
                continue
            found[name] = made
        yield found


def _sqlite(folder: Path) -> URL:
    url = URL.create("sqlite", database=str(folder / "table.db"))
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    fill(engine)
    engine.dispose()
    return url


@contextmanager
def _server(name: str) -> Iterator[URL]:
    """A database on a server, until it is not needed any more."""
    variable, default, driver = SERVERS[name]
    given = make_url(os.environ.get(variable, default)).set(drivername=driver)
    database = f"rest_kit_benchmark_{os.getpid()}"
    server = create_engine(given, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    _run(server, f"CREATE DATABASE {database}")
    try:
        url = given.set(database=database)
        fill(create_engine(url, poolclass=NullPool))
        yield url
    finally:
        _run(server, f"DROP DATABASE {database}" + (" WITH (FORCE)" if name == "postgresql" else ""))


def _run(engine: Engine, statement: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
