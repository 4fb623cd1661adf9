"""One database as this process sees it: a pool of connections, transactions, the driver's errors in our words.

A statement borrows a raw connection for a moment. Within a transaction the thread keeps its connection: what it reads
then is what it wrote. A connection that turns out to be lost is thrown away and, where nothing has been done with it
yet, the next one is tried, so that a server's restart heals by itself. After a fork the child begins with an empty
pool.
"""

from __future__ import annotations

import random
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, Final, TypeVar

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from datastores.sql.catalogue import TableName
from datastores.sql.dialect import Dialect
from datastores.sql.engines import is_exhausted
from datastores.sql.failures import UNUSABLE, Again, Failure, Trouble
from datastores.sql.refusals import refusal
from datastores.sql.statement import StatementCache
from datastores.sql.transaction import Transaction
from datastores.tables.statements import Row
from datastores.tables.tries import Tries
from rest_kit.errors import Fault, InvalidQuery, RestKitError, StoreUnavailable
from rest_kit.forks import Shared, never_close, renew_after_fork

T = TypeVar("T")

ATTEMPTS: Final = 10
"""How often a transaction is run that deadlocks or collides with others."""
PAUSE: Final = 0.02
"""Seconds that are waited, at random, before the second attempt; twice as long before each further one."""
LONGEST_PAUSE: Final = 0.5
"""Seconds that are waited before any attempt at most, so that all of them together take no more than a few."""


MOST_LOST: Final = 100
"""How many lost connections one call throws away at most."""


CURSOR: Final = "rest_kit"
"""Where a connection of our own keeps its cursor."""
MOST_HELD: Final = 128
"""How many rows a cursor that is kept may hold until it is used again."""


class _Active(threading.local):
    """The transaction that each thread is in."""

    transaction: Transaction | None = None


