"""One object of a resource in the hands of an action: read within the caller's scope, changed, and saved.

    task = self.get_object(request, pk)
    task.completed = True
    task.save()

It is saved the way that a PATCH is: validated, behind the guard of relations, with hooks and events, and against the
version that was read, so that nobody's write in between is lost.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rest_kit.controllers.merging import differing
from rest_kit.errors import Conflict, Unsupported, ValidationError, did_you_mean
from rest_kit.request import Request
from rest_kit.store import Tx
from rest_kit.types import Pk, Record

if TYPE_CHECKING:
    from rest_kit.controllers.writing import Writing


class Item:
    """One object, whose fields are attributes and members alike; it belongs to the request that has read it.

    A field that is called like one of the methods is a member only.
    """

    __slots__ = ("_read", "_record", "_request", "_served")

    _read: Record
    _record: Record
    _request: Request
    _served: Writing

    def __init__(self, served: Writing, request: Request, record: Record) -> None:
        object.__setattr__(self, "_served", served)
        object.__setattr__(self, "_request", request)
        self._take(record)

    def _take(self, record: Record) -> None:
        object.__setattr__(self, "_read", record)
        object.__setattr__(self, "_record", copy.deepcopy(record))

    # --- fields -------------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Any:
        return self._record[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._refuse_unknown(name, KeyError)
        self._record[name] = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse_unknown(name, AttributeError)
        return self._record[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"{name!r} is a method; a field of this name is the member [{name!r}]")
        self._refuse_unknown(name, AttributeError)
        self._record[name] = value

    def _refuse_unknown(self, name: str, error: type[LookupError] | type[AttributeError]) -> None:
        if name not in self._record:
            raise error(f"{self._served.spec.name} has no field {name!r}{did_you_mean(name, self._record)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._record)

    def __contains__(self, name: object) -> bool:
        return name in self._record

    def keys(self) -> Sequence[str]:
        """The names of the fields, so that `dict(item)` is a record."""
        return list(self._record)

    def __eq__(self, other: object) -> bool:
        return self._record == (other._record if isinstance(other, Item) else other)

    __hash__ = None  # type: ignore[assignment]  # its values change

    def __repr__(self) -> str:
        return f"<{self._served.spec.name} {self._pk!r}>"

    @property
    def _pk(self) -> Pk:
        pk: Pk = self._read[self._served.presenter.pk]
        return pk

    # --- the store ----------------------------------------------------------------------------------------------------

    def save(self, *, force: bool = False) -> None:
        """Store what has been changed, in one transaction of its own.

        Conflict with the code `stale` if the object has changed since it was read, RecordNotFound if it is gone;
        `force` writes the changed fields over whatever is there. ValidationError, PermissionDenied, Conflict as for a
        PATCH; read-only fields may be set, the primary key not. Unsupported, without `force`, where the store cannot
        check and write in one step. RuntimeError within a GET, which changes nothing.
        """
        save_all([self], force=force)

    def delete(self, *, force: bool = False) -> None:
        """Delete the object; the same errors as for `save`."""
        served, request = self._served, self._request
        served.refuse_lost_deletions(request)
        _refuse_unchecked(served, force)

        def work(tx: Tx) -> None:
            self._current(tx, force)
            tx.delete(self._pk)

        served.carry_out(request, served.deleting, work)

    def refresh(self) -> None:
        """Read the object again, and forget what has not been saved (RecordNotFound)."""
        self._take(self._served.load(self._request, self._pk))

    def _current(self, tx: Tx, force: bool) -> Record:
        """The stored record, which the caller may work on, and which is the one that was read (Conflict)."""
        current = tx.get(self._pk)
        if not force and current != self._read:
            raise Conflict("the object has changed since it was read: read it again, and repeat", code="stale")
        self._served.check_objects(self._request, [current])
        return current

    def _write(self, tx: Tx, force: bool) -> Record:
        """Store what has been changed within a transaction."""
        current = self._current(tx, force)
        return tx.update(self._pk, self._served.merging.assigned(self._changes(), current))

    def _changes(self) -> Record:
        """The fields that are not what they were (ValueError for the primary key)."""
        changes = differing(self._record, self._read)
        if self._served.presenter.pk in changes:
            raise ValueError("the primary key of an object cannot change")
        return changes

    # --- showing ------------------------------------------------------------------------------------------------------

    def shown(self, request: Request, response: Any) -> Record:
        """The object as the resource shows its items, with what has not been saved (ValueError where it is unfit)."""
        served = self._served
        try:
            changes = served.model.assign(self._changes(), self._read)
        except ValidationError as exc:  # of the server's own making, which is not the caller's fault
            raise ValueError(f"{self!r} cannot be shown: {exc}") from exc
        record = copy.deepcopy(self._read) | changes
        return served.presenter.shape([served.presenter.hide(record)], request, response)[0]


def save_all(items: Sequence[Item], *, force: bool = False) -> None:
    """Save several objects of one resource as one step: all of them, or none."""
    if not items:
        return
    served, request = items[0]._served, items[0]._request
    if any(one._served is not served or one._request is not request for one in items):
        raise ValueError("only objects that one request has read from one resource can be saved together")
    served.refuse_lost_writes(request)
    _refuse_unchecked(served, force)

    def work(tx: Tx) -> list[Record]:
        return [one._write(tx, force) for one in items]

    stored: list[Record] = served.carry_out(request, served.changing, work)
    for one, record in zip(items, stored, strict=True):
        one._take(record)


def _refuse_unchecked(served: Writing, force: bool) -> None:
    """Refuse to write where another writer could come between the check and the write (Unsupported)."""
    if not force and not served.store.capabilities.conditional:
        raise Unsupported("this store cannot check and write in one step; `force=True` writes without the check")
