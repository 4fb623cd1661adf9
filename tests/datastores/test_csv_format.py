"""How a CSV file is written is found out, and kept byte for byte by whatever is written to it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datastores.csv.dialect import Dialect, detect, extends_ascii, for_new_file
from datastores.csv.grammar import Grammar
from datastores.csv.records import Reader, lines_of
from datastores.csv.shifts import Shifts
from rest_kit.errors import StoreCorrupt
from rest_kit.models import Model, StringField, StringPkField
from tests.datastores.csv_samples import delete, everything, insert, opened, update

DELIMITERS = (",", ";", "\t", "|")
NEWLINES = ("\n", "\r\n", "\r")
TEXTS = st.lists(st.sampled_from([*",;\t|\"'# \n\rabäß€😀=\\", "\r\n", '""']), max_size=8).map("".join)


def rows_of(data: bytes, dialect: Dialect) -> list[list[str]]:
    lines = lines_of(io.BytesIO(data), dialect.newline, len(data))
    return [row[0] for row in Reader(dialect, "t.csv").rows(lines, 0, 1)]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("newline", NEWLINES)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("quoted", [False, True])
def test_every_combination_is_found_out(delimiter: str, newline: str, bom: bytes, quoted: bool) -> None:
    others = "".join(set(",;|") - {delimiter})
    names = ['"id"', f'"a {others}\n {others} name"', '"x"'] if quoted else ["id", "name", "x"]
    cells = ['"1"', '"2"', '"3"'] if quoted else ["1", "2", "3"]
    data = bom + newline.join([delimiter.join(names), delimiter.join(cells), ""]).encode()
    dialect = detect(data, {})
    assert (dialect.delimiter, dialect.newline, dialect.bom) == (delimiter, newline, bom)
    assert all(dialect.quoted) is quoted or not dialect.quoted
    assert (
        dialect.row(["7", "8", "9"])
        == delimiter.join(['"7"', '"8"', '"9"'] if quoted else ["7", "8", "9"]).encode() + newline.encode()
    )


def test_an_option_wins_over_what_the_file_looks_like() -> None:
    dialect = detect(b"a,b,c;d\n", {"delimiter": ";", "quotechar": "'", "null": "NA", "comment": "#"})
    assert (dialect.delimiter, dialect.quotechar, dialect.null, dialect.comment) == (";", "'", "NA", "#")


def test_the_delimiter_of_a_file_without_header_fits_its_columns() -> None:
    data = b"AE,OM,RE,SC,TF\t+2518+05518\tAsia/Dubai\tCrozet\n"
    assert detect(data, {"columns": ["codes", "coordinates", "tz", "comments"]}).delimiter == "\t"
    assert detect(data, {"columns": ["line"]}).delimiter == ";"


def test_columns_that_the_first_row_quotes_without_need_are_quoted_in_new_rows() -> None:
    dialect = detect(b'id,"name",n\n1,"Ada",2\n', {})
    assert dialect.row(["2", "Bob", "3"]) == b'2,"Bob",3\n'
    assert dialect.row(["2", "", "3"]) == b"2,,3\n"
    assert detect(b'id,name\n1,"a,b"\n', {}).row(["2", "c"]) == b"2,c\n"


def test_a_new_file_takes_tabs_from_its_name_and_the_mark_from_its_encoding() -> None:
    assert for_new_file({}, ".tsv").delimiter == "\t"
    assert for_new_file({"delimiter": ";"}, ".tsv").delimiter == ";"
    assert for_new_file({"encoding": "utf-8-sig"}, ".csv").bom == b"\xef\xbb\xbf"


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "ascii", "gb18030"])
def test_encodings_that_extend_ascii(name: str) -> None:
    assert extends_ascii(name)


@pytest.mark.parametrize("name", ["utf-16", "utf-7", "cp037", "no-such", "hex", "iso2022_jp"])
def test_encodings_that_do_not(name: str) -> None:
    assert not extends_ascii(name)


@settings(deadline=None)
@given(rows=st.lists(st.lists(TEXTS, min_size=2, max_size=4), max_size=5), delimiter=st.sampled_from(DELIMITERS))
def test_what_pythons_csv_writes_is_read_alike(rows: list[list[str]], delimiter: str) -> None:
    # A return alone is the one thing that it leaves bare although it reads it as the end of a row.
    rows = [[text.replace("\r", "\n") for text in row] for row in rows]
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(rows)
    assert rows_of(stream.getvalue().encode(), Dialect(delimiter=delimiter)) == rows


@settings(deadline=None)
@given(cells=st.lists(TEXTS, min_size=1, max_size=4), styles=st.integers(0, 15), mark=st.sampled_from(DELIMITERS))
def test_a_row_reads_back_and_its_cells_are_where_the_spans_say(cells: list[str], styles: int, mark: str) -> None:
    for newline in NEWLINES:
        quoted = tuple(bool(styles >> n & 1) for n in range(len(cells)))
        dialect = Dialect(delimiter=mark, newline=newline, comment="#", quoted=quoted)
        assert rows_of(b"\n" * (newline == "\n") + dialect.row(cells), dialect) == [cells]
        text = dialect.row(cells).decode().removesuffix(newline)
        grammar = Grammar(mark, '"')
        assert [grammar.split(text[start:end]) for start, end in grammar.spans(text)] == [[cell] for cell in cells]


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b'a,b\n1,"x\ny\n', 2, "never closed"),
        (b'a,b\n1,2\n"x"y,2\n', 3, "stray"),
        (b"a,b\n1,2\rx\n", 2, "stray"),
        (b"a,b\n\n1,\xff\n", 3, "0xff is not utf-8"),
        (b'a,b\n1,"x\n\xff"\n', 3, "0xff is not utf-8"),
        (b"a,b\n1,\0\n", 2, "NUL"),
        (b"a,b\n1,2\n\n1,2,3\n", 4, "3 cells"),
        (b"a,b\n1\n", 2, "1 cells"),
        (b'a,b\n"1\n2",3\n1\n', 4, "1 cells"),
        (b"a,a\n", 1, "'a' twice"),
        (b"a,,\n", 1, "no name"),
        (b"", 1, "no header"),
        (b"\n\n", 1, "no header"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, data: bytes, line: int, what: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    for _ in range(2):
        with pytest.raises(StoreCorrupt, match=rf"t\.csv:{line}: .*{what}"):
            opened(path).ping()
    assert path.read_bytes() == data


@dataclass
class File:
    """A CSV file in pieces: rows by key, each with the bytes of its cells, between lines that nobody touches."""

    delimiter: str
    newline: str
    head: bytes
    pieces: list[tuple[str | None, list[str]]]
    ended: bool

    def data(self) -> bytes:
        lines = [self.delimiter.join(cells) + self.newline for _, cells in self.pieces]
        text = "".join(lines)
        return self.head + (text if self.ended or not lines else text.removesuffix(self.newline)).encode()


def cell(draw: st.DrawFn, delimiter: str, text: str, *, first: bool = False) -> str:
    needs = any(mark in text for mark in (delimiter, "\n", "\r", '"')) or (first and (text == "" or text[0] == "#"))
    return '"' + text.replace('"', '""') + '"' if needs or draw(st.booleans()) else text


@st.composite
def files(draw: st.DrawFn) -> File:
    delimiter, newline = draw(st.sampled_from(DELIMITERS)), draw(st.sampled_from(NEWLINES))
    header = delimiter.join(['"unknown"', "value", "key", "other"]) + newline
    remark = draw(st.sampled_from(["", f"# x{newline}{newline}"]))
    head = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + remark.encode()
    pieces: list[tuple[str | None, list[str]]] = []
    for number in range(draw(st.integers(2, 6))):
        texts = [draw(TEXTS), draw(TEXTS), f"k{number}", draw(TEXTS)]
        pieces.append((texts[2], [cell(draw, delimiter, t, first=i == 0) for i, t in enumerate(texts)]))
        pieces += draw(st.lists(st.sampled_from([(None, [""]), (None, ["# a comment"])]), max_size=1))
    ended = pieces[-1][0] is None or draw(st.booleans())
    return File(delimiter, newline, head + header.encode(), pieces, ended)


class Pair(Model):
    """Two of a file's four columns, in another order than the file's."""

    fields = (StringPkField("key"), StringField("value", required=True))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(file=files(), text=TEXTS)
def test_untouched_bytes_stay(tmp_path_factory: pytest.TempPathFactory, file: File, text: str) -> None:
    path = tmp_path_factory.mktemp("format") / "t.csv"
    path.write_bytes(file.data())
    store = opened(path, Pair(), comment="#", delimiter=file.delimiter)
    dialect = detect(file.data(), {"comment": "#", "delimiter": file.delimiter})
    rows = everything(store)
    assert [row["key"] for row in rows] == sorted(key for key, _ in file.pieces if key)

    update(store, "k0", {"value": text})
    place = next(index for index, (key, _) in enumerate(file.pieces) if key == "k0")
    if text != next(row["value"] for row in rows if row["key"] == "k0"):
        cells = file.pieces[place][1]
        cells[1] = dialect.quote(text, cells[1].startswith('"'))
    assert path.read_bytes() == file.data()

    insert(store, {"key": "new", "value": text})
    file.ended = True
    file.pieces.append(("new", dialect.row(["", text, "new", ""]).decode().removesuffix(file.newline).split("\0")))
    assert path.read_bytes() == file.data()

    delete(store, "k1")
    file.pieces = [piece for piece in file.pieces if piece[0] != "k1"]
    assert path.read_bytes() == file.data()
    assert everything(store) == everything(opened(path, Pair(), comment="#", delimiter=file.delimiter, timeout=3))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40)), max_size=40))
def test_shifts_follow_every_row(edits: list[tuple[int, int]]) -> None:
    shifts, rows = Shifts(), [(n * 10, 10) for n in range(5)]
    for index, length in edits:
        if not rows:
            break
        where = index % len(rows)
        mark, old = rows[where]
        if length == 0:
            del rows[where]
        else:
            rows[where] = (mark, length)
        shifts.add(mark, length - old)
        if length % 3 == 1:
            rows.append((shifts.mark_at(sum(size for _, size in rows)), 10))
        place = 0
        for mark, size in rows:
            assert shifts.place(mark) == place
            place += size
