"""Rights that are kept as data: who holds which right on which object, in any datastore.

    grants = Grants(SQLiteDataStore({"name": "site.db", "table": "grants"}))
    grants.assign(ada, "view|change", "notes", 7)

One record is one right of one holder on one object, or, without an object, on a whole resource. Nothing is kept in
memory between requests, so that what is taken away is gone at the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from rest_kit import models
from rest_kit.errors import ConfigurationError, Conflict, StoreUnavailable, Unsupported
from rest_kit.permissions.rights import RIGHTS, Group, Rights, holder, holders, read_rights
from rest_kit.query import Filter, Page, Query, Where, conjoin
from rest_kit.store import DataStore, Tx
from rest_kit.types import Pk, Record
from rest_kit.users import User

WHOLE: Final = ""
"""Stands for all objects of a resource in place of one's key."""
DEFAULT_MOST: Final = 10_000


class GrantModel(models.Model):
    """How grants are kept; the table or file is made of it where there is none."""

    fields = (
        models.PkField("id"),
        models.StringField("holder", required=True, max_length=150),
        models.StringField("resource", required=True, max_length=100),
        models.StringField("right", required=True, choices=RIGHTS, max_length=10),
        models.StringField("object", default=WHOLE, max_length=200),
    )
    validators = (models.UniqueTogether("holder", "resource", "right", "object"),)


class Grant(msgspec.Struct, frozen=True):
    """One right: `holder` is as in `user:7` or `group:editors`, `object` the key as text, "" for the whole resource."""

    holder: str
    resource: str
    right: str
    object: str


class Grants:
    """Gives, takes and looks up rights; `store` holds them as `GrantModel` says.

    `most` is how many objects of one resource a caller may hold one right on, as all of them become a condition of
    each list. Raises ConfigurationError for what is no store of grants.
    """

    def __init__(self, store: DataStore, *, most: int = DEFAULT_MOST) -> None:
        if not isinstance(store, DataStore):
            raise ConfigurationError(f'Grants takes a store, such as SQLiteDataStore({{"name": ...}}), not {store!r}')
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise ConfigurationError(f"Grants: most must be a positive number, not {most!r}")
        if store.bound_model is None:
            store.bind(GrantModel())
        bound = store.bound_model
        missing = [name for name in GrantModel().names[1:] if bound is None or name not in bound.names]
        if missing:
            raise ConfigurationError(f"Grants: the store's model has no {', '.join(missing)}; use GrantModel")
        self.store = store
        self.most = most

    # --- giving and taking --------------------------------------------------------------------------------------------

    def assign(self, user: User | Group | Pk, rights: Rights, resource: str, pk: Pk | None = None) -> None:
        """Give rights on an object, or, without `pk`, on the whole resource; what is held already stays.

        ConfigurationError for what is no right, and for `add` on an object; StoreUnavailable.
        """
        names = read_rights(rights, "assign: rights")
        if pk is not None and "add" in names:
            raise ConfigurationError("assign: 'add' is a right on the whole resource, without a pk")
        place = {"holder": holder(user), "resource": resource, "object": _text(pk)}
        records = [{**place, "right": right} for right in sorted(names)]
        for attempt in range(len(records)):
            try:
                self.store.atomic(lambda tx: _add(tx, place, records))
                return
            except Conflict as exc:
                # somebody else has just given one of them
                if exc.code != "unique" or attempt == len(records) - 1:
                    raise

    def remove(self, user: User | Group | Pk, rights: Rights, resource: str, pk: Pk | None = None) -> None:
        """Take rights away, as they were given; what is not held stays so (ConfigurationError, StoreUnavailable)."""
        names = tuple(read_rights(rights, "remove: rights"))
        place = conjoin(Filter("holder", "eq", holder(user)), Filter("resource", "eq", resource))
        self._delete(conjoin(place, Filter("object", "eq", _text(pk)), Filter("right", "in", names)))

    def forget(self, resource: str, pk: Pk) -> None:
        """Take away everybody's rights on an object, as when it is deleted (StoreUnavailable)."""
        if pk == WHOLE:
            return  # what has no address has no rights on it
        self._delete(conjoin(Filter("resource", "eq", resource), Filter("object", "eq", _text(pk))))

    def _delete(self, where: Where | None) -> None:
        """Delete what is found, if anything is: to look takes no lock."""
        for record in self._find(Query(where, fields=("id",))):
            self.store.atomic(lambda tx, pk=record["id"]: _drop(tx, pk))  # type: ignore[misc]

    # --- looking up ---------------------------------------------------------------------------------------------------

    def check(self, user: User, right: str, resource: str, pk: Pk | None = None) -> bool:
        """Whether a user holds a right on an object, or on the whole resource, alone or by a group."""
        places = (WHOLE,) if pk is None else (WHOLE, _text(pk))
        where = conjoin(self._held(user, right, resource), Filter("object", "in", places))
        return bool(self._find(Query(where, fields=("id",), page=Page(1))))

    def granted(self, user: User, right: str, resource: str) -> frozenset[str] | None:
        """The keys, as text, of the objects that a user holds a right on; None: the whole resource.

        Unsupported where they are more than `most`.
        """
        if self.check(user, right, resource):
            return None
        query = Query(self._held(user, right, resource), fields=("object",), page=Page(self.most + 1))
        found = frozenset(record["object"] for record in self._find(query))
        if len(found) > self.most:
            text = f"somebody holds {right!r} on more than {self.most} objects of {resource!r}"
            raise Unsupported(f"{text}; give it to a group, or on the whole resource")
        return found

    def list(
        self, user: User | Group | Pk | None = None, resource: str | None = None, pk: Pk | None = None
    ) -> Sequence[Grant]:
        """What is granted to a holder (a user's own, without the groups'), on a resource, on an object."""
        held = None if user is None else Filter("holder", "eq", holder(user))
        of = None if resource is None else Filter("resource", "eq", resource)
        on = None if pk is None else Filter("object", "eq", _text(pk))
        found = self._find(Query(conjoin(held, of, on), fields=Grant.__struct_fields__))
        return [Grant(**record) for record in found]

    def _held(self, user: User, right: str, resource: str) -> Where | None:
        held = Filter("holder", "in", holders(user))
        return conjoin(held, Filter("resource", "eq", resource), Filter("right", "eq", right))

    def _find(self, query: Query) -> Sequence[Record]:
        """The records of a query (StoreUnavailable, whatever keeps the store from answering)."""
        try:
            return self.store.find(query).records
        except StoreUnavailable as exc:
            raise StoreUnavailable(f"the grants cannot be read: {exc}", retry_after=exc.retry_after) from exc

    def __repr__(self) -> str:
        return f"Grants({self.store!r})"


def _text(pk: Pk | None) -> str:
    """The key of an object as text (ConfigurationError for the empty one, which would stand for the whole resource)."""
    if pk == WHOLE:
        raise ConfigurationError("rights on an object take its key, not ''; leave pk out for the whole resource")
    return WHOLE if pk is None else str(pk)


def _add(tx: Tx, place: Record, records: Sequence[Record]) -> None:
    """Insert those grants at one place that are not there yet."""
    where = conjoin(*(Filter(name, "eq", value) for name, value in place.items()))
    held = {record["right"] for record in tx.find(Query(where)).records}
    missing = [record for record in records if record["right"] not in held]
    if missing:
        tx.insert(missing)


def _drop(tx: Tx, pk: Pk) -> None:
    """Delete a grant, unless somebody else just has."""
    if tx.find(Query(Filter("id", "eq", pk), page=Page(1))).records:
        tx.delete(pk)
