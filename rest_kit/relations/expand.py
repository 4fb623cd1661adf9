"""Related objects within replies: `expand=author,books.publisher` as a tree, read level by level.

Each level takes one query for each resource and key that it leads through, however many objects the page has; what
was found is put into every object that refers to it. How much a level may add is bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from rest_kit.errors import Fault, InvalidQuery, did_you_mean
from rest_kit.models import Model
from rest_kit.params import EXPAND
from rest_kit.query import Filter, Page, Query
from rest_kit.relations.graph import Graph, Ready, Relation
from rest_kit.request import Request
from rest_kit.types import Record

MAX_DEPTH: Final = 3
MAX_PATHS: Final = 20


class Branch(msgspec.Struct):
    """One relation to follow, from its child (to one) or from its target (to many), and what to follow from there."""

    relation: Relation
    many: bool
    below: dict[str, Branch]

    @property
    def resource(self) -> str:
        """The resource that the branch leads to."""
        return self.relation.child if self.many else self.relation.target

    def leaves_from(self, model: Model) -> str:
        """The field of the model's records that says which objects belong to them."""
        assert model.pk is not None
        return model.pk.name if self.many else self.relation.field

    def arrives_at(self, model: Model) -> str:
        """The field of the records it leads to that holds the same key."""
        assert model.pk is not None
        return self.relation.field if self.many else model.pk.name


Tree = dict[str, Branch]


class Expansion(msgspec.Struct, frozen=True):
    """What a request asks to expand: its text, and the tree that it stands for."""

    text: str
    tree: Tree


class Pending(msgspec.Struct):
    """A branch under its name, with the objects that get what it leads to, and the key that each has for it."""

    name: str
    branch: Branch
    keys: list[Any]
    objects: list[Record]


class Expander:
    """Expands the objects of one resource; a level may add `most` objects, and none through `blocked` relations."""

    def __init__(self, graph: Graph, name: str, most: int, blocked: Collection[Relation] = ()) -> None:
        self.graph = graph
        self.blocked = blocked
        self.name = name
        self.most = most

    # --- what is asked for --------------------------------------------------------------------------------------------

    def parse(self, text: str) -> Expansion:
        """What the parameter `expand` asks for (ValueError)."""
        paths = text.split(",")
        if len(paths) > MAX_PATHS:
            raise ValueError(f"more than {MAX_PATHS} relations")
        tree: Tree = {}
        for place, path in enumerate(paths):
            if path in paths[:place]:
                raise ValueError(f"{path[:100]!r} is named twice")
            self._grow(tree, path)
        return Expansion(text, tree)

    def _grow(self, tree: Tree, path: str) -> None:
        names = path.split(".")
        if len(names) > MAX_DEPTH:
            raise ValueError(f"{path[:100]!r} goes deeper than {MAX_DEPTH} relations")
        resource = self.name
        for name in names:
            if name not in tree:
                tree[name] = self._branch(resource, name)
            resource, tree = tree[name].resource, tree[name].below

    def _branch(self, resource: str, name: str) -> Branch:
        known = {way: one for way, one in self.graph.expandable(resource).items() if one not in self.blocked}
        if name not in known:
            raise ValueError(f"{name[:100]!r} is no relation of {resource!r} to expand{did_you_mean(name, known)}")
        return Branch(known[name], name in self.graph.of(resource).to_many, {})

    # --- what is found ------------------------------------------------------------------------------------------------

    def keys(self, expansion: Expansion, model: Model) -> tuple[str, ...]:
        """The fields that the records to expand must have."""
        return tuple(branch.leaves_from(model) for branch in expansion.tree.values())

    def find(
        self, expansion: Expansion, model: Model, records: Sequence[Record], request: Request, response: Any
    ) -> list[Record]:
        """For each record the members that expanding adds to it (InvalidQuery where it is too much)."""
        added: list[Record] = [{} for _ in records]
        level = _pending(expansion.tree, model, records, added)
        while level:
            level = _Level(self, request, response).run(level)
        return added


