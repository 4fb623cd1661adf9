"""From what a user names on the command line to controllers: files, databases, and objects in modules."""

from __future__ import annotations

import importlib
import re
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from rest_kit import jsonio
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.errors import ConfigurationError, InvalidInput, StoreCorrupt, did_you_mean
from rest_kit.spec import RESERVED_RESOURCES
from rest_kit.store import DataStore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CSV_SUFFIXES: Final = (".csv", ".tsv", ".tab", ".txt")
SQLITE_SUFFIXES: Final = (".db", ".sqlite", ".sqlite3", ".db3")


class Served(NamedTuple):
    """What a source turned into: the application, and its controllers where it is one of ours."""

    app: WSGIApplication
    controllers: Sequence[Controller]
    notes: Sequence[str] = ()


class Part(NamedTuple):
    """One resource found in a source."""

    controller: type[Controller]
    notes: tuple[str, ...] = ()


class SourceError(ConfigurationError):
    """A source cannot be served; the text says why, and what to do."""


def serve(sources: Sequence[str], *, read_only: bool = False, csv_options: Mapping[str, Any] | None = None) -> Served:
    """The application for these sources (ConfigurationError)."""
    if len(sources) == 1 and is_module(sources[0]):
        found = load_object(sources[0])
        if not isinstance(found, list) and not is_controller(found):
            return of_application(found, sources[0])
    parts = [part for source in sources for part in read(source, read_only, csv_options or {})]
    names = [part.controller.spec_.name for part in parts if part.controller.spec_ is not None]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"two sources would both be served as {', '.join(twice)}; rename one of them")
    app = WSGIDispatcher([part.controller for part in parts], name="rest_kit")
    return Served(app, app.controllers, [note for part in parts for note in part.notes])


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


def is_module(source: str) -> bool:
    """Whether a source has the form `module:NAME`."""
    return re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", source) is not None


def read(source: str, read_only: bool, csv_options: Mapping[str, Any]) -> list[Part]:
    """The resources in one source (ConfigurationError)."""
    check(source)
    if is_module(source):
        return from_module(source, read_only)
    path = Path(source)
    readers: dict[str, Callable[[], list[Part]]] = {
        **{known: lambda: from_csv(path, read_only, csv_options) for known in CSV_SUFFIXES},
        **{known: lambda: from_sqlite(path, read_only) for known in SQLITE_SUFFIXES},
        ".json": lambda: from_json(path, read_only),
    }
    return readers[path.suffix.lower()]()


def check(source: str) -> None:
    """Refuse what is neither a file of a known kind nor `module:NAME` (SourceError)."""
    if is_module(source):
        return
    suffix, known = Path(source).suffix.lower(), (*CSV_SUFFIXES, *SQLITE_SUFFIXES, ".json")
    if suffix not in known:
        near = did_you_mean(suffix, known) if suffix else ""
        raise SourceError(f"{source} is of no known kind: {', '.join(known)} or module:NAME{near}")
    if not Path(source).is_file():
        raise SourceError(f"{source}: there is no such file")


def from_csv(path: Path, read_only: bool, options: Mapping[str, Any]) -> list[Part]:
    """A delimited text file as one resource."""
    chosen = {**options, **({"read_only": True} if read_only else {})}
    return [Part(controller(path.stem, store("CSVDataStore"), {"path": str(path)}, chosen, read_only))]


def from_sqlite(path: Path, read_only: bool) -> list[Part]:
    """Every table and view of an SQLite file as a resource."""
    tables: Sequence[str] = stores_module("datastores.sqlite").list_tables(str(path))
    if not tables:
        raise SourceError(f"{path}: there is no table in it")
    options = {"read_only": True} if read_only else {}
    cls = store("SQLiteDataStore")
    parts, refused = [], []
    for table in tables:
        served = controller(table, cls, {"name": str(path), "table": table}, options, read_only)
        reason = unservable(served)
        if reason is None:
            parts.append(Part(served))
        else:
            refused.append(f"{table} is not served: {reason}")
    if not parts:
        raise SourceError([f"{path}: {reason}" for reason in refused])
    return [parts[0]._replace(notes=tuple(refused)), *parts[1:]]


