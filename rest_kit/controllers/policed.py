"""The transaction that a write is given where policies or hooks have a say.

What is read lies within the caller's scope, and what is written stays within it. Hooks run before each write, within
the transaction, and what they change is validated; those that follow a write run once it is kept.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from rest_kit.controllers.access import Access
from rest_kit.controllers.batches import each_at
from rest_kit.controllers.hooks import Changes, Hooks
from rest_kit.controllers.merging import Merging
from rest_kit.errors import PermissionDenied
from rest_kit.models import Field
from rest_kit.models.files import keys_named
from rest_kit.query import Query, Result, Where, conjoin
from rest_kit.request import Request
from rest_kit.rows import matches
from rest_kit.store import Tx
from rest_kit.types import Pk, Record


class Policed(Tx):
    """One attempt at a write for one request; `changes` is what the attempt has done."""

    def __init__(self, tx: Tx, request: Request, merging: Merging, access: Access | None, hooks: Hooks) -> None:
        self._tx = tx
        self._request = request
        self._merging = merging
        self._pk = merging.pk
        self._unasked = tuple(field.name for field in merging.model.by_name.values() if _must_be_found(field))
        self._access = access
        self._hooks = hooks
        self._read: dict[Pk, Record] = {}
        self._placed: set[str] = set()
        self.changes = Changes()

    # --- reading ------------------------------------------------------------------------------------------------------

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        record = self._tx.get(pk, conjoin(self._request.scope, scope))
        self._read[pk] = dict(record)
        return record

    def find(self, query: Query) -> Result:
        scope = self._request.scope
        if scope is not None:
            query = Query(conjoin(scope, query.where), query.order, query.fields, query.search, query.page, query.total)
        result = self._tx.find(query)
        if query.fields is None:
            self._read.update({record[self._pk]: dict(record) for record in result.records})
        return result

    def _before(self, pk: Pk) -> Record:
        """A record as it was read (RecordNotFound)."""
        if pk not in self._read:
            self.get(pk)
        return self._read[pk]

    # --- writing ------------------------------------------------------------------------------------------------------

    def insert(self, records: Sequence[Record]) -> list[Record]:
        records = each_at(records, self._new)
        stored = self._tx.insert(records)
        self._check(stored)
        if self._access is not None and not self._tx.rehearsing:
            for record in stored:
                self._access.permission.storing(self._request, record)
        for record in stored:
            self.changes.note(None, dict(record))
        return stored

    def _new(self, place: int, record: Record) -> Record:
        """A record of a batch, ready to be stored."""
        record = dict(record)
        if self._access is not None:
            self._access.permission.fill_in(self._request, record)
        if self._hooks.before_create is not None:
            was = copy.deepcopy(record)
            self._hooks.before_create(self._request, record)
            self._merging.settle(record, was)
            self._merging.refuse_reserved(record)
        if any(record.get(name) is None for name in self._unasked):
            raise PermissionDenied("an object needs a value here that is not yours to set")
        self._refuse_borrowed({}, record)
        return record

    def update(self, pk: Pk, record: Record) -> Record:
        before = self._before(pk)
        record = dict(record)
        if self._hooks.before_update is not None:
            was = copy.deepcopy(record)
            self._hooks.before_update(self._request, copy.deepcopy(before), record)
            if record.get(self._pk) != was.get(self._pk):
                raise ValueError("before_update cannot change the primary key")
            self._merging.settle(record, was, before)
        self._refuse_borrowed(before, record)
        stored = self._tx.update(pk, record)
        self._check([stored])
        self.changes.note(before, dict(stored))
        return stored

    def delete(self, pk: Pk) -> None:
        before = self._before(pk)
        if self._hooks.before_delete is not None:
            self._hooks.before_delete(self._request, copy.deepcopy(before))
        self._tx.delete(pk)
        self.changes.note(before, None)

    def _refuse_borrowed(self, before: Record, record: Record) -> None:
        """Refuse a file that is another record's, as it would go with whichever of the two is deleted (ValueError).

        A record has the files that it had, and those that its request has brought for no other.
        """
        names = self._merging.files
        if not names:
            return
        new = keys_named(record, names) - keys_named(before, names)
        borrowed = new.difference(self._request.uploads or ()) | (new & self._placed)
        if borrowed:
            raise ValueError(f"a file belongs to one record, and these are not this one's: {', '.join(borrowed)}")
        self._placed |= new

    def _check(self, stored: Sequence[Record]) -> None:
        """Refuse to leave records where the caller could not see them, or might not work on them (AccessError).

        A rehearsal stores nothing, and knows no keys yet.
        """
        access, scope = self._access, self._request.scope
        if access is None or self._tx.rehearsing:
            return
        if not all(matches(scope, record) for record in stored):
            access.refuse(self._request, "this would put the object where you may not see it")
        access.check_objects(self._request, stored)

    def claim(self, key: str, digest: bytes) -> bytes | None:
        return self._tx.claim(key, digest)

    def keep(self, key: str, reply: bytes) -> None:
        self._tx.keep(key, reply)


def _must_be_found(field: Field) -> bool:
    """Whether a new record needs a value that this caller cannot send, and that no store makes."""
    return not (field.nullable or field.writable or field.generated)
