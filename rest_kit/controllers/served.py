"""One resource made ready to be served: everything that requests would otherwise look up, resolved beforehand.

Verbs to functions, `Allow` headers, the table of parameters, the spelling of keys. A controller makes one of these as
soon as its model is known, and keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from werkzeug.exceptions import MethodNotAllowed, NotFound

from rest_kit.controllers.doors import Work
from rest_kit.controllers.files import FILE_ACTIONS, Addresses, FileVerb, Keeping
from rest_kit.controllers.merging import Merging
from rest_kit.controllers.presenter import Presenter
from rest_kit.controllers.variants import EVERYTHING, Limits, Variants
from rest_kit.controllers.writing import PATCHES, Writing
from rest_kit.errors import RecordNotFound, did_you_mean
from rest_kit.models import Field
from rest_kit.params import Parameters
from rest_kit.preconditions import Tagger
from rest_kit.problems import Reply
from rest_kit.relations import Links
from rest_kit.request import FORM, Request
from rest_kit.signing import Keys
from rest_kit.spec import LIST_VERBS, READING, RESERVED_KEYS, UNIQUE_VERBS, Spec
from rest_kit.store import refuse
from rest_kit.types import INT64_MAX, INT64_MIN, Pk, Record
from rest_kit.views import Response
from rest_kit.views.negotiation import accepted

if TYPE_CHECKING:
    from rest_kit.controllers.acting import Acting

KEYED: Final[Sequence[str]] = ("POST", "PATCH")
"""The verbs that heed idempotency keys: those that cannot be repeated by their nature."""

Verb = Callable[[Request], Reply]
ItemVerb = Callable[[Request, Pk], Reply]
RunT = TypeVar("RunT")


class Served(Writing):
    """Serves one resource; `owner` is the controller, which formatters are given, `limits` what callers do not see.

    Made at the first use where the model must be read off the data (StoreUnavailable).
    """

    variants: Variants[Self] | None = None
    """The same as others see it, where it depends on the caller which fields there are."""

    files: Mapping[str, Mapping[str, FileVerb]] = {}
    """By field, what answers at the address of an item's file, by verb."""
    uris: Links | None = None
    """What shows foreign keys as URIs, where the view asks for that."""

    def __init__(self, owner: Any, spec: Spec, keys: Keys, *, limits: Limits = EVERYTHING) -> None:
        self.owner = owner
        self.spec = spec
        self.store = spec.store
        self.limits = limits
        self.model = limits.model(spec.store.model)
        self.pagination = spec.pagination
        self.cursors = keys.serializer(f"rest_kit.cursor.{owner.full_name}")
        tagger = Tagger(keys.derive(f"rest_kit.etag.{owner.full_name}")[0])
        self.presenter = Presenter(spec, self.model, tagger, self.uris, told=limits.told)
        self.access = owner.access
        self.hooks = owner.hooks
        self.idempotency = owner.idempotency
        if spec.files is not None:
            self.keeping = Keeping(self.model, spec.files, spec.max_body)
            self.patches = (*PATCHES, FORM)
        parts = (self.access, self.keeping, self.idempotency)
        extra = bool(self.hooks) or limits is not EVERYTHING
        self.polices = extra or any(part is not None for part in parts)
        self.refuse_misfits()
        self.inserting = self.changing = self.deleting = self.plainly
        self.visible = self.model.readable if self.presenter.hidden else None
        self.merging = Merging(self.model, self.presenter)
        self.reserved: frozenset[str] = frozenset()
        self.reserve(RESERVED_KEYS)
        self.list_actions: dict[str, Acting] = {}
        self.item_actions: dict[str, Acting] = {}
        self.acting: dict[str, Acting] = {}
        """The actions below the list and below an item by their segment of the URL, and all by their method."""
        self.parameters = self.make_parameters(self.store.capabilities.search)
        self.accepted = accepted(spec.responses)
        assert self.model.pk is not None
        self._pk_field = self.model.pk
        self._integer_pk = spelt_as_integer(self.model.pk)
        self._listed = [spec.list_verbs, spec.unique_verbs]

    def refuse_misfits(self) -> None:
        """Refuse policies that do not fit the model, which may only be known by now (ConfigurationError)."""
        problems = self.access.check(self.model) if self.access is not None else []
        if self.spec.field_permissions is not None:
            problems += self.spec.field_permissions.check(self.model)
        refuse(problems, type(self.owner).__name__)

    def for_caller(self, request: Request) -> Served:
        """The resource as this caller sees it (NotAuthenticated, PermissionDenied)."""
        return self if self.variants is None else self.variants.of(request)

    def let_in(self, request: Request, action: str) -> None:
        """Let a request pass as one for this resource (NotAuthenticated, PermissionDenied, Throttled)."""
        request.view, request.action = self.owner, action
        if self.access is not None:
            self.access.enter(request, action)

    def plainly(self, request: Request, work: Work) -> Any:
        """The door for writes that concern no other resource: the store's own."""
        return self.store.atomic(work)

    def make_parameters(self, search: bool) -> Parameters:
        """The table of what lists can be asked for."""
        options = self.limits.options(self.spec.options)
        return Parameters(self.model, options, self.pagination.parameters, search=search)

    def shape(self, records: list[Record], request: Request, response: type[Response]) -> list[Record]:
        """Records that may be seen, as items of this resource, for a reply of another one's."""
        return self.presenter.shape(records, request.at(request.script_name() + self.owner.mount), response)

    def reserve(self, words: Iterable[str]) -> None:
        """Let words stand for something else where a primary key would stand."""
        self.reserved = self.merging.reserved = self.reserved.union(words)

    def act(self, acting: Sequence[Acting]) -> None:
        """Take in the actions (ConfigurationError for one at the address of a file)."""
        hidden = [one.declared.name for one in acting if one.declared.detail and one.declared.name in self.files]
        refuse([f"an action and a file have one address: {name!r}" for name in hidden], type(self.owner).__name__)
        for one in acting:
            self.acting[one.declared.attribute] = one
            (self.item_actions if one.declared.detail else self.list_actions)[one.declared.name] = one
        self.reserve(self.list_actions)

    def action_at(self, parts: list[str]) -> Acting | None:
        """The action at an address below the collection, if there is one."""
        if len(parts) == 1:
            return self.list_actions.get(parts[0])
        return self.item_actions.get(parts[1]) if len(parts) == 2 and parts[0] not in self.reserved else None

    def seen_by(self, request: Request) -> Served:
        """The resource as its caller sees it, by the policies that have let the request in."""
        served = self.for_caller(request)
        acting = served.acting.get(request.action)
        return served if acting is None else acting.served

    def let_below(self, request: Request, parts: list[str]) -> Served:
        """The resource as this caller sees it, for what lies below an item (as `let_in`).

        Where it depends on the caller which files there are, the request is let in first.
        """
        varies = self.variants is not None and len(parts) == 2
        if varies and self.files and parts[1] not in self.relation_names():
            request.pk = self.key_if_any(parts[0])
            self.let_in(request, FILE_ACTIONS.get(request.method, "retrieve"))
        return self.for_caller(request)

    def below(self, request: Request, parts: list[str]) -> Reply:
        """Answer for what lies below an item, or where a word has another meaning: its files (NotFound)."""
        if len(parts) == 2 and parts[0] not in self.reserved and parts[1] in self.files:
            return self.answer_file(request, parts[0], self.files[parts[1]])
        names = self.names_below() if len(parts) == 2 else []
        raise NotFound(f"there is nothing at this address{did_you_mean(parts[-1], names)}")

    def answer_file(self, request: Request, key: str, verbs: Mapping[str, FileVerb]) -> Reply:
        """Answer for a file of an item."""
        if request.method not in verbs:
            return self.refuse_verb(request, allow(verbs))
        return verbs[request.method](request, key)

    def names_below(self) -> list[str]:
        """What there is below an item."""
        return [*self.item_actions, *self.files]

    def relation_names(self) -> Collection[str]:
        """The names of relations, at whose addresses other resources are."""
        return ()

    def use(self, lists: Mapping[str, Verb], items: Mapping[str, ItemVerb]) -> None:
        """Settle which function answers which verb: these, and ours for the rest."""
        served = READING if not self.store.capabilities.writable else frozenset({*LIST_VERBS, *READING})
        on_list = self.spec.list_verbs if self.spec.list_verbs is not None else frozenset(LIST_VERBS)
        on_item = self.spec.unique_verbs if self.spec.unique_verbs is not None else frozenset(UNIQUE_VERBS)
        all_lists: dict[str, Verb] = {
            "GET": self.read_list,
            "POST": self.create,
            "PUT": self.replace_many,
            "PATCH": self.update_many,
            "DELETE": self.delete_many,
            **lists,
        }
        all_items: dict[str, ItemVerb] = {
            "GET": self.read_item,
            "PUT": self.replace,
            "PATCH": self.update,
            "DELETE": self.delete,
            **items,
        }
        shown_lists = with_head({verb: run for verb, run in all_lists.items() if verb in on_list & served})
        shown_items = with_head({verb: run for verb, run in all_items.items() if verb in on_item & served})
        self.list_verbs = self.heeding_keys(self.cleaning_up(shown_lists), own=lists)
        self.item_verbs = self.heeding_keys(self.cleaning_up(shown_items), own=items)
        if self.keeping is not None:
            self.files = Addresses(self, self.keeping).verbs
        self.list_allow = allow(self.list_verbs)
        self.item_allow = allow(self.item_verbs)

    def cleaning_up(self, verbs: dict[str, Callable[..., Reply]]) -> dict[str, Callable[..., Reply]]:
        """The verbs, those that write made to leave no file behind when they fail."""
        if self.keeping is None:
            return verbs
        return {verb: run if verb in READING else self.keeping.cleaning_up(run) for verb, run in verbs.items()}

    def heeding_keys(
        self, verbs: dict[str, Callable[..., Reply]], *, own: Iterable[str]
    ) -> dict[str, Callable[..., Reply]]:
        """The verbs, each carried out once for an idempotency key; `own` are those that the controller overrides."""
        once = self.idempotency
        if once is None:
            return verbs
        return {**verbs, **{verb: self.once(once, verbs[verb], own=verb in own) for verb in KEYED if verb in verbs}}

    def key(self, text: str) -> Pk:
        """The primary key that a path segment spells, in its one canonical spelling (RecordNotFound)."""
        if self._integer_pk:
            return integer_key(text)
        field = self._pk_field
        try:
            pk: Pk = field.parse(text)
            if field.format(pk) == text:
                return pk
        except ValueError:
            pass
        raise RecordNotFound(text)

    def key_if_any(self, text: str) -> Pk | None:
        """The same for whoever must know before it is time to refuse: None where it spells none."""
        try:
            return self.key(text)
        except RecordNotFound:
            return None

    def refuse_verb(self, request: Request, allowed: list[str]) -> Reply:
        """The answer to OPTIONS, and to a verb that is not served: 405 with what is."""
        if request.method == "OPTIONS":
            headers = [("Allow", ", ".join(allowed))]
            if "PATCH" in allowed:
                headers.append(("Accept-Patch", ", ".join(self.patches)))
            return "204 No Content", headers, b""
        why_not = self.store.capabilities.why_not
        asked = any(request.method in (verbs or (request.method,)) for verbs in self._listed)
        text = f"{request.method} is not served here"
        if why_not and asked and not self.store.capabilities.writable:
            text += f": {why_not}"
        raise MethodNotAllowed(allowed, description=text)


def spelt_as_integer(field: Field) -> bool:
    """Whether a key is written as `str` writes an integer, and not in a way of its own."""
    own = type(field).parse is not Field.parse or type(field).format is not Field.format
    return field.kind.python_type is int and not own


def integer_key(text: str) -> int:
    """The 64-bit integer that a path segment spells as `str` would: no sign but a minus, no leading zero, ASCII."""
    try:
        number = int(text)
    except ValueError as exc:
        raise RecordNotFound(text) from exc
    if str(number) != text or not INT64_MIN <= number <= INT64_MAX:
        raise RecordNotFound(text)
    return number


def with_head(verbs: dict[str, RunT]) -> dict[str, RunT]:
    """The verbs, with HEAD where there is GET: the body is left out where the reply is sent."""
    return {**verbs, "HEAD": verbs["GET"]} if "GET" in verbs else verbs


def allow(verbs: Iterable[str]) -> list[str]:
    """The verbs of an `Allow` header, OPTIONS included."""
    order = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    served = {*verbs, "OPTIONS"}
    return [verb for verb in order if verb in served]
