"""Many controllers as one WSGI application, with the pages that speak of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound, ServiceUnavailable

from rest_kit.authentication import Authentication
from rest_kit.background import Background
from rest_kit.controllers.arguments import Problems
from rest_kit.controllers.boundary import Application, log
from rest_kit.controllers.controller import Controller
from rest_kit.controllers.mounted import Mounted
from rest_kit.controllers.pages import error_pages, health, probe
from rest_kit.controllers.paths import segments
from rest_kit.cors import CORS, CORSDict
from rest_kit.deprecation import Deprecation
from rest_kit.errors import ConfigurationError, StoreError
from rest_kit.https import HTTPSDict, read_https
from rest_kit.permissions import Permission
from rest_kit.policies import read_policies
from rest_kit.problems import Reply
from rest_kit.proxies import ProxiesDict, read_proxies
from rest_kit.request import Environ, Request
from rest_kit.routes import Route
from rest_kit.signing import Keys
from rest_kit.storage import Storage, open_storage
from rest_kit.throttling import Throttle

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from rest_kit.controllers.routing import Routes

Gate = Callable[[Request], Reply | None]
"""Looks at a request first: it may put headers into the reply, raise, or answer."""


class WSGIDispatcher(Application):
    """Serves controllers as one WSGI application.

    `controllers`: Controller classes, each under its `resource_name`; one name may be given to two, of which one
    serves the list and the other the items. `versions`: by the path segment that comes before them, such as `v1`,
    further lists of controllers; no version knows of another's resources. `deprecated`: what is said of everything, or
    of versions by name. `name`, `version`: shown at `/`. `prefix`: a path before everything, such as `/api`. `hello`,
    `docs`: whether `/` and `/schema/` are served. `cors`: which pages of other origins may use the API. `proxies`: how
    many trusted proxies are in front. `https`: whether plain HTTP is refused. `fallback`: a WSGI application for every
    path that is not ours. `secret`: signs cursors and keys entity tags (a list for rotation, newest first; or the
    environment variable REST_KIT_SECRET). `authentication`, `permissions`, `throttle`:
    the policies of controllers that have none of their own. `storage`: where throttles count, where sessions
    and the newest refresh tokens are known, and where replies under idempotency keys lie for stores that keep none; a
    URL (`memory://`, `sqlite:///file`, `redis://host`), or a Storage. `routes`: plain endpoints beside the controllers.
    `background_workers`, `background_queue`: how many threads do what is left for after the reply, and how much may
    wait for them. Raises ConfigurationError with every mistake.
    """

    def __init__(
        self,
        controllers: Sequence[type[Controller]] = (),
        *,
        name: str = "rest_kit",
        version: str = "1.0",
        prefix: str = "",
        versions: Mapping[str, Sequence[type[Controller]]] | None = None,
        deprecated: Deprecation | Mapping[str, Deprecation] | None = None,
        docs: bool = True,
        hello: bool = True,
        cors: CORSDict | None = None,
        proxies: int | ProxiesDict = 0,
        https: bool | HTTPSDict = False,
        fallback: WSGIApplication | None = None,
        secret: str | list[str] | None = None,
        authentication: Authentication | Sequence[Authentication] | None = None,
        permissions: Permission | Sequence[Permission] | None = None,
        throttle: Throttle | Sequence[Throttle] | None = None,
        storage: str | Storage = "memory://",
        routes: Sequence[Route] = (),
        background_workers: int = 4,
        background_queue: int = 1000,
    ) -> None:
        self.name = name
        self.version = version
        self.fallback = fallback
        versions = {} if versions is None else versions
        problems = Problems()
        problems.check_controllers(controllers)
        problems.check_versions(versions, controllers)
        problems.check_places(prefix, fallback, routes)
        problems.expect(str, name=name, version=version)
        problems.expect(bool, docs=docs, hello=hello)
        problems.check_background(background_workers, background_queue)
        given = {"authentication": authentication, "permissions": permissions, "throttle": throttle}
        self._read_policies(given, secret, routes, problems)
        with problems.gathered():
            self.storage = open_storage(storage)
        with problems.gathered():
            self.proxies = read_proxies(proxies)
        self._deprecated = problems.read_deprecated(deprecated, versions)
        self.prefix = "/" + prefix.strip("/") if isinstance(prefix, str) and prefix.strip("/") else ""
        self._gates = self._read_gates(cors, https, problems)
        self._refuse(problems)
        self.background = Background(background_workers, background_queue)
        self._prefix_parts = self.prefix.split("/")[1:]
        self.root = self._mount(controllers, versions)
        self.controllers = [one for place in self._places() for one in place.controllers]
        self._routes = self._take_routes(routes)
        self._show(hello=hello, docs=docs)
        self._refuse([problem for place in self._places() for problem in place.relate()])

    def _read_policies(self, given: Mapping[str, Any], secret: Any, routes: Sequence[Any], problems: Problems) -> None:
        """Take over the policies for all, and the keys that they and the routes may need."""
        self.defaults, misfits = read_policies(given, type(self).__name__)
        problems += misfits
        with problems.gathered():
            self.keys = Keys(secret)
            unfit = [problem for one in routes if isinstance(one, Route) for problem in one.check(self.keys)]
            problems += dict.fromkeys([*self.defaults.problems(self.keys), *unfit])

    def _read_gates(self, cors: Any, https: Any, problems: Problems) -> tuple[Gate, ...]:
        """What a request passes before anything is looked for: nothing, unless it is asked for."""
        gates: list[Gate] = []
        if cors is not None:
            with problems.gathered():
                gates.append(CORS(cors).meet)
        with problems.gathered():
            insists = read_https(https, [f"{self.prefix}/healthz", f"{self.prefix}/readyz"])
            gates += [insists.meet] if insists is not None else []
        return tuple(gates)

    def _refuse(self, problems: Sequence[str]) -> None:
        if problems:
            raise ConfigurationError(problems, owner=type(self).__name__)

    def _take_routes(self, routes: Sequence[Route]) -> Routes | None:
        """What finds the plain endpoints, if there are any."""
        if not routes:
            return None
        # werkzeug's rules take 0.7 MB of every worker, and most applications have none
        from rest_kit.controllers.routing import Routes, clashes

        lists = [[name] for name in self.root.resources]
        lists += [[version, name] for version, place in self.root.versions.items() for name in place.resources]
        self._refuse(clashes(routes, lists))
        return Routes(routes, self.defaults, self.storage, self.keys)

    def _mount(
        self, controllers: Sequence[type[Controller]], versions: Mapping[str, Sequence[type[Controller]]]
    ) -> Mounted:
        """The place of everything: the controllers of no version, and the versions below."""
        places = {
            name: Mounted(
                f"{self.prefix}/{name}",
                [self._make(cls, f"{self.prefix}/{name}", name) for cls in listed],
                {"name": self.name, "version": name},
                deprecated=self._deprecated.get(name),
            )
            for name, listed in versions.items()
        }
        unversioned = [self._make(cls, self.prefix) for cls in controllers]
        about = {"name": self.name, "version": self.version}
        return Mounted(self.prefix, unversioned, about, places, deprecated=self._deprecated.get(""))

    def _make(self, cls: type[Controller], path: str, version: str = "") -> Controller:
        assert cls.spec_ is not None
        mount = f"{path}/{cls.spec_.name}/"
        return cls(
            mount=mount,
            version=version,
            keys=self.keys,
            defaults=self.defaults,
            storage=self.storage,
            background=self.background,
        )

    def _places(self) -> list[Mounted]:
        return [self.root, *self.root.versions.values()]

    def _show(self, *, hello: bool, docs: bool) -> None:
        """Serve the pages."""
        for place in self._places():
            place.show(hello=hello, docs=docs)
        self.root.handlers |= {"healthz": health, "readyz": self._ready}
        if docs:
            self.root.handlers["docs"] = error_pages

    def answer(self, request: Request) -> Reply:
        """Find what serves the path, and let it (NotFound, and what the gates raise)."""
        for gate in self._gates:
            reply = gate(request)
            if reply is not None:
                return reply
        parts = segments(request.environ)
        if self.prefix:
            parts = self._below_prefix(parts)
        if "" in parts:
            raise NotFound("there is nothing at this address")
        if self._routes is not None:
            found = self._routes.find(parts, request.method)
            if found is not None:
                self.root.announce(request)
                return found(request)
        place = self.root
        if place.versions:
            place, parts = self._place(parts)
        name = parts.pop(0) if parts else ""
        if place.deprecated is not None:
            place.announce(request, name)
        handler = place.handlers.get(name)
        if handler is None:
            raise place.nothing(name)
        return handler(request, parts)

    def _below_prefix(self, parts: list[str]) -> list[str]:
        length = len(self._prefix_parts)
        if parts[:length] != self._prefix_parts:
            raise NotFound(f"everything here lies under {self.prefix}/")
        return parts[length:]

    def _place(self, parts: list[str]) -> tuple[Mounted, list[str]]:
        """Where a path leads, and what of it is left there."""
        version = self.root.versions.get(parts[0]) if parts else None
        return (self.root, parts) if version is None else (version, parts[1:])

    def knows(self, environ: Environ) -> bool:
        """Whether the path's first segment below the prefix, or below its version, is one of ours."""
        try:
            parts = self._below_prefix(segments(environ))
        except NotFound:
            return False
        if self._routes is not None and self._routes.find(parts, environ["REQUEST_METHOD"]) is not None:
            return True
        place, parts = self._place(parts)
        return (parts[0] if parts else "") in place.handlers and parts[:1] != [""]

    def _ready(self, request: Request, parts: list[str]) -> Reply:
        return probe(request, parts, self._readiness)

    def _readiness(self) -> dict[str, Any]:
        """Every store reached (ServiceUnavailable naming those that cannot be)."""
        failed = []
        for controller in self.controllers:
            try:
                controller.ping()
            except StoreError as exc:
                log.warning("%s is not ready: %s", controller.full_name, exc)
                failed.append(controller.full_name)
        if failed:
            raise ServiceUnavailable(f"not ready: {', '.join(failed)}")
        return {"status": "ready", "resources": {controller.full_name: "ready" for controller in self.controllers}}
