"""What becomes of the records that refer to deleted ones: the deletion is refused, or they go too, or lose the key.

All is found and checked before anything is changed: the records that go, theirs in turn, and whoever forbids it. Then
the children are changed, in batches, each batch in one atomic step of its store, events included, which is a part of
the caller's own step where the stores share transactions; the caller deletes the parents last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from rest_kit.errors import Conflict
from rest_kit.query import Filter, Page, Query
from rest_kit.relations.graph import Graph, Ready, Relation
from rest_kit.request import Request
from rest_kit.store import DataStore, Tx
from rest_kit.types import Pk, Record

MAX_RECORDS: Final = 10_000
"""How many records in all, the parents aside, one request may delete or change by way of `on_delete`."""
BATCH: Final = 500


class Step(msgspec.Struct):
    """Records that refer, through one relation, to some that go."""

    relation: Relation
    pks: list[Pk]


class Leaving(msgspec.Struct):
    """Records of one resource that go too: by their keys, those of the same resource that each refers to."""

    resource: str
    targets: dict[Pk, set[Any]]


class Deletion:
    """The deletion of some records of a resource, for a request, seen as what it does to others."""

    def __init__(self, graph: Graph, name: str, pks: Iterable[Pk], request: Request) -> None:
        self.graph = graph
        self.request = request
        self.name = name
        self.doomed: dict[str, set[Pk]] = {name: set(pks)}
        self.leaving: list[Leaving] = []
        self.losing: list[Step] = []
        self.objections: list[Step] = []
        self.count = 0

    @property
    def changes_others(self) -> bool:
        """Whether any other record goes too, or loses its key."""
        return bool(self.leaving or self.losing)

    def foresee(self) -> None:
        """Find every record that refers to those that go (Conflict where one forbids it, or there are too many)."""
        queue = [(name, list(pks)) for name, pks in self.doomed.items()]
        while queue:
            name, pks = queue.pop(0)
            for relation in self.graph.of(name).incoming:
                queue += self._foresee(relation, pks)
        self._refuse()

    def perform(self, chosen: Callable[[DataStore], bool]) -> list[Pk]:
        """Change what was found in the chosen stores: take the key from some, and delete the others, found last first.

        What the database still refuses waits for the rest. What is refused to the end is left to the caller, where
        only the caller's own records can have forbidden it: those keys, of the caller's own resource, are returned.
        """
        for step in self.losing:
            if chosen(self._store(step.relation.child)):
                self._lose(step)
        waiting = [group for group in reversed(self.leaving) if chosen(self._store(group.resource))]
        while waiting:
            refused = [(group, conflict) for group in waiting if (conflict := self._attempt(group)) is not None]
            if len(refused) == len(waiting):
                if any(group.resource != self.name for group in waiting):
                    raise refused[0][1]
                return [pk for group in waiting for pk in group.targets]
            waiting = [group for group, _ in refused]
        return []

    def takes(self, name: str, record: Record) -> bool:
        """Whether a record, as it is now, refers to one that goes so that it goes too."""
        cascades = (one for one in self.graph.of(name).outgoing if one.on_delete == "cascade")
        return any(record.get(one.field) in self.doomed.get(one.target, ()) for one in cascades)

    # --- before any change --------------------------------------------------------------------------------------------

    def _foresee(self, relation: Relation, parents: Sequence[Pk]) -> Iterator[tuple[str, list[Pk]]]:
        """Note what a relation means for those that refer to the parents; yields the further records that go."""
        ready = self.graph.members[relation.child].items()
        for batch in batches(parents, BATCH):
            found = self._referring(ready, relation, batch)
            if not found:
                continue
            if relation.on_delete == "restrict" or not ready.store.capabilities.writable:
                self.objections.append(Step(relation, list(found)))
                continue
            doomed = self.doomed.setdefault(relation.child, set())
            fresh = {pk: targets for pk, targets in found.items() if pk not in doomed}
            self._count(len(fresh))
            if relation.on_delete == "set_null":
                self.losing.append(Step(relation, list(fresh)))
            elif fresh:
                self._leave(relation.child, fresh)
                doomed.update(fresh)
                yield relation.child, list(fresh)

    def _leave(self, resource: str, targets: dict[Pk, set[Any]]) -> None:
        """Note records that go, together with those of the same resource that were found just before."""
        if self.leaving and self.leaving[-1].resource == resource:
            self.leaving[-1].targets.update(targets)
        else:
            self.leaving.append(Leaving(resource, targets))

    def _referring(self, ready: Ready, relation: Relation, parents: Sequence[Pk]) -> dict[Pk, set[Any]]:
        """The keys of the records that refer to some of these, each with the keys of its own kind that it refers to.

        One more than may be changed says that there are more.
        """
        pk = _pk(ready)
        outgoing = self.graph.of(relation.child).outgoing
        own = [one.field for one in outgoing if one.target == relation.child]
        where = Filter(relation.field, "in", tuple(parents))
        found = ready.store.find(Query(where, fields=tuple(dict.fromkeys((pk, *own))), page=Page(MAX_RECORDS + 1)))
        return {record[pk]: {record[name] for name in own} for record in found.records}

    def _count(self, more: int) -> None:
        self.count += more
        if self.count > MAX_RECORDS:
            text = f"more than {MAX_RECORDS} records refer to this, the most that one request may delete or change"
            raise Conflict(text, code="cascade_max")

    def _refuse(self) -> None:
        """Raise where somebody refers to a record that goes, does not go itself, and forbids it (Conflict).

        The text counts and names what the caller may see, and nothing else.
        """
        counts: dict[tuple[str, str], int] = {}
        for step in self.objections:
            doomed = self.doomed.get(step.relation.child, set())
            objecting = [pk for pk in step.pks if pk not in doomed]
            if objecting:
                place = step.relation.child, step.relation.field
                counts[place] = counts.get(place, 0) + self._visible(step.relation, objecting)
        if counts:
            told = [
                f"{'more than ' if count > MAX_RECORDS else ''}{min(count, MAX_RECORDS)} of {child!r} by {field!r}"
                for (child, field), count in counts.items()
                if count
            ]
            raise Conflict(f"others refer to this{': ' if told else ''}{', '.join(told)}", code="restricted")

    def _visible(self, relation: Relation, pks: Sequence[Pk]) -> int:
        """How many of the records that refer through a relation the caller may see, and how they do so."""
        if relation.hidden or relation in self.graph.blocked(self.request):
            return 0
        ready = self.graph.members[relation.child].items()
        return sum(ready.visible_among(self.request, batch) for batch in batches(pks, BATCH))

    # --- the changes --------------------------------------------------------------------------------------------------

    def _store(self, resource: str) -> DataStore:
        return self.graph.members[resource].stores[0]

    def _attempt(self, group: Leaving) -> Conflict | None:
        """Delete the records of a group; where others still refer to some, the conflict that says so."""
        try:
            self._delete(group)
        except Conflict as exc:
            if exc.code != "restricted":
                raise
            return exc
        return None

    def _delete(self, group: Leaving) -> None:
        """Delete the records of a group that are there still, and still refer to what goes."""
        ready = self.graph.members[group.resource].items()

        def change(tx: Tx, pks: Sequence[Pk]) -> None:
            found = records_by_key(tx, _pk(ready), pks)
            for pk in pks:
                if pk in found and self.takes(group.resource, found[pk]):
                    tx.delete(pk)

        in_batches(ready.store, referrers_first(group.targets), change)

    def _lose(self, step: Step) -> None:
        """Take the key from those that do not go themselves, are there still, and still refer to what goes."""
        relation = step.relation
        ready = self.graph.members[relation.child].items()
        gone, going = self.doomed.get(relation.target, set()), self.doomed.get(relation.child, set())

        def change(tx: Tx, pks: Sequence[Pk]) -> None:
            for pk, record in records_by_key(tx, _pk(ready), pks).items():
                if record[relation.field] in gone and pk not in going:
                    record[relation.field] = None
                    ready.model.touch(record)
                    tx.update(pk, record)

        in_batches(ready.store, step.pks, change)


def reached(graph: Graph, name: str) -> list[Relation]:
    """The relations through which the deletion of a resource's records may lead: from its children, and from theirs."""
    found: dict[Relation, None] = {}
    names = [name]
    for parent in names:  # which grows meanwhile
        for relation in graph.of(parent).incoming:
            found[relation] = None
            if relation.on_delete == "cascade" and relation.child not in names:
                names.append(relation.child)
    return list(found)


