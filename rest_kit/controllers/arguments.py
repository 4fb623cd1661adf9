"""What can be wrong with a dispatcher's arguments: sentences, all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rest_kit.controllers.controller import Controller
from rest_kit.deprecation import Deprecation
from rest_kit.errors import ConfigurationError, did_you_mean
from rest_kit.routes import Route
from rest_kit.spec import RESERVED_RESOURCES, is_segment

_EXAMPLE = "Deprecation(since=date(2026, 1, 1))"


class Problems(list[str]):
    """The mistakes that have been found so far."""

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Note what is raised within, and go on."""
        try:
            yield
        except ConfigurationError as exc:
            self += exc.problems

    def expect(self, expected: type, **given: Any) -> None:
        """Note each argument that is of another type."""
        wrong = {name: value for name, value in given.items() if not isinstance(value, expected)}
        self += [f"{name} must be a {expected.__name__}, not {value!r}" for name, value in wrong.items()]

    def check_places(self, prefix: Any, fallback: Any, routes: Sequence[Any]) -> None:
        """Note what is wrong with where requests go besides the controllers."""
        if not isinstance(prefix, str) or not all(map(is_segment, prefix.strip("/").split("/") if prefix else ())):
            self.append(f"prefix must be a path such as '/api/v1', not {prefix!r}")
        if fallback is not None and not callable(fallback):
            self.append(f"fallback must be a WSGI application, not {fallback!r}")
        self += [f"routes holds {one!r}, which is not a Route" for one in routes if not isinstance(one, Route)]

    def check_background(self, workers: Any, queue: Any) -> None:
        """Note bounds of the work in the background that cannot be meant."""
        if type(workers) is not int or workers < 1:
            self.append(f"background_workers must be a positive int, not {workers!r}")
        if type(queue) is not int or queue < 0:
            self.append(f"background_queue must be an int, 0 or more, not {queue!r}")

    def check_controllers(self, controllers: Any, where: str = "controllers") -> None:
        """Note what is wrong with a list of controllers."""
        if not isinstance(controllers, Sequence) or isinstance(controllers, str):
            self.append(f"{where} must be a list of Controller classes, not {controllers!r}")
            return
        self += [problem for problem in (_misfit(one, where) for one in controllers) if problem]
        self += _name_clashes([one for one in controllers if not _misfit(one, where)])

    def check_versions(self, versions: Any, controllers: Any) -> None:
        """Note what is wrong with the versions, beside these controllers of none."""
        if not isinstance(versions, Mapping):
            self.append(f"versions must be a dict such as {{'v1': [BookApp]}}, not {versions!r}")
            return
        for name, listed in versions.items():
            if not isinstance(name, str) or not is_segment(name):
                self.append(f"versions[{name!r}]: a version's name must be letters, digits or - . _ ~")
            elif name in RESERVED_RESOURCES:
                self.append(f"versions[{name!r}]: {name!r} is a route of the dispatcher's own")
            self.check_controllers(listed, f"versions[{name!r}]")
        for one in controllers if isinstance(controllers, Sequence) else ():
            if not _misfit(one, "") and one.spec_.name in versions:
                self.append(f"{one.spec_.name!r} is the name of {one.__name__} and of a version")

    def read_deprecated(self, given: Any, versions: Any) -> dict[str, Deprecation]:
        """By version ("" for what is in none), what an argument `deprecated` says of it."""
        known = ["", *versions] if isinstance(versions, Mapping) else [""]
        if given is None:
            return {}
        if isinstance(given, Deprecation):
            return dict.fromkeys(known, given)
        if not isinstance(given, Mapping):
            self.append(f"deprecated must be a Deprecation, or a dict with one for each version, not {given!r}")
            return {}
        for name, one in given.items():
            if name not in known[1:]:
                self.append(f"deprecated[{name!r}] is no version{did_you_mean(str(name), map(str, known[1:]))}")
            if not isinstance(one, Deprecation):
                self.append(f"deprecated[{name!r}] must be a Deprecation, such as {_EXAMPLE}, not {one!r}")
        return dict(given)


def _misfit(one: Any, where: str) -> str:
    """What is wrong with one of a list of controllers; nothing for a good one."""
    if not (isinstance(one, type) and issubclass(one, Controller)):
        hint = f": pass the class {type(one).__name__}" if isinstance(one, Controller) else ""
        return f"{where} holds {one!r}, which is not a Controller class{hint}"
    return "" if one.spec_ is not None else f"{one.__name__} has no 'resource' dict, so there is nothing to serve"


def _name_clashes(controllers: Sequence[type[Controller]]) -> list[str]:
    """Two controllers may share a name only where one has the list and the other the items."""
    problems = []
    by_name: dict[str, list[type[Controller]]] = {}
    for cls in controllers:
        assert cls.spec_ is not None
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
        problems += _action_clashes(sharing)
    return problems


def _action_clashes(sharing: Sequence[type[Controller]]) -> list[str]:
    """A sentence for every address at which two controllers of one name have an action."""
    places = [(one.detail, one.name) for cls in sharing for one in cls.actions_.values()]
    twice = sorted({name for detail, name in places if places.count((detail, name)) > 1})
    both = " and ".join(cls.__name__ for cls in sharing)
    return [f"{both} share a name, and each has an action {name!r}" for name in twice]
