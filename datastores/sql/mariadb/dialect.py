"""MariaDB: its connections, its errors, its words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import pymysql
from pymysql.constants import ER, SERVER_STATUS

from datastores.sql.catalogue import ColumnInfo, TableName
from datastores.sql.dialect import Ask, Dialect, Timeouts, marked
from datastores.sql.entries import EventRow, EventTables
from datastores.sql.failures import Failure, Trouble
from datastores.sql.mariadb import catalogue, columns
from datastores.sql.mariadb import events as events_
from datastores.sql.mariadb.grammar import folding, grammar
from datastores.tables.grammar import Grammar
from datastores.tables.replies import ReplyWords
from rest_kit.errors import StoreUnavailable
from rest_kit.models.field import Field

if TYPE_CHECKING:
    from datastores.sql.transaction import Transaction


class MariaDB(Dialect):
    """One MariaDB database."""

    name = "MariaDB"
    errors = (pymysql.Error,)
    ends_with_errors = False
    defining_commits = True
    returns = False
    skips_defaults = "() VALUES ()"
    _grammar: Grammar | None = None

    # --- connections --------------------------------------------------------------------------------------------------

    def connect_arguments(self, timeouts: Timeouts) -> dict[str, Any]:
        """What a connection of our own is opened with: each statement by itself is a transaction."""
        return {
            "charset": "utf8mb4",
            "autocommit": True,
            "connect_timeout": max(1, round(timeouts.connect)),
            "read_timeout": timeouts.connect,
            "write_timeout": timeouts.statement + timeouts.connect,
        }

    def connect(self, *positional: Any, **named: Any) -> Any:
        """A connection of our own."""
        return pymysql.connect(*positional, **named)

    def prepare(self, connection: Any, timeouts: Timeouts) -> None:
        """Have values refused rather than cut, texts ordered by more than their beginning, and no statement last."""
        # connect_timeout ends where the server takes the call: up to here, its greeting was waited for
        connection._read_timeout = timeouts.statement + timeouts.connect
        strict = "sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'), time_zone = '+00:00'"
        whole = f"max_sort_length = {SORTED}, sql_select_limit = DEFAULT"
        limits = "max_statement_time = %s, innodb_lock_wait_timeout = %s"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SET SESSION {strict}, {whole}, {limits}", (timeouts.statement, max(1, round(timeouts.statement)))
            )
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def enter(self, connection: Any) -> Any:
        """Make each statement a transaction by itself: one that is SERIALIZABLE locks what it reads otherwise."""
        status = connection.server_status
        if status & (SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT | SERVER_STATUS.SERVER_STATUS_IN_TRANS):
            return False
        _run(connection, "SET autocommit = 1")
        return True

    def leave(self, connection: Any, entered: Any) -> None:
        """End what is still open, and let the server begin transactions by itself again."""
        if connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:
            connection.rollback()
        if entered:
            _run(connection, "SET autocommit = 0")

    def begin(self, connection: Any) -> None:
        """Start a transaction, which sees what is committed: with locks on rows, not on the gaps between them."""
        with connection.cursor() as cursor:
            if not self.owned:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("START TRANSACTION")

    def meet(self, ask: Ask) -> None:
        """Find out what server this is, and whether its connections are fit (StoreUnavailable)."""
        if self._grammar is None:
            version, charset, mode, limit = ask(_TOLD, ())[0]
            if "mariadb" not in version.lower():
                raise StoreUnavailable(f"the server is not MariaDB, but {version}; MySQL is not served")
            if charset != "utf8mb4":
                raise StoreUnavailable(f"the engine's connections speak {charset}; make it with charset=utf8mb4")
            if "STRICT_" not in mode:
                raise StoreUnavailable(
                    "the engine's connections cut values that do not fit: its sql_mode is not strict"
                )
            if limit < UNLIMITED:
                raise StoreUnavailable(
                    f"the engine's connections cut lists after {limit} rows: sql_select_limit is set"
                )
            self._grammar = grammar(folding(ask))

    def failure(self, exc: BaseException) -> Failure:
        """What an error of PyMySQL means."""
        code = exc.args[0] if exc.args and isinstance(exc.args[0], int) else 0
        text = str(exc.args[1]) if len(exc.args) > 1 else ""
        trouble = _TROUBLES.get(code)
        if trouble is None:
            # PyMySQL makes one error of a connection that is cut and of one on which nothing came in time
            if isinstance(exc.__context__, TimeoutError):
                return Failure(Trouble.SILENT)
            lost = isinstance(exc, pymysql.InterfaceError) or 2000 <= code < 3000
            trouble = Trouble.LOST if lost else _unknown(exc)
        if trouble is Trouble.UNIQUE:
            return Failure(trouble, constraint=_last(_KEY, text))
        if trouble in (Trouble.DANGLING, Trouble.RESTRICTED):
            return Failure(trouble, constraint=_last(_CONSTRAINT, text).replace("``", "`"))
        if trouble is Trouble.CHECK:
            return Failure(trouble, constraint=_last(_CHECK, text).replace("``", "`"))
        return Failure(trouble, column=_last(_COLUMN, text))

    # --- words --------------------------------------------------------------------------------------------------------

    @property
    def grammar(self) -> Grammar:
        """How queries are written."""
        assert self._grammar is not None
        return self._grammar

    def quote(self, name: str) -> str:
        """A name as an SQL identifier."""
        return "`" + name.replace("`", "``") + "`"

    # --- tables -------------------------------------------------------------------------------------------------------

    catalogue = catalogue
    columns = columns

    def generated_key(self, name: str) -> str:
        """A key that counts up; one that is brought is honoured."""
        return f"{self.quote(name)} bigint NOT NULL AUTO_INCREMENT PRIMARY KEY"

    def guard_creation(self, ask: Ask) -> None:
        """Nothing is needed: MariaDB makes a table once, however many ask for it."""

    table_options = f" ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {catalogue.EXACT}"

    def index_on(self, field: Field, info: ColumnInfo | None) -> str:
        """A column of an index, of which a long text gives its beginning."""
        is_long = info is not None and info.type in columns.LONG_TEXTS
        return self.quote(field.name) + (f"({columns.INDEXED_LENGTH})" if is_long else "")

    def claim_key(self, transaction: Transaction, table: TableName, column: str, pk: Any) -> None:
        """Nothing is needed: a key that is brought moves what is counted up."""

    def lock_table(self, transaction: Transaction, quoted: str) -> None:
        """Take a lock by the table's name, which all who write it through rest_kit take."""
        name = f"rest_kit {quoted}"[:64]
        transaction.at_end(marked("SELECT release_lock($1)"), (name,))
        taken = transaction.rows(marked("SELECT get_lock($1, @@innodb_lock_wait_timeout)"), (name,))
        if taken[0][0] != 1:
            raise StoreUnavailable(f"the table {quoted} is busy with another write", retry_after=1)

    def delete(self, quoted: str) -> str:
        """How the statement that deletes from a table begins."""
        return " ".join(("DELETE t FROM", quoted, "AS t"))

    # --- replies ------------------------------------------------------------------------------------------------------

    reply_words = ReplyWords(
        text="varchar(64)",
        binary="longblob",
        number="double",
        replacing=" ON DUPLICATE KEY UPDATE digest = VALUES(digest), reply = VALUES(reply), at = VALUES(at)",
        prune="DELETE FROM {table} WHERE at <= {before} ORDER BY at LIMIT {most}",
        options=table_options,
    )

    def try_lock(self, transaction: Transaction, name: str) -> bool:
        """Take a lock by that name until the transaction ends, unless another one has it."""
        lock = f"rest_kit {hashlib.blake2b(name.encode(), digest_size=24).hexdigest()}"
        taken = bool(transaction.rows(marked("SELECT get_lock($1, 0)"), (lock,))[0][0])
        if taken:
            transaction.at_end(marked("SELECT release_lock($1)"), (lock,))
        return taken

    # --- events -------------------------------------------------------------------------------------------------------

    unless_there = " ON DUPLICATE KEY UPDATE resource = VALUES(resource)"

    def create_events(self, events: str, counters: str) -> Sequence[str]:
        """The statements that make the tables of events and of their numbers."""
        return events_.create(events, counters, self.table_options)

    def append_events(
        self, transaction: Transaction, tables: EventTables, resource: str, rows: Sequence[EventRow], at: float
    ) -> int | None:
        """Number events and add them."""
        return events_.append(transaction, tables, resource, rows, at)


