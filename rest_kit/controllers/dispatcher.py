"""Many controllers as one WSGI application, with the pages that speak of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import MethodNotAllowed, NotFound, ServiceUnavailable

from rest_kit.authentication import Authentication
from rest_kit.controllers.boundary import Application, log
from rest_kit.controllers.controller import Controller
from rest_kit.controllers.paths import segments
from rest_kit.controllers.presenter import json_reply
from rest_kit.controllers.related import RelatedServed, members_of
from rest_kit.controllers.routing import Routes
from rest_kit.controllers.served import allow
from rest_kit.docs.errors import error_page
from rest_kit.docs.schema import Described, describe
from rest_kit.errors import ConfigurationError, StoreError, did_you_mean
from rest_kit.permissions import Permission
from rest_kit.policies import read_policies
from rest_kit.problems import Reply
from rest_kit.relations import Graph
from rest_kit.request import Environ, Request
from rest_kit.routes import Route
from rest_kit.signing import Keys
from rest_kit.spec import is_segment
from rest_kit.storage import Storage, open_storage
from rest_kit.throttling import Throttle
from rest_kit.views import JsonResponse
from rest_kit.views.negotiation import choose

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

READ_ALLOW = allow(("GET", "HEAD"))


class WSGIDispatcher(Application):
    """Serves controllers as one WSGI application.

    `controllers`: Controller classes, each under its `resource_name`; one name may be given to two, of which one
    serves the list and the other the items. `name`, `version`: shown at `/`. `prefix`: a path before everything, such
    as `/api/v1`. `hello`, `docs`: whether `/` and `/schema/` are served. `fallback`: a WSGI application for every
    path that is not ours. `secret`: signs cursors and keys entity tags (a list for rotation, newest first; or the
    environment variable REST_KIT_SECRET). `authentication`, `permissions`, `throttle`: the policies of controllers
    that have none of their own. `storage`: where throttles count, as a URL (`memory://`, `sqlite:///file`,
    `redis://host`). `routes`: plain endpoints beside the controllers. Raises ConfigurationError with every mistake.
    """

    def __init__(
        self,
        controllers: Sequence[type[Controller]],
        *,
        name: str = "rest_kit",
        version: str = "1.0",
        prefix: str = "",
        docs: bool = True,
        hello: bool = True,
        fallback: WSGIApplication | None = None,
        secret: str | list[str] | None = None,
        authentication: Authentication | Sequence[Authentication] | None = None,
        permissions: Permission | Sequence[Permission] | None = None,
        throttle: Throttle | Sequence[Throttle] | None = None,
        storage: str | Storage = "memory://",
        routes: Sequence[Route] = (),
    ) -> None:
        self.name = name
        self.version = version
        self.fallback = fallback
        problems = _problems(controllers, prefix, fallback)
        problems += [f"routes holds {one!r}, which is not a Route" for one in routes if not isinstance(one, Route)]
        problems += _misfits({"name": name, "version": version}, str) + _misfits({"docs": docs, "hello": hello}, bool)
        given = {"authentication": authentication, "permissions": permissions, "throttle": throttle}
        defaults, misfits = read_policies(given, type(self).__name__)
        problems += misfits
        try:
            self.keys = Keys(secret)
            self.storage = open_storage(storage)
            problems += defaults.problems(self.keys)
        except ConfigurationError as exc:
            problems += exc.problems
        if problems:
            raise ConfigurationError(problems, owner=type(self).__name__)
        self.prefix = "/" + prefix.strip("/") if prefix.strip("/") else ""
        self._prefix_parts = self.prefix.split("/")[1:]
        self.controllers = [
            cls(mount=f"{self.prefix}/{_name(cls)}/", keys=self.keys, defaults=defaults, storage=self.storage)
            for cls in controllers
        ]
        self._relate()
        self._routes = Routes(routes, defaults, self.storage) if routes else None
        self._handlers = self._mount(self.controllers)
        self._pages: dict[str, Callable[[Request, list[str]], Reply]] = {"healthz": self._health, "readyz": self._ready}
        if hello:
            self._pages[""] = self._hello
        if docs:
            self._pages |= {"schema": self._schema, "docs": self._docs}

    def _relate(self) -> None:
        """Let the controllers know what refers to what (ConfigurationError with every mistake)."""
        graph = Graph(members_of(self.controllers))
        if graph.problems:
            raise ConfigurationError(graph.problems, owner=type(self).__name__)
        for controller in self.controllers:
            controller.relate(graph)

    def _mount(self, controllers: Sequence[Controller]) -> dict[str, Callable[[Request, list[str]], Reply]]:
        """By resource name, what answers: a controller, or a pair of them sharing the name."""
        handlers: dict[str, Callable[[Request, list[str]], Reply]] = {}
        by_name: dict[str, list[Controller]] = {}
        for controller in controllers:
            by_name.setdefault(controller.spec.name, []).append(controller)
        for name, sharing in by_name.items():
            handlers[name] = sharing[0].handle if len(sharing) == 1 else _shared(sharing)
        return handlers

    def answer(self, request: Request) -> Reply:
        """Find what serves the path, and let it (NotFound)."""
        parts = segments(request.environ)
        if self.prefix:
            parts = self._below_prefix(parts)
        if "" in parts:
            raise NotFound("there is nothing at this address")
        if self._routes is not None:
            found = self._routes.find(parts)
            if found is not None:
                return found(request)
        name = parts.pop(0) if parts else ""
        handler = self._handlers.get(name)
        if handler is not None:
            return handler(request, parts)
        page = self._pages.get(name)
        if page is None:
            raise NotFound(f"there is nothing at this address{did_you_mean(name, self._handlers)}")
        return page(request, parts)

    def _below_prefix(self, parts: list[str]) -> list[str]:
        length = len(self._prefix_parts)
        if parts[:length] != self._prefix_parts:
            raise NotFound(f"everything here lies under {self.prefix}/")
        return parts[length:]

    def knows(self, environ: Environ) -> bool:
        """Whether the path's first segment below the prefix is one of ours."""
        try:
            parts = self._below_prefix(segments(environ))
        except NotFound:
            return False
        if self._routes is not None and self._routes.find(parts) is not None:
            return True
        if not parts:
            return "" in self._pages
        return parts[0] in self._handlers or (parts[0] != "" and parts[0] in self._pages)

    # --- the pages ----------------------------------------------------------------------------------------------------

    def _hello(self, request: Request, parts: list[str]) -> Reply:
        base = request.script_name() + self.prefix
        links = {name: f"{base}/{name}/" for name in self._handlers}
        return _page(request, parts, lambda: {"name": self.name, "version": self.version, "resources": links})

    def _health(self, request: Request, parts: list[str]) -> Reply:
        return _probe(request, parts, lambda: {"status": "ok"})

    def _ready(self, request: Request, parts: list[str]) -> Reply:
        return _probe(request, parts, self._readiness)

    def _readiness(self) -> dict[str, Any]:
        """Every store reached (ServiceUnavailable naming those that cannot be)."""
        failed = []
        for controller in self.controllers:
            try:
                controller.ping()
            except StoreError as exc:
                log.warning("%s is not ready: %s", controller.spec.name, exc)
                failed.append(controller.spec.name)
        if failed:
            raise ServiceUnavailable(f"not ready: {', '.join(failed)}")
        return {"status": "ready", "resources": {controller.spec.name: "ready" for controller in self.controllers}}

    def _schema(self, request: Request, parts: list[str]) -> Reply:
        base = request.script_name() + self.prefix
        if not parts:
            links = {name: f"{base}/schema/{name}/" for name in self._handlers}
            return _page(request, parts, lambda: {"resources": links})
        sharing = [controller for controller in self.controllers if controller.spec.name == parts[0]]
        if not sharing:
            raise NotFound(f"no such resource{did_you_mean(parts[0], self._handlers)}")
        return _page(request, parts[1:], lambda: describe(_described(sharing, f"{base}/{parts[0]}/", request)))

    def _docs(self, request: Request, parts: list[str]) -> Reply:
        if len(parts) != 2 or parts[0] != "errors":
            raise NotFound("there is nothing at this address")
        return _page(request, [], lambda: error_page(parts[1]))


