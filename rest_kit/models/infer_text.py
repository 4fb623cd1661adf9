"""Fields read off the text of a file: which kind every cell of a column agrees with, and which column names the rows.

Rows are fed one after the other and looked at in batches, column by column, so that memory does not grow with the
file beyond eight bytes a row for each of the few columns that may still be the key. Nothing is guessed: "007", "+1",
"1e5", "nan" and "NA" are text.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Final

from rest_kit.models.fields import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    FloatField,
    IntegerField,
    PkField,
    StringField,
    StringPkField,
)
from rest_kit.models.infer import UNADDRESSABLE
from rest_kit.models.scalars import parse_date, parse_datetime
from rest_kit.types import INT64_MAX, INT64_MIN

BATCH: Final = 4096
MAX_KEYS: Final = 8
"""How many columns are followed as possible keys, the first ones; `id` always."""

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,300})\.[0-9]{1,300}")
_OFFSET: Final = re.compile(r".*([Zz]|[+-][0-9]{2}:[0-9]{2})")
_SAFE_DIGITS: Final = 15
"""Numbers of so many digits are floats without loss."""

Fits = Callable[[str], bool]


def is_integer(cell: str) -> bool:
    """Whether it is a 64-bit integer in its one canonical spelling."""
    return _INTEGER.fullmatch(cell) is not None and (len(cell) < 19 or INT64_MIN <= int(cell) <= INT64_MAX)


def is_float(cell: str) -> bool:
    """Whether it is a decimal number as people write it, or an integer, of which a float loses nothing."""
    if _DECIMAL.fullmatch(cell) is None:
        return _INTEGER.fullmatch(cell) is not None and _is_short(cell)
    return _is_short(cell) or Decimal(cell) == Decimal(repr(float(cell)))


def _is_short(cell: str) -> bool:
    return len(cell.lstrip("-")) <= _SAFE_DIGITS


def is_decimal(cell: str) -> bool:
    """Whether it is a decimal number as people write it, of any precision, or an integer."""
    return _DECIMAL.fullmatch(cell) is not None or is_integer(cell)


def is_date(cell: str) -> bool:
    """Whether it is a date of the calendar, `YYYY-MM-DD`."""
    try:
        parse_date(cell)
    except ValueError:
        return False
    return True


def is_datetime(cell: str) -> bool:
    """Whether it is a moment as in RFC 3339, its offset included."""
    try:
        parse_datetime(cell)
    except ValueError:
        return False
    return _OFFSET.fullmatch(cell) is not None


class TextInference:
    """Finds the fields of a table of text.

    `null` is the cell that stands for null (where it is empty, not in text); `key` names the column that is the key,
    where that is known beforehand.
    """

    def __init__(self, names: Sequence[str], *, null: str = "", key: str | None = None) -> None:
        self._columns = [_Column(name, null) for name in names]
        self._null = null
        self._key = key
        self._rows: list[Sequence[str]] = []

    def feed(self, cells: Sequence[str]) -> None:
        """Look at one more row; cells that it lacks are null, surplus ones are ignored."""
        self._rows.append(cells)
        if len(self._rows) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        cells = list(zip_longest(*self._rows, fillvalue=self._null))
        for index, column in enumerate(self._columns):
            column.take(cells[index] if index < len(cells) else (self._null,) * len(self._rows))
        self._rows = []
        followed = [column for column in self._columns if column.hashes is not None]
        for column in sorted(followed, key=lambda column: column.name != "id")[MAX_KEYS:]:
            column.hashes = None

    def fields(self) -> list[Field]:
        """The fields in the columns' order; the key, where one was found, is PkField or StringPkField."""
        self._flush()
        key = self._known_key() if self._key is not None else self._found_key()
        return [column.key_field() if column is key else column.field() for column in self._columns]

    def _known_key(self) -> _Column | None:
        return next((column for column in self._columns if column.name == self._key), None)

    def _found_key(self) -> _Column | None:
        keys = [column for column in self._columns if column.is_key()]
        return next((column for column in keys if column.name == "id"), keys[0] if keys else None)


