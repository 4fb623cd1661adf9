"""One collection of a remote API, as far as a model describes it: typed records in and out, one request for each step.

Replies about records become the contract's errors here: not found, conflict, stale, invalid, not allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from datastores.remote.client import Client, Request, json_of
from datastores.remote.dialect import Dialect
from datastores.remote.find import Finder
from datastores.remote.paging import Lists, Stretch
from datastores.remote.records import Rows
from datastores.remote.refusals import conflict, invalid
from datastores.remote.transport import Deadline, Reply
from rest_kit.errors import RecordNotFound, RemoteError, Unsupported
from rest_kit.models import Field, Model
from rest_kit.query import Query, Result
from rest_kit.types import Pk, Record


class Stale(Exception):
    """The record has changed since the version that a write was meant for."""


class Version(NamedTuple):
    """A record, and the entity tag of this state of it (None where the remote promises none)."""

    record: Record
    tag: str | None


class Remote:
    """Reads and writes the records of one model."""

    def __init__(self, client: Client, dialect: Dialect, model: Model, scan_limit: int) -> None:
        assert model.pk is not None
        self.client = client
        self.dialect = dialect
        self.model = model
        self.key: Field = model.pk
        self._scan_limit = scan_limit
        self._rows = Rows(model, dialect.names)
        self._lists = Lists(client, dialect)

    # Reading

    def probe(self) -> None:
        """Return if the list can be read (RemoteError)."""
        next(self._lists.chunks(Stretch([], wanted=1), self.client.deadline()))

    def find(self, query: Query) -> Result:
        """What the query finds (RemoteError, TooMuchToScan)."""
        finder = Finder(self._lists, self.dialect, self._rows, query, self.client.deadline())
        return finder.result(self._scan_limit)

    def get(self, pk: Pk) -> Version:
        """The record with that key (RecordNotFound, RemoteError)."""
        request = self.dialect.get(self.client.address, self.key, pk)
        reply = self.client.call(request, self.client.deadline())
        if reply.status in self.dialect.missing or reply.status in (400, 422):
            raise RecordNotFound(pk)  # a key that the other side cannot even read is none of its own
        if reply.status >= 400:
            raise RemoteError(f"{request}: answered with {reply.status}")
        version = self._version(request, reply, json_of(request, reply))
        if version.record[self.key.name] != pk:  # text keys that a database takes for the same are not
            raise RecordNotFound(pk)
        return version

    def _version(self, request: Request, reply: Reply, row: Any) -> Version:
        tag = reply.headers.get("etag", "")
        if not self.dialect.conditional:
            return Version(self._rows.record(row, self.model.names), None)
        if not tag.startswith('"'):
            raise RemoteError(f"{request}: sent no strong ETag; say 'conditional': False in the resource's dialect")
        return Version(self._rows.record(row, self.model.names), tag)

    # Writing

    def insert(self, records: Sequence[Record]) -> list[Record]:
        """Add records; as stored (Conflict, ValidationError, RemoteError)."""
        rows = [self._rows.row(record, self._sent(record)) for record in records]
        request = self.dialect.insert(self.client.address, rows)
        reply = self.client.call(request, self.client.deadline())
        single = 0 if len(records) == 1 else None
        if reply.status >= 400:
            raise self._insert_refusal(request, reply, single)
        stored = self.dialect.stored(request, reply)
        if len(stored) != len(records):
            raise RemoteError(f"{request}: {len(records)} rows were added, and {len(stored)} came back")
        return self._rows.records(stored, self.model.names)

    def _insert_refusal(self, request: Request, reply: Reply, single: int | None) -> Exception:
        if reply.status == 409:
            return conflict(self.dialect.refusal(reply), self._rows.ours, single)
        if reply.status in (400, 422):
            return invalid(self.dialect.refusal(reply), self._rows.ours, () if single is None else (single,))
        return self._refusal(request, reply)

    def _sent(self, record: Mapping[str, Any]) -> list[str]:
        """The fields of a new record that are sent: not those that the other side sets itself."""
        return [name for name in self.model.names if name in record and self.is_sent(self.model.by_name[name])]

    def is_sent(self, field: Field) -> bool:
        """Whether the other side takes a value for the field from us."""
        if field is self.key:
            return field.writable or self.dialect.brings_keys
        return not (self.dialect.own_fields and field.read_only)

    def update(self, pk: Pk, changes: Record, current: Version | None) -> Record:
        """Change some fields, if the record is still that version where one is given; as stored.

        RecordNotFound, Stale, Conflict, ValidationError, RemoteError.
        """
        names = [name for name in changes if name != self.key.name and self.is_sent(self.model.by_name[name])]
        deadline = self.client.deadline()
        if self.dialect.update == "PUT":
            current = self.get(pk) if current is None else current
            changes, names = {**current.record, **changes}, [*self._sent(current.record)]
        if not names:
            return (current or self.get(pk)).record
        request = self.dialect.change(self._url(pk), self._rows.row(changes, names))
        reply = self._write_item(_conditional(request, current), pk, deadline)
        if reply.status == 204 or not reply.body:
            return self.get(pk).record
        return self._rows.record(self.dialect.stored(request, reply)[0], self.model.names)

    def delete(self, pk: Pk, current: Version | None) -> None:
        """Remove the record, if it is still that version where one is given (RecordNotFound, Stale, Conflict)."""
        request = _conditional(self.dialect.remove(self._url(pk)), current)
        self._write_item(request, pk, self.client.deadline())

    def _url(self, pk: Pk) -> str:
        return self.dialect.item(self.client.address, self.key, pk)

    def _write_item(self, request: Request, pk: Pk, deadline: Deadline) -> Reply:
        """The reply to a write to one record, if that was done."""
        reply = self.client.call(request, deadline)
        if reply.status < 400:
            return reply
        if reply.status in self.dialect.missing:
            raise RecordNotFound(pk)
        if reply.status == 412:
            raise Stale
        if reply.status == 409:
            raise conflict(self.dialect.refusal(reply), self._rows.ours, None)
        if reply.status in (400, 422):
            raise invalid(self.dialect.refusal(reply), self._rows.ours, ())
        raise self._refusal(request, reply)

    def _refusal(self, request: Request, reply: Reply) -> Exception:
        if reply.status in (405, 501):
            return Unsupported(f"the API that holds the data does not take {request.method} here")
        return RemoteError(f"{request}: answered with {reply.status}")


def _conditional(request: Request, current: Version | None) -> Request:
    """The request, to be done only if the record is still that version."""
    if current is None or current.tag is None:
        return request
    return request._replace(headers={**request.headers, "If-Match": current.tag})
