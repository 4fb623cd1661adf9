"""Bytes in, rows of cells out, each with its place in the file.

The same for all of a file and for what was appended to it. Blank lines and comments are passed over. What cannot be
read is a StoreCorrupt with file and line.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from datastores.csv.dialect import Dialect
from datastores.csv.grammar import body
from rest_kit.errors import StoreCorrupt

Row = tuple[list[str], int, int, int]
"""A row's cells, the offset of its first byte, its length in bytes with the line ending, its line (from 1)."""

_BLOCK = 1 << 20


def corrupt(path: str, line: int, what: str) -> StoreCorrupt:
    """The error for a file that cannot be read, saying where."""
    return StoreCorrupt(f"{path}:{line}: {what}")


class Reader:
    """Reads rows of one dialect; `path` is for the errors.

    `width` is the number of columns, once it is known; `ragged` rows may have fewer cells, the rest being empty.
    """

    def __init__(self, dialect: Dialect, path: str) -> None:
        self.dialect = dialect
        self.path = path
        self.grammar = dialect.grammar
        self.width = 0
        self.ragged = False

    def rows(self, lines: Iterable[bytes], at: int, line: int) -> Iterator[Row]:
        """The rows in these lines, the first of which begins at that offset and has that number (StoreCorrupt)."""
        source = iter(lines)
        decode, mark, stray = self._decode, self.dialect.delimiter, self._stray()
        quote, comment = self.dialect.quotechar.encode(), self.dialect.comment.encode(self.dialect.encoding)
        for raw in source:
            start, first = at, line
            at += len(raw)
            line += 1
            if raw in _BLANK or (comment and raw.startswith(comment)):
                continue
            text = body(decode(raw, first))
            if not (quote and quote in raw) and stray not in text:
                yield text.split(mark), start, at - start, first
                continue
            cells = self.grammar.split(text)
            if cells is None:
                pieces = [raw]
                cells = self._joined(pieces, source, first)
                at = start + sum(map(len, pieces))
                line = first + len(pieces)
            yield cells, start, at - start, first

    def checked(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows, each with as many cells as there are columns (StoreCorrupt)."""
        width = self.width
        for row in rows:
            cells = row[0]
            if len(cells) != width:
                if not self.ragged or len(cells) > width:
                    raise corrupt(self.path, row[3], self._other_length(len(cells)))
                cells += [""] * (width - len(cells))
            yield row

    def _other_length(self, count: int) -> str:
        """What is wrong with a row of so many cells, and the options that may be missing."""
        remedies = []
        if not self.ragged:
            remedies.append("name the columns (option `columns`) if the first line is no header")
        if not self.dialect.comment:
            remedies.append("say what comments begin with (option `comment`) if this is one")
        hint = ", or ".join(remedies)
        return f"{count} cells, where the file has {self.width} columns" + (f"; {hint}" if hint else "")

    def within(self, data: bytes, at: int) -> Iterator[Row]:
        """The rows in bytes of the file that begin at this offset, each with as many cells as there are columns."""
        return self.checked(self.rows(lines_of(io.BytesIO(data), self.dialect.newline, len(data)), at, 1))

    def _stray(self) -> str:
        """The line break that the lines were not cut at, and which therefore must stand in quotes."""
        return "\n" if self.dialect.newline == "\r" else "\r"

    def _joined(self, pieces: list[bytes], source: Iterator[bytes], line: int) -> list[str]:
        """The cells of a row that goes on over several lines, which are added to `pieces`."""
        cells, text = None, self._decode(pieces[0], line)
        while cells is None:
            if not self.grammar.is_open(text):
                raise corrupt(self.path, line, "a stray line break, or text behind a closing quote")
            self._go_on(pieces, source, line)
            text = self._decode(b"".join(pieces), line)
            cells = self.grammar.split(body(text))
        return cells

    def _go_on(self, pieces: list[bytes], source: Iterator[bytes], line: int) -> None:
        """Add lines up to the next one with a quote in it."""
        quote = self.dialect.quotechar.encode()
        for raw in source:
            pieces.append(raw)
            if quote in raw:
                return
        raise corrupt(self.path, line, "a quote is opened in this row and never closed")

    def _decode(self, raw: bytes, line: int) -> str:
        if b"\0" in raw:
            raise corrupt(self.path, line, "a NUL byte")
        try:
            return raw.decode(self.dialect.encoding)
        except UnicodeDecodeError as exc:
            at = line + raw.count(b"\n", 0, exc.start)
            what = f"byte 0x{raw[exc.start]:02x} is not {self.dialect.encoding}"
            raise corrupt(self.path, at, f"{what}; name the file's encoding with the option `encoding`") from exc


_BLANK = frozenset({b"\n", b"\r\n", b"\r"})


def lines_of(stream: BinaryIO, newline: str, size: int) -> Iterator[bytes]:
    """The next `size` bytes of the stream, cut behind each line break."""
    if newline != "\r":
        return _limited(stream.readline, size)
    return _cut_at_returns(stream, size)


def _limited(readline: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    while size > 0 and (raw := readline(size)):
        size -= len(raw)
        yield raw


def _cut_at_returns(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Lines that end with a carriage return alone, as old files have them."""
    rest = b""
    while size > 0 and (block := stream.read(min(size, _BLOCK))):
        size -= len(block)
        *whole, rest = (rest + block).split(b"\r")
        yield from (piece + b"\r" for piece in whole)
    if rest:
        yield rest
