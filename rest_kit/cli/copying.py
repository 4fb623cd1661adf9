"""`rest-kit copy SRC DST`: which tables of the one go into which of the other, and what is made there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from rest_kit.cli import apis, databases, sources
from rest_kit.cli.files import CSV_SUFFIXES, in_csv, in_list
from rest_kit.cli.modules import load_object
from rest_kit.cli.source import Finding, Part, Source, SourceError, Wishes
from rest_kit.copying import Pair, models_for
from rest_kit.store import DataStore


class Target(NamedTuple):
    """Where one table goes, and whether it is there already."""

    part: Part
    there: bool

    def store(self) -> DataStore:
        """The store; nobody follows the events of a table that is about to be made, so it keeps none of the copying."""
        silent = not self.there and "events" in self.part.datastore.option_keys
        return self.part.store(**({"events": False} if silent else {}))


class Plan(NamedTuple):
    """What is copied where; `together`, whether that is one transaction."""

    pairs: Sequence[Pair]
    together: bool

    @property
    def left_over(self) -> str:
        """What there is of a copy that was broken off."""
        if all(pair.target.capabilities.transactions for pair in self.pairs):
            return "nothing was copied"
        return "what was copied until then stays, as the target has no transactions"


def plan(source: Source, target: Source, wishes: Wishes) -> Plan:
    """The tables to copy and where they go, nothing of which is made yet (ConfigurationError, StoreUnavailable)."""
    parts = found_in(source, wishes._replace(read_only=True, views=False)).parts
    stores = [part.store() for part in parts]
    targets = list(targets_in(target, parts, wishes._replace(read_only=False)))
    refuse_same(parts, targets)
    check_models(source, parts, stores)
    made = [one.store() for one in targets]
    models = models_for({_name(one): store for one, store in zip(targets, stores, strict=True) if not one.there})
    for one, store in zip(targets, made, strict=True):
        if not one.there:
            store.bind(models[_name(one)])
    names = [_told(*one) for one in zip(parts, targets, strict=True)]
    pairs = [Pair(*one) for one in zip(names, stores, made, strict=True)]
    return Plan(pairs, together=sources.is_database(target))


def _told(part: Part, target: Target) -> str:
    """What a table is called while it is copied: by both of its names, where it has two."""
    return part.name if _name(target) in (part.name, part.table) else f"{part.name} -> {_name(target)}"


def _name(target: Target) -> str:
    return target.part.table or target.part.name


# --- what is copied ---------------------------------------------------------------------------------------------------


def found_in(source: Source, wishes: Wishes) -> Finding:
    """The tables in a source (ConfigurationError, StoreUnavailable)."""
    if source.name:
        raise SourceError(f"{source.name}={source}: a name is given to what is served; a table's is named by '#'")
    if not source.is_module:
        return sources.find(source, wishes)
    found = load_object(source.place)
    if not isinstance(found, list):
        raise SourceError(f"{source} is no list, but {type(found).__name__}")
    return Finding([in_list(source.place.partition(":")[2], found)])


def check_models(source: Source, parts: Sequence[Part], stores: Sequence[DataStore]) -> None:
    """Refuse tables that cannot be read as rows with a key, all at once (SourceError, StoreUnavailable)."""
    if len(parts) == 1:
        return  # whatever is wrong with it is told when it is copied
    problems, others = [], []
    for part, store in zip(parts, stores, strict=True):
        fault = databases.fault_of(source, store)
        if fault is not None:
            problems.append(f"{part.name} cannot be copied: {fault}")
        else:
            others.append(quote(part.name, safe=""))
    if problems:
        hint = f"; the others are {source}#{','.join(others)}" if others else ""
        raise SourceError([*problems[:-1], problems[-1] + hint])


# --- where it goes ----------------------------------------------------------------------------------------------------


def targets_in(target: Source, parts: Sequence[Part], wishes: Wishes) -> Iterator[Target]:
    """Where each table goes (SourceError, Unreachable)."""
    if target.name:
        raise SourceError(f"{target.name}={target}: the target has no other name than its own")
    if sources.is_database(target):
        return _tables(target, parts)
    return iter([_alone(target, parts, wishes)])


def _alone(target: Source, parts: Sequence[Part], wishes: Wishes) -> Target:
    """A place for one table: a CSV file, or the collection of an API."""
    is_csv = not target.scheme and Path(target.place).suffix.lower() in CSV_SUFFIXES
    if target.is_module or not (is_csv or apis.is_api(target)):
        if not target.is_module:
            sources.check_kind(target)
        raise SourceError(f"{target}: rows are copied into CSV files, databases and APIs, not into memory")
    if len(parts) > 1:
        names = ", ".join(part.name for part in parts[:5])
        raise SourceError(f"{target} takes one table, and there are {len(parts)}: name one of them by '#': {names}")
    if not is_csv:
        return Target(apis.in_api(target, wishes).parts[0], True)
    sources.check_kind(target)
    path = Path(target.place)
    check_folder(target, path)
    return Target(in_csv(target, wishes).parts[0], path.exists() and path.stat().st_size > 0)


def _tables(target: Source, parts: Sequence[Part]) -> Iterator[Target]:
    """Tables of a database: those named, else of the names that they have."""
    if target.tables and len(target.tables) != len(parts):
        raise SourceError(f"{target} names {len(target.tables)} tables, and there are {len(parts)} to copy")
    place = databases.place_of(target)
    is_file = not databases.is_server(target)
    if is_file:
        check_folder(target, Path(databases.file_of(target)))
    for wanted, part in zip(target.tables or [None] * len(parts), parts, strict=True):
        schema, name = (None, part.table or part.name) if wanted is None else place.parted(wanted)
        with databases.reaching(target):
            listed = [] if is_file and not Path(databases.file_of(target)).exists() else place.listed(schema, True)
        there = name.lower() in map(str.lower, listed) if is_file else name in listed
        yield Target(databases.part_of(place, schema, name, {}), there)


def check_folder(target: Source, path: Path) -> None:
    """Refuse a file that cannot be made because there is no such directory (SourceError)."""
    if not path.parent.is_dir():
        raise SourceError(f"{target}: there is no directory {str(path.parent)!r}")


def refuse_same(parts: Sequence[Part], targets: Sequence[Target]) -> None:
    """Refuse to copy a table into itself (SourceError)."""
    same = [part.name for part, one in zip(parts, targets, strict=True) if _same(part, one.part)]
    if same:
        raise SourceError(f"{', '.join(same)} would be copied into itself")


def _same(part: Part, other: Part) -> bool:
    if part.datastore is not other.datastore or not isinstance(part.resource, Mapping):
        return False
    return _resolved(part.resource) == _resolved(other.resource)


def _resolved(resource: Mapping[str, object]) -> dict[str, object]:
    """What names a table, with the paths of files in full."""
    return {
        key: Path(value).resolve() if key in ("name", "path") and isinstance(value, str) else value
        for key, value in resource.items()
    }
