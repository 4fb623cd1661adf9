"""What a database's catalogue says of a table or view, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    is compared and ordered by code point here; `distinct`: it may be ordered in another way, but only a text itself is
    equal to it. `charset` is that of a text where it can be another than the database's.
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
    distinct: bool = False
    charset: str = ""
    declared: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: its columns, the table and columns that they refer to, and what happens when that is deleted.

    `on_delete` is one of rest_kit's words: what the database does otherwise (its SET DEFAULT) keeps the other one too.
    """

    columns: tuple[str, ...]
    table: TableName
    targets: tuple[str, ...]
    on_delete: str = "restrict"


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table or view. `unique`, `references` and `checks` are by the name of the constraint or index.

    `deferred`: some rule of the table, or some reference to it, is checked no earlier than at the commit. `why_not`
    says why a table cannot be written; empty where it can.
    """

    name: TableName
    is_view: bool
    columns: tuple[ColumnInfo, ...]
    key: tuple[str, ...] = ()
    unique: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)
    checks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    indexed: frozenset[str] = frozenset()
    deferred: bool = False
    why_not: str = ""

    def column(self, name: str) -> ColumnInfo | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def alone(self) -> dict[str, Reference]:
        """The foreign key of each column that is one by itself."""
        return {one.columns[0]: one for one in self.references.values() if len(one.columns) == 1}

    def told(self, reference: Reference) -> str:
        """The one column that is referred to, as `table.column`, with the schema where that is another."""
        target = reference.table
        table = target.name if target.schema == self.name.schema else str(target)
        return f"{table}.{reference.targets[0]}"
