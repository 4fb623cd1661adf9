"""Controllers below one path, as one dispatcher serves them: its own, and those of each version.

What lies below one path belongs together: its resources may refer to each other, and its pages describe them. Two
versions know nothing of each other, even where they serve the same data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.exceptions import NotFound

from rest_kit.controllers.controller import Controller
from rest_kit.controllers.pages import Handler, page
from rest_kit.controllers.related import RelatedServed, members_of
from rest_kit.deprecation import Deprecation
from rest_kit.docs.schema import Described, describe
from rest_kit.errors import did_you_mean
from rest_kit.problems import Reply
from rest_kit.relations import Graph
from rest_kit.request import Request


class Mounted:
    """What one path leads to: `handlers` by the path's next segment, and other such places in `versions`.

    `path` is the URL path below the script name, without a slash at its end; `about` is what the hello page says
    first; `deprecated` holds for all that has no deprecation of its own.
    """

    def __init__(
        self,
        path: str,
        controllers: Sequence[Controller],
        about: Mapping[str, Any],
        versions: Mapping[str, Mounted] | None = None,
        *,
        deprecated: Deprecation | None = None,
    ) -> None:
        self.path = path
        self.controllers = list(controllers)
        self.about = about
        self.versions = dict(versions or {})
        self.deprecated = deprecated
        self._own = frozenset(one.spec.name for one in controllers if one.spec.deprecated is not None)
        self.resources: dict[str, list[Controller]] = {}
        for controller in self.controllers:
            self.resources.setdefault(controller.spec.name, []).append(controller)
        self.handlers: dict[str, Handler] = {
            name: sharing[0].handle if len(sharing) == 1 else _shared(sharing)
            for name, sharing in self.resources.items()
        }

    def show(self, *, hello: bool, docs: bool) -> None:
        """Serve the pages that are asked for: one that links to everything, and the descriptions."""
        if hello:
            self.handlers[""] = self._hello
        if docs:
            self.handlers["schema"] = self._schema

    def relate(self) -> list[str]:
        """Let the controllers know what refers to what; a sentence for every mistake."""
        graph = Graph(members_of(self.controllers))
        problems = graph.problems + [problem for one in self.controllers for problem in _hidden(one, graph)]
        if not problems:
            for controller in self.controllers:
                controller.relate(graph)
        return problems

    def announce(self, request: Request, name: str = "") -> None:
        """Say in the reply to a request for what a name stands for that it is deprecated."""
        if self.deprecated is not None and name not in self._own:
            request.put_headers(self.deprecated.headers)

    def nothing(self, name: str) -> NotFound:
        """The refusal of a name that stands for nothing here."""
        return NotFound(f"there is nothing at this address{did_you_mean(name, [*self.resources, *self.versions])}")

    def _hello(self, request: Request, parts: list[str]) -> Reply:
        return page(request, parts, lambda: {**self.about, **self._links(request)})

    def _schema(self, request: Request, parts: list[str]) -> Reply:
        if not parts:
            return page(request, parts, lambda: self._links(request, "schema/"))
        sharing = self.resources.get(parts[0])
        if sharing is None:
            raise NotFound(f"no such resource{did_you_mean(parts[0], self.resources)}")
        url = f"{request.script_name()}{self.path}/{parts[0]}/"
        return page(request, parts[1:], lambda: describe(_described(sharing, url, request)))

    def _links(self, request: Request, below: str = "") -> dict[str, dict[str, str]]:
        """A link to each resource, or to what describes it, and to each version."""
        base = f"{request.script_name()}{self.path}/"
        links = {"resources": {name: f"{base}{below}{name}/" for name in self.resources}}
        if self.versions:
            links["versions"] = {name: f"{base}{name}/{below}" for name in self.versions}
        return links


def _hidden(controller: Controller, graph: Graph) -> list[str]:
    """A sentence for each action at the address of a relation that models declare."""
    declared = graph.declared(controller.spec.name)
    names = [name for name in controller.action_names(detail=True) if name in {**declared.to_one, **declared.to_many}]
    owner = type(controller).__name__
    return [f"{owner} has an action {name!r}, and {controller.spec.name!r} a relation of that name" for name in names]


def _shared(sharing: Sequence[Controller]) -> Handler:
    """Two controllers under one name: the one with list verbs gets the list, the other the items; each its actions."""
    lists = next(c for c in sharing if c.spec.list_verbs != frozenset())
    items = next(c for c in sharing if c.spec.unique_verbs != frozenset())
    lists.reserve_keys(items.action_names(detail=False))

    def handle(request: Request, parts: list[str]) -> Reply:
        return (items if parts and not lists.acts_at(parts) else lists).handle(request, parts)

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
        [one for controller in sharing for one in controller.actions_.values()],
    )
