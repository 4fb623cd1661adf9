"""What becomes of the records that refer to deleted ones: the deletion is refused, or they go too, or lose the key.

All is found and checked before anything is changed: the records that go, theirs in turn, and whoever forbids it. Then
the children are changed, in batches, each batch in one atomic step of its own store, events included; the caller
deletes the parents last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from rest_kit.errors import Conflict
from rest_kit.query import Filter, Page, Query
from rest_kit.relations.graph import Graph, Ready, Relation
from rest_kit.store import Tx
from rest_kit.types import Pk

MAX_RECORDS: Final = 10_000
"""How many records in all, the parents aside, one request may delete or change by way of `on_delete`."""
BATCH: Final = 500


class Step(msgspec.Struct):
    """Records that refer, through one relation, to some that go: to be deleted too, or to lose the key."""

    relation: Relation
    pks: list[Pk]


class Deletion:
    """The deletion of some records of a resource, seen as what it does to others."""

    def __init__(self, graph: Graph, name: str, pks: Iterable[Pk]) -> None:
        self.graph = graph
        self.doomed: dict[str, set[Pk]] = {name: set(pks)}
        self.steps: list[Step] = []
        self.objections: list[Step] = []
        self.count = 0

    def run(self) -> None:
        """Change every record that refers to those that go (Conflict, before any change, where one must not)."""
        queue = [(name, list(pks)) for name, pks in self.doomed.items()]
        while queue:
            name, pks = queue.pop(0)
            for relation in self.graph.of(name).incoming:
                queue += self._foresee(relation, pks)
        self._refuse()
        self._perform()

    # --- before any change --------------------------------------------------------------------------------------------

    def _foresee(self, relation: Relation, parents: Sequence[Pk]) -> Iterator[tuple[str, list[Pk]]]:
        """Note what a relation means for those that refer to the parents; yields the further records that go."""
        ready = self.graph.members[relation.child].items()
        for batch in batches(parents, BATCH):
            found = _referring(ready, relation, batch)
            if not found:
                continue
            if relation.on_delete == "restrict" or not ready.store.capabilities.writable:
                self.objections.append(Step(relation, found))
                continue
            doomed = self.doomed.setdefault(relation.child, set())
            fresh = [pk for pk in found if pk not in doomed]
            self._count(len(fresh))
            self.steps.append(Step(relation, fresh))
            if relation.on_delete == "cascade":
                doomed.update(fresh)
                yield relation.child, fresh

    def _count(self, more: int) -> None:
        self.count += more
        if self.count > MAX_RECORDS:
            text = f"more than {MAX_RECORDS} records refer to this, the most that one request may delete or change"
            raise Conflict(text, code="cascade_max")

    def _refuse(self) -> None:
        """Raise where somebody refers to a record that goes, does not go itself, and forbids it (Conflict)."""
        counts: dict[tuple[str, str], int] = {}
        for step in self.objections:
            place = step.relation.child, step.relation.field
            doomed = self.doomed.get(step.relation.child, set())
            counts[place] = counts.get(place, 0) + sum(pk not in doomed for pk in step.pks)
        told = [
            f"{'more than ' if count > MAX_RECORDS else ''}{min(count, MAX_RECORDS)} of {child!r} by {field!r}"
            for (child, field), count in counts.items()
            if count
        ]
        if told:
            raise Conflict(f"others refer to this: {', '.join(told)}", code="restricted")

    # --- the changes --------------------------------------------------------------------------------------------------

    def _perform(self) -> None:
        """Do the steps from the last to the first; what the database still refuses waits for the others."""
        steps = [step for step in self.steps if step.relation.on_delete == "set_null"]
        steps += [step for step in reversed(self.steps) if step.relation.on_delete == "cascade"]
        while steps:
            refused = [(step, conflict) for step in steps if (conflict := self._attempt(step)) is not None]
            if len(refused) == len(steps):
                raise refused[0][1]
            steps = [step for step, _ in refused]

    def _attempt(self, step: Step) -> Conflict | None:
        """Do a step; where others still refer to its records, the conflict that says so."""
        try:
            self._do(step)
        except Conflict as exc:
            if exc.code != "restricted":
                raise
            return exc
        return None

    def _do(self, step: Step) -> None:
        ready = self.graph.members[step.relation.child].items()
        size = BATCH if ready.store.capabilities.transactions else 1
        for batch in batches(step.pks, size):
            ready.store.atomic(lambda tx, batch=batch: self._change(tx, ready, step.relation, batch))  # type: ignore[misc]

    def _change(self, tx: Tx, ready: Ready, relation: Relation, pks: Sequence[Pk]) -> None:
        """Delete the records, or take the key from them: those that are there still, and still refer to what goes."""
        pk = _pk(ready)
        gone = self.doomed.get(relation.target, set())
        for record in tx.find(Query(Filter(pk, "in", tuple(pks)))).records:
            if record[relation.field] not in gone:
                continue
            if relation.on_delete == "cascade":
                tx.delete(record[pk])
            elif record[pk] not in self.doomed.get(relation.child, set()):
                record[relation.field] = None
                ready.model.touch(record)
                tx.update(record[pk], record)


def _pk(ready: Ready) -> str:
    assert ready.model.pk is not None
    return ready.model.pk.name


def _referring(ready: Ready, relation: Relation, parents: Sequence[Pk]) -> list[Pk]:
    """The keys of the records that refer to some of these; one more than may be changed says that there are more."""
    pk = _pk(ready)
    where = Filter(relation.field, "in", tuple(parents))
    found = ready.store.find(Query(where, fields=(pk,), page=Page(MAX_RECORDS + 1)))
    return [record[pk] for record in found.records]


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items, so many at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