SORTED: Final = 65536
"""Bytes by which texts are ordered, four a character; MariaDB's sort buffer has no room for much more."""
UNLIMITED: Final = 2**64 - 1
_TOLD: Final = "SELECT version(), @@character_set_client, @@sql_mode, @@sql_select_limit"

_KEY: Final = re.compile(r".*for key '(.*)'", re.DOTALL)
_CHECK: Final = re.compile(r"CONSTRAINT `(.*)` failed for ", re.DOTALL)
_CONSTRAINT: Final = re.compile(r"CONSTRAINT `((?:[^`]|``)*)` FOREIGN KEY")
_COLUMN: Final = re.compile(r"(?:[Cc]olumn|[Ff]ield) (?:`[^`]*`\.`[^`]*`\.)?['`]([^'`]*)['`]")


def _run(connection: Any, text: str) -> None:
    """Run a statement that has no rows; what the driver notes of it otherwise, such as autocommit, stays as it is."""
    with connection.cursor() as cursor:
        cursor.execute(text)


def _unknown(exc: BaseException) -> Trouble:
    """What an error is that is not known by its code."""
    if isinstance(exc, pymysql.DataError):
        return Trouble.VALUE
    return Trouble.MISTAKE if isinstance(exc, pymysql.ProgrammingError) else Trouble.FAILED