def _name(cls: type[Controller]) -> str:
    assert cls.spec_ is not None
    return cls.spec_.name


def _misfits(given: Mapping[str, Any], expected: type) -> list[str]:
    """A sentence for each argument that is of another type."""
    wrong = {name: value for name, value in given.items() if not isinstance(value, expected)}
    return [f"{name} must be a {expected.__name__}, not {value!r}" for name, value in wrong.items()]


def _problems(controllers: Any, prefix: Any, fallback: Any) -> list[str]:
    """What is wrong with a dispatcher's arguments."""
    problems = []
    if not isinstance(prefix, str) or not all(map(is_segment, prefix.strip("/").split("/") if prefix else ())):
        problems.append(f"prefix must be a path such as '/api/v1', not {prefix!r}")
    if fallback is not None and not callable(fallback):
        problems.append(f"fallback must be a WSGI application, not {fallback!r}")
    if isinstance(controllers, Sequence):
        return problems + _controller_problems(controllers)
    return [*problems, f"controllers must be a list of Controller classes, not {controllers!r}"]


def _controller_problems(controllers: Sequence[Any]) -> list[str]:
    problems = []
    for cls in controllers:
        if not (isinstance(cls, type) and issubclass(cls, Controller)):
            hint = f": pass the class {type(cls).__name__}" if isinstance(cls, Controller) else ""
            problems.append(f"controllers holds {cls!r}, which is not a Controller class{hint}")
        elif cls.spec_ is None:
            problems.append(f"{cls.__name__} has no 'resource' dict, so there is nothing to serve")
    return problems + _name_clashes([c for c in controllers if isinstance(c, type) and issubclass(c, Controller)])


