"""The contenders over SQL databases, each in a file of its own with `make(places) -> Application`.

All of them serve the table of each place under the place's name: `/postgresql/` is its list and `/postgresql/<id>/` one
book. A list is `{"meta": {..., "total_count": n}, "object_list": [...]}` and takes `offset`, `count` (at most 100),
`ordering` and the filters of the workload, all of them typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from sqlalchemy.engine import URL

from benchmarks.databases.calling import Application

Places = Mapping[str, URL]
"""For each name, the database that holds the books."""

NAMES = {
    "raw": "raw",
    "rest_kit": "rest_kit_app",
    "falcon + SQLAlchemy": "falcon_app",
    "FastAPI + SQLAlchemy": "fastapi_app",
    "DRF": "drf_app",
}
"""What stands in the table, and the file."""


def make(name: str, places: Places) -> Application:
    """The contender of that name (ImportError: not installed)."""
    module = import_module(f"benchmarks.databases.{NAMES[name]}")
    made: Application = module.make(places)
    return made
