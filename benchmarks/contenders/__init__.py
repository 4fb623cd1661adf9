"""The contenders, each in a file of its own with `make(books, path) -> Contender`.

All of them serve the same: `/books/` and `/books/<id>/` from the list, `/stored/` and `/stored/<id>/` from the SQLite
file; a list is `{"meta": {..., "total_count": n}, "object_list": [...]}` and takes `offset`, `count` (at most 100),
`ordering` and the filters of the workload; POST checks types, lengths, `price > 0`, a real date, and refuses unknown
members.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.workload import Book

NAMES = {
    "raw": "raw",
    "rest_kit": "rest_kit_app",
    "falcon, no schema": "falcon_plain",
    "falcon + marshmallow": "falcon_marshmallow",
    "Flask-RESTful": "flask_restful_app",
    "flask-smorest": "flask_smorest_app",
    "DRF": "drf",
}
"""What stands in the table, and the file."""


@dataclass(frozen=True)
class Contender:
    """A WSGI application over the books, and how to take back what was posted to it."""

    app: Callable[..., Any]
    forget: Callable[[], None]
    """Leaves only the first books of the list; called between measurements."""
    lacks: frozenset[str] = frozenset()
    """Rows that this contender does not play in."""


def make(name: str, books: list[Book], path: Path) -> Contender:
    """The contender of that name, over its own list and the SQLite file (ImportError: not installed)."""
    module = import_module(f"benchmarks.contenders.{NAMES[name]}")
    made: Contender = module.make(books, path)
    return made


def truncate(books: list[Book]) -> Callable[[], None]:
    """The usual way to forget: cut the list to the length that it has now."""
    length = len(books)

    def forget() -> None:
        del books[length:]

    return forget
