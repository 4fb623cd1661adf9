"""Which tables are copied, what speaks against it, and in which order they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rest_kit.copying.carry import Carries, carries
from rest_kit.errors import ConfigurationError
from rest_kit.models import Field, Model, PkField
from rest_kit.store import DataStore


class Pair(NamedTuple):
    """One table to copy: what it is called, where its rows are, and where they go."""

    name: str
    source: DataStore
    target: DataStore


class Reference(NamedTuple):
    """A field of one table that refers to another, or to its own, by their places among all tables."""

    child: int
    field: Field
    parent: int


def check(pairs: Sequence[Pair]) -> list[Carries]:
    """How the fields of each pair are carried over (ConfigurationError with everything that speaks against it)."""
    carried = [carries(pair.source.model, pair.target.model) for pair in pairs]
    problems = [
        f"{pair.name}: {problem}"
        for pair, found in zip(pairs, carried, strict=True)
        for problem in [*_refusals(pair), *found.problems]
    ]
    if problems:
        raise ConfigurationError(problems)
    return carried


def _refusals(pair: Pair) -> Iterator[str]:
    """Why a target takes no rows such as these at all."""
    able, key = pair.target.capabilities, pair.target.model.pk
    assert key is not None
    if not able.writable:
        yield f"the target cannot be written: {able.why_not}"
    elif key.generated and not able.brings_keys and key.name in pair.source.model.names:
        yield f"the target makes {key.name!r} itself, and takes none that is brought"


# --- references -------------------------------------------------------------------------------------------------------


def references_among(stores: Sequence[DataStore]) -> list[Reference]:
    """The references among these stores that their databases hold to (StoreUnavailable)."""
    return [
        Reference(child, field, parent)
        for child, store in enumerate(stores)
        for field in store.model.fields
        if field.references is not None
        for parent, other in enumerate(stores)
        if store.refers_to(field.references, other)
    ]


def in_order(count: int, known: Iterable[Reference]) -> list[int]:
    """So many places, each behind those that it refers to; a circle is entered where the fewest are missing."""
    parents: dict[int, set[int]] = {place: set() for place in range(count)}
    for one in known:
        if one.child != one.parent:
            parents[one.child].add(one.parent)
    ordered: list[int] = []
    while parents:
        missing = {place: above - set(ordered) for place, above in parents.items()}
        fewest = min(map(len, missing.values()))
        found = [place for place, above in missing.items() if len(above) == fewest][: None if fewest == 0 else 1]
        ordered += found
        parents = {place: above for place, above in parents.items() if place not in found}
    return ordered


# --- models for tables that are to be made ----------------------------------------------------------------------------


def models_for(sources: Mapping[str, DataStore]) -> dict[str, Model]:
    """The models that tables of these names are made from, in the order in which they can be (StoreUnavailable).

    They refer to each other as the sources do. References to anything else are left out, and so are those which would
    close a circle of tables.
    """
    names, stores = list(sources), list(sources.values())
    known = references_among(stores)
    ordered = in_order(len(stores), known)
    place = {number: rank for rank, number in enumerate(ordered)}
    targets: dict[tuple[int, str], str] = {}
    for one in known:
        key = stores[one.parent].model.pk
        if key is not None and place[one.parent] <= place[one.child]:
            targets[one.child, one.field.name] = f"{names[one.parent]}.{key.name}"
    return {names[number]: _referring(stores[number].model, number, targets) for number in ordered}


def _referring(model: Model, number: int, targets: Mapping[tuple[int, str], str]) -> Model:
    """The model with references to what it refers to now, and no others; a key that is made, any database makes."""
    fields = [
        field if field.references is None else field.named(field.name, references=targets.get((number, field.name)))
        for field in model.fields
    ]
    return Model.of(model.name, [PkField(one.name) if one.generated else one for one in fields], model.validators)
