"""Where the model's fields stand in a CSV file, and how their values are written in its cells.

A cell becomes a value of the field's type, and on loading at once the form in which the mirror keeps it. An empty cell
(or the `null` marker) is None in a nullable field. One rule decides what can be written: a value whose cell would not
read back as that value, or that the file's encoding does not have, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from datastores.csv.dialect import Dialect
from datastores.csv.grammar import body
from datastores.sqlite.grammar import quote
from datastores.sqlite.values import storage_of
from datastores.tables.columns import Column as Stored
from rest_kit.errors import Fault, ValidationError
from rest_kit.models import scalars
from rest_kit.models.field import Field
from rest_kit.models.model import Model
from rest_kit.types import Kind, Record

TRUTHS: Final = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}


class Misfit(Exception):
    """A cell that its field cannot hold: the row's place in the batch, the field, and why."""

    def __init__(self, index: int, field: str, why: str) -> None:
        self.index = index
        self.field = field
        self.why = why
        super().__init__(why)


class CellColumn:
    """One field of the model as a column of the file: cells in, values out, and back."""

    def __init__(self, field: Field, index: int, dialect: Dialect) -> None:
        self.field = field
        self.name = field.name
        self.index = index
        self.encoding = dialect.encoding
        self.null = dialect.null
        self.nulls = _nulls(field, dialect.null)
        self.stored = Stored(field.name, f"t.{quote(f'c{index}')}", storage_of(field), field.nullable)
        self.truth_case: Callable[[str], str] = str.lower
        self._parse = _parser(field)
        self._load = self._loader()

    def value(self, cell: str) -> Any:
        """What the cell says (ValueError)."""
        return None if cell in self.nulls else self._parse(cell)

    def _loader(self) -> Callable[[str], Any]:
        """What makes the mirror's form of a cell that is not null."""
        parse, encode, decode = self._parse, self.stored.storage.encode, self.stored.storage.decode
        if self.field.kind is Kind.DECIMAL:
            return lambda cell: _exactly(encode, decode, parse(cell))
        return parse if encode is None else lambda cell: encode(parse(cell))

    def load(self, cells: Sequence[str]) -> Sequence[Any]:
        """The cells of many rows as the mirror keeps them (Misfit)."""
        nulls, load = self.nulls, self._load
        try:
            if self.field.kind is Kind.STRING and self._parse is _text:
                return [None if cell in nulls else cell for cell in cells] if nulls else cells
            return [None if cell in nulls else load(cell) for cell in cells]
        except ValueError:
            self._find_misfit(cells)
            raise

    def _find_misfit(self, cells: Sequence[str]) -> None:
        for index, cell in enumerate(cells):
            try:
                if cell not in self.nulls:
                    self._load(cell)
            except ValueError as exc:
                why = f"{cell[:40]!r} is {exc}" if cell else "an empty cell, where the field is not nullable"
                raise Misfit(index, self.name, why) from exc

    def notice_truth(self, cells: Sequence[str]) -> None:
        """Write booleans in the case of the first one in the file."""
        first = next((cell for cell in cells if cell in TRUTHS), None)
        if self.field.kind is Kind.BOOLEAN and first is not None:
            self.truth_case = str.lower if first.islower() else str.upper if first.isupper() else str.title

    def cell(self, value: Any) -> str:
        """The value as the text of a cell (ValidationError)."""
        text = self.null if value is None else self._format(value)
        try:
            text.encode(self.encoding)
            if "\0" in text or not _same(self.value(text), value):
                raise ValueError
        except UnicodeEncodeError as exc:
            what = f"holds {exc.object[exc.start]!r}, which the file's encoding ({self.encoding}) does not have"
            raise ValidationError(Fault("invalid", what, (self.name,))) from exc
        except ValueError as exc:
            raise ValidationError(Fault("invalid", self._why_not(value, text), (self.name,))) from exc
        return text

    def _why_not(self, value: Any, text: str) -> str:
        if value is None:
            return "may not be null"
        if text in self.nulls:
            return f"{text!r} stands for null in this file, and cannot be a value"
        return "cannot be written as a cell that reads back the same"

    def _format(self, value: Any) -> str:
        if self.field.kind is Kind.BOOLEAN:
            return self.truth_case("true" if value else "false")
        return self.field.format(value)


def _same(read: Any, value: Any) -> bool:
    return type(read) is type(value) and bool(read == value)


def _nulls(field: Field, marker: str) -> frozenset[str]:
    """The cells that mean None: the marker, and nothing at all where that could not be a text."""
    if not field.nullable:
        return frozenset()
    return frozenset({marker} if field.kind is Kind.STRING else {marker, ""})


def _exactly(encode: Any, decode: Any, value: Any) -> Any:
    """The mirror's form of a value, which must not lose a digit (ValueError)."""
    stored = value if encode is None else encode(value)
    if decode is not None and decode(stored) != value:
        raise ValueError("a number of more digits than the field has")
    return stored


def _text(cell: str) -> str:
    return cell


