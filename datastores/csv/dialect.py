"""How one CSV file is written: delimiter, quotes, encoding, line ending, comments; given by options or read off it.

Nothing is guessed by chance. Line ending: the first one outside quotes. Delimiter: of `,` `;` tab `|` the one that
stands outside quotes the most in the first line that is neither blank nor a comment (in this order where they tie;
with the `columns` option, none that would make more cells than columns). Quotes: `"`; a new row quotes the columns
that the file's first row quotes without need. Encoding: UTF-8 unless an option names another, and a byte order mark
is kept. An option always wins.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from datastores.csv.grammar import Grammar
from rest_kit.store import different_names

DELIMITERS: Final = (",", ";", "\t", "|")
HEAD: Final = 1 << 20
"""How many bytes of a file are looked at to find its dialect."""
BREAKS: Final = ("\r\n", "\n", "\r")
_NEVER: Final = ("\r", "\n", "\0")
"""What no mark may be, or hold."""
_BREAK: Final = re.compile("\r\n|\n|\r")


class Dialect(msgspec.Struct, frozen=True):
    """How cells become the bytes of a row. `quoted`: the columns that new rows quote without need."""

    delimiter: str = ","
    quotechar: str = '"'
    encoding: str = "utf-8"
    bom: bytes = b""
    newline: str = "\n"
    null: str = ""
    comment: str = ""
    quoted: tuple[bool, ...] = ()

    @property
    def grammar(self) -> Grammar:
        """The patterns of this dialect's rows."""
        return grammar_of(self.delimiter, self.quotechar)

    def quote(self, text: str, always: bool = False) -> str:
        """The text as a cell, in quotes where it needs them (ValueError where there are none to be had)."""
        if not (always or self.grammar.needs_quotes(text)):
            return text
        if not self.quotechar:
            raise ValueError("holds a delimiter or a line break, and the file has no quotes")
        return self.quotechar + text.replace(self.quotechar, self.quotechar * 2) + self.quotechar

    def row(self, cells: Sequence[str]) -> bytes:
        """The cells as one row with its line ending (ValueError, UnicodeEncodeError)."""
        styles = self.quoted if len(self.quoted) == len(cells) else (False,) * len(cells)
        everything = all(styles)
        parts = [
            self.quote(cell, style and (everything or cell != self.null))
            for cell, style in zip(cells, styles, strict=True)
        ]
        return (self.guarded(self.delimiter.join(parts), parts[0]) + self.newline).encode(self.encoding)

    def guarded(self, line: str, first: str) -> str:
        """The row's text, its first cell in quotes where it would read as a blank line or a comment (ValueError)."""
        if line and not (self.comment and line.startswith(self.comment)):
            return line
        return self.quote(first, always=True) + line[len(first) :]


@functools.cache
def grammar_of(delimiter: str, quotechar: str) -> Grammar:
    """The grammar of these two characters, compiled once."""
    return Grammar(delimiter, quotechar)


def extends_ascii(encoding: str) -> bool:
    """Whether the encoding exists and writes ASCII as ASCII, so that lines and quotes can be told in its bytes."""
    plain = bytes(range(128))
    try:
        name = codecs.lookup(encoding).name
        return name == "utf-8-sig" or (plain.decode(name) == plain.decode() and not name.startswith("iso2022"))
    except (LookupError, UnicodeError):
        return False


def form_problems(options: Mapping[str, Any]) -> list[str]:
    """A sentence for every option on the file's form, each of its right type, that cannot be meant."""
    encoding, problems = options.get("encoding", "utf-8"), []
    if not extends_ascii(encoding):
        problems.append(f"options['encoding'] must be an encoding that extends ASCII, not {encoding!r}")
        encoding = "utf-8"
    return problems + _bad_marks(options, encoding) + _bad_columns(options)


def _bad_marks(options: Mapping[str, Any], encoding: str) -> list[str]:
    """What is wrong with the texts that structure a file in this encoding."""
    problems = []
    for name, shortest in (("delimiter", 1), ("quotechar", 0)):
        mark = options.get(name, ",")
        if not shortest <= len(mark) <= 1 or mark in _NEVER or not mark.isascii():
            problems.append(f"options[{name!r}] must be one ASCII character, not {mark!r}")
    if options.get("delimiter", ",") == options.get("quotechar", '"'):
        problems.append("options['delimiter'] and options['quotechar'] must differ")
    for name, shortest in (("comment", 1), ("null", 0)):
        text = options.get(name, "#")
        if len(text) < shortest or not _can_stand(text, encoding):
            problems.append(f"options[{name!r}] must be text that a line of the file can hold, not {text!r}")
    return problems


