"""PostgreSQL: its connections, its errors, its words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.pq import TransactionStatus

from datastores.sql.catalogue import ColumnInfo, TableName
from datastores.sql.dialect import Ask, Dialect, Timeouts, marked
from datastores.sql.entries import EventRow, EventTables
from datastores.sql.failures import Failure, Trouble
from datastores.sql.postgresql import catalogue, columns
from datastores.sql.postgresql import events as events_
from datastores.sql.postgresql.connection import Connection, Silence
from datastores.sql.postgresql.grammar import folding, grammar
from datastores.tables.grammar import Grammar
from datastores.tables.replies import ON_CONFLICT, ReplyWords
from rest_kit.errors import StoreUnavailable
from rest_kit.models.field import Field

if TYPE_CHECKING:
    from datastores.sql.transaction import Transaction


class PostgreSQL(Dialect):
    """One PostgreSQL database."""

    name = "PostgreSQL"
    errors = (psycopg.Error,)
    ends_with_errors = True
    defining_commits = False
    returns = True
    numbers = True
    skips_defaults = "DEFAULT VALUES"
    _grammar: Grammar | None = None

    # --- connections --------------------------------------------------------------------------------------------------

    def connect_arguments(self, timeouts: Timeouts) -> dict[str, Any]:
        """What a connection of our own is opened with: each statement by itself is a transaction."""
        return {
            "autocommit": True,
            "client_encoding": "utf8",
            "connect_timeout": max(2, round(timeouts.connect)),
            "tcp_user_timeout": round((timeouts.statement + timeouts.connect) * 1000),
        }

    def connect(self, *positional: Any, **named: Any) -> Connection:
        """A connection of our own."""
        return Connection.connect(*positional, **named)

    def prepare(self, connection: Any, timeouts: Timeouts) -> None:
        """Bound the time that a statement may take, waiting for locks included; have values come as they are."""
        connection.patience = timeouts.statement + timeouts.connect
        milliseconds = str(round(timeouts.statement * 1000))
        given = {"statement_timeout": milliseconds, "extra_float_digits": "1", "array_nulls": "on"}
        for name, value in given.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))

    def cursor(self, connection: Any) -> Any:
        """One that hands the text on as it is: the driver would look through it for its own marks."""
        return psycopg.RawCursor(connection)

    def enter(self, connection: Any) -> Any:
        """Make each statement a transaction by itself, unless the owner of the engine has one open already."""
        if connection.autocommit or connection.info.transaction_status is not TransactionStatus.IDLE:
            return False
        connection.autocommit = True
        return True

    def leave(self, connection: Any, entered: Any) -> None:
        """End what is still open, and let the driver begin transactions by itself again."""
        if connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.rollback()
        if entered:
            connection.autocommit = False

    def begin(self, connection: Any) -> None:
        """Start a transaction, unless the owner of the engine has one open already."""
        if connection.info.transaction_status is TransactionStatus.IDLE:
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")

    def meet(self, ask: Ask) -> None:
        """Find out how this database lowers letters, and whether connections are fit (StoreUnavailable)."""
        if self._grammar is None:
            fit = ask(f"SELECT {', '.join(_DEMANDS)}", ())[0]
            for held, told in zip(fit, _DEMANDS.values(), strict=True):
                if not held:
                    raise StoreUnavailable(told)
            self._grammar = grammar(folding(ask))

    def failure(self, exc: BaseException) -> Failure:
        """What an error of psycopg means."""
        state = getattr(exc, "sqlstate", None) or ""
        trouble = _TROUBLES.get(state) or _CLASSES.get(state[:2])
        if isinstance(exc, Silence):
            trouble = Trouble.SILENT
        diagnosis = getattr(exc, "diag", None)
        constraint = getattr(diagnosis, "constraint_name", None) or ""
        column = getattr(diagnosis, "column_name", None) or ""
        if trouble is None:
            lost = isinstance(exc, psycopg.OperationalError | psycopg.InterfaceError) and not state
            trouble = Trouble.LOST if lost else _unknown(exc)
        return Failure(trouble, constraint, column)

    # --- words --------------------------------------------------------------------------------------------------------

    @property
    def grammar(self) -> Grammar:
        """How queries are written."""
        assert self._grammar is not None
        return self._grammar

    def quote(self, name: str) -> str:
        """A name as an SQL identifier."""
        return '"' + name.replace('"', '""') + '"'

    # --- tables -------------------------------------------------------------------------------------------------------

    catalogue = catalogue
    columns = columns

    def generated_key(self, name: str) -> str:
        """A key out of a sequence; one that is brought is honoured."""
        return f"{self.quote(name)} bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"

    def guard_creation(self, ask: Ask) -> None:
        """Take the lock of all who make tables for rest_kit: IF NOT EXISTS alone does not keep two from colliding."""
        ask("SELECT pg_advisory_xact_lock(hashtext('rest_kit'))", ())

    def index_on(self, field: Field, info: ColumnInfo | None) -> str:
        """A column of an index, in the order that lists are asked for."""
        nullable = field.nullable if info is None else not info.not_null
        return f"{self.quote(field.name)} NULLS FIRST" if nullable else self.quote(field.name)

    def claim_key(self, transaction: Transaction, table: TableName, column: str, pk: Any) -> None:
        """Set the sequence behind a key that is brought, with all inserts held up that might take from it meanwhile."""
        quoted = self.quoted(table)
        found = transaction.rows(marked("SELECT pg_get_serial_sequence($1, $2)"), (quoted, column))
        sequence = found[0][0]
        if sequence is not None:
            self.lock_table(transaction, quoted)
            moved = ("SELECT setval($1, $2) FROM", sequence, "WHERE last_value <= $2")
            transaction.rows(marked(" ".join(moved)), (sequence, pk))

    def lock_table(self, transaction: Transaction, quoted: str) -> None:
        """Keep others from writing the table."""
        transaction.rows(f"LOCK TABLE {quoted} IN SHARE ROW EXCLUSIVE MODE")

    # --- replies ------------------------------------------------------------------------------------------------------

    reply_words = ReplyWords(
        text="text",
        binary="bytea",
        number="double precision",
        replacing=ON_CONFLICT,
        prune="DELETE FROM {table} WHERE ctid = ANY(ARRAY("
        "SELECT ctid FROM {table} WHERE at <= {before} ORDER BY at LIMIT {most} FOR UPDATE SKIP LOCKED))",
    )

    def try_lock(self, transaction: Transaction, name: str) -> bool:
        """Take a lock by that name until the transaction ends, unless another one has it."""
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
        return bool(transaction.rows(marked("SELECT pg_try_advisory_xact_lock($1)"), (number,))[0][0])

    # --- events -------------------------------------------------------------------------------------------------------

    unless_there = " ON CONFLICT DO NOTHING"

    def create_events(self, events: str, counters: str) -> Sequence[str]:
        """The statements that make the tables of events and of their numbers."""
        return events_.create(events, counters)

    def append_events(
        self, transaction: Transaction, tables: EventTables, resource: str, rows: Sequence[EventRow], at: float
    ) -> int | None:
        """Number events and add them."""
        return events_.append(transaction, tables, resource, rows, at)


def _unknown(exc: BaseException) -> Trouble:
    """What an error is that is not known by its code."""
    if isinstance(exc, psycopg.DataError):
        return Trouble.VALUE
    return Trouble.MISTAKE if isinstance(exc, psycopg.ProgrammingError) else Trouble.FAILED


_DEMANDS: Final = {
    "current_setting('server_encoding') = 'UTF8'": "the database holds text in another encoding than UTF8",
    "current_setting('client_encoding') = 'UTF8'": (
        "the engine's connections speak another encoding than UTF8; make it with client_encoding='utf8'"
    ),
    "CAST(current_setting('extra_float_digits') AS integer) > 0": (
        "the engine's connections round floats: their extra_float_digits is less than 1"
    ),
    "current_setting('array_nulls') = 'on'": "the engine's connections lose nulls in arrays: their array_nulls is off",
}
"""What connections must be like, and what is said where they are not."""

_TROUBLES: Final = {
    "23505": Trouble.UNIQUE,
    "23P01": Trouble.UNIQUE,
    "23503": Trouble.DANGLING,
    "23001": Trouble.RESTRICTED,
    "23502": Trouble.NULL,
    "23514": Trouble.CHECK,
    "22001": Trouble.TOO_LONG,
    "22003": Trouble.RANGE,
    "40001": Trouble.AGAIN,
    "40P01": Trouble.AGAIN,
    "55P03": Trouble.SLOW,
    "57014": Trouble.SLOW,
    "53100": Trouble.FULL,
    "25006": Trouble.READ_ONLY,
    "42501": Trouble.DENIED,
    "42P01": Trouble.CHANGED,
    "42703": Trouble.CHANGED,
    "3F000": Trouble.CHANGED,
    "0A000": Trouble.CHANGED,
    "42883": Trouble.CHANGED,
    "42804": Trouble.CHANGED,
    "25P02": Trouble.MISTAKE,
    "P0001": Trouble.REFUSED,
}
_CLASSES: Final = {
    "08": Trouble.LOST,
    "57": Trouble.LOST,
    "53": Trouble.BUSY,
    "28": Trouble.DENIED,
    "3D": Trouble.DENIED,
    "22": Trouble.VALUE,
    "23": Trouble.CHECK,
    "54": Trouble.VALUE,
}