def _truth(cell: str) -> bool:
    try:
        return TRUTHS[cell]
    except KeyError as exc:
        raise ValueError("neither true nor false") from exc


def _parser(field: Field) -> Callable[[str], Any]:
    """What reads a cell that is not null; the parser of the kind itself where the field adds nothing to it."""
    if field.kind in (Kind.DECIMAL, Kind.BOOLEAN):
        # A DecimalField's own parser takes, for a filter's sake, what no record can hold.
        return _truth if field.kind is Kind.BOOLEAN else field.coerce
    return _OF_KIND.get(field.kind, field.parse) if type(field).parse is Field.parse else field.parse


_OF_KIND: Final[dict[Kind, Callable[[str], Any]]] = {
    Kind.STRING: _text,
    Kind.INTEGER: scalars.parse_integer,
    Kind.FLOAT: scalars.parse_float,
    Kind.DATE: scalars.parse_date,
    Kind.DATETIME: scalars.parse_datetime,
}


class Layout:
    """The columns of one file as the model sees them; those that it does not know are kept, and not shown."""

    def __init__(self, model: Model, header: Sequence[str], dialect: Dialect) -> None:
        assert model.pk is not None
        self.model = model
        self.header = tuple(header)
        self.dialect = dialect
        places = {name: index for index, name in enumerate(header)}
        self.columns = [CellColumn(model.by_name[n], places[n], dialect) for n in model.names if n in places]
        self.by_name = {column.name: column for column in self.columns}
        self.key: CellColumn | None = self.by_name.get(model.pk.name)

    @property
    def missing(self) -> list[str]:
        """The fields of the model that the file has no column for."""
        return [name for name in self.model.names if name not in self.header]

    def load(self, rows: Sequence[Sequence[str]]) -> Iterator[tuple[Any, ...]]:
        """Rows of cells as rows of the mirror (Misfit)."""
        by_index = list(zip(*rows, strict=True))
        return zip(*(column.load(by_index[column.index]) for column in self.columns), strict=True)

    def cells(self, record: Mapping[str, Any]) -> list[str]:
        """A new row; columns that the model does not know are null (ValidationError with every fault)."""
        cells = [self.dialect.null] * len(self.header)
        for index, cell in self.written(record, self.columns):
            cells[index] = cell
        return cells

    def written(self, record: Mapping[str, Any], columns: Sequence[CellColumn]) -> list[tuple[int, str]]:
        """The cells of these columns, with their places (ValidationError with every fault)."""
        found, faults = [], []
        for column in columns:
            try:
                found.append((column.index, column.cell(record.get(column.name))))
            except ValidationError as exc:
                faults.extend(exc.faults)
        if faults:
            raise ValidationError(faults)
        return found

    def differ(self, name: str, old: Any, new: Any) -> bool:
        """Whether a field's values are two: exact numbers of different scale are, and so are 1 and true within JSON."""
        field = self.model.by_name[name]
        if old is None or new is None or (field.kind.is_scalar and field.kind is not Kind.DECIMAL):
            return bool(old != new)
        return field.format(old) != field.format(new)

    def row(self, record: Mapping[str, Any]) -> bytes:
        """A new row as it stands in the file (ValidationError)."""
        try:
            return self.dialect.row(self.cells(record))
        except ValueError as exc:
            raise ValidationError(str(exc)) from exc

    def edited(self, raw: bytes, record: Mapping[str, Any], names: Sequence[str]) -> bytes:
        """The bytes of a row with the cells of these fields replaced, and nothing else (ValidationError)."""
        text = raw.decode(self.dialect.encoding)
        bare = body(text)
        spans = self.dialect.grammar.spans(bare)
        cells = [bare[start:end] for start, end in spans]
        for index, cell in self.written(record, [self.by_name[name] for name in names]):
            cells += [""] * (index + 1 - len(cells))
            cells[index] = self._styled(cells[index], index, cell)
        try:
            line = self.dialect.guarded(self.dialect.delimiter.join(cells), cells[0])
        except ValueError as exc:
            raise ValidationError(str(exc)) from exc
        return (line + text[len(bare) :]).encode(self.dialect.encoding)

    def _styled(self, old: str, index: int, text: str) -> str:
        """The cell's new text in quotes if the old one was, or if it needs them."""
        try:
            return self.dialect.quote(text, self.dialect.grammar.is_quoted(old))
        except ValueError as exc:
            raise ValidationError(Fault("invalid", str(exc), (self.header[index],))) from exc


def event_record(record: Record | None, model: Model) -> Record | None:
    """A record as an event keeps it: JSON, with text where JSON has no such type."""
    if record is None:
        return None
    return {n: None if v is None else model.by_name[n].to_stored(v) for n, v in record.items()}


def record_of(kept: Record | None, model: Model) -> Record | None:
    """The record that an event keeps; fields that the model has no more are left out (ValueError)."""
    if kept is None:
        return None
    return {name: field.coerce(kept.get(name)) for name, field in model.by_name.items()}
