"""What a database's catalogue says of a table or view, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PRIVATE = "rest_kit_"
"""How the names of our own tables begin."""


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name, within the schema that it was asked for in (None: where the database looks by itself)."""

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column, its type in the database's own words.

    `length` counts characters; `digits` and `places` are those of an exact number; `labels` are an enumeration's values
    and `element` is the type of an array's items. `made` says that the database makes the value where none is given: by
    a sequence or AUTO_INCREMENT; `insists` that it takes none; `computed` that it makes it from others. `exact`: text
    is compared and ordered by code point here. `charset` is that of a text where it can be another than the database's.
    `declared` is what a column must be declared as to refer to this one, where only the very same type may.
    """

    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    length: int | None = None
    digits: int | None = None
    places: int | None = None
    labels: tuple[str, ...] = ()
    element: str = ""
    unsigned: bool = False
    made: bool = False
    insists: bool = False
    computed: bool = False
    exact: bool = True
    charset: str = ""
    declared: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: its columns, and the table and columns that they refer to."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table or view. `unique`, `references` and `checks` are by the name of the constraint or index.

    `why_not` says why a table cannot be written; empty where it can.
    """

    name: TableName
    is_view: bool
    columns: tuple[ColumnInfo, ...]
    key: tuple[str, ...] = ()
    unique: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)
    checks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    indexed: frozenset[str] = frozenset()
    why_not: str = ""

    def column(self, name: str) -> ColumnInfo | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def targets(self) -> dict[str, str]:
        """For each column that refers to another by itself: `table.column`."""
        alone = [one for one in self.references.values() if len(one.columns) == 1]
        return {one.columns[0]: f"{one.table}.{one.targets[0]}" for one in alone}
