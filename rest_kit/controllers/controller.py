"""One resource over HTTP: three dicts in, a WSGI application out.

    class PersonApp(Controller):
        resource = {"resource_name": "people", "resource": people, "datastore": PythonListDataStore}

The dicts are checked when the class is created. What requests need is resolved then too, or, where the model must
first be read off the data, at the first request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import quote

from werkzeug.exceptions import NotFound

from rest_kit.background import Background
from rest_kit.controllers.access import Access
from rest_kit.controllers.acting import Acting
from rest_kit.controllers.actions import Action, actions_of
from rest_kit.controllers.asking import at_most, condition, order
from rest_kit.controllers.boundary import Application
from rest_kit.controllers.hooks import Hooks
from rest_kit.controllers.objects import Item, save_all
from rest_kit.controllers.paths import segments
from rest_kit.controllers.related import RelatedServed
from rest_kit.controllers.served import Served
from rest_kit.controllers.variants import EVERYTHING, Limits, Variants
from rest_kit.errors import AccessError, ConfigurationError
from rest_kit.idempotency import Idempotency, idempotency_for
from rest_kit.models import Model
from rest_kit.options import ControllerDict, ResourceDict, ViewDict
from rest_kit.policies import NO_POLICIES, Policies
from rest_kit.problems import Reply
from rest_kit.query import Query, Where, conjoin
from rest_kit.relations import NOTHING, Graph, Related
from rest_kit.request import ITEM_ACTIONS, LIST_ACTIONS, Request
from rest_kit.signing import Keys
from rest_kit.spec import Spec, build_spec, misspelt
from rest_kit.storage import MemoryStorage, Storage, open_storage
from rest_kit.store import refuse
from rest_kit.types import Pk, Record

LIST_METHODS: Final[Mapping[str, str]] = {
    "GET": "get_list",
    "POST": "post_list",
    "PUT": "put_list",
    "PATCH": "patch_list",
    "DELETE": "delete_list",
}
ITEM_METHODS: Final[Mapping[str, str]] = {
    "GET": "get_item",
    "PUT": "put_item",
    "PATCH": "patch_item",
    "DELETE": "delete_item",
}


class Controller(Application):
    """Serves one resource; subclass it with the three dicts `resource`, `controller` and `view`.

    A subclass without `resource` is a base for others. The methods named after verbs (`get_list` to `delete_item`) may
    be overridden; each answers `(status line, headers, body)`. `secret` signs cursors and keys entity tags, as for
    `WSGIDispatcher`; a dispatcher passes `keys`, `background` and `mount`, the URL path of the collection, itself, and
    `version`, the name of that to which the controller belongs.
    Raises ConfigurationError, with every mistake, when the class is created.
    """

    resource: ClassVar[ResourceDict]
    controller: ClassVar[ControllerDict] = {}
    view: ClassVar[ViewDict] = {}
    spec_: ClassVar[Spec | None] = None
    actions_: ClassVar[Mapping[str, Action]] = {}
    """By method, the custom actions."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.actions_, misfits = actions_of(cls, Controller)
        problems = misspelt(vars(cls)) + misfits
        try:
            if hasattr(cls, "resource"):
                cls.spec_ = build_spec(cls.__name__, cls.resource, cls.controller, cls.view)
        except ConfigurationError as exc:
            problems += exc.problems
        if problems:
            raise ConfigurationError(problems, owner=cls.__name__)

    def __init__(
        self,
        *,
        mount: str = "/",
        version: str = "",
        keys: Keys | None = None,
        secret: str | list[str] | None = None,
        defaults: Policies = NO_POLICIES,
        storage: str | Storage | None = None,
        background: Background | None = None,
    ) -> None:
        if self.spec_ is None:
            raise ConfigurationError("has no 'resource' dict, so there is nothing to serve", owner=type(self).__name__)
        self.spec = self.spec_
        self.store = self.spec.store
        self.mount = mount
        self.full_name = f"{version}/{self.spec.name}" if version else self.spec.name
        self.keys = keys or Keys(secret)
        self.storage = MemoryStorage() if storage is None else open_storage(storage)
        self.background = background or Background()
        policies = self.spec.policies.or_else(defaults)
        self.access = self._access_for(policies)
        self._accesses = {
            name: self.access if one.policies == NO_POLICIES else self._access_for(one.policies.or_else(policies))
            for name, one in self.actions_.items()
        }
        self._reserved: set[str] = set()
        self.idempotency = self._idempotency()
        self.hooks = Hooks(self, Controller)
        self._graph: Graph | None = None
        self._served: Served | None = None
        self._for_now: tuple[Related, Served] | None = None
        if self.store.bound_model is not None and self.store.bound_model.pk is not None:
            self.prepare()

    def _access_for(self, policies: Policies) -> Access | None:
        """What lets requests in by these policies (ConfigurationError where they cannot work here)."""
        refuse(policies.problems(self.keys) + policies.misfits(self), type(self).__name__)
        return Access(self, policies, self.storage) if policies.any else None

    def _idempotency(self) -> Idempotency | None:
        """What carries out requests with a key once, where that is asked for (ConfigurationError)."""
        spec = self.spec
        return idempotency_for(
            spec.idempotency,
            self.store,
            self.storage,
            max_body=spec.max_body,
            required=spec.require_idempotency_key,
        )

    def prepare(self) -> Served:
        """The resource made ready; the first time, the model may have to be read off the data (StoreUnavailable)."""
        if self._served is None:
            if self._graph is not None and not self._graph.settled(self.spec.name):
                return self._prepare_for_now(self._graph)
            self._served = self._make(self._graph.of(self.spec.name) if self._graph is not None else NOTHING)
        return self._served

    def _prepare_for_now(self, graph: Graph) -> Served:
        """The same while it is not known yet what the database says of relations: made again as soon as more is."""
        self._reach()
        related = graph.of(self.spec.name)
        if self._for_now is None or self._for_now[0] != related:
            self._for_now = related, self._make(related)
        return self._for_now[1]

    def _reach(self) -> Model:
        """The model, asked for before anything else, so that data which are away are waited for once."""
        return self.store.model

    def _make(self, related: Related) -> Served:
        """What serves the resource, ready to be made again for those who see other fields."""
        served = self._limited(related, EVERYTHING)
        graph = self._graph if self._graph is not None and related and self._graph.may_hide() else None
        if self.spec.field_permissions is not None or graph is not None:
            served.variants = Variants(self, served, lambda limits: self._limited(related, limits), graph)
        return served

    def _limited(self, related: Related, limits: Limits) -> Served:
        if self._graph is None or not related:
            served = Served(self, self.spec, self.keys, limits=limits)
        else:
            served = RelatedServed(self, self.spec, self.keys, self._graph, related, limits=limits)
        served.use(self._overridden(LIST_METHODS), self._overridden(ITEM_METHODS))
        acting = [Acting(one, served, self._accesses[name]) for name, one in self.actions_.items()]
        served.act(acting)
        served.reserve(self._reserved)
        return served

    def relate(self, graph: Graph) -> None:
        """Take part in the relations of an application; for the dispatcher, before the first request."""
        if not graph.concerns(self.spec.name):
            return
        self._graph, self._served = graph, None
        known = self.store.bound_model is not None and self.store.bound_model.pk is not None
        if known and graph.settled(self.spec.name):
            self.prepare()

    # --- actions ------------------------------------------------------------------------------------------------------

    def action_names(self, *, detail: bool) -> list[str]:
        """The segments of the URL that actions have, below an item or below the list."""
        return [one.name for one in self.actions_.values() if one.detail is detail]

    def acts_at(self, parts: list[str]) -> bool:
        """Whether an action of this controller is at an address below the collection."""
        return len(parts) in (1, 2) and parts[-1] in self.action_names(detail=len(parts) == 2)

    def reserve_keys(self, words: Iterable[str]) -> None:
        """Let no record be created whose key is one of these words, at which another controller of the name acts."""
        self._reserved.update(words)
        if self._served is not None:
            self._served.reserve(self._reserved)

    def _overridden(self, methods: Mapping[str, str]) -> dict[str, Any]:
        """By verb, the methods that a subclass has in place of ours."""
        cls = type(self)
        own = {verb: name for verb, name in methods.items() if getattr(cls, name) is not getattr(Controller, name)}
        return {verb: getattr(self, name) for verb, name in own.items()}

    # --- the way of a request -----------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        """Answer a request for the controller mounted by itself: the list at the mount's root."""
        parts = segments(request.environ)
        if "" in parts:
            raise NotFound("there is nothing at this address")
        return self.handle(request, parts)

    def handle(self, request: Request, parts: list[str]) -> Reply:
        """Answer a request for what lies under the collection: nothing more for the list, one segment for an item."""
        served = self._served or self.prepare()
        script_name = request.environ.get("SCRIPT_NAME")
        request.mount = request.script_name() + self.mount if script_name else self.mount
        request.max_body = self.spec.max_body
        deprecated = self.spec.deprecated
        if deprecated is not None:
            request.put_headers(deprecated.headers)
        access = self.access
        if not parts:
            verb = served.list_verbs.get(request.method)
            if verb is None:
                return served.refuse_verb(request, served.list_allow)
            request.view, request.action = self, LIST_ACTIONS[request.method]
            if access is not None:
                access.enter(request, request.action)
            if served.variants is not None:
                verb = served.variants.of(request).list_verbs[request.method]
            return verb(request)
        if len(parts) > 1 or parts[0] in served.reserved:
            acting = served.action_at(parts)
            if acting is not None:
                return acting.answer(request, *parts[:-1])
            return served.let_below(request, parts).below(request, parts)
        item_verb = served.item_verbs.get(request.method)
        if item_verb is None:
            return served.refuse_verb(request, served.item_allow)
        pk = None
        request.view, request.action = self, ITEM_ACTIONS[request.method]
        if access is not None:
            request.pk = pk = served.key_if_any(parts[0])
            access.enter(request, request.action)
        if pk is None:
            request.pk = pk = served.key(parts[0])
        if served.variants is not None:
            item_verb = served.variants.of(request).item_verbs[request.method]
        return item_verb(request, pk)

    # --- the verbs, for subclasses to extend --------------------------------------------------------------------------

    def get_list(self, request: Request) -> Reply:
        """GET on the list: a page of what the parameters ask for."""
        return self.prepare().for_caller(request).read_list(request)

    def post_list(self, request: Request) -> Reply:
        """POST on the list: one object, or an array of which all are stored or none."""
        return self.prepare().for_caller(request).create(request)

    def put_list(self, request: Request) -> Reply:
        """PUT on the list: an array of whole objects, each found by its primary key."""
        return self.prepare().for_caller(request).replace_many(request)

    def patch_list(self, request: Request) -> Reply:
        """PATCH on the list: the same change to every object that the filter finds."""
        return self.prepare().for_caller(request).update_many(request)

    def delete_list(self, request: Request) -> Reply:
        """DELETE on the list: everything that the filter finds."""
        return self.prepare().for_caller(request).delete_many(request)

    def get_item(self, request: Request, pk: Pk) -> Reply:
        """GET on an item: the record, or 304 where the caller has it already."""
        return self.prepare().for_caller(request).read_item(request, pk)

    def put_item(self, request: Request, pk: Pk) -> Reply:
        """PUT on an item: the whole object anew."""
        return self.prepare().for_caller(request).replace(request, pk)

    def patch_item(self, request: Request, pk: Pk) -> Reply:
        """PATCH on an item: a merge patch, or a JSON patch."""
        return self.prepare().for_caller(request).update(request, pk)

    def delete_item(self, request: Request, pk: Pk) -> Reply:
        """DELETE on an item: 204, and 404 from then on."""
        return self.prepare().for_caller(request).delete(request, pk)

    # --- for actions, and for verbs that are overridden ---------------------------------------------------------------

    def get_object(self, request: Request, pk: Pk) -> Item:
        """The object with this primary key, typed or as it stands in a URL, as far as the caller may work on it.

        RecordNotFound (404) where there is none that the caller may see, PermissionDenied (403).
        """
        served = self.prepare().seen_by(request)
        return Item(served, request, served.load(request, served.key(pk) if isinstance(pk, str) else pk))

    def find(
        self,
        request: Request,
        where: Where | None = None,
        *,
        ordering: str | Sequence[str] = (),
        count: int | None = None,
        **filters: Any,
    ) -> list[Item]:
        """The objects that the caller may see and that fulfil all conditions: at most `count`, or all of them.

        `filters` are those of lists, with Python values: `completed=False`, `due__lt=today`. `ordering` is as for
        lists: `"-published,title"`. TypeError or ValueError where no such question can be asked.
        """
        served = self.prepare().seen_by(request)
        wanted = conjoin(request.scope, condition(served.model, where, filters))
        query = Query(wanted, order(served.model, ordering), page=at_most(count))
        return [Item(served, request, record) for record in served.find(request, query).records]

    def page(self, request: Request, where: Where | None = None, **filters: Any) -> Reply:
        """A page of the list as GET answers it, with all that its parameters ask for, of those that `find` finds."""
        served = self.prepare().seen_by(request)
        request.within = condition(served.model, where, filters)
        request.url = request.script_name() + quote(request.environ.get("PATH_INFO", "").encode("latin-1"))
        return served.read_list(request)

    def save_all(self, items: Sequence[Item]) -> None:
        """Save several objects in one transaction, all of them or none; the errors are those of `Item.save`."""
        save_all(items)

    # --- what runs around writes, for subclasses ----------------------------------------------------------------------

    def before_create(self, request: Request, record: Record) -> None:
        """Runs within the transaction, before a new record is stored; it may change the record, or raise.

        A transaction that is tried again runs it again. The same holds for the other two.
        """

    def before_update(self, request: Request, before: Record, record: Record) -> None:
        """Runs within the transaction, before `record`, which may be changed, takes the place of `before`."""

    def before_delete(self, request: Request, record: Record) -> None:
        """Runs within the transaction, before a record is deleted."""

    def after_create(self, request: Request, record: Record) -> None:
        """Runs once, when a new record is kept for good; what it raises is logged, as it can undo nothing any more.

        The same holds for the other two.
        """

    def after_update(self, request: Request, before: Record, record: Record) -> None:
        """Runs once, when a change is kept for good."""

    def after_delete(self, request: Request, record: Record) -> None:
        """Runs once, when a deletion is kept for good."""

    # --- fields that only some may read -------------------------------------------------------------------------------

    @property
    def hideable(self) -> frozenset[str]:
        """The fields that only some may read."""
        fields = self.spec.field_permissions
        return frozenset(fields.read) if fields is not None else frozenset()

    def hidden_from(self, request: Request) -> frozenset[str]:
        """Those of them that the caller of a request may not; all, where the caller may read nothing here."""
        fields = self.spec.field_permissions
        if fields is None:
            return frozenset()
        try:
            asking = self.access.looking(request) if self.access is not None else request.reading()
        except AccessError:
            return self.hideable
        return fields.hidden(asking, self)

    # --- what a dispatcher asks ---------------------------------------------------------------------------------------

    def ping(self) -> None:
        """Return if the data can be reached and read (StoreUnavailable)."""
        self.store.ping()
        self.prepare()
        if self.access is not None and self.access.throttling is not None:
            self.access.throttling.ping()
