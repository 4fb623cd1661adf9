"""One transaction on one borrowed connection: its statements, its parts, and the events appended at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.pool import PoolProxiedConnection

from datastores.sql.failures import UNUSABLE, Trouble
from datastores.tables.statements import Row
from rest_kit.errors import OutcomeUnknown, RestKitError, StoreUnavailable

if TYPE_CHECKING:
    from datastores.sql.database import Database
    from datastores.sql.events import Entry, SQLEventLog

T = TypeVar("T")


class Again(StoreUnavailable):
    """The transaction collided with another one and was undone; it may be run again."""


class Transaction:
    """What one thread does until it commits. Not to be used once it has ended."""

    def __init__(self, database: Database, borrowed: PoolProxiedConnection) -> None:
        self.database = database
        self._borrowed = borrowed
        self._connection: Any = borrowed.dbapi_connection
        self._entered: Any = None
        self._unfit = False
        """Whether the connection is in the middle of something, or lost, and must not go back to the pool."""
        self._parts = 0
        self._events: list[tuple[SQLEventLog, Entry]] = []
        self._endings: list[tuple[str, Sequence[Any]]] = []
        self._failure: RestKitError | None = None
        self.defines = False
        """Whether it has made tables: if it is undone, they are not there."""
        self.count = 0
        """How many statements were run: what was read under a lock stays true while no other one is."""
        self.last_id: int | None = None
        """The key that the database made for the last row inserted, where it tells it so."""
        self.touched = 0
        """How many rows the last statement was about."""

    # --- statements ---------------------------------------------------------------------------------------------------

    def rows(self, text: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of one statement, none of one that has none (every error in rest_kit's words)."""
        try:
            return self.run(text, values)
        except self.database.errors as exc:
            raise self.refuse(exc) from exc

    def run(self, text: str, values: Sequence[Any] = ()) -> list[Row]:
        """The same, with the errors that broke a rule of a table left as the driver's."""
        if self._failure is not None:
            raise self._failure
        statement = self.database.statements[text]
        self.count += 1
        self._unfit = True
        cursor = self.database.cursor(self._borrowed)
        try:
            cursor.execute(statement.text, statement.parameters(values))
            rows: list[Row] = list(cursor.fetchall()) if cursor.description is not None else []
        except self.database.errors as exc:
            self._unfit = self.database.failure(exc).trouble in UNUSABLE
            raise
        self.last_id = getattr(cursor, "lastrowid", None)
        self.touched = cursor.rowcount
        self.database.done(self._borrowed, cursor, len(rows))
        self._unfit = False
        return rows

    def refuse(self, exc: BaseException) -> RestKitError:
        """A driver's error in rest_kit's words; nothing more can be done where it has ended the transaction."""
        refused = self.database.refuse(exc)
        trouble = self.database.failure(exc).trouble
        if self.database.dialect.ends_with_errors or trouble is Trouble.AGAIN or trouble in UNUSABLE:
            self._failure = refused
        return refused

    def fail(self, refused: RestKitError) -> RestKitError:
        """Note that a table's rule was broken, by whatever error tells it best."""
        if self.database.dialect.ends_with_errors:
            self._failure = refused
        return refused

    # --- from begin to end --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start it (the driver's errors)."""
        dialect = self.database.dialect
        self._unfit = True
        if not self.database.owned:
            self._entered = dialect.enter(self._connection)
        dialect.begin(self._connection)
        self._unfit = False

    def part(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` as a part that can be undone by itself."""
        self._parts += 1
        name = f"rest_kit_{self._parts}"
        self.rows(f"SAVEPOINT {name}")
        noted, kept = len(self._events), False
        try:
            result = work(self)
            if self._failure is not None:
                raise self._failure
            self.rows(f"RELEASE SAVEPOINT {name}")
            kept = True
            return result
        finally:
            if not kept:
                del self._events[noted:]
                self._forget_tables()
                self._back_to(name)

    def _back_to(self, name: str) -> None:
        """Undo a part; the whole is lost where even that is not possible."""
        if not isinstance(self._failure, Again):
            self._failure = None
        self.rows(f"ROLLBACK TO SAVEPOINT {name}")

    def _forget_tables(self) -> None:
        """Have all tables read again where some of them may just have been undone."""
        self.database.generation += self.defines

    def at_end(self, text: str, values: Sequence[Any]) -> None:
        """Run a statement once the transaction has ended, in whatever way."""
        self._endings.append((text, values))

    def note(self, log: SQLEventLog, entry: Entry) -> None:
        """Append an event at the end."""
        self._events.append((log, entry))

    def commit(self) -> None:
        """Append the events and keep everything (every error in rest_kit's words)."""
        for log in dict.fromkeys(log for log, _ in self._events):
            log.append(self, [entry for own, entry in self._events if own is log])
        self._commit()
        self.defines = False

    def _commit(self) -> None:
        try:
            self.run("COMMIT")
        except self.database.errors as exc:
            refused = self.refuse(exc)
            if self.database.failure(exc).trouble in UNUSABLE:
                refused = OutcomeUnknown(f"{self.database.name} was lost during a commit, which it may have made")
            raise refused from exc

    def end(self) -> None:
        """Undo what was not committed, and give the connection back as it was taken."""
        self._forget_tables()
        try:
            if self._unfit:
                self._borrowed.invalidate()
            else:
                self._leave()
        except self.database.errors as exc:
            self._borrowed.invalidate(exc)
        finally:
            self._borrowed.close()

    def _leave(self) -> None:
        self.database.dialect.leave(self._connection, self._entered)
        self._failure = None
        for text, values in self._endings:
            self.run(text, values)
