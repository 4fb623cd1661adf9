"""Which resources refer to which: the relations of an application, gathered from the models of its resources.

What models declare (`resource=`) is known at construction, and what is wrong with it is told there. What a database
says is asked of its catalogue when it is first needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

import msgspec

from rest_kit.errors import did_you_mean
from rest_kit.forks import renew_after_fork
from rest_kit.models import Field, Model
from rest_kit.query import Query, Result
from rest_kit.relations.catalogue import Catalogue, catalogues
from rest_kit.request import Request
from rest_kit.store import DataStore
from rest_kit.types import Record

LINK: Final = "resource_uri"
"""The member that every object has, so that nothing else may be called so."""


class Ready(Protocol):
    """What relations need of a resource whose model is known."""

    store: DataStore
    model: Model
    visible: tuple[str, ...] | None

    def for_caller(self, request: Request) -> Ready:
        """The same as the caller of another resource sees it."""

    def visible_among(self, request: Request, keys: Sequence[Any]) -> int:
        """How many of the records with these keys the caller of another resource may see."""

    def shape(self, records: list[Record], request: Request, response: Any) -> list[Record]:
        """The records as the resource itself shows its items."""

    def look(self, request: Request, query: Query) -> Result:
        """What the caller of another resource may see of what a query finds here."""

    def existing(self, request: Request, keys: tuple[Any, ...]) -> set[Any]:
        """Those of the keys whose records the caller of another resource may refer to."""


class Member(msgspec.Struct, frozen=True):
    """One resource of an application: `items` and `lists` make ready what serves the one and the other.

    `stores` are theirs, without I/O; `mount` is the URL path of the collection below the script name; `shows_items`
    and `shows_lists` say whether GET is served; `expandable` is the option `expand_fields` (None: everything).
    `hideable` are the fields that only some may read, and `hidden` says which of them a caller may not.
    """

    name: str
    mount: str
    stores: tuple[DataStore, ...]
    items: Callable[[], Ready]
    lists: Callable[[], Ready]
    shows_items: bool = True
    shows_lists: bool = True
    expandable: tuple[str, ...] | None = None
    hideable: frozenset[str] = frozenset()
    hidden: Callable[[Request], frozenset[str]] = lambda request: frozenset()

    @property
    def model(self) -> Model | None:
        """The model of the items, if it is known without I/O."""
        return self.stores[0].bound_model

    @property
    def models(self) -> list[Model]:
        """The models, one or two, that are known without I/O."""
        return [model for store in self.stores if (model := store.bound_model) is not None]


class Relation(msgspec.Struct, frozen=True):
    """One foreign key: `field` of the resource `child` holds the key of a `target`.

    `name` is what the child calls the target, `related_name` what the target calls its children (None: nothing);
    a `hidden` one, whose field clients never see, is checked but never shown.
    """

    name: str
    child: str
    field: str
    target: str
    related_name: str | None
    on_delete: str
    hidden: bool


class Related(msgspec.Struct, frozen=True):
    """The relations of one resource: by name those that are shown, and all that go out and come in."""

    to_one: dict[str, Relation] = {}
    to_many: dict[str, Relation] = {}
    outgoing: tuple[Relation, ...] = ()
    incoming: tuple[Relation, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.outgoing or self.incoming)


NOTHING = Related()


def relation_name(field: str, names: Iterable[str]) -> str:
    """What the record that a field refers to is called: `author` for `author_id`, unless a field has that name."""
    stem = field.removesuffix("_id")
    return stem if stem and stem != LINK and stem not in names else field


def related(relations: Sequence[Relation]) -> dict[str, Related]:
    """The relations sorted by resource."""
    names = {name for relation in relations for name in (relation.child, relation.target)}
    return {name: _related_of(name, relations) for name in names}


def _related_of(name: str, relations: Sequence[Relation]) -> Related:
    outgoing = tuple(relation for relation in relations if relation.child == name)
    incoming = tuple(relation for relation in relations if relation.target == name)
    to_many = {one.related_name: one for one in incoming if one.related_name is not None and not one.hidden}
    return Related({one.name: one for one in outgoing if not one.hidden}, to_many, outgoing, incoming)


class Graph:
    """All relations of one application; `problems` tells what is wrong with those that models declare."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = {member.name: member for member in members}
        self._declared = [one for member in members for one in _declared_by(member)]
        self._related = related(self._known())
        self._lock = threading.Lock()
        stores = {name: member.stores for name, member in self.members.items()}
        self.catalogues = catalogues(stores, self._learn)
        self.problems = self._problems() + self._misnamed()
        renew_after_fork(self, Graph._renew_locks)

    def settled(self, name: str) -> bool:
        """Whether every table that may have a say in what a resource refers to, or what refers to it, has had it."""
        return all(catalogue.settled for catalogue in self._catalogues_of(name))

    def of(self, name: str) -> Related:
        """The relations of a resource, as far as they are known by now (no error where a store is away)."""
        for catalogue in self._catalogues_of(name):
            catalogue.ask()
        return self._related.get(name, NOTHING)

    def declared(self, name: str) -> Related:
        """The relations of a resource that models declare."""
        return related(self._known()).get(name, NOTHING)

    def concerns(self, name: str) -> bool:
        """Whether a resource has relations, or may turn out to have some."""
        return name in self._related or not self.settled(name)

    def expandable(self, name: str) -> dict[str, Relation]:
        """By name, the relations of a resource that its replies may include."""
        found, allowed = self.of(name), self.members[name].expandable
        shown = {one.name: one for one in found.to_one.values() if self.members[one.target].shows_items}
        shown |= {name: one for name, one in found.to_many.items() if self.members[one.child].shows_lists}
        return {name: one for name, one in shown.items() if allowed is None or name in allowed}

    def may_hide(self) -> bool:
        """Whether it may depend on the caller which relations there are; databases may tell of some later."""
        return any(member.hideable for member in self.members.values())

    def blocked(self, request: Request) -> frozenset[Relation]:
        """The relations through fields that the caller may not read."""
        return request.remember(("blocked", self), lambda: self._blocked(request))

    def _blocked(self, request: Request) -> frozenset[Relation]:
        hideable = [one for one in self._relations() if one.field in self.members[one.child].hideable]
        hidden = {name: self.members[name].hidden(request) for name in {one.child for one in hideable}}
        return frozenset(one for one in hideable if one.field in hidden[one.child])

    def _relations(self) -> Iterator[Relation]:
        """All relations, as far as they are known by now."""
        for related in self._related.values():
            yield from related.outgoing

    def _renew_locks(self) -> None:
        """In a forked child: wait for no thread that only the parent has."""
        self._lock = threading.Lock()
        for catalogue in self.catalogues.values():
            catalogue.renew_lock()

    # --- what models declare ------------------------------------------------------------------------------------------

    def _problems(self) -> list[str]:
        problems = [problem for one in self._declared for problem in self._misfits(one)]
        taken: set[tuple[str, str]] = {(one.child, one.name) for one in self._declared}
        for one in self._declared:
            if one.related_name is None or one.target not in self.members:
                continue
            if (one.target, one.related_name) in taken:
                problems.append(f"{_place(one)}: {one.target!r} has two relations named {one.related_name!r}")
            taken.add((one.target, one.related_name))
        return problems

    def misfits(self, name: str) -> list[str]:
        """What is wrong with the declared relations of a resource, whose model may have been read off the data."""
        mine = [one for one in self._declared if name in (one.child, one.target) and one.target in self.members]
        return [problem for one in mine for problem in self._misfits(one)]

    def _misfits(self, relation: Relation) -> list[str]:
        """What is wrong with one relation, as far as the models are known."""
        place = _place(relation)
        if relation.target not in self.members:
            hint = did_you_mean(relation.target, self.members)
            return [f"{place}: resource={relation.target!r} is not served here{hint}"]
        fields = [model.by_name.get(relation.field) for model in self.members[relation.child].models]
        if any(field is None or field.write_only is not relation.hidden for field in fields):
            return [f"{place} must be in the models of both its controllers, and write_only in both or in neither"]
        target = self.members[relation.target]
        problems = [f"{place} is {kind}" for kind in _other_kinds(fields, target)]
        if any(relation.related_name in model.names for model in target.models):
            problems.append(f"{place}: related_name={relation.related_name!r} is a field of {relation.target!r}")
        return problems

    def _misnamed(self) -> list[str]:
        """A sentence for every name in an option `expand_fields` that is no relation."""
        problems = []
        for member in self.members.values():
            if not self.settled(member.name):
                continue
            known = self._related.get(member.name, NOTHING)
            names = [*known.to_one, *known.to_many]
            for name in member.expandable or ():
                if name not in names:
                    hint = did_you_mean(name, names)
                    problems.append(f"{member.name}: expand_fields names {name!r}, which is no relation{hint}")
        return problems

    # --- what databases say -------------------------------------------------------------------------------------------

    def _catalogues_of(self, name: str) -> Iterator[Catalogue]:
        """Those of the databases that hold a resource's data."""
        for store in self.members[name].stores:
            if store.database in self.catalogues:
                yield self.catalogues[store.database]

    def _known(self) -> list[Relation]:
        """What models declare of resources that are served."""
        return [one for one in self._declared if one.target in self.members]

    def _learn(self) -> None:
        """Take in what the catalogues say by now."""
        with self._lock:
            known = self._known()
            taken = {(one.child, one.field) for one in known}
            told = {(key.child, key.field.name): key for one in self.catalogues.values() for key in one.foreign_keys}
            found = [_relation(*key, None) for place, key in told.items() if place not in taken]
            self._related = related([*known, *self._named(found, known)])

    def _named(self, found: list[Relation], known: list[Relation]) -> list[Relation]:
        """The relations with names for their other side: the child's, unless it refers to the target in many ways."""
        taken = {(one.child, one.name) for one in [*known, *found]}
        taken |= {(one.target, one.related_name) for one in known if one.related_name is not None}
        pairs = [(one.child, one.target) for one in [*known, *found]]
        named = []
        for one in found:
            once = pairs.count((one.child, one.target)) == 1
            name = one.child if once else f"{one.child}_by_{one.name}"
            place = (one.target, name)
            free = name.isidentifier() and place not in taken and name not in self._names(one.target)
            named.append(msgspec.structs.replace(one, related_name=name if free else None))
            taken.add(place)
        return named

    def _names(self, resource: str) -> tuple[str, ...]:
        model = self.members[resource].model
        return (*model.names, LINK) if model is not None else (LINK,)


def _place(relation: Relation) -> str:
    return f"the field {relation.field!r} of {relation.child!r}"


def _other_kinds(fields: Iterable[Field | None], target: Member) -> set[str]:
    """What fields are that should be like the key of a resource, and are not, as far as that is known."""
    pk = target.model.pk if target.model is not None else None
    if pk is None:
        return set()
    kinds = {field.kind for field in fields if field is not None}
    return {f"{kind.value}, but the key of {target.name!r} is {pk.kind.value}" for kind in kinds - {pk.kind}}


def _declared_by(member: Member) -> Iterator[Relation]:
    """The relations that the models of a resource declare."""
    seen = set()
    for model in member.models:
        for field in model.fields:
            if field.resource is not None and field.name not in seen:
                seen.add(field.name)
                yield _relation(member.name, field, model.names, field.resource, field.related_name)


def _relation(child: str, field: Field, names: Sequence[str], target: str, related_name: str | None) -> Relation:
    """The relation that a field makes, whose model has these names."""
    name = relation_name(field.name, names)
    return Relation(name, child, field.name, target, related_name, field.on_delete, field.write_only)
