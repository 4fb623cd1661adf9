"""What is seen of copying while it runs: a bar for each table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Final

import click

from rest_kit.cli.copying import Plan
from rest_kit.cli.terminal import printable, say
from rest_kit.query import Page, Query
from rest_kit.store import DataStore

EVERY: Final = 100_000
"""After how many rows a line is written where there is no terminal."""


class Told:
    """Told of progress, tells it on standard error."""

    def __init__(self, plan: Plan) -> None:
        self.sources = {pair.name: pair.source for pair in plan.pairs}
        self.is_terminal = sys.stderr.isatty()
        self.name = ""
        self.count = 0
        self.bar: Any = None

    def __enter__(self) -> Told:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self, name: str, count: int) -> None:
        """So many rows of that table are copied."""
        if name != self.name or count < self.count:
            self._begin(name)
        if self.bar is not None:
            self.bar.update(count - self.count)
        elif count // EVERY > self.count // EVERY:
            say(f"{name}: {count:,} rows so far", err=True)
        self.count = count

    def _begin(self, name: str) -> None:
        self._end()
        self.name, self.count = name, 0
        if self.is_terminal:
            total = total_of(self.sources[name])
            self.bar = click.progressbar(length=total, label=printable(name), file=sys.stderr, show_pos=True)
            self.bar.render_progress()

    def _end(self) -> None:
        if self.bar is not None:
            self.bar.render_finish()
            self.bar = None


def total_of(store: DataStore) -> int | None:
    """How many rows there are, where the store counts them (StoreError)."""
    return store.find(Query(page=Page(0), total=True)).total if store.capabilities.total else None
