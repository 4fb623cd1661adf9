"""What a database has to say for itself, so that the rest of the store need not know which one it is."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from datastores.sql.catalogue import ColumnInfo, TableInfo, TableName
from datastores.sql.entries import EventRow, EventTables
from datastores.sql.failures import Failure
from datastores.tables.columns import Column
from datastores.tables.grammar import Grammar
from datastores.tables.replies import ReplyWords
from rest_kit.models.field import Field

if TYPE_CHECKING:
    from datastores.sql.transaction import Transaction

Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Runs one statement, whose parameters are marked by `parameter`, and returns its rows."""


def marked(text: str) -> str:
    """A constant text whose parameters are written $1, $2 …, with our marks."""
    return re.sub(r"\$([0-9]+)", lambda found: parameter(int(found[1])), text)


def parameter(number: int) -> str:
    """The n-th value of a statement; the driver's own mark takes its place at the end."""
    # no name of a table or column can hold a NUL
    return f"\0{number}\0"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection to be made, for a statement to end, and for a connection of the pool."""

    connect: float = 5.0
    statement: float = 30.0
    pool: float = 10.0


class CatalogueRoom(Protocol):
    """A module that reads a catalogue."""

    def read_table(self, ask: Ask, table: TableName) -> TableInfo | None: ...
    def list_names(self, ask: Ask, schema: str | None, *, views: bool) -> list[str]: ...


class ColumnsRoom(Protocol):
    """A module that knows types of columns."""

    def column(self, field: Field, info: ColumnInfo, quote: Callable[[str], str]) -> Column | None: ...
    def field_of(self, info: ColumnInfo) -> tuple[type[Field], Mapping[str, Any]] | None: ...
    def declared(self, field: Field, keyed: bool) -> str: ...


class Dialect(ABC):
    """One database. An instance belongs to one engine, and knows what was found out about it when it was `met`."""

    name: ClassVar[str]
    """As a user calls it."""
    errors: ClassVar[tuple[type[BaseException], ...]]
    """What the driver raises."""
    ends_with_errors: ClassVar[bool]
    """Whether a statement that fails ends the transaction."""
    defining_commits: ClassVar[bool]
    """Whether to make a table ends the transaction that it is done in."""
    returns: ClassVar[bool]
    """Whether a statement that writes hands out the row."""
    numbers: ClassVar[bool] = False
    """Whether parameters are marked by number."""
    skips_defaults: ClassVar[str]
    """What inserts a row of nothing but defaults."""

    def __init__(self, *, owned: bool) -> None:
        self.owned = owned
        """Whether the connections are ours alone, so that they could be prepared."""

    # --- connections --------------------------------------------------------------------------------------------------

    @abstractmethod
    def connect_arguments(self, timeouts: Timeouts) -> dict[str, Any]:
        """What a connection of our own is opened with."""

    @abstractmethod
    def connect(self, *positional: Any, **named: Any) -> Any:
        """A connection of our own, by the driver's arguments (the driver's errors)."""

    @abstractmethod
    def prepare(self, connection: Any, timeouts: Timeouts) -> None:
        """Set up a connection of our own, once."""

    def cursor(self, connection: Any) -> Any:
        """What runs our statements on a connection."""
        return connection.cursor()

    @abstractmethod
    def enter(self, connection: Any) -> Any:
        """Make a borrowed connection ready for single statements; what it takes to undo that."""

    @abstractmethod
    def leave(self, connection: Any, entered: Any) -> None:
        """Leave a borrowed connection as it was found."""

    @abstractmethod
    def begin(self, connection: Any) -> None:
        """Start a transaction that sees what is committed and waits for what is locked."""

    @abstractmethod
    def meet(self, ask: Ask) -> None:
        """Find out, once, how this server folds case and what else is to be known of it."""

    @abstractmethod
    def failure(self, exc: BaseException) -> Failure:
        """What an error of the driver means."""

    # --- words --------------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def grammar(self) -> Grammar:
        """How queries are written; known once the server was met."""

    @abstractmethod
    def quote(self, name: str) -> str:
        """A name as an SQL identifier."""

    def quoted(self, table: TableName) -> str:
        """A table's name, with its schema where there is one."""
        return ".".join(self.quote(part) for part in (table.schema, table.name) if part is not None)

    # --- tables -------------------------------------------------------------------------------------------------------

    catalogue: CatalogueRoom
    """What reads this database's catalogue."""
    columns: ColumnsRoom
    """What knows this database's types."""

    def read_table(self, ask: Ask, table: TableName) -> TableInfo | None:
        """What the catalogue says of a table or view; None where there is none of that name."""
        return self.catalogue.read_table(ask, table)

    def list_names(self, ask: Ask, schema: str | None, *, views: bool = True) -> list[str]:
        """The tables there are, and the views, by name."""
        return self.catalogue.list_names(ask, schema, views=views)

    def column(self, field: Field, info: ColumnInfo) -> Column | None:
        """How a field lies in a column; None where the column's type cannot hold it."""
        return self.columns.column(field, info, self.quote)

    def field_of(self, info: ColumnInfo) -> tuple[type[Field], Mapping[str, Any]] | None:
        """The field that a column asks for, and its options; None for one that cannot be served."""
        return self.columns.field_of(info)

    def declared(self, field: Field, keyed: bool) -> str:
        """The type of a field's column in a table of ours; `keyed` where an index covers it."""
        return self.columns.declared(field, keyed)

    @abstractmethod
    def generated_key(self, name: str) -> str:
        """The definition of a primary key that the database makes."""

    @abstractmethod
    def guard_creation(self, ask: Ask) -> None:
        """Keep other processes from making the same table at the same time, until the transaction ends."""

    table_options: ClassVar[str] = ""
    """What ends the statement that makes a table."""

    @abstractmethod
    def index_on(self, field: Field, info: ColumnInfo | None) -> str:
        """A field's column, if it is there already, within the list of an index that answers orders."""

    @abstractmethod
    def claim_key(self, transaction: Transaction, table: TableName, column: str, pk: Any) -> None:
        """See to it that the database never makes a key that is brought."""

    @abstractmethod
    def lock_table(self, transaction: Transaction, quoted: str) -> None:
        """Keep others from writing a table until the transaction ends; they may read it."""

    def delete(self, quoted: str) -> str:
        """How the statement that deletes from a table begins."""
        return " ".join(("DELETE FROM", quoted, "AS t"))

    # --- replies ------------------------------------------------------------------------------------------------------

    reply_words: ClassVar[ReplyWords]
    """How the table of replies is written."""

    @abstractmethod
    def try_lock(self, transaction: Transaction, name: str) -> bool:
        """Take a lock by that name until the transaction ends, unless another one has it."""

    # --- events -------------------------------------------------------------------------------------------------------

    unless_there: ClassVar[str]
    """What ends an insert that changes nothing where the row is there already."""

    @abstractmethod
    def create_events(self, events: str, counters: str) -> Sequence[str]:
        """The statements that make the tables of events and of their numbers."""

    @abstractmethod
    def append_events(
        self, transaction: Transaction, tables: EventTables, resource: str, rows: Sequence[EventRow], at: float
    ) -> int | None:
        """Number events and add them; the last number. None, and nothing is done, where there is no counter."""
