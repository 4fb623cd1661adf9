"""Writes held to the references: what is referred to exists, and what is deleted leaves nobody behind.

New keys are looked up before the write begins, in the stores of the resources that they name. Which these are, a
rehearsal tells, which writes nothing: new records need no more; of changes only those are rehearsed that turn out to
set a new key. What a deletion does to others is done within its own step where all of their stores share
transactions. Elsewhere a deletion is rehearsed too, and others change before the step: that is checked, not atomic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from rest_kit.errors import Conflict
from rest_kit.relations.deletion import Deletion, reached
from rest_kit.relations.graph import Graph, Relation
from rest_kit.relations.transactions import Checked, Deleting, Keys, KeysChange, LookedUp, Rehearsal, Unchanged
from rest_kit.request import Request
from rest_kit.store import DataStore, Tx
from rest_kit.types import Pk

T = TypeVar("T")


class Guard:
    """The doors for the writes of one resource; `relations` are the foreign keys that its model has."""

    def __init__(self, graph: Graph, name: str, store: DataStore, relations: Sequence[Relation]) -> None:
        assert store.model.pk is not None
        self.graph = graph
        self.name = name
        self.store = store
        self.relations = tuple(relations)
        fields = tuple(relation.field for relation in relations)
        own = tuple(relation.field for relation in relations if relation.target == name)
        self.keys = Keys(store.model.pk.name, fields, own)
        self._opened: set[DataStore] = set()

    # --- writes that bring keys ---------------------------------------------------------------------------------------

    def inserting(self, request: Request, work: Callable[[Tx], T]) -> T:
        """What `DataStore.atomic` does, for work that inserts, with the keys looked up (Conflict)."""
        looked_up = self._look_up(request, self._rehearse(work))
        return self.store.atomic(lambda tx: work(Checked(self.keys, tx, looked_up)))

    def changing(self, request: Request, work: Callable[[Tx], T]) -> T:
        """The same for work that reads records and updates them; it costs no more where no key is new."""
        try:
            return self.store.atomic(lambda tx: work(Unchanged(self.keys, tx)))
        except KeysChange:
            return self.inserting(request, work)

    def _rehearse(self, work: Callable[[Tx], Any]) -> Rehearsal:
        rehearsal = Rehearsal(self.keys, self.store)
        work(rehearsal)
        return rehearsal

    def _look_up(self, request: Request, rehearsal: Rehearsal) -> LookedUp:
        wanted = rehearsal.wanted
        return LookedUp(wanted, {one.field: self._existing(request, one, rehearsal) for one in self.relations})

    def _existing(self, request: Request, relation: Relation, rehearsal: Rehearsal) -> set[Any]:
        """Those of the keys that a write brings in which are there for the caller, or come with it."""
        wanted = rehearsal.wanted[relation.field]
        own = wanted & rehearsal.inserted if relation.target == self.name else set()
        asked = tuple(wanted - own)
        if not asked:
            return own
        return own | self.graph.members[relation.target].items().existing(request, asked)

    # --- deletions ----------------------------------------------------------------------------------------------------

    def deleting(self, request: Request, work: Callable[[Tx], T]) -> T:
        """The same for work that deletes records, with what becomes of those that refer to them."""
        children = dict.fromkeys(relation.child for relation in reached(self.graph, self.name))
        if all(self.store.shares_transactions(self.graph.members[name].stores[0]) for name in children):
            self._open(children)
            return self._delete_together(request, work)
        return self._delete_apart(request, work)

    def _open(self, names: Iterable[str]) -> None:
        """Open tables, and what their events need, before a transaction comes to them: to make one may end it."""
        for store in [self.graph.members[name].items().store for name in names]:
            if store not in self._opened:
                store.ping()
                if store.capabilities.writable:
                    store.atomic(lambda tx: None)
                self._opened.add(store)

    def _delete_together(self, request: Request, work: Callable[[Tx], T]) -> T:
        """Find and change the others, and delete the records themselves, in one step."""

        def step(tx: Tx) -> T:
            deleting = Deleting(self.keys, tx)
            result = work(deleting)
            deletion = Deletion(self.graph, self.name, deleting.leaving, request)
            deletion.foresee()
            deleting.finish(deletion.perform(self.store.shares_transactions), deletion)
            return result

        return self.store.atomic(step)

    def _delete_apart(self, request: Request, work: Callable[[Tx], T]) -> T:
        """Change the others that are elsewhere before the step, if its conditions hold to the last; the rest within."""
        foreseen = self._rehearse(work).leaving
        deletion = Deletion(self.graph, self.name, foreseen, request)
        deletion.foresee()
        if deletion.changes_others:
            _refuse_other(self._rehearse(work).leaving, foreseen)
        further = deletion.perform(lambda store: not self.store.shares_transactions(store))

        def step(tx: Tx) -> T:
            deleting = Deleting(self.keys, tx)
            result = work(deleting)
            _refuse_other(deleting.leaving, foreseen)
            deleting.finish([*further, *deletion.perform(self.store.shares_transactions)], deletion)
            return result

        return self.store.atomic(step)


def _refuse_other(leaving: dict[Pk, None], foreseen: dict[Pk, None]) -> None:
    """Refuse to delete other records than those whose referrers are known (Conflict)."""
    if leaving.keys() != foreseen.keys():
        raise Conflict("what is to be deleted has changed meanwhile: try again", code="stale")
