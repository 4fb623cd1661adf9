"""A resource with relations made ready: what it does beyond `Served`, for itself and for those that it refers to.

Nested routes turn into the related resource's own list or item, with a condition or an address put on the request.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from rest_kit.controllers.served import Served, allow
from rest_kit.controllers.variants import EVERYTHING, Limits
from rest_kit.errors import RecordNotFound
from rest_kit.models.field import NotAKey
from rest_kit.params import Parameters
from rest_kit.patches import json_equal
from rest_kit.problems import Reply
from rest_kit.query import Filter
from rest_kit.relations import Expander, Graph, Guard, LinkedParameters, Links, Member, Related, Relation
from rest_kit.relations.deletion import reached
from rest_kit.relations.links import Link
from rest_kit.request import ITEM_ACTIONS, LIST_ACTIONS, Request
from rest_kit.signing import Keys
from rest_kit.spec import Spec
from rest_kit.store import refuse
from rest_kit.types import Pk, Record
from rest_kit.views.base import segment

NESTED_VERBS = ("GET", "HEAD", "POST")


class RelatedServed(Served):
    """Serves one resource of an application whose relations `graph` knows; `related` are its own.

    Raises ConfigurationError for what could not be known before the model was read off the data.
    """

    def __init__(
        self, owner: Any, spec: Spec, keys: Keys, graph: Graph, related: Related, *, limits: Limits = EVERYTHING
    ) -> None:
        model = spec.store.model
        refuse(graph.misfits(spec.name), type(owner).__name__)
        self.graph = graph
        self.related = limits.related(related)
        foreign = [relation for relation in related.outgoing if relation.field in model.by_name]
        mounts = [member.mount for member in graph.members.values()]
        links = [Link(model.by_name[one.field], one.target, graph.members[one.target].mount) for one in foreign]
        self.links = Links(links, mounts)
        shown = [link for link in links if link.field is not model.pk]
        self.uris = Links(shown, mounts) if spec.foreign_keys == "uri" else None
        self.expander = Expander(graph, spec.name, spec.expand_max, limits.blocked)
        super().__init__(owner, spec, keys, limits=limits)
        self.reserve({*related.to_one, *related.to_many})
        guard = Guard(graph, spec.name, spec.store, foreign)
        if foreign:
            self.inserting, self.changing = guard.inserting, guard.changing
        if related.incoming:
            self.deleting = guard.deleting

    def make_parameters(self, search: bool) -> Parameters:
        """The table of parameters, with URIs for keys, and `expand` where there is something to expand."""
        expand = self.expander.parse if self.related.to_one or self.related.to_many else None
        given = (self.model, self.limits.options(self.spec.options), self.pagination.parameters)
        return LinkedParameters(self.owner.mount, self.links, *given, search=search, expand=expand)

    # --- what comes in ------------------------------------------------------------------------------------------------

    def apply_formatters(self, request: Request, data: Any) -> Any:
        """The body as the controller's formatters leave it, with keys for URIs, and the parent's where it is nested."""
        data = self.links.plain(super().apply_formatters(request, data), request.script_name())
        return self.preset(data, request.within) if isinstance(request.within, Filter) else data

    def preset(self, data: Any, within: Filter) -> Any:
        """An object, or each of an array, with the key of the parent that the nested route has named."""
        if isinstance(data, list):
            return [self.preset(one, within) if isinstance(one, dict) else one for one in data]
        if not isinstance(data, dict):
            return data
        key = self.model.json_value(within.field, within.value)
        if within.field not in data or json_equal(data[within.field], key):
            return {**data, within.field: key}
        return {**data, within.field: NotAKey(f"is {key!r} at this address; leave it out, or send that")}

    def operations(self, request: Request, data: Any) -> Any:
        """The operations of a JSON Patch, with keys for URIs."""
        return self.links.operations(data, request.script_name())

    def refuse_lost_deletions(self, request: Request) -> None:
        """As for any write; a deletion also writes to what goes with it, or loses its key."""
        super().refuse_lost_deletions(request)
        changed = [one.child for one in reached(self.graph, self.spec.name) if one.on_delete != "restrict"]
        for name in dict.fromkeys(changed):
            served(self.graph.members[name].items()).refuse_lost_writes(request)

    # --- nested routes ------------------------------------------------------------------------------------------------

    def below(self, request: Request, parts: list[str]) -> Reply:
        """Answer for what lies under an item: the list of those that refer to it, or the one that it refers to."""
        if len(parts) == 2 and parts[0] not in self.reserved:
            key, name = parts
            if name in self.related.to_many and self.is_shown:
                return self.nested_list(request, key, self.related.to_many[name])
            if name in self.related.to_one and self.leads_on(self.related.to_one[name]):
                return self.nested_item(request, key, self.related.to_one[name])
        return super().below(request, parts)

    def names_below(self) -> list[str]:
        to_one = [name for name, one in self.related.to_one.items() if self.leads_on(one)]
        return [*super().names_below(), *(self.related.to_many if self.is_shown else ()), *to_one]

    @property
    def is_shown(self) -> bool:
        """Whether GET shows items or lists of them; where not, no nested list tells which of them there are either."""
        member = self.graph.members[self.spec.name]
        return member.shows_items or member.shows_lists

    def relation_names(self) -> Collection[str]:
        return {*self.related.to_many, *self.related.to_one}

    def parent(self, request: Request, pk: Pk) -> Record:
        """The item that a nested route leads through, as this caller may see it (RecordNotFound, PermissionDenied)."""
        if self.access is None:
            return self.store.get(pk)
        twin = self.access.looking(request)
        record = self.store.get(pk, twin.scope)
        self.access.check_objects(twin, [record])
        return record

    def leads_on(self, relation: Relation) -> bool:
        """Whether GET shows the items on both sides, so that the one may say where the other is."""
        return all(self.graph.members[name].shows_items for name in (relation.child, relation.target))

    def nested_list(self, request: Request, text: str, relation: Relation) -> Reply:
        """A verb on the list of those that refer to one item."""
        child = served(self.graph.members[relation.child].lists())
        fixed = child.model.by_name[relation.field].read_only
        verbs = [verb for verb in NESTED_VERBS if verb in child.list_verbs and not (verb == "POST" and fixed)]
        if request.method not in verbs:
            return child.refuse_verb(request, allow(verbs))
        child.let_in(request, LIST_ACTIONS[request.method])
        pk = self.key(text)
        self.parent(request, pk)
        request.url = f"{request.mount}{segment(pk)}/{relation.related_name}/"
        request.within = Filter(relation.field, "eq", pk)
        request.mount = request.script_name() + child.owner.mount
        return child.for_caller(request).list_verbs[request.method](request)

    def nested_item(self, request: Request, text: str, relation: Relation) -> Reply:
        """The item that another one refers to, with the URL where it really is (RFC 9110 §8.7)."""
        if request.method not in ("GET", "HEAD"):
            return self.refuse_verb(request, allow(("GET", "HEAD")))
        target = served(self.graph.members[relation.target].items())
        target.let_in(request, ITEM_ACTIONS[request.method])
        key = self.parent(request, self.key(text))[relation.field]
        if key is None:
            raise RecordNotFound(None)
        request.mount, request.pk = request.script_name() + target.owner.mount, key
        status, headers, body = target.for_caller(request).item_verbs["GET"](request, key)
        return status, [*headers, ("Content-Location", f"{request.mount}{segment(key)}/")], body


def served(ready: Any) -> Served:
    """What a member has made ready, which in an application of ours is this."""
    assert isinstance(ready, Served)
    return ready


def members_of(controllers: Sequence[Any]) -> list[Member]:
    """The resources that controllers serve, one or two to a name, as their relations see them."""
    by_name: dict[str, list[Any]] = {}
    for controller in controllers:
        by_name.setdefault(controller.spec.name, []).append(controller)
    return [_member(name, sharing) for name, sharing in by_name.items()]


def _member(name: str, sharing: Sequence[Any]) -> Member:
    items = next((one for one in sharing if one.spec.unique_verbs != frozenset()), sharing[0])
    lists = next((one for one in sharing if one.spec.list_verbs != frozenset()), sharing[0])
    return Member(
        name,
        items.mount,
        tuple(dict.fromkeys([items.store, lists.store])),
        items.prepare,
        lists.prepare,
        items.spec.unique_verbs is None or "GET" in items.spec.unique_verbs,
        lists.spec.list_verbs is None or "GET" in lists.spec.list_verbs,
        items.spec.expand_fields,
        frozenset(name for one in sharing for name in one.hideable),
        lambda request: frozenset(name for one in sharing for name in one.hidden_from(request)),
    )
