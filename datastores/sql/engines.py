"""Engines: one of our own for a URL, or one that an application hands in, which stays as its owner made it."""

from __future__ import annotations

import importlib
from typing import Any, Final

import sqlalchemy
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import AssertionPool, Pool, QueuePool, SingletonThreadPool, StaticPool

from datastores.sql.dialect import Dialect, Timeouts
from rest_kit.errors import ConfigurationError, did_you_mean

POOL_SIZE: Final = 10
"""How many connections a process holds at most, unless the store is told otherwise."""

_SQLITE: Final = ("sqlite+pysqlite", "sqlite3", "")
_POSTGRESQL: Final = ("postgresql+psycopg", "psycopg", "postgres")
_MARIADB: Final = ("mysql+pymysql", "pymysql", "mariadb")
DRIVERS: Final = {
    "sqlite": _SQLITE,
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "mysql": _MARIADB,
    "mariadb": _MARIADB,
}
"""For what a URL begins with: SQLAlchemy's name of dialect and driver, the driver's module, and our extra for it."""


def parse_url(text: str | URL) -> URL:
    """A URL with the driver that we run on (ConfigurationError, which never tells a password)."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as exc:
        raise ConfigurationError(
            "resource['url'] is not a URL such as postgresql://user:password@host/database"
        ) from exc
    if isinstance(text, str) and url.password is not None and "@" in f"{url.host}{url.database}":
        # a piece of the password would be taken for the host, and told wherever that is
        raise ConfigurationError("resource['url'] has an @ too many: within a user's name or password, write %40")
    database, _, driver = url.drivername.partition("+")
    if database not in DRIVERS:
        near = did_you_mean(database, DRIVERS)
        raise ConfigurationError(f"resource['url'] names a database that is not served, {database!r}{near}")
    name, module, extra = DRIVERS[database]
    if driver not in ("", name.partition("+")[2]):
        raise ConfigurationError(f"resource['url'] names the driver {driver!r}; only {name!r} is served")
    check_driver(module, extra)
    return url.set(drivername=name)


def check_driver(module: str, extra: str) -> None:
    """Refuse a driver that is not installed, naming what to install (ConfigurationError)."""
    try:
        importlib.import_module(module)
    except ImportError as exc:
        raise ConfigurationError(f"{module} is not installed: pip install 'rest-kit[{extra}]'") from exc


SHARING: Final = (AssertionPool, SingletonThreadPool, StaticPool)
"""Pools that have one connection for all, or for all calls of a thread: a transaction of the engine's owner and one of
ours would be the same."""


def check_engine(engine: Engine) -> str:
    """The name of an engine's database, if it is made as one that can be served (ConfigurationError)."""
    name, driver = engine.dialect.name, engine.dialect.driver
    if name not in DRIVERS or DRIVERS[name][0].partition("+")[2] != driver:
        served = ", ".join(sorted({drivers[0] for drivers in DRIVERS.values()}))
        raise ConfigurationError(f"resource['engine'] runs on {name}+{driver}; served are {served}")
    if isinstance(engine.pool, SHARING):
        raise ConfigurationError(
            f"resource['engine'] shares one connection, by its {type(engine.pool).__name__}, so that a read of ours "
            f"could end a transaction of yours; make it {_without_sharing(name)}poolclass=QueuePool or NullPool"
        )
    if engine.get_execution_options().get("schema_translate_map"):
        raise ConfigurationError(
            "resource['engine'] has a schema_translate_map, which our statements would not follow: name the schema "
            "itself, as resource['table'] 'schema.table', and give each tenant a controller of its own"
        )
    return name


def _without_sharing(name: str) -> str:
    return "over a file, which SQLAlchemy gives a QueuePool, or with " if name == "sqlite" else "with "


def is_exhausted(pool: Pool) -> bool:
    """Whether all connections of a pool are taken, so that one more would have to be waited for."""
    if not isinstance(pool, QueuePool):
        return False
    more = pool._max_overflow
    return more >= 0 and pool.checkedout() >= pool.size() + more


def make_engine(url: URL, dialect: Dialect, timeouts: Timeouts, pool_size: int) -> Engine:
    """An engine of our own; no I/O. Each statement is a transaction by itself unless one is begun."""
    engine = sqlalchemy.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeouts.pool,
        pool_use_lifo=True,
        # a connection is given back as it was taken, which is seen to without a way to the server
        pool_reset_on_return=None,
        hide_parameters=True,
        connect_args=dialect.connect_arguments(timeouts),
    )

    def connect(adapter: Any, record: Any, positional: Any, named: Any) -> Any:
        return dialect.connect(*positional, **named)

    def prepare(connection: Any, record: Any) -> None:
        dialect.prepare(connection, timeouts)

    sqlalchemy.event.listen(engine, "do_connect", connect)
    sqlalchemy.event.listen(engine, "connect", prepare)
    return engine