def unservable(served: type[Controller]) -> str | None:
    """Why a table cannot be served at all, so that the others still can; None where it can (StoreUnavailable)."""
    assert served.spec_ is not None
    try:
        return None if served.spec_.store.model.pk is not None else "nothing names a row"
    except StoreCorrupt as exc:
        return str(exc)


def from_json(path: Path, read_only: bool) -> list[Part]:
    """A list of objects, or an object of such lists, kept in memory."""
    try:
        data = jsonio.loads(path.read_bytes())
    except InvalidInput as exc:
        raise SourceError(f"{path}: {exc}") from exc
    lists = {path.stem: data} if isinstance(data, list) else data
    if not isinstance(lists, dict) or not lists:
        raise SourceError(f"{path}: an object of lists is needed, or one list")
    parts = []
    for name, rows in lists.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SourceError(f"{path}: {name!r} is not a list of objects")
        parts.append(from_list(name, rows, read_only))
    if read_only:
        return parts
    note = f"changes to {path} are kept in memory and end with the server"
    return [parts[0]._replace(notes=(note,)), *parts[1:]]


def from_list(name: str, rows: list[dict[str, Any]], read_only: bool) -> Part:
    """A list of dicts as one resource."""
    return Part(controller(name, store("PythonListDataStore"), rows, {}, read_only))


def from_module(source: str, read_only: bool) -> list[Part]:
    """A list of dicts or a Controller class that a module holds."""
    found = load_object(source)
    if is_controller(found):
        return [Part(found)]
    if isinstance(found, list):
        return [from_list(source.partition(":")[2], found, read_only)]
    raise SourceError(f"{source} is an application of its own: serve it alone")


def load_object(source: str) -> Any:
    """The object that `module:NAME` names (SourceError)."""
    module_name, _, name = source.partition(":")
    if "" not in sys.path and "." not in sys.path:
        sys.path.insert(0, "")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (module_name + ".").startswith(exc.name + "."):
            raise SourceError(f"{source}: there is no module {exc.name!r} here or installed") from exc
        raise
    if not hasattr(module, name):
        public = [known for known in vars(module) if not known.startswith("_")]
        raise SourceError(f"{source}: {module_name} has no {name!r}{did_you_mean(name, public)}")
    return getattr(module, name)


def controller(
    name: str, cls: type[DataStore], resource: Any, options: Mapping[str, Any], read_only: bool
) -> type[Controller]:
    """The controller that serves one resource with every default."""
    slug = re.sub(r"[^A-Za-z0-9._~-]+", "-", name).strip("-.") or "data"
    if slug in RESERVED_RESOURCES:
        slug += "-data"
    verbs = {"list_verbs": ["GET"], "unique_verbs": ["GET"]} if read_only else {}
    described = {"resource_name": slug, "resource": resource, "datastore": cls, "options": options}
    body = {"resource": described, "controller": verbs, "__module__": __name__}
    return types.new_class(slug, (Controller,), exec_body=lambda namespace: namespace.update(body))


def stores_module(name: str) -> Any:
    """A module of our `datastores`, unless a package of that name in the working directory hides it (SourceError)."""
    if "datastores" not in sys.modules and "" in sys.path:
        sys.path.remove("")
        sys.path.append("")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        raise hidden() from exc


def store(name: str) -> type[DataStore]:
    """One of our stores, by the name of its class (SourceError)."""
    found = getattr(stores_module("datastores"), name, None)
    if found is None:
        raise hidden()
    return cast("type[DataStore]", found)


def hidden() -> SourceError:
    """What to say where another package bears the name of ours."""
    other = getattr(importlib.import_module("datastores"), "__file__", "an unknown place")
    return SourceError(
        f"the package 'datastores' at {other} hides the one of rest_kit; rename it, or run from another directory"
    )
