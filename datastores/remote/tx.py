"""One atomic step over a remote that has no transactions: rehearsed first, then performed with at most one write.

In the rehearsal reads are remembered and writes only noted; whatever makes `work` fail does so before anything was
sent, a second write included. The performance reads from memory, and sends the one write on condition that what it
touches is still as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from datastores.remote.remote import Remote, Stale, Version
from rest_kit.errors import ReadOnly, RecordNotFound, Unsupported
from rest_kit.query import Query, Result, Where
from rest_kit.rows import matches, project
from rest_kit.store import Tx
from rest_kit.types import Kind, Pk, Record

T = TypeVar("T")
PLACEHOLDER: Final = -1
"""The integer key that a record has in a rehearsal, before the remote has made one."""


class Memory:
    """What one step has read so far, so that it is read once."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._versions: dict[Pk, Version] = {}
        self._results: dict[str, Result] = {}
        self._listed: dict[Pk, Record] = {}

    def get(self, pk: Pk) -> Version:
        """The record and its tag (RecordNotFound)."""
        if pk not in self._versions:
            self._versions[pk] = self._remote.get(pk)
        return self._versions[pk]

    def find(self, query: Query) -> Result:
        """What the query finds; the caller's own."""
        asked = repr(query)  # which tells 1 from True, and takes values that have no hash
        if asked not in self._results:
            result = self._remote.find(query)
            self._results[asked] = result
            key = self._remote.key.name
            self._listed.update({record[key]: record for record in result.records if key in record})
        known = self._results[asked]
        return Result([project(record, record) for record in known.records], known.more, known.total)

    def version_to_write(self, pk: Pk) -> Version | None:
        """The version that a write relies on; None where the record was not read (Stale, RecordNotFound).

        A list tells no entity tag, so a record that was read in one is got, and must be the same.
        """
        if pk in self._versions:
            return self._versions[pk]
        if pk not in self._listed:
            return None
        version = self.get(pk)
        if any(version.record[name] != value for name, value in self._listed[pk].items()):
            raise Stale
        return version


class RemoteTx(Tx):
    """The step, rehearsed (`perform` false) or performed."""

    def __init__(self, remote: Remote, memory: Memory, *, perform: bool, why_not: str) -> None:
        self._remote = remote
        self._memory = memory
        self._perform = perform
        self._why_not = why_not
        self._written: dict[Pk, Record | None] = {}
        self.writes = 0

    # Reading

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        record = self._written[pk] if pk in self._written else self._memory.get(pk).record
        if record is None or not matches(scope, record):
            raise RecordNotFound(pk)
        return project(record, record)

    def find(self, query: Query) -> Result:
        if self.writes and self._perform:
            return self._remote.find(query)
        return self._memory.find(query)

    # Writing

    def _begin(self) -> None:
        """Make room for a write (ReadOnly, Unsupported)."""
        if self._why_not:
            raise ReadOnly(self._why_not)
        self.writes += 1
        if self.writes > 1:
            raise Unsupported(
                "the API that holds the data cannot undo a write when the next one fails, so only one object is "
                "written at a time"
            )

    def insert(self, records: Sequence[Record]) -> list[Record]:
        if not records:
            return []
        self._begin()
        self._check(records)
        stored = self._remote.insert(records) if self._perform else [self._foreseen(record) for record in records]
        for record in stored:
            self._written[record[self._remote.key.name]] = record
        return [project(record, record) for record in stored]

    def _check(self, records: Sequence[Record]) -> None:
        """Refuse what the remote could not do as a whole (Unsupported)."""
        remote = self._remote
        if len(records) > 1 and not remote.dialect.bulk:
            raise Unsupported("the API that holds the data takes one new object at a time")
        brought = remote.key.generated and any(record.get(remote.key.name) is not None for record in records)
        if brought and not remote.dialect.brings_keys:
            raise Unsupported(f"the API that holds the data makes {remote.key.name} itself, and takes none")

    def _foreseen(self, record: Record) -> Record:
        """About the record that the remote would store."""
        key = self._remote.key
        full = {name: record.get(name) for name in self._remote.model.names}
        if full[key.name] is None and key.kind is Kind.INTEGER:
            full[key.name] = PLACEHOLDER
        return full

    def update(self, pk: Pk, record: Record) -> Record:
        self._begin()
        known = self._memory.version_to_write(pk)
        fields = self._remote.model.by_name
        changes = {name: value for name, value in record.items() if name in fields and name != self._remote.key.name}
        if self._perform:
            stored = self._remote.update(pk, _differing(changes, known), known)
        else:
            # read only to show what would come of it: the write does not rely on this
            current = known or self._remote.get(pk)
            stored = {**current.record, **changes}
        self._written[pk] = stored
        return project(stored, stored)

    def delete(self, pk: Pk) -> None:
        self._begin()
        known = self._memory.version_to_write(pk)
        if self._perform:
            self._remote.delete(pk, known)
        self._written[pk] = None


def _differing(changes: Record, known: Version | None) -> Record:
    """The fields that really change; so what we are not shown (a write-only field) is not overwritten with nothing."""
    if known is None:
        return changes
    return {name: value for name, value in changes.items() if value != known.record[name]}


def run(remote: Remote, work: Callable[[Tx], T], why_not: str) -> T:
    """Rehearse `work`, and perform it if it writes (Stale where what it relies on has changed in between)."""
    memory = Memory(remote)
    rehearsal = RemoteTx(remote, memory, perform=False, why_not=why_not)
    result = work(rehearsal)
    if not rehearsal.writes:
        return result
    return work(RemoteTx(remote, memory, perform=True, why_not=why_not))