def _last(pattern: re.Pattern[str], text: str) -> str:
    """What MariaDB names last: values, which may look like anything, come before it."""
    found = pattern.findall(text)
    return str(found[-1]) if found else ""


_TROUBLES: Final = {
    ER.DUP_ENTRY: Trouble.UNIQUE,
    1586: Trouble.UNIQUE,
    ER.NO_REFERENCED_ROW_2: Trouble.DANGLING,
    ER.NO_REFERENCED_ROW: Trouble.DANGLING,
    ER.ROW_IS_REFERENCED_2: Trouble.RESTRICTED,
    ER.ROW_IS_REFERENCED: Trouble.RESTRICTED,
    ER.BAD_NULL_ERROR: Trouble.NULL,
    ER.NO_DEFAULT_FOR_FIELD: Trouble.NULL,
    4025: Trouble.CHECK,
    ER.DATA_TOO_LONG: Trouble.TOO_LONG,
    ER.WARN_DATA_OUT_OF_RANGE: Trouble.RANGE,
    ER.TRUNCATED_WRONG_VALUE_FOR_FIELD: Trouble.VALUE,
    ER.TRUNCATED_WRONG_VALUE: Trouble.VALUE,
    1265: Trouble.VALUE,
    1644: Trouble.REFUSED,
    ER.LOCK_DEADLOCK: Trouble.AGAIN,
    1020: Trouble.AGAIN,
    ER.LOCK_WAIT_TIMEOUT: Trouble.SLOW,
    1969: Trouble.SLOW,
    1317: Trouble.SLOW,
    ER.DISK_FULL: Trouble.FULL,
    ER.RECORD_FILE_FULL: Trouble.FULL,
    ER.OPTION_PREVENTS_STATEMENT: Trouble.READ_ONLY,
    1792: Trouble.READ_ONLY,
    1836: Trouble.READ_ONLY,
    ER.CON_COUNT_ERROR: Trouble.BUSY,
    1203: Trouble.BUSY,
    1226: Trouble.BUSY,
    ER.ACCESS_DENIED_ERROR: Trouble.DENIED,
    ER.DBACCESS_DENIED_ERROR: Trouble.DENIED,
    ER.TABLEACCESS_DENIED_ERROR: Trouble.DENIED,
    ER.COLUMNACCESS_DENIED_ERROR: Trouble.DENIED,
    ER.BAD_DB_ERROR: Trouble.DENIED,
    ER.SERVER_SHUTDOWN: Trouble.LOST,
    1927: Trouble.LOST,
    1080: Trouble.LOST,
    1152: Trouble.LOST,
    1158: Trouble.LOST,
    1159: Trouble.LOST,
    1160: Trouble.LOST,
    1161: Trouble.LOST,
    ER.NO_SUCH_TABLE: Trouble.CHANGED,
    ER.BAD_FIELD_ERROR: Trouble.CHANGED,
    ER.BAD_TABLE_ERROR: Trouble.CHANGED,
    ER.CANT_AGGREGATE_2COLLATIONS: Trouble.CHANGED,
    ER.COLLATION_CHARSET_MISMATCH: Trouble.CHANGED,
}
"""What MariaDB's error numbers mean."""