def _can_stand(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return not any(mark in text for mark in _NEVER)


def _bad_columns(options: Mapping[str, Any]) -> list[str]:
    if "columns" in options and not options["columns"]:
        return ["options['columns'] must name at least one column; leave it out where the file has a header line"]
    return different_names("columns", options.get("columns", ()))


def detect(head: bytes, options: Mapping[str, Any]) -> Dialect:
    """The dialect of a file that begins with these bytes; an empty file has the defaults."""
    bom, encoding = _mark(head, str(options.get("encoding", "utf-8")))
    text = head[len(bom) :].decode(encoding, "replace")
    quotechar = options.get("quotechar", '"')
    comment = options.get("comment") or ""
    first, second = _first_lines(text, quotechar, comment, 2)
    columns = options.get("columns")
    delimiter = options.get("delimiter") or _delimiter(_bare(first, quotechar), len(columns) if columns else None)
    return Dialect(
        delimiter=delimiter,
        quotechar=quotechar,
        encoding=encoding,
        bom=bom,
        newline=_newline(text, quotechar, comment),
        null=options.get("null") or "",
        comment=comment,
        quoted=_needlessly_quoted((first if columns else second) or first, grammar_of(delimiter, quotechar)),
    )


def for_new_file(options: Mapping[str, Any], suffix: str) -> Dialect:
    """The dialect of a file that is yet to be made: tabs for `.tsv` and `.tab`, else commas; or as options say."""
    delimiter = options.get("delimiter") or ("\t" if suffix.lower() in (".tsv", ".tab") else ",")
    dialect = detect(b"", {**options, "delimiter": delimiter})
    wants_mark = codecs.lookup(str(options.get("encoding", "utf-8"))).name == "utf-8-sig"
    return msgspec.structs.replace(dialect, bom=codecs.BOM_UTF8 if wants_mark else b"")


def _mark(head: bytes, encoding: str) -> tuple[bytes, str]:
    """The byte order mark, and the encoding of what follows it."""
    name = codecs.lookup(encoding).name
    if name not in ("utf-8", "utf-8-sig"):
        return b"", name
    return (codecs.BOM_UTF8 if head.startswith(codecs.BOM_UTF8) else b""), "utf-8"


def _first_lines(text: str, quotechar: str, comment: str, count: int) -> list[str]:
    """The first rows' text, comments and blank lines aside, made up to `count` with empty ones."""
    found: list[str] = []
    while text and len(found) < count:
        if comment and text.startswith(comment):
            line, text = _cut(text, "")
            continue
        line, text = _cut(text, quotechar)
        if line:
            found.append(line)
    return found + [""] * (count - len(found))


def _cut(text: str, quotechar: str) -> tuple[str, str]:
    """The text up to its first line break outside quotes, and what follows the break."""
    place = quotes = 0
    while (found := _BREAK.search(text, place)) is not None:
        quotes += text.count(quotechar, place, found.start()) if quotechar else 0
        if quotes % 2 == 0:
            return text[: found.start()], text[found.end() :]
        place = found.end()
    return text, ""


def _newline(text: str, quotechar: str, comment: str) -> str:
    """The first line break outside quotes; a newline where there is none."""
    line, _ = _cut(text, "" if comment and text.startswith(comment) else quotechar)
    return next((ending for ending in BREAKS if text.startswith(ending, len(line))), "\n")


def _bare(line: str, quotechar: str) -> str:
    """The line without what stands in quotes."""
    if not quotechar:
        return line
    return "".join(line.split(quotechar)[::2])


def _delimiter(line: str, columns: int | None) -> str:
    """The candidate that occurs the most; a comma where none does."""
    counts = {mark: line.count(mark) for mark in DELIMITERS}
    if columns is not None:
        counts = {mark: count for mark, count in counts.items() if count < columns} or {",": 0}
    return max(counts, key=counts.__getitem__)


def _needlessly_quoted(line: str, grammar: Grammar) -> tuple[bool, ...]:
    """For each cell of the line, whether it stands in quotes that it could do without."""
    if not grammar.quotechar or grammar.split(line) is None:
        return ()
    cells = [line[start:end] for start, end in grammar.spans(line)]
    return tuple(grammar.is_quoted(cell) and not grammar.needs_quotes(cell[1:-1]) for cell in cells)
