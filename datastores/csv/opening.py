"""From a file's bytes to its mirror: find the dialect, read the header, settle the model, take in all rows.

The model is the one bound, or is inferred from the whole file the first time and stays, for the life of the process,
what it was found to be then: a later edit that does not fit is an error in the file.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from datastores.csv.columns import Layout
from datastores.csv.dialect import HEAD, Dialect, detect
from datastores.csv.keys import keyed, refuse_unknown_fields, row_number
from datastores.csv.mirror import KeyTrouble, Mirror
from datastores.csv.records import Reader, Row, corrupt, lines_of
from rest_kit.errors import ConfigurationError, StoreCorrupt
from rest_kit.models.infer_text import TextInference
from rest_kit.models.model import Model


class Opening:
    """Reads one file, as often as it changes. `model` is known once it was read."""

    def __init__(self, path: str, options: Mapping[str, Any], bound: Model | None) -> None:
        self.path = path
        self.options = options
        self.bound = bound
        self.model = bound
        self.dialect = Dialect()
        self.columns: Sequence[str] | None = options.get("columns")

    def header_line(self, dialect: Dialect) -> bytes:
        """What a file begins with that is made from the bound model (StoreCorrupt)."""
        assert self.bound is not None
        try:
            header = b"" if self.columns else dialect.row(self.bound.names)
        except ValueError as exc:
            raise corrupt(self.path, 1, f"the header cannot be written: {exc}") from exc
        return dialect.bom + header

    def load(self, descriptor: int, size: int) -> Mirror:
        """A mirror of the first `size` bytes (StoreCorrupt with file and line, StoreUnavailable)."""
        self.dialect = detect(os.pread(descriptor, min(size, HEAD), 0), self.options)
        reader = Reader(self.dialect, self.path)
        with open(descriptor, "rb", buffering=HEAD, closefd=False) as stream:
            if self.model is None:
                header, _, rows = self._begin(reader, stream, size)
                self.model = self._infer(header, rows)
            header, line, rows = self._begin(reader, stream, size)
            layout = Layout(self.model, header, self.dialect)
            self._refuse_missing(layout, line)
            mirror = Mirror(layout, reader, self._indexes(self.model))
            with contextlib.ExitStack() as on_failure:
                on_failure.callback(mirror.close)
                try:
                    mirror.load(rows)
                except KeyTrouble as exc:
                    raise self._located(exc, descriptor) from exc
                on_failure.pop_all()
        return mirror

    def _begin(self, reader: Reader, stream: BinaryIO, size: int) -> tuple[Sequence[str], int, Iterator[Row]]:
        """The header, its line, and the rows behind it, each of its length (StoreCorrupt)."""
        mark = len(self.dialect.bom)
        stream.seek(mark)
        rows = reader.rows(lines_of(stream, self.dialect.newline, size - mark), mark, 1)
        if self.columns:
            reader.width, reader.ragged = len(self.columns), True
            return self.columns, 1, reader.checked(rows)
        cells, _, _, line = next(rows, ([], 0, 0, 1))
        self._refuse_header(cells, line)
        reader.width = len(cells)
        return cells, line, reader.checked(rows)

    def _refuse_header(self, cells: Sequence[str], line: int) -> None:
        if not cells:
            raise corrupt(self.path, line, "there is no header line; write one, or name the columns with `columns`")
        twice = [name for name, count in Counter(cells).items() if count > 1]
        if twice or "" in cells:
            named = [name for name in twice if name]
            what = f"the header names {named[0]!r} twice" if named else "a column of the header has no name"
            raise corrupt(self.path, line, what)

    def _infer(self, header: Sequence[str], rows: Iterator[Row]) -> Model:
        inference = TextInference(header, null=self.options.get("null") or "", key=self.options.get("key"))
        for row in rows:
            inference.feed(row[0])
        name = os.path.splitext(os.path.basename(self.path))[0]
        try:
            model = Model.of(name, inference.fields())
            refuse_unknown_fields(self.options, model)
            return keyed(model, self.options.get("key"))
        except ConfigurationError as exc:
            raise corrupt(self.path, 1, str(exc)) from exc

    def _refuse_missing(self, layout: Layout, line: int) -> None:
        missing = [name for name in layout.missing if name != row_number(layout.model)]
        if missing:
            has = ", ".join(layout.header)
            raise corrupt(self.path, line, f"there is no column for the field {missing[0]!r}; there are {has}")

    def _indexes(self, model: Model) -> list[tuple[str, ...]]:
        assert model.pk is not None
        wanted = [*model.unique_sets, *((name,) for name in self.options.get("indexes", ()))]
        return [names for names in dict.fromkeys(wanted) if names != (model.pk.name,)]

    def _located(self, trouble: KeyTrouble, descriptor: int) -> StoreCorrupt:
        """The same with the lines in which it shows."""
        lines = [self._line_at(at, descriptor) for at in (trouble.first, trouble.second) if at is not None]
        also = f", and in line {lines[1]}" if len(lines) > 1 else ""
        return corrupt(self.path, lines[0], f"{trouble}{also}")

    def _line_at(self, offset: int, descriptor: int) -> int:
        ending = b"\r" if self.dialect.newline == "\r" else b"\n"
        line, at = 1, 0
        while at < offset and (block := os.pread(descriptor, min(HEAD, offset - at), at)):
            line += block.count(ending)
            at += len(block)
        return line