class Database:
    """The connections of this process to one database; `at` gives all stores over one place the same."""

    _known: ClassVar[Shared[Hashable, Database]] = Shared()

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self.engine = engine
        self.dialect = dialect
        self.owned = owned = dialect.owned
        self.name = f"the {dialect.name} database {engine.url.database!r}"
        self.statements = StatementCache(dialect.numbers)
        self.stores: weakref.WeakValueDictionary[TableName, Any] = weakref.WeakValueDictionary()
        """The stores of this process, by their tables: one may have to be made before another."""
        self.generation = 0
        """Counts how often a statement found the tables changed."""
        driver = dialect.errors
        self.errors: tuple[type[BaseException], ...] = (*driver, SQLAlchemyError, UnicodeEncodeError, OverflowError)
        self._active = _Active()
        self._meeting = threading.Lock()
        self._met = False
        self._tries = Tries()
        if owned:
            # not __del__: the pool must outlive whatever cycle of garbage the database is a part of
            weakref.finalize(self, engine.dispose)
        renew_after_fork(self, Database._leave_to_parent)

    @classmethod
    def at(cls, key: Hashable, make: Callable[[], Database]) -> Database:
        """The one database of that key, made where there is none."""
        return cls._known.at(key, make)

    def _leave_to_parent(self) -> None:
        """Leave every connection to the parent, in a forked child."""
        never_close(self.engine.pool)
        self.engine.dispose(close=False)
        self._active = _Active()
        self._meeting = threading.Lock()

    def meet(self) -> Dialect:
        """The dialect, knowing this server (StoreUnavailable)."""
        if not self._met:
            seen = self._tries.failures
            with self._meeting:
                self._meet(seen)
        return self.dialect

    def _meet(self, seen: int) -> None:
        if not self._met:
            self._tries.share(seen)
            with self._tries.noted():
                self.dialect.meet(self.rows)
            self._met = True

    # --- reading ------------------------------------------------------------------------------------------------------

    def rows(self, text: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of one statement, which is a snapshot by itself; within a transaction, of what it has written."""
        active = self._active.transaction
        if active is not None:
            return active.rows(text, values)
        return self._lone(text, values)

    def committed(self, text: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of one statement over what is committed, even where this thread is writing just now."""
        self.refuse_to_wait()
        return self._lone(text, values)

    def _lone(self, text: str, values: Sequence[Any]) -> list[Row]:
        """All rows of one statement, on whichever connection is free."""
        statement = self.statements[text]
        parameters = statement.parameters(values)
        lost = 0
        while True:
            borrowed = self._borrow()
            try:
                return self._fetch(borrowed, statement.text, parameters)
            except self.errors as exc:
                if not self._may_try_another(exc, lost):
                    raise self.refuse(exc) from exc
                lost += 1
            finally:
                borrowed.close()

    def _fetch(self, borrowed: PoolProxiedConnection, text: str, parameters: list[Any]) -> list[Row]:
        connection: Any = borrowed.dbapi_connection
        entered = None if self.owned else self.dialect.enter(connection)
        ended = False
        try:
            cursor = self.cursor(borrowed)
            cursor.execute(text, parameters)
            rows: list[Row] = cursor.fetchall()
            self.done(borrowed, cursor, len(rows))
            ended = True
            return rows
        except self.errors as exc:
            ended = self.failure(exc).trouble not in UNUSABLE
            raise
        finally:
            if not ended:
                borrowed.invalidate()
            elif not self.owned:
                self.dialect.leave(connection, entered)

    # --- writing ------------------------------------------------------------------------------------------------------

    def atomic(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction, again where it collides; within one of this thread, as a part of it."""
        active = self._active.transaction
        if active is not None:
            return active.part(work)
        for attempt in range(ATTEMPTS - 1):
            try:
                return self._transaction(work)
            except Again:
                time.sleep(random.uniform(0, min(PAUSE * 2**attempt, LONGEST_PAUSE)))
        try:
            return self._transaction(work)
        except Again as exc:
            raise StoreUnavailable(f"{self.name} is too busy with other writes", retry_after=1) from exc

    def apart(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction of its own, even within another one of this thread."""
        self.refuse_to_wait()
        outer, self._active.transaction = self._active.transaction, None
        try:
            return self.atomic(work)
        finally:
            self._active.transaction = outer

    def define(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which makes tables: on a connection of its own where that would end this thread's transaction."""
        active = self._active.transaction
        if active is None:
            return self.atomic(work)
        if self.dialect.defining_commits:
            return self.apart(work)
        active.defines = True
        return active.part(work)

    def _transaction(self, work: Callable[[Transaction], T]) -> T:
        transaction = self._begin()
        try:
            self._active.transaction = transaction
            result = work(transaction)
            transaction.commit()
            return result
        finally:
            self._active.transaction = None
            transaction.end()

    def _begin(self) -> Transaction:
        lost = 0
        while True:
            transaction = Transaction(self, self._borrow())
            try:
                transaction.begin()
                return transaction
            except self.errors as exc:
                transaction.end()
                if not self._may_try_another(exc, lost):
                    raise self.refuse(exc) from exc
                lost += 1

    # --- connections --------------------------------------------------------------------------------------------------

    def _borrow(self) -> PoolProxiedConnection:
        try:
            return self.engine.raw_connection()
        except PoolTimeout as exc:
            raise StoreUnavailable(f"all connections to {self.name} are busy", retry_after=1) from exc
        except self.errors as exc:
            raise self.refuse(exc) from exc

    def refuse_to_wait(self) -> None:
        """Refuse to wait for a second connection with the first in hand: who has them may wait for that one."""
        if self._active.transaction is not None and is_exhausted(self.engine.pool):
            raise StoreUnavailable(
                f"{self.name}: what is done for the first time within a transaction takes a second connection, and all "
                "are taken: write to each table once before, or raise pool_size",
                retry_after=1,
            )

    # PERF: benchmarks/sql.py, PostgreSQL, one: a cursor that has converted a value of some type knows how the next time
    def cursor(self, borrowed: PoolProxiedConnection) -> Any:
        """A cursor of a connection: of our own, the one that it keeps."""
        kept = borrowed.info.get(CURSOR) if self.owned else None
        if kept is not None:
            return kept
        connection: Any = borrowed.dbapi_connection
        made = self.dialect.cursor(connection)
        if self.owned:
            borrowed.info[CURSOR] = made
        return made

    def done(self, borrowed: PoolProxiedConnection, cursor: Any, rows: int) -> None:
        """Close a cursor, unless it is kept and what it still holds is little."""
        if not self.owned:
            cursor.close()
        elif rows > MOST_HELD:
            del borrowed.info[CURSOR]
            cursor.close()

    def _may_try_another(self, exc: BaseException, lost: int) -> bool:
        """Whether the connection was lost, perhaps long ago, while others in the pool may live.

        A restart of the server loses all that are idle; one that is new tells whether the server is back.
        """
        if self.failure(exc).trouble is not Trouble.LOST:
            return False
        idle = getattr(self.engine.pool, "checkedin", None)
        return lost == 0 or (lost < MOST_LOST and idle is not None and idle() > 0)

    def close(self) -> None:
        """Close the connections that nobody uses now, if they are ours."""
        if self.owned:
            self.engine.dispose()

    # --- errors -------------------------------------------------------------------------------------------------------

    def failure(self, exc: BaseException) -> Failure:
        """What an error of the driver means, whether SQLAlchemy has wrapped it or not."""
        return self.dialect.failure(getattr(exc, "orig", None) or exc)

    def refuse(self, exc: BaseException) -> RestKitError:
        """An error of the driver in rest_kit's words."""
        if isinstance(exc, UnicodeEncodeError | OverflowError):
            return InvalidQuery(Fault("text", "a text or a number is one that no database can hold"))
        failure = self.failure(exc)
        if failure.trouble is Trouble.CHANGED:
            self.generation += 1
        return refusal(failure, self.name)