class _Column:
    """What the cells of one column have shown so far."""

    def __init__(self, name: str, null: str) -> None:
        self.name = name
        self.null = null
        self.kind: _Kind | None = None
        self.has_null = False
        self.long_integers = False
        self.hashes: array[int] | None = array("q")

    def take(self, cells: Sequence[str]) -> None:
        """Look at a batch of cells."""
        self._follow(cells)
        given = {cell for cell in cells if cell != self.null}
        self.has_null = self.has_null or self.null in cells
        if not given or self.kind is _TEXT:
            return
        if self.kind is None:
            self.kind = _first_kind(given)
        elif not self.kind.takes(given):
            self.kind = next((kind for kind in self._wider() if kind.takes(given)), _TEXT)
        if self.kind is _INTEGERS:
            self.long_integers = self.long_integers or not all(map(_is_short, given))

    def _wider(self) -> tuple[_Kind, ...]:
        """The kinds that take all cells so far, and more."""
        if self.kind is _INTEGERS and not self.long_integers:
            return (_FLOATS, _DECIMALS)
        return (_DECIMALS,) if self.kind in (_INTEGERS, _FLOATS) else ()

    def _follow(self, cells: Sequence[str]) -> None:
        """Go on keeping the cells' hashes, as long as the column may be the key."""
        if self.hashes is None:
            return
        distinct = set(cells)
        if len(distinct) < len(cells) or self.null in distinct or distinct & UNADDRESSABLE:
            self.hashes = None
        else:
            self.hashes.extend(map(hash, cells))

    def is_key(self) -> bool:
        """Whether every row had a cell of its own, an integer or a text; where there is no row, whether it is `id`."""
        if self.hashes is None or self.kind not in (None, _INTEGERS, _TEXT):
            return False
        return len(set(self.hashes)) == len(self.hashes) if self.hashes else self.name == "id"

    def field(self) -> Field:
        """The field for the column."""
        if self.kind is None:
            return StringField(self.name, nullable=True)
        if self.kind is _TEXT:
            return self._text_field()
        return self.kind.field(self.name, self.has_null)

    def _text_field(self) -> Field:
        """An empty cell of a column of text is the empty string, unless null is written in another way."""
        if self.has_null and self.null:
            return StringField(self.name, nullable=True)
        return StringField(self.name, default="") if self.has_null else StringField(self.name, required=True)

    def key_field(self) -> Field:
        """The field for the column as primary key."""
        counted = self.kind is _INTEGERS or (self.kind is None and self.name == "id")
        return PkField(self.name) if counted else StringPkField(self.name)


class _Kind:
    """A kind of cell: which ones it takes, and the field for a column of them."""

    def __init__(self, fits: Fits, field_class: type[Field], spelling: tuple[str, str] | None = None) -> None:
        self.fits = fits
        self.field_class = field_class
        self.spelling = spelling

    def takes(self, cells: Iterable[str]) -> bool:
        """Whether every one of the cells is of the kind."""
        return all(map(self.fits, cells))

    def field(self, name: str, nullable: bool) -> Field:
        """The field for a column of the kind."""
        field = self.field_class(name, nullable=nullable, required=not nullable)
        return field if self.spelling is None else field.named(name, spelling=self.spelling)


_SPELLINGS: Final = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"))
_TEXT: Final = _Kind(lambda cell: True, StringField)
_INTEGERS: Final = _Kind(is_integer, IntegerField)
_FLOATS: Final = _Kind(is_float, FloatField)
_DECIMALS: Final = _Kind(is_decimal, DecimalField)
_KINDS: Final = (
    _INTEGERS,
    _FLOATS,
    _DECIMALS,
    *(_Kind(frozenset(words).__contains__, BooleanField, words) for words in _SPELLINGS),
    _Kind(is_date, DateField),
    _Kind(is_datetime, DateTimeField),
)


def _first_kind(cells: Iterable[str]) -> _Kind:
    return next((kind for kind in _KINDS if kind.takes(cells)), _TEXT)
