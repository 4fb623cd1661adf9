"""The replies that are kept under idempotency keys: rows of `rest_kit_replies` in the schema of the table.

Who claims a key takes a lock by its name, without waiting. Who does not get it still finds a reply that is there.
"""

from __future__ import annotations

from datastores.sql.catalogue import TableName
from datastores.sql.database import Database
from datastores.sql.dialect import parameter
from datastores.sql.transaction import Transaction
from datastores.tables.replies import Replies
from rest_kit.errors import KeyInUse
from rest_kit.store import OWN_TABLES


class NoReplies(Exception):
    """The table of replies is not known to be there; it is to be made outside of the transaction, which runs again."""


class SQLReplies:
    """The replies of one table of a server's database."""

    def __init__(self, database: Database, table: TableName) -> None:
        self._database = database
        self._place = TableName(f"{OWN_TABLES}replies", table.schema)
        quoted = database.dialect.quoted(self._place)
        self._replies = Replies(quoted, table.name, parameter, database.dialect.reply_words)
        self._lock = f"{database.engine.url.database} {quoted} {table.name}"
        self._made = False

    def make(self) -> None:
        """Make the table where it is not there."""
        if self._database.dialect.read_table(self._database.rows, self._place) is None:
            self._database.define(self._create)
        self._made = True

    def _create(self, transaction: Transaction) -> None:
        self._database.dialect.guard_creation(transaction.rows)
        for text in self._replies.create:
            transaction.rows(text)

    def read(self, transaction: Transaction, key: str) -> tuple[bytes, bytes] | None:
        """The digest and the reply under a key, which is this transaction's from now on (KeyInUse, NoReplies)."""
        if not self._made:
            raise NoReplies
        free = self._database.dialect.try_lock(transaction, f"{self._lock} {key}")
        found = self._replies.read(transaction.rows, key)
        if found is None and not free:
            raise KeyInUse("the request that this idempotency key stands for is still running")
        return found

    def put(self, transaction: Transaction, key: str, digest: bytes, reply: bytes) -> None:
        """Keep a reply."""
        self._replies.put(transaction.rows, key, digest, reply)
