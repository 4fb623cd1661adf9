"""Sources that are files of text: delimited ones, and JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rest_kit import jsonio
from rest_kit.cli.source import Finding, Part, Source, SourceError, Wishes
from rest_kit.cli.stores import store
from rest_kit.errors import InvalidInput, did_you_mean

CSV_SUFFIXES: Final = (".csv", ".tsv", ".tab", ".txt")
JSON_SUFFIX: Final = ".json"


@contextlib.contextmanager
def readable(source: Source) -> Iterator[None]:
    """Say in a sentence that a file cannot be read (SourceError)."""
    try:
        yield
    except OSError as exc:
        raise SourceError(f"{source}: it cannot be read: {exc.strerror or exc}") from exc


def in_csv(source: Source, wishes: Wishes) -> Finding:
    """A delimited text file as one resource."""
    chosen = {**wishes.csv, **({"read_only": True} if wishes.read_only else {})}
    return Finding([Part(Path(source.place).stem, store("CSVDataStore"), {"path": source.place}, chosen)])


def in_json(source: Source, wishes: Wishes) -> Finding:
    """A list of objects, or an object of such lists, kept in memory (SourceError)."""
    lists = _lists(source)
    unknown = [name for name in source.tables if name not in lists]
    if unknown:
        told = ", ".join(f"{name!r}{did_you_mean(name, lists)}" for name in unknown)
        raise SourceError(f"{source}: there is no list {told}")
    parts = [in_list(name, lists[name]) for name in source.tables or lists]
    note = f"changes to {source} are kept in memory and end with the server"
    return Finding(parts, [] if wishes.read_only else [note])


def _lists(source: Source) -> dict[str, Any]:
    try:
        with readable(source):
            data = jsonio.loads(Path(source.place).read_bytes())
    except InvalidInput as exc:
        raise SourceError(f"{source}: {exc}") from exc
    lists = {Path(source.place).stem: data} if isinstance(data, list) else data
    if not isinstance(lists, dict) or not lists:
        raise SourceError(f"{source}: an object of lists is needed, or one list")
    for name, rows in lists.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SourceError(f"{source}: {name!r} is not a list of objects")
    return lists


def in_list(name: str, rows: list[dict[str, Any]]) -> Part:
    """A list of dicts as one resource."""
    return Part(name, store("PythonListDataStore"), rows)
