"""What a row of CSV looks like, as compiled patterns: RFC 4180 with any delimiter and quote, read strictly.

A cell that begins with a quote ends with one, and two of them within stand for one; anywhere else a quote is a
character like others. Spaces are data.
"""

from __future__ import annotations

import re


class Grammar:
    """Tells cells apart, for one delimiter and one quote (an empty one: there are no quoted cells)."""

    def __init__(self, delimiter: str, quotechar: str) -> None:
        self.delimiter = delimiter
        self.quotechar = quotechar
        mark, quote = re.escape(delimiter), re.escape(quotechar)
        inside = f"[^{quote}]*+(?:{quote}{quote}[^{quote}]*+)*+" if quote else ""
        quoted = f"{quote}({inside}){quote}" if quote else "(?!)()"
        bare = f"((?!{quote})[^{mark}\r\n]*+)" if quote else f"([^{mark}\r\n]*+)"
        cell = f"(?:{quoted}|{bare}){mark}"
        self._cell = re.compile(cell)
        self._row = re.compile(f"(?:{cell})*+")
        self._open = re.compile(f"(?:{cell})*+{quote}{inside}" if quote else "(?!)")

    def split(self, text: str) -> list[str] | None:
        """The cells of a row, its line ending taken off; None where the text is not a whole row."""
        padded = text + self.delimiter
        if self._row.fullmatch(padded) is None:
            return None
        pairs, quote = self._cell.findall(padded), self.quotechar
        if quote * 2 not in text:
            return [inside or bare for inside, bare in pairs]
        return [inside.replace(quote * 2, quote) if inside else bare for inside, bare in pairs]

    def is_open(self, text: str) -> bool:
        """Whether the text ends within quotes, so that the row goes on in the next line."""
        return self._open.fullmatch(text) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each cell of a whole row begins and ends in its text, quotes included."""
        return [(found.start(), found.end() - 1) for found in self._cell.finditer(text + self.delimiter)]

    def is_quoted(self, cell: str) -> bool:
        """Whether the cell, as it stands in the text, is in quotes."""
        return self.quotechar != "" and cell.startswith(self.quotechar)

    def needs_quotes(self, text: str) -> bool:
        """Whether the text, bare, would be read as something else, here or by stricter readers."""
        marks = (self.delimiter, "\n", "\r", self.quotechar or "\n")
        return any(mark in text for mark in marks)


def body(text: str) -> str:
    """The text of a row without its line ending."""
    if text.endswith("\n"):
        text = text[:-1]
    return text.removesuffix("\r")
