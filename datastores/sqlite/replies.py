"""The replies that are kept under idempotency keys: rows of `_rest_kit_replies` in the same file.

Writers of one file come one after the other, so that a key is nobody else's while one of them has it.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from datastores.sqlite.database import reader, rows_if_there
from datastores.sqlite.failures import is_missing_table
from datastores.sqlite.grammar import GRAMMAR
from datastores.tables.replies import ON_CONFLICT, Replies, ReplyWords
from rest_kit.store import OWN_FILE_TABLES

REPLIES: Final = f"{OWN_FILE_TABLES}replies"

_WORDS: Final = ReplyWords(
    text="TEXT",
    binary="BLOB",
    number="REAL",
    replacing=ON_CONFLICT,
    prune="DELETE FROM {table} WHERE rowid IN"
    " (SELECT rowid FROM {table} WHERE at <= {before} ORDER BY at LIMIT {most})",
)


class SQLiteReplies:
    """The replies of one table of a file."""

    def __init__(self, table: str) -> None:
        self._replies = Replies(REPLIES, table, GRAMMAR.parameter, _WORDS)

    def read(self, connection: sqlite3.Connection, key: str) -> tuple[bytes, bytes] | None:
        """The digest and the reply under a key."""
        return self._replies.read(lambda sql, values: rows_if_there(connection, sql, values), key)

    def put(self, connection: sqlite3.Connection, key: str, digest: bytes, reply: bytes) -> None:
        """Keep a reply, within a writing transaction."""

        execute = reader(connection)
        try:
            self._replies.put(execute, key, digest, reply)
        except sqlite3.OperationalError as exc:
            if not is_missing_table(exc):
                raise
            for text in self._replies.create:
                connection.execute(text)
            self._replies.put(execute, key, digest, reply)
