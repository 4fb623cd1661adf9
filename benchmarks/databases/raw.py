"""Raw: one WSGI function written by hand over the drivers themselves, with prepared statements and one connection each.

It is the floor: it has no pool, no transaction, no links and no entity tags.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec
from sqlalchemy.engine import URL

from benchmarks.contenders.raw import COLUMNS, FIELDS, Refused, page_of
from benchmarks.databases import Places
from benchmarks.databases.calling import WsgiApplication

encode = msgspec.json.Encoder().encode
WHERE = "WHERE author = ? AND price >= ?"
ONE = f"SELECT {COLUMNS} FROM books WHERE id = ?"
PAGE = f"SELECT {COLUMNS}, (SELECT count(*) FROM books {WHERE}) FROM books {WHERE} ORDER BY price DESC, id"

Run = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


class Shop:
    """The books of every place; `runs` runs a statement in each."""

    def __init__(self, runs: dict[str, Run]) -> None:
        self.runs = runs

    def __call__(self, environ: dict[str, Any], start_response: Any) -> tuple[bytes]:
        status = "200 OK"
        try:
            _, place, *rest = environ["PATH_INFO"].split("/")
            if rest == [""]:
                body = encode(page(self.runs[place], parse_qs(environ["QUERY_STRING"])))
            else:
                body = encode(one(self.runs[place], int(rest[0])))
        except Refused as exc:
            status, body = "400 Bad Request", encode({"detail": str(exc)})
        except (KeyError, ValueError):
            status, body = "404 Not Found", b'{"detail":"not found"}'
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return (body,)


def one(run: Run, pk: int) -> dict[str, Any]:
    """One book (KeyError)."""
    rows = run(ONE, (pk,))
    if not rows:
        raise KeyError(pk)
    return book(rows[0])


def page(run: Run, query: dict[str, list[str]]) -> dict[str, Any]:
    """A page of the workload's filters, with its total in every row; behind the last row there is none."""
    offset, size = page_of(query)
    wanted = (query["author"][0], float(query["price__gte"][0]))
    rows = run(f"{PAGE} LIMIT ? OFFSET ?", (*wanted, *wanted, size, offset))
    meta = {"offset": offset, "count": size, "total_count": rows[0][-1] if rows else 0}
    return {"meta": meta, "object_list": [book(row) for row in rows]}


def book(row: Sequence[Any]) -> dict[str, Any]:
    """A row as an object."""
    found = dict(zip(FIELDS, row, strict=False))
    found["in_stock"] = bool(found["in_stock"])
    return found


def open_place(name: str, url: URL) -> tuple[Run, Callable[[], None]]:
    """What runs a statement in a place, and what closes it."""
    return {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}[name](url)


def _sqlite(url: URL) -> tuple[Run, Callable[[], None]]:
    connection = sqlite3.connect(url.database or "", check_same_thread=False, isolation_level=None)
    execute = connection.cursor().execute
    return lambda text, values: execute(text, values).fetchall(), connection.close


def _postgresql(url: URL) -> tuple[Run, Callable[[], None]]:
    import psycopg

    at = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(at, autocommit=True, prepare_threshold=0)
    execute = connection.cursor().execute
    return lambda text, values: execute(text.replace("?", "%s"), values).fetchall(), connection.close


def _mariadb(url: URL) -> tuple[Run, Callable[[], None]]:
    import pymysql

    connection = pymysql.connect(
        host=url.host, port=url.port or 0, user=url.username, password=url.password or "", database=url.database,
        autocommit=True,
    )  # fmt: skip
    cursor = connection.cursor()

    def run(text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        cursor.execute(text.replace("?", "%s"), values)
        return list(cursor.fetchall())

    return run, connection.close


def make(places: Places) -> WsgiApplication:
    """Raw."""
    opened = {name: open_place(name, url) for name, url in places.items()}

    def close() -> None:
        for _, end in opened.values():
            end()

    return WsgiApplication(Shop({name: run for name, (run, _) in opened.items()}), close)
