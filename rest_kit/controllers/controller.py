"""One resource over HTTP: three dicts in, a WSGI application out.

    class PersonApp(Controller):
        resource = {"resource_name": "people", "resource": people, "datastore": PythonListDataStore}

The dicts are checked when the class is created. An instance resolves, at its creation or (where the model must first
be read off the data) at the first request, everything that requests would otherwise look up: verbs to bound methods,
`Allow` headers, the table of parameters.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from werkzeug.exceptions import MethodNotAllowed, NotFound

from rest_kit.controllers.boundary import Application
from rest_kit.controllers.changes import Changes
from rest_kit.controllers.paths import segments
from rest_kit.controllers.presenter import Presenter
from rest_kit.controllers.writing import PATCHES, Writing
from rest_kit.errors import ConfigurationError, RecordNotFound
from rest_kit.params import Parameters
from rest_kit.preconditions import Tagger
from rest_kit.problems import Reply
from rest_kit.request import Request
from rest_kit.signing import Keys
from rest_kit.spec import (
    LIST_VERBS,
    READING,
    RESERVED_KEYS,
    UNIQUE_VERBS,
    ControllerDict,
    ResourceDict,
    Spec,
    ViewDict,
    build_spec,
)
from rest_kit.types import INT64_MAX, INT64_MIN, Pk
from rest_kit.views.negotiation import accepted

Verb = Callable[[Request], Reply]
ItemVerb = Callable[[Request, Pk], Reply]
RunT = TypeVar("RunT")


class Controller(Writing, Application):
    """Serves one resource; subclass it with the three dicts `resource`, `controller` and `view`.

    A subclass without `resource` is a base for others. `secret` signs cursors and keys entity tags, as for
    `WSGIDispatcher`; a dispatcher passes `keys` and `mount`, the URL path of the collection, itself.
    Raises ConfigurationError, with every mistake, when the class is created.
    """

    resource: ClassVar[ResourceDict]
    controller: ClassVar[ControllerDict] = {}
    view: ClassVar[ViewDict] = {}
    spec_: ClassVar[Spec | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "resource"):
            cls.spec_ = build_spec(cls.__name__, cls.resource, cls.controller, cls.view)

    def __init__(self, *, mount: str = "/", keys: Keys | None = None, secret: str | list[str] | None = None) -> None:
        if self.spec_ is None:
            raise ConfigurationError("has no 'resource' dict, so there is nothing to serve", owner=type(self).__name__)
        self.spec = self.spec_
        self.store = self.spec.store
        self.pagination = self.spec.pagination
        self.mount = mount
        self.keys = keys or Keys(secret)
        self.cursors = self.keys.serializer(f"rest_kit.cursor.{self.spec.name}")
        self.reserved = RESERVED_KEYS
        self._preparing = threading.Lock()
        self._ready = False
        if self.store.bound_model is not None and self.store.bound_model.pk is not None:
            self.prepare()

    def prepare(self) -> None:
        """Resolve what depends on the model, reading it off the data where none was given (StoreUnavailable)."""
        with self._preparing:
            if self._ready:
                return
            self.model = self.store.model
            tagger = Tagger(self.keys.derive(f"rest_kit.etag.{self.spec.name}")[0])
            self.presenter = Presenter(self.spec, self.model, tagger)
            self.visible = self.model.readable if self.presenter.hidden else None
            self.changes = Changes(self.model, self.presenter)
            search = self.store.capabilities.search
            self.parameters = Parameters(self.model, self.spec.options, self.pagination.parameters, search=search)
            self.accepted = accepted(self.spec.responses)
            self._resolve_verbs()
            self._resolve_key()
            self._ready = True

    def _resolve_verbs(self) -> None:
        served = READING if not self.store.capabilities.writable else frozenset({*LIST_VERBS, *READING})
        self._listed = [self.spec.list_verbs, self.spec.unique_verbs]
        lists: dict[str, Verb] = {
            "GET": self.read_list,
            "POST": self.create,
            "PUT": self.replace_many,
            "PATCH": self.update_many,
            "DELETE": self.delete_many,
        }
        items: dict[str, ItemVerb] = {
            "GET": self.read_item,
            "PUT": self.replace,
            "PATCH": self.update,
            "DELETE": self.delete,
        }
        on_list = self.spec.list_verbs if self.spec.list_verbs is not None else frozenset(LIST_VERBS)
        on_item = self.spec.unique_verbs if self.spec.unique_verbs is not None else frozenset(UNIQUE_VERBS)
        self.list_verbs = with_head({verb: run for verb, run in lists.items() if verb in on_list & served})
        self.item_verbs = with_head({verb: run for verb, run in items.items() if verb in on_item & served})
        self.list_allow = allow(self.list_verbs)
        self.item_allow = allow(self.item_verbs)

    def _resolve_key(self) -> None:
        assert self.model.pk is not None
        self._pk_field = self.model.pk
        self._integer_pk = self.model.pk.kind.python_type is int

    # --- the way of a request -----------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        """Answer a request for the controller mounted by itself: the list at the mount's root."""
        parts = segments(request.environ)
        if "" in parts:
            raise NotFound("there is nothing at this address")
        return self.handle(request, parts)

    def handle(self, request: Request, parts: list[str]) -> Reply:
        """Answer a request for what lies under the collection: nothing more for the list, one segment for an item."""
        if not self._ready:
            self.prepare()
        script_name = request.environ.get("SCRIPT_NAME")
        request.mount = request.script_name() + self.mount if script_name else self.mount
        if not parts:
            verb = self.list_verbs.get(request.method)
            return verb(request) if verb is not None else self.refuse_verb(request, self.list_allow)
        if len(parts) > 1 or parts[0] in self.reserved:
            raise NotFound("there is nothing at this address")
        item_verb = self.item_verbs.get(request.method)
        if item_verb is None:
            return self.refuse_verb(request, self.item_allow)
        request.pk = pk = self.key(parts[0])
        return item_verb(request, pk)

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

    def refuse_verb(self, request: Request, allowed: list[str]) -> Reply:
        """The answer to OPTIONS, and to a verb that is not served: 405 with what is."""
        if request.method == "OPTIONS":
            headers = [("Allow", ", ".join(allowed))]
            if "PATCH" in allowed:
                headers.append(("Accept-Patch", ", ".join(PATCHES)))
            return "204 No Content", headers, b""
        why_not = self.store.capabilities.why_not
        asked = any(request.method in (verbs or (request.method,)) for verbs in self._listed)
        text = f"{request.method} is not served here"
        if why_not and asked and not self.store.capabilities.writable:
            text += f": {why_not}"
        raise MethodNotAllowed(allowed, description=text)

    # --- what a dispatcher asks ---------------------------------------------------------------------------------------

    def ping(self) -> None:
        """Return if the data can be reached and read (StoreUnavailable)."""
        self.store.ping()
        if not self._ready:
            self.prepare()


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