def _name_clashes(controllers: Sequence[type[Controller]]) -> list[str]:
    """Two controllers may share a name only where one has the list and the other the items."""
    problems = []
    by_name: dict[str, list[type[Controller]]] = {}
    for cls in controllers:
        if cls.spec_ is not None:
            by_name.setdefault(cls.spec_.name, []).append(cls)
    for name, sharing in by_name.items():
        specs = [cls.spec_ for cls in sharing if cls.spec_ is not None]
        lists = [spec for spec in specs if spec.list_verbs != frozenset()]
        items = [spec for spec in specs if spec.unique_verbs != frozenset()]
        if len(lists) > 1 or len(items) > 1:
            both = " and ".join(cls.__name__ for cls in sharing)
            problems.append(
                f"{both} are both named {name!r}; two may share a name if one sets 'unique_verbs' and the other "
                "'list_verbs' to []"
            )
    return problems


def _shared(sharing: Sequence[Controller]) -> Callable[[Request, list[str]], Reply]:
    """Two controllers under one name: the one with list verbs gets the list, the other the items."""
    lists = next(c for c in sharing if c.spec.list_verbs != frozenset())
    items = next(c for c in sharing if c.spec.unique_verbs != frozenset())

    def handle(request: Request, parts: list[str]) -> Reply:
        return (items if parts else lists).handle(request, parts)

    return handle


def _described(sharing: Sequence[Controller], url: str, request: Request) -> Described:
    """What the description of one name's controllers is made of."""
    ready = [controller.prepare().for_caller(request) for controller in sharing]
    first = ready[0]
    return Described(
        first.spec.name,
        url,
        first.model,
        first.parameters,
        next((served.list_allow for served in ready if served.list_verbs), []),
        next((served.item_allow for served in ready if served.item_verbs), []),
        [response.media_type for response in first.spec.responses],
        first.related if isinstance(first, RelatedServed) else None,
    )


def _page(request: Request, rest: list[str], make: Callable[[], Any]) -> Reply:
    """A JSON page that can only be read, for callers that take JSON (NotAcceptable)."""

    def negotiated() -> Any:
        choose(request.header("ACCEPT"), (JsonResponse,))
        return make()

    return _probe(request, rest, negotiated)


def _probe(request: Request, rest: list[str], make: Callable[[], Any]) -> Reply:
    """A JSON page that can only be read, whatever the caller says that it takes."""
    if rest:
        raise NotFound("there is nothing at this address")
    if request.method == "OPTIONS":
        return "204 No Content", [("Allow", ", ".join(READ_ALLOW))], b""
    if request.method not in READ_ALLOW:
        raise MethodNotAllowed(READ_ALLOW, description=f"{request.method} is not served here")
    return json_reply(make())
