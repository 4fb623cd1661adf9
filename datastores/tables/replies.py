"""The replies to writes, kept under idempotency keys in a table of ours beside the one that was written.

A reply is put there by the transaction that it is the reply to, so that it is there if and only if the write is. Each
lies there for `IDEMPOTENCY_SECONDS`; one write in sixteen takes away some whose time is up.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from datastores.tables.statements import Row
from rest_kit.store import IDEMPOTENCY_SECONDS

DROPPED: Final = 100
"""How many replies whose time is up are taken away at once at most."""
SHARE: Final = 16
"""One in so many keys, by what they are, has the write that brings it clean up."""
ON_CONFLICT: Final = (
    " ON CONFLICT (resource, claim) DO UPDATE SET digest = excluded.digest, reply = excluded.reply, at = excluded.at"
)
"""What ends an insert that takes the place of a row with the same key, in PostgreSQL and SQLite."""

Execute = Callable[[str, Sequence[Any]], Sequence[Row]]
"""Runs one statement within the transaction under way, and returns its rows."""


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """What one database writes otherwise than another: its types, how a row replaces another, how a few are deleted.

    `prune` has `{table}`, `{before}` (the parameter) and `{most}`.
    """

    text: str
    binary: str
    number: str
    replacing: str
    prune: str
    options: str = ""


class Replies:
    """The texts that make, read and write the table, and the resource whose replies are meant."""

    def __init__(self, table: str, resource: str, parameter: Callable[[int], str], words: ReplyWords) -> None:
        self.table = table
        self.resource = resource
        one, two, three, four, five = map(parameter, range(1, 6))
        index = table.rpartition(".")[2].strip('"`') + "_at"
        self.create = (
            f"CREATE TABLE IF NOT EXISTS {table} (resource {words.text} NOT NULL, claim {words.text} NOT NULL,"
            f" digest {words.binary} NOT NULL, reply {words.binary} NOT NULL, at {words.number} NOT NULL,"
            f" PRIMARY KEY (resource, claim)){words.options}",
            f"CREATE INDEX IF NOT EXISTS {index} ON {table} (at)",
        )
        where = f"WHERE resource = {one} AND claim = {two} AND at > {three}"
        self._read = " ".join(("SELECT digest, reply FROM", table, where))
        values = f"(resource, claim, digest, reply, at) VALUES ({one}, {two}, {three}, {four}, {five})"
        self._put = " ".join(("INSERT INTO", table, values)) + words.replacing
        self._prune = words.prune.format(table=table, before=one, most=DROPPED)

    def read(self, execute: Execute, key: str) -> tuple[bytes, bytes] | None:
        """The digest and the reply under a key, if its time is not up."""
        rows = execute(self._read, (self.resource, key, time.time() - IDEMPOTENCY_SECONDS))
        return (bytes(rows[0][0]), bytes(rows[0][1])) if rows else None

    def put(self, execute: Execute, key: str, digest: bytes, reply: bytes) -> None:
        """Keep a reply, in place of what is there."""
        now = time.time()
        execute(self._put, (self.resource, key, digest, reply, now))
        if zlib.crc32(key.encode()) % SHARE == 0:
            execute(self._prune, (now - IDEMPOTENCY_SECONDS,))