def _pending(tree: Tree, model: Model, records: Sequence[Record], objects: list[Record]) -> list[Pending]:
    """The branches that leave from these records, for the objects that show them."""
    pending = []
    for name, branch in tree.items():
        field = branch.leaves_from(model)
        pending.append(Pending(name, branch, [record[field] for record in records], objects))
    return pending


class _Level:
    """One level of expansion, and how many objects it may still add."""

    def __init__(self, expander: Expander, request: Request, response: Any) -> None:
        self.graph = expander.graph
        self.most = self.left = expander.most
        self.request = request
        self.response = response

    def run(self, level: Sequence[Pending]) -> list[Pending]:
        """Give the objects what belongs to them, and return what leaves from there."""
        groups: dict[tuple[str, bool, str], list[Pending]] = {}
        for one in level:
            through = one.branch.relation.field if one.branch.many else ""
            groups.setdefault((one.branch.resource, one.branch.many, through), []).append(one)
        return [below for group in groups.values() for below in self._group(group)]

    def _group(self, group: Sequence[Pending]) -> list[Pending]:
        """Branches that lead through one key to one resource, found by one query."""
        keys = tuple(dict.fromkeys(key for one in group for key in one.keys if key is not None))
        if not keys:
            for one in group:
                _hand_out(one, {}, [])
            return []
        branch = group[0].branch
        member = self.graph.members[branch.resource]
        ready = (member.lists() if branch.many else member.items()).for_caller(self.request)
        found = self._find(branch, ready, keys)
        return [below for one in group for below in self._fill(one, ready, found)]

    def _find(self, branch: Branch, ready: Ready, keys: tuple[Any, ...]) -> dict[Any, list[Record]]:
        """By key, the records that a branch leads to."""
        field = branch.arrives_at(ready.model)
        if not branch.many:
            self._take(len(keys), branch)
        query = Query(Filter(field, "in", keys), fields=ready.visible, page=Page(self.most + 1))
        records = ready.look(self.request, query)
        found: dict[Any, list[Record]] = {}
        for record in records.records:
            found.setdefault(record[field], []).append(record)
        return found

    def _fill(self, one: Pending, ready: Ready, found: dict[Any, list[Record]]) -> list[Pending]:
        """Give each object above a copy of its own, and return what leaves from the copies."""
        branch = one.branch
        if branch.many:
            self._take(sum(len(found.get(key, ())) for key in one.keys), branch)
        rows = [dict(record) for key in one.keys for record in found.get(key, ())]
        left_from = {name: [row[way.leaves_from(ready.model)] for row in rows] for name, way in branch.below.items()}
        shown = ready.shape(rows, self.request, self.response)
        _hand_out(one, found, shown)
        return [Pending(name, way, left_from[name], shown) for name, way in branch.below.items()]

    def _take(self, count: int, branch: Branch) -> None:
        """Count what a branch adds (InvalidQuery)."""
        self.left -= count
        if self.left < 0:
            relation = branch.relation
            start = relation.target if branch.many else relation.child
            name = relation.related_name if branch.many else relation.name
            route = f"{self.request.script_name()}{self.graph.members[start].mount}<key>/{name}/"
            text = f"{name!r} would bring more than the {self.most} objects that one level may add; ask for {route}"
            raise InvalidQuery(Fault("expand_max", text, parameter=EXPAND))


def _hand_out(one: Pending, found: dict[Any, list[Record]], shown: Sequence[Record]) -> None:
    """Put the shown objects, which come in the order of the keys, into the objects that they belong to."""
    rest = iter(shown)
    for key, obj in zip(one.keys, one.objects, strict=True):
        own = [next(rest) for _ in found.get(key, ())]
        obj[one.name] = own if one.branch.many else next(iter(own), None)
