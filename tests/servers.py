"""The database servers that tests run against: those named in the environment, else those on the default ports."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

SERVERS = {
    "postgresql": ("REST_KIT_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test"),
    "mariadb": ("REST_KIT_MARIADB_URL", "mysql://root@127.0.0.1:3306/test"),
}
REQUIRED = os.environ.get("REST_KIT_REQUIRE_SERVERS") == "1"
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}


def url_of(kind: str) -> str:
    """Where the server of a kind is."""
    variable, default = SERVERS[kind]
    return os.environ.get(variable, default)


@cache
def engine_of(kind: str) -> sqlalchemy.Engine:
    """An engine for what a test does behind the store's back."""
    url = sqlalchemy.make_url(url_of(kind))
    return sqlalchemy.create_engine(url.set(drivername=DRIVERS[url.get_backend_name()]), poolclass=sqlalchemy.NullPool)


@cache
def answers(kind: str) -> bool:
    """Whether the server is there."""
    try:
        with engine_of(kind).connect():
            return True
    except (SQLAlchemyError, ImportError):
        return False


def need(kind: str) -> None:
    """Skip the test where the server is not there; fail where it has to be."""
    if answers(kind):
        return
    if REQUIRED:
        pytest.fail(f"no {kind} server at {url_of(kind)}, and REST_KIT_REQUIRE_SERVERS is set")
    pytest.skip(f"no {kind} server: set {SERVERS[kind][0]}")


class Place:
    """A name that no other test uses, and what is taken away with it in the end."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.url = url_of(kind)
        self.prefix = f"t{uuid.uuid4().hex[:10]}"
        self._count = 0

    def table(self) -> str:
        """The name of a new table."""
        self._count += 1
        return f"{self.prefix}_{self._count}"

    def sql(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as another program would, and return the rows of the last one."""
        rows: list[tuple[object, ...]] = []
        with engine_of(self.kind).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement.replace("%", "%%"))
                rows = [tuple(row) for row in result] if result.returns_rows else []
        return rows

    def clear(self) -> None:
        """Take away every table and view of the prefix, and their events."""
        inspector = sqlalchemy.inspect(engine_of(self.kind))
        cascade = " CASCADE" if self.kind == "postgresql" else ""
        views = [name for name in inspector.get_view_names() if name.startswith(self.prefix)]
        tables = [name for name in inspector.get_table_names() if name.startswith(self.prefix)]
        dropped = [f"DROP VIEW IF EXISTS {name}{cascade}" for name in views]
        dropped += [f"DROP TABLE IF EXISTS {name}{cascade}" for name in tables]
        guard = [] if self.kind == "postgresql" else ["SET foreign_key_checks = 0"]
        self.sql(*guard, *dropped)
        for ours in ("rest_kit_events", "rest_kit_counters", "rest_kit_replies"):
            if inspector.has_table(ours):
                self.sql(f"DELETE FROM {ours} WHERE resource LIKE '{self.prefix}%'")


def places(kind: str) -> Iterator[Place]:
    """A place for one test."""
    need(kind)
    place = Place(kind)
    try:
        yield place
    finally:
        place.clear()


@contextmanager
def empty_database(kind: str) -> Iterator[str]:
    """The URL of a database without tables (in PostgreSQL, of a schema), which is dropped in the end."""
    need(kind)
    name = f"t{uuid.uuid4().hex[:10]}"
    given, server = sqlalchemy.make_url(url_of(kind)), engine_of(kind).execution_options(isolation_level="AUTOCOMMIT")
    if kind == "postgresql":
        url, create, drop = given.update_query_dict({"options": f"-csearch_path={name}"}), "SCHEMA", "CASCADE"
    else:
        url, create, drop = given.set(database=name), "DATABASE", ""
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE {create} {name}")
    yield url.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP {create} {name} {drop}")