def _pk(ready: Ready) -> str:
    assert ready.model.pk is not None
    return ready.model.pk.name


def records_by_key(tx: Tx, pk: str, keys: Sequence[Pk]) -> dict[Pk, Record]:
    """Those of the records that are there, by their keys, which the field `pk` holds."""
    return {record[pk]: record for record in tx.find(Query(Filter(pk, "in", tuple(keys)))).records}


def in_batches(store: DataStore, keys: Sequence[Pk], change: Callable[[Tx, Sequence[Pk]], None]) -> None:
    """Change records in their order, so many in one atomic step as the store takes."""
    size = BATCH if store.capabilities.transactions else 1
    for batch in batches(keys, size):
        store.atomic(lambda tx, batch=batch: change(tx, batch))  # type: ignore[misc]


def referrers_first(targets: Mapping[Pk, set[Any]]) -> list[Pk]:
    """The keys of records, by which the keys that each refers to are given, with those that refer before the others.

    What refers to each other in a circle comes last.
    """
    referrers = Counter(target for pk, found in targets.items() for target in found if target != pk)
    free = [pk for pk in targets if not referrers[pk]]
    for pk in free:  # which grows meanwhile
        for target in targets[pk]:
            referrers[target] -= 1
            if not referrers[target] and target in targets:
                free.append(target)
    return [*free, *(pk for pk in targets if referrers[pk] > 0)]


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items, so many at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
