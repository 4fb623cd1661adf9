"""From what a user names on the command line to controllers: files, databases, APIs, and objects in modules."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from rest_kit.cli import apis, databases
from rest_kit.cli.files import CSV_SUFFIXES, JSON_SUFFIX, in_csv, in_json, in_list, readable
from rest_kit.cli.modules import load_object
from rest_kit.cli.source import NO_WISHES, Finding, Part, Source, SourceError, Wishes, parse
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.errors import did_you_mean
from rest_kit.spec import RESERVED_RESOURCES
from rest_kit.store import DataStore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SUFFIXES: Final = (*CSV_SUFFIXES, *databases.SQLITE_SUFFIXES, JSON_SUFFIX)
SCHEMES: Final = (databases.SQLITE_SCHEME, *databases.SERVERS, *apis.SCHEMES)


class Served(NamedTuple):
    """What the sources turned into: the application, and its controllers where it is one of ours."""

    app: WSGIApplication
    controllers: Sequence[Controller]
    notes: Sequence[str] = ()


class Resources(NamedTuple):
    """The controllers that one source is served by, and what is to be said about it."""

    controllers: Sequence[type[Controller]]
    notes: Sequence[str] = ()


def serve(sources: Sequence[str | Source], wishes: Wishes = NO_WISHES) -> Served:
    """The application for these sources (ConfigurationError, StoreUnavailable)."""
    read = [parse(source) if isinstance(source, str) else source for source in sources]
    if len(read) == 1 and read[0].is_module:
        found = load_object(read[0].place)
        if not isinstance(found, list) and not is_controller(found):
            return of_application(found, read[0].place)
    resources = [resources_of(source, wishes) for source in read]
    controllers = [one for found in resources for one in found.controllers]
    refuse_same_names(controllers)
    app = WSGIDispatcher(controllers, name="rest_kit")
    return Served(app, app.controllers, [note for found in resources for note in found.notes])


def refuse_same_names(controllers: Sequence[type[Controller]]) -> None:
    """Refuse two resources of one name, and say how they get others (SourceError)."""
    names = [controller.spec_.name for controller in controllers if controller.spec_ is not None]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        told = ", ".join(twice)
        raise SourceError(
            f"two sources would both be served as {told}; give one of them another name: other=SOURCE, "
            "or other=SOURCE#TABLE for a table of a database"
        )


def of_application(found: Any, source: str) -> Served:
    """An application that somebody has written."""
    if isinstance(found, WSGIDispatcher):
        return Served(found, found.controllers)
    if isinstance(found, Controller):
        return Served(found, [found])
    if not callable(found):
        raise SourceError(f"{source} is neither a list nor a WSGI application, but {type(found).__name__}")
    return Served(cast("WSGIApplication", found), [])


def is_controller(found: Any) -> bool:
    """Whether it is a Controller class."""
    return isinstance(found, type) and issubclass(found, Controller)


# --- what a source is -------------------------------------------------------------------------------------------------


def check(source: Source, wishes: Wishes) -> Source:
    """The source, looked at before anything is served: an API's dialect is known then (SourceError, Unreachable)."""
    if source.is_module:
        return source
    if apis.is_api(source):
        return source if source.dialect else source._replace(dialect=apis.dialect_of(source, wishes))
    if not databases.is_server(source):
        check_file(source)
    if is_database(source):
        databases.look(source)
    return source


def check_file(source: Source) -> None:
    """Refuse what is no file, or of no known kind (SourceError)."""
    check_kind(source)
    with readable(source):
        if not Path(databases.file_of(source)).is_file():
            raise SourceError(f"{source}: there is no such file")


def check_kind(source: Source) -> None:
    """Refuse what looks like no source (SourceError)."""
    suffix = Path(source.place).suffix.lower()
    if source.scheme and source.scheme != databases.SQLITE_SCHEME:
        raise SourceError(f"{source} is of no known kind{did_you_mean(source.scheme, SCHEMES)}")
    if not source.scheme and suffix not in SUFFIXES:
        near = did_you_mean(suffix, SUFFIXES) if suffix else f"; valid: {', '.join(SUFFIXES)}"
        raise SourceError(f"{source} is of no known kind, which a file's ending tells{near}")
    if source.tables and suffix in CSV_SUFFIXES:
        raise SourceError(f"{source}: a CSV file holds one table, which goes by the file's name")


def is_database(source: Source) -> bool:
    """Whether it is a server's database, or an SQLite file."""
    is_file = not source.scheme and Path(source.place).suffix.lower() in databases.SQLITE_SUFFIXES
    return is_file or source.scheme == databases.SQLITE_SCHEME or databases.is_server(source)


def find(source: Source, wishes: Wishes) -> Finding:
    """The resources in one source that is no module (ConfigurationError, StoreUnavailable)."""
    if apis.is_api(source):
        return apis.in_api(source, wishes)
    if not databases.is_server(source):
        check_file(source)
    if is_database(source):
        return databases.in_database(source, wishes)
    is_json = Path(source.place).suffix.lower() == JSON_SUFFIX
    return in_json(source, wishes) if is_json else in_csv(source, wishes)


# --- controllers ------------------------------------------------------------------------------------------------------


def resources_of(source: Source, wishes: Wishes) -> Resources:
    """The controllers that serve one source (ConfigurationError, StoreUnavailable)."""
    if source.is_module:
        return _of_module(source, wishes)
    found = find(source, wishes)
    name = naming(source, found.parts)
    controllers, refused = [], []
    for part in found.parts:
        made = controller(name(part), part, wishes)
        reason = databases.fault_of(source, store_of(made)) if is_database(source) else None
        if reason is None:
            controllers.append(made)
        else:
            refused.append(f"{part.name} is not served: {reason}")
    if not controllers:
        raise SourceError([f"{source}: {reason}" for reason in refused])
    return Resources(controllers, [*found.notes, *refused])


def naming(source: Source, parts: Sequence[Part]) -> Callable[[Part], str]:
    """What each resource is called: its own name, or the one given; that one comes before it where there are more."""
    if not source.name:
        return lambda part: part.name
    return lambda part: source.name if len(parts) == 1 else f"{source.name}-{part.name}"


def store_of(served: type[Controller]) -> DataStore:
    """The store behind a controller."""
    assert served.spec_ is not None
    return served.spec_.store


def _of_module(source: Source, wishes: Wishes) -> Resources:
    """A list of dicts or a Controller class that a module holds."""
    found = load_object(source.place)
    if is_controller(found):
        return Resources([found])
    if isinstance(found, list):
        name = source.name or source.place.partition(":")[2]
        return Resources([controller(name, in_list(name, found), wishes)])
    raise SourceError(f"{source} is an application of its own: serve it alone")


def controller(name: str, part: Part, wishes: Wishes) -> type[Controller]:
    """The controller that serves one resource with every default."""
    slug = re.sub(r"[^A-Za-z0-9._~-]+", "-", name).strip("-.") or "data"
    if slug in RESERVED_RESOURCES:
        slug += "-data"
    verbs: Mapping[str, Any] = {"list_verbs": ["GET"], "unique_verbs": ["GET"]} if wishes.read_only else {}
    described = {
        "resource_name": slug,
        "resource": part.resource,
        "datastore": part.datastore,
        "options": part.options,
    }
    body = {"resource": described, "controller": verbs, "__module__": __name__}
    return types.new_class(slug, (Controller,), exec_body=lambda namespace: namespace.update(body))
